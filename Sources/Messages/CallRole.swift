/// What a call is made for; each role is counted apart.
package enum CallRole: String, Sendable, CaseIterable, Codable {
  /// The program under optimization.
  case task
  /// The teacher that writes demos.
  case teacher
  /// Proposing instructions.
  case prompt
  /// A metric's judge.
  case judge
  /// Vectors of texts.
  case embedding
}

import Basics
package import JSON

/// What most programs say.
///
/// As DSPy's `majority`: texts are compared as `AnswerText` normalizes them, who says nothing has no vote unless nobody
/// says anything, and of answers with equally many votes the earliest wins.
package struct MajorityVote: Sendable {
  /// The place of the first program that says what most say; nil where there is no program.
  package let winner: Int?
  /// How many say the same.
  package let votes: Int

  /// - Parameter ballots: what each program says, as `ballot` has it.
  package init(_ ballots: [String?]) {
    let voters = ballots.contains { $0 != nil } ? ballots.indices.filter { ballots[$0] != nil } : Array(ballots.indices)
    var counts: [String?: Int] = [:]
    for voter in voters { counts[ballots[voter], default: 0] += 1 }
    votes = counts.values.max() ?? 0
    let most = votes
    winner = voters.first { counts[ballots[$0]] == most }
  }

  /// A value as it is counted; nil where it says nothing.
  package static func ballot(_ value: JSONValue?) -> String? {
    switch value {
    case nil, .null?: return nil
    case .string(let text)?:
      let normalized = AnswerText.normalized(text)
      return normalized.isEmpty ? nil : normalized
    case let value?: return value.text()
    }
  }
}

/// One thing wrong with an input: where it stands, what came, and what is allowed there.
public struct Problem: Sendable, Hashable, CustomStringConvertible {
  /// The place, as a path from the input's root (`optimizer.name`, `trainset.rows[3].answer`).
  public var path: String
  public var message: String
  /// What came, shortened, if it helps.
  public var got: String?
  /// The values allowed at this place, if they can be listed.
  public var allowed: [String]
  /// The allowed value nearest to what came.
  public var suggestion: String?
  /// Whether the last name on the path is what is wrong, and not the value under it.
  public var isAboutName: Bool

  package init(
    path: String, message: String, got: String? = nil, allowed: [String] = [], suggestion: String? = nil,
    isAboutName: Bool = false
  ) {
    self.path = path
    self.message = message
    self.got = got
    self.allowed = allowed
    self.suggestion = suggestion
    self.isAboutName = isAboutName
  }

  public var description: String {
    var text = path.isEmpty ? message : "\(path): \(message)"
    if let suggestion { text += " Did you mean \"\(suggestion)\"?" }
    return text
  }
}

/// The candidate that a person most probably meant by `name`, or nil if none is near.
///
/// Nearness is the edit distance without regard to case and `_`/`-`; a candidate counts
/// when at most a third of its characters (and at least one) differ.
package func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
  func fold(_ text: String) -> [Character] {
    text.lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " }
  }
  let wanted = fold(String(name.prefix(100)))
  var best: (distance: Int, name: String)?
  for candidate in candidates {
    let other = fold(candidate)
    let distance = editDistance(wanted, other)
    guard distance <= max(1, max(other.count, wanted.count) / 3) else { continue }
    if distance < best?.distance ?? .max { best = (distance, candidate) }
  }
  return best?.name
}

/// The edit distance between two sequences: Levenshtein's, with a swap of neighbours, the commonest slip,
/// counted as one edit (optimal string alignment).
private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var beforePrevious: [Int] = []
  var previous = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var current = [i + 1]
    current.reserveCapacity(b.count + 1)
    for (j, y) in b.enumerated() {
      var distance = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (x == y ? 0 : 1))
      if i > 0, j > 0, x == b[j - 1], a[i - 1] == y { distance = min(distance, beforePrevious[j - 1] + 1) }
      current.append(distance)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[b.count]
}

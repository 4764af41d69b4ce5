import Programs
import Randomness

/// Two candidates of a common ancestor made one: each step's instructions from the side that changed them.
///
/// Source: Agrawal et al. 2025, arXiv 2507.19457, algorithm 4 (system-aware merge).
struct Merge: Sendable, Hashable {
  var first: Int
  var second: Int
  var ancestor: Int
  /// For each step the candidate that its instructions come from.
  var origins: [Int]

  /// What a search for a merge looks at.
  struct Family: Sendable {
    var parents: [[Int]]
    /// For each candidate the instructions of its steps.
    var texts: [[String]]
    var means: [Double]

    /// The ancestors of a candidate, itself left out.
    func ancestors(of candidate: Int) -> Set<Int> {
      var found: Set<Int> = []
      var open = parents[candidate]
      while let next = open.popLast() {
        if found.insert(next).inserted { open += parents[next] }
      }
      return found
    }

    /// Ancestors of both that neither is worse than, and of which one step changed on one side alone.
    func ancestors(of first: Int, _ second: Int) -> [Int] {
      ancestors(of: first).intersection(ancestors(of: second)).sorted().filter { ancestor in
        means[ancestor] <= min(means[first], means[second])
          && texts[ancestor].indices.contains { step in
            let (a, b, old) = (texts[first][step], texts[second][step], texts[ancestor][step])
            return a != b && (a == old || b == old)
          }
      }
    }
  }

  /// The instructions of the merged program.
  func texts(_ family: Family) -> [String] { origins.indices.map { family.texts[origins[$0]][$0] } }

  /// A merge that has not been made; nil where a hundred draws find none.
  ///
  /// - Parameter pool: candidates to draw from.
  static func find(_ family: Family, pool: [Int], made: Set<Merge>, random: inout PythonRandom) -> Merge? {
    guard pool.count >= 2 else { return nil }
    for _ in 0..<100 {
      let pair = random.sample(pool, k: 2).sorted()
      let (first, second) = (pair[0], pair[1])
      guard !family.ancestors(of: second).contains(first), !family.ancestors(of: first).contains(second) else {
        continue
      }
      let ancestors = family.ancestors(of: first, second)
      guard let ancestor = random.choices(ancestors, weights: ancestors.map { max(family.means[$0], 1e-6) }) else {
        continue
      }
      let better = family.means[first] >= family.means[second] ? first : second
      let origins = family.texts[ancestor].indices.map { step -> Int in
        let (a, b, old) = (family.texts[first][step], family.texts[second][step], family.texts[ancestor][step])
        if a == old { return second }
        if b == old || a == b { return first }
        return better
      }
      let merge = Merge(first: first, second: second, ancestor: ancestor, origins: origins)
      let texts = merge.texts(family)
      // One that is a candidate already teaches nothing.
      if !made.contains(merge), !family.texts.contains(texts) { return merge }
    }
    return nil
  }
}

extension PythonRandom {
  /// One element, drawn by weight; nil of none.
  fileprivate mutating func choices(_ elements: [Int], weights: [Double]) -> Int? {
    guard !elements.isEmpty else { return nil }
    var rest = random() * weights.reduce(0, +)
    for (element, weight) in zip(elements, weights) {
      rest -= weight
      if rest < 0 { return element }
    }
    return elements.last
  }
}

import Randomness

/// For each thing that counts (a row, an objective, or both together) the best value and the candidates that reach it.
///
/// Source: Agrawal et al. 2025, "GEPA: Reflective Prompt Evolution Can Outperform Reinforcement Learning", arXiv 2507.19457,
/// algorithm 2.
struct ParetoFront: Sendable {
  /// What fronts are kept of.
  enum Key: Hashable, Comparable, Sendable {
    case row(Int)
    case objective(String)
    case rowObjective(Int, String)
  }

  private var fronts: [Key: (best: Double, candidates: [Int])] = [:]

  /// Notes a candidate's value; an equal one joins the front, a better one is the front.
  mutating func note(_ value: Double, of candidate: Int, at key: Key) {
    guard let front = fronts[key] else {
      fronts[key] = (value, [candidate])
      return
    }
    if value > front.best {
      fronts[key] = (value, [candidate])
    } else if value == front.best, !front.candidates.contains(candidate) {
      fronts[key]?.candidates.append(candidate)
    }
  }

  var keys: [Key] { fronts.keys.sorted() }

  func candidates(at key: Key) -> [Int] { fronts[key]?.candidates ?? [] }

  /// How many fronts each candidate that no others dominate is in.
  ///
  /// A candidate is dominated where every front that it is in holds another one that is left. The worst by `means` are
  /// looked at first, anew after each that goes.
  func undominated(means: [Int: Double], among allowed: Set<Int>? = nil) -> [(candidate: Int, fronts: Int)] {
    var sets = keys.map { key in candidates(at: key).filter { allowed?.contains($0) ?? true } }.filter { !$0.isEmpty }
    var left = Set(sets.joined()).sorted { (means[$0] ?? 0, $0) < (means[$1] ?? 0, $1) }
    var isSettled = false
    while !isSettled {
      isSettled = true
      for candidate in left where sets.allSatisfy({ !$0.contains(candidate) || $0.count > 1 }) {
        sets = sets.map { $0.filter { $0 != candidate } }
        left.removeAll { $0 == candidate }
        isSettled = false
        break
      }
    }
    return left.sorted().map { candidate in (candidate, sets.count { $0.contains(candidate) }) }
  }

  /// A candidate drawn with a chance in proportion to the fronts that it is in; nil where there are none.
  func draw(means: [Int: Double], among allowed: Set<Int>? = nil, random: inout PythonRandom) -> Int? {
    random.choice(
      undominated(means: means, among: allowed).flatMap { Array(repeating: $0.candidate, count: $0.fronts) })
  }
}

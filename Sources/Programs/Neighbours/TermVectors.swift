import Basics
import Platform

/// Makes vectors of texts without a model: how often words and parts of words occur, the rarer the weightier.
///
/// Term frequency times inverse document frequency (K. Spärck Jones, "A statistical interpretation of term specificity",
/// 1972), over words and over the runs of two to four characters within them, each hashed to one of a fixed number of
/// places (K. Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", arXiv:0902.2206). Words and runs
/// count half each. Everything that a text's vector follows from, but for the weights, is fixed by the name.
package struct TermVectors: Sendable, Hashable {
  /// What this way of making vectors is called in files; another way needs another name.
  package static let name = "tfidf-words-and-2-4-grams"
  package static let dimension = 8192

  /// How much a place weighs: the inverse document frequency.
  let weights: [Float]

  /// Weights as a file has them.
  init(weights: [Float]) { self.weights = weights }

  /// Weights that follow from texts: ln((1 + n) / (1 + d)) + 1 for a place that d of n texts have.
  init(of texts: [String]) {
    var counts = Array(repeating: 0, count: Self.dimension)
    for text in texts {
      let terms = Self.terms(text)
      for place in Set(terms.words.map(\.place) + terms.runs.map(\.place)) { counts[place] += 1 }
    }
    let most = Double(texts.count + 1)
    weights = counts.map { Float(log(most / Double($0 + 1)) + 1) }
  }

  func vector(_ text: String) -> RowVector {
    let terms = Self.terms(text)
    var sums: [Int: Float] = [:]
    for part in [terms.words, terms.runs] {
      // Square roots are the same on every machine; logarithms need not be.
      let part = RowVector(part.map { ($0.place, Float(Double($0.count).squareRoot()) * weights[$0.place]) })
      for (place, value) in zip(part.places ?? [], part.values) { sums[place, default: 0] += value }
    }
    return RowVector(sums.sorted { $0.key < $1.key }.map { (place: $0.key, weight: $0.value) })
  }

  private typealias Counts = [(place: Int, count: Int)]

  /// How often each place occurs among a text's words, and among the runs of characters in them; by place.
  private static func terms(_ text: String) -> (words: Counts, runs: Counts) {
    var words: [Int: Int] = [:]
    var runs: [Int: Int] = [:]
    for word in Self.words(text) {
      words[place("w", word), default: 0] += 1
      let marked = [" "] + word + [" "]
      for length in 2...4 where length <= marked.count {
        for start in 0...(marked.count - length) {
          runs[place("g", Array(marked[start..<start + length])), default: 0] += 1
        }
      }
    }
    func sorted(_ counts: [Int: Int]) -> Counts { counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    return (sorted(words), sorted(runs))
  }

  /// Runs of letters and digits in lower case, each apart.
  private static func words(_ text: String) -> [[Unicode.Scalar]] {
    PythonText.lower(canonicallyDecomposed(text))
      .split { !isPartOfWord($0) }.map(Array.init)
  }

  private static func isPartOfWord(_ scalar: Unicode.Scalar) -> Bool {
    if PythonText.isAlphanumeric(scalar) { return true }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: return true
    default: return false
    }
  }

  private static func place(_ kind: String, _ scalars: [Unicode.Scalar]) -> Int {
    var hash = StableHash(kind)
    for scalar in scalars { hash.add(UInt64(scalar.value)) }
    return Int(hash.value % UInt64(dimension))
  }
}

/// What is known of each combination: its scores row by row, and an estimate of its score on all rows.
///
/// Minibatches differ in how hard their rows are. The estimate fits score = combination + row to all that was seen
/// (least squares, by alternating means) and gives the combination's part plus the mean row: with the student known on
/// every row, a combination is in effect compared with others on the rows they share.
struct ScoreBoard {
  struct Entry {
    var scores: [Int: Double] = [:]
    var isFull = false
    var fullScore: Double?
  }

  private(set) var entries: [[Int]: Entry] = [:]
  private let rows: Int

  init(rows: Int) { self.rows = rows }

  /// Notes scores of a combination; a later one for a row replaces an earlier one.
  mutating func add(_ combination: [Int], scores: [(row: Int, score: Double)], full: Double?) {
    var entry = entries[combination] ?? Entry()
    for (row, score) in scores { entry.scores[row] = score }
    if let full {
      entry.isFull = true
      entry.fullScore = full
    }
    entries[combination] = entry
  }

  /// Estimates for all combinations, in percent, best first; equal ones in the order of their indices.
  func ranking() -> [(combination: [Int], estimate: Double)] {
    // Sums are taken in one order, so that equal boards give equal estimates to the last bit.
    let known = entries.filter { !$0.value.scores.isEmpty }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
      .map { (combination: $0.key, scores: $0.value.scores.sorted { $0.key < $1.key }) }
    var rowEffect = [Double](repeating: 0, count: rows)
    var effect = known.map { _ in 0.0 }
    for _ in 0..<20 {
      for (index, entry) in known.enumerated() {
        var sum = 0.0
        for (row, score) in entry.scores { sum += score - rowEffect[row] }
        effect[index] = sum / Double(entry.scores.count)
      }
      var sums = [Double](repeating: 0, count: rows)
      var counts = [Double](repeating: 0, count: rows)
      for (index, entry) in known.enumerated() {
        for (row, score) in entry.scores {
          sums[row] += score - effect[index]
          counts[row] += 1
        }
      }
      // One pseudo-row of mean hardness keeps a row seen once from being all noise.
      for row in 0..<rows where counts[row] > 0 { rowEffect[row] = sums[row] / (counts[row] + 1) }
      let mean = rowEffect.reduce(0, +) / Double(max(1, rows))
      for row in 0..<rows { rowEffect[row] -= mean }
    }
    return zip(known, effect).map { ($0.combination, 100 * $1) }.sorted {
      $0.estimate != $1.estimate
        ? $0.estimate > $1.estimate : $0.combination.lexicographicallyPrecedes($1.combination)
    }
  }
}

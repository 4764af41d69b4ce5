import Failures
package import JSON

/// Rows with their vectors, of which those nearest to a program's inputs are shown as demos.
///
/// Idea: DSPy's KNNFewShot, which bootstraps the nearest rows afresh at every call; here each row has been bootstrapped
/// once, and what came of it is part of the program.
package struct Neighbours: Sendable, Hashable {
  /// How many rows are shown.
  package var k: Int
  /// How many of them, at most, as executions that the metric accepted, and how many demos there are, at most, with rows
  /// as they are.
  package var maxBootstrapped: Int
  package var maxLabeled: Int
  package let vectorizer: Vectorizer
  package let rows: [JSONObject]
  /// The inputs that rows are compared by.
  let inputs: [String]
  let vectors: [RowVector]

  /// What makes vectors of texts.
  package enum Vectorizer: Sendable, Hashable {
    case terms(TermVectors)
    /// A model behind an embeddings endpoint, which gives so many numbers a text.
    case model(String, dimension: Int)

    var dimension: Int {
      switch self {
      case .terms: TermVectors.dimension
      case .model(_, let dimension): dimension
      }
    }
  }

  /// A row that was chosen, and how near it is.
  package struct Choice: Sendable, Hashable {
    package var row: Int
    /// The cosine, from -1 to 1.
    package var similarity: Double
  }

  /// How many rows there may be: each is part of the program's file.
  package static let mostRows = 20_000
  /// How many numbers a model's vectors may have together: about 27 MB of the file.
  package static let mostNumbers = 5_000_000

  /// Rows compared by their words.
  ///
  /// - Parameter weights: the weights that a file has; from the rows themselves where nil.
  package init(
    k: Int, maxBootstrapped: Int, maxLabeled: Int, rows: [JSONObject], inputs: [String], weights: TermVectors? = nil
  ) {
    let texts = rows.map { Self.text(of: $0, inputs) }
    let terms = weights ?? TermVectors(of: texts)
    self.init(
      k: k, maxBootstrapped: maxBootstrapped, maxLabeled: maxLabeled, vectorizer: .terms(terms), rows: rows,
      inputs: inputs, vectors: texts.map(terms.vector))
  }

  /// Rows with vectors of a model's, one for each.
  package init(
    k: Int, maxBootstrapped: Int, maxLabeled: Int, model: String, rows: [JSONObject], inputs: [String],
    numbers: [[Float]]
  ) {
    self.init(
      k: k, maxBootstrapped: maxBootstrapped, maxLabeled: maxLabeled,
      vectorizer: .model(model, dimension: numbers.first?.count ?? 0), rows: rows, inputs: inputs,
      vectors: numbers.map { RowVector($0) })
  }

  private init(
    k: Int, maxBootstrapped: Int, maxLabeled: Int, vectorizer: Vectorizer, rows: [JSONObject], inputs: [String],
    vectors: [RowVector]
  ) {
    self.k = k
    self.maxBootstrapped = maxBootstrapped
    self.maxLabeled = maxLabeled
    self.vectorizer = vectorizer
    self.rows = rows
    self.inputs = inputs
    self.vectors = vectors
  }

  /// The text that a row's vector is made of, as DSPy writes it: its inputs as `name: value`, with ` | ` between.
  package static func text(of row: JSONObject, _ inputs: [String]) -> String {
    inputs.compactMap { name in row[name].map { "\(name): \(Adapter.text(of: $0))" } }.joined(separator: " | ")
  }

  /// The k rows nearest to a vector, the nearest first; of equally near ones the earlier.
  ///
  /// - Parameter candidates: the rows that may be chosen; nil: all.
  func nearest(to query: RowVector, among candidates: [Int]? = nil) -> [Choice] {
    let query = query.spread(vectorizer.dimension)
    var best: [Choice] = []
    guard k > 0 else { return best }
    for row in candidates ?? Array(rows.indices) {
      let similarity = vectors[row].similarity(to: query)
      if best.count == k, let last = best.last, similarity <= last.similarity { continue }
      let place = best.firstIndex { $0.similarity < similarity } ?? best.count
      best.insert(Choice(row: row, similarity: similarity), at: place)
      if best.count > k { best.removeLast() }
    }
    return best
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(k)
    hasher.combine(rows.count)
    hasher.combine(rows.first)
  }
}

/// Demos of a predictor by row, of which those of the rows nearest to the inputs are shown.
package struct NearestDemos: Sendable, Hashable {
  package var neighbours: Neighbours
  /// For each row the predictor's part in an execution that the metric accepted; nil where there is none: then the row is
  /// shown as it is.
  package var bootstrapped: [JSONObject?]

  package init(_ neighbours: Neighbours, bootstrapped: [JSONObject?]? = nil) {
    self.neighbours = neighbours
    self.bootstrapped = bootstrapped ?? Array(repeating: nil, count: neighbours.rows.count)
  }

  /// The demos of rows in their order: executions of the first ones that have any, rows as they are for others, as far as
  /// the settings have room for them.
  package func demos(of rows: some Collection<Int>) -> [JSONObject] {
    let executed = Set(rows.filter { bootstrapped[$0] != nil }.prefix(neighbours.maxBootstrapped))
    var room = max(0, neighbours.maxLabeled - executed.count)
    return rows.compactMap { row in
      if executed.contains(row) { return bootstrapped[row] }
      room -= 1
      return room >= 0 ? neighbours.rows[row] : nil
    }
  }

  /// The demos shown where nobody looks for the nearest ones, as in DSPy: those of the first rows.
  var first: [JSONObject] { demos(of: Array(neighbours.rows.indices.prefix(neighbours.k))) }
}

extension PredictorState {
  /// Shows the demos of the nearest rows.
  package mutating func show(_ nearest: NearestDemos) {
    demos = nearest.first
    self.nearest = nearest
  }
}

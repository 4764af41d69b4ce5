import Basics
import Failures
import JSON
import Schema

/// Rows of which the nearest are shown, as a program's file has them: under `metadata.hone.neighbours`, which DSPy looks
/// past, one entry for the predictors that share rows.
struct NeighboursFile: SchemaObject {
  static let members: [Member<Self>] = [
    Member("k", \.k, in: 0...10_000, isRequired: true, "How many rows are shown."),
    Member("maxBootstrappedDemos", \.maxBootstrapped, in: 0...10_000, "How many of them as accepted executions."),
    Member(
      "maxLabeledDemos", \.maxLabeled, in: 0...10_000, "How many demos there are, at most, with rows as they are."),
    Member("inputs", \.inputs, isRequired: true, "What rows are compared by."),
    Member("vectorizer", \.vectorizer, isRequired: true, "What makes vectors of texts: its name, or a model's."),
    Member("dimension", \.dimension, isRequired: true, "How many numbers a vector has."),
    Member("idf", \.idf, "How much each place of a vector weighs: 32-bit numbers in base 64."),
    Member("predictors", \.predictors, isRequired: true, "The predictors that are shown demos of these rows."),
    Member("rows", \.rows, isRequired: true, "The rows, with each predictor's demo of them."),
  ]

  /// One row.
  struct Row: SchemaObject {
    static let members: [Member<Self>] = [
      Member("row", \.row, isRequired: true, "The row as the data has it."),
      Member("demos", \.demos, "By predictor, its part in an execution that the metric accepted."),
      Member("vector", \.vector, "The row's vector where a model made it: 32-bit numbers in base 64."),
    ]
    var row = JSONObject()
    var demos = JSONObject()
    var vector: String?
  }

  var k = 0
  var maxBootstrapped = 0
  var maxLabeled = 0
  var inputs: [String] = []
  var vectorizer = ""
  var dimension = 0
  var idf: String?
  var predictors: [String] = []
  var rows: [Row] = []
}

extension NeighboursFile {
  /// The entries of a program's file.
  static func entries(of program: Program) -> [JSONValue] {
    var groups: [(neighbours: Neighbours, predictors: [Int])] = []
    for (index, state) in program.states.enumerated() {
      guard let neighbours = state.nearest?.neighbours else { continue }
      if let place = groups.firstIndex(where: { $0.neighbours == neighbours }) {
        groups[place].predictors.append(index)
      } else {
        groups.append((neighbours, [index]))
      }
    }
    return groups.map { .object(entry($0.neighbours, $0.predictors, of: program)) }
  }

  private static func entry(_ neighbours: Neighbours, _ predictors: [Int], of program: Program) -> JSONObject {
    var file = NeighboursFile()
    file.k = neighbours.k
    file.maxBootstrapped = neighbours.maxBootstrapped
    file.maxLabeled = neighbours.maxLabeled
    file.inputs = neighbours.inputs
    file.dimension = neighbours.vectorizer.dimension
    switch neighbours.vectorizer {
    case .terms(let terms):
      file.vectorizer = TermVectors.name
      file.idf = Base64.text(terms.weights)
    case .model(let model, _): file.vectorizer = model
    }
    file.predictors = predictors.map { program.predictors[$0].name }
    file.rows = neighbours.rows.indices.map { index in
      var row = Row()
      row.row = neighbours.rows[index]
      for predictor in predictors {
        guard let demo = program.states[predictor].nearest?.bootstrapped[index] else { continue }
        row.demos[program.predictors[predictor].name] = .object(demo)
      }
      if case .model = neighbours.vectorizer { row.vector = Base64.text(neighbours.vectors[index].values) }
      return row
    }
    return file.given
  }

  /// Gives a program the rows that its file has.
  ///
  /// - Throws: `programInvalid`, saying what is wrong.
  static func take(
    _ value: JSONValue?, into program: inout Program, source: String, _ warnings: inout [String]
  ) throws(HoneError) {
    guard let value, !value.isNull else { return }
    let problems = ProblemList()
    let place = "metadata.hone.neighbours"
    let entries = [JSONObject].read(value, at: place, problems) ?? []
    for (number, entry) in entries.enumerated() {
      guard let file = read(.object(entry), at: "\(place)[\(number)]", problems),
        let neighbours = file.neighbours(at: "\(place)[\(number)]", problems)
      else { continue }
      for name in file.predictors {
        guard let index = program.predictors.firstIndex(where: { $0.name == name }) else {
          warnings.append("The file has rows for the predictor \"\(name)\", which the program does not have.")
          continue
        }
        program.states[index].nearest = NearestDemos(
          neighbours, bootstrapped: file.rows.map { $0.demos[name]?.objectValue })
      }
    }
    guard problems.isEmpty else {
      throw HoneError(
        .programInvalid, "\(source) holds rows to choose demos from that cannot be used.",
        remedy: "Compile the program again with KNNFewShot.", problems: problems.problems)
    }
  }

  /// The rows with their vectors; nil where they do not fit together, which is noted.
  private func neighbours(at place: String, _ problems: ProblemList) -> Neighbours? {
    if vectorizer == TermVectors.name {
      guard dimension == TermVectors.dimension, let weights = idf.flatMap(Base64.numbers), weights.count == dimension
      else {
        problems.add(
          "\(place).idf", "\(vectorizer) has \(TermVectors.dimension) weights, each a 32-bit number in base 64.")
        return nil
      }
      return Neighbours(
        k: k, maxBootstrapped: maxBootstrapped, maxLabeled: maxLabeled, rows: rows.map(\.row), inputs: inputs,
        weights: TermVectors(weights: weights))
    }
    guard idf == nil else {
      problems.add(
        Problem(
          path: "\(place).vectorizer",
          message: "This version does not know the vectors \"\(vectorizer)\"; it makes \(TermVectors.name).",
          got: vectorizer, allowed: [TermVectors.name]))
      return nil
    }
    var numbers: [[Float]] = []
    for (number, row) in rows.enumerated() {
      guard let vector = row.vector.flatMap(Base64.numbers), vector.count == dimension else {
        problems.add("\(place).rows[\(number)].vector", "Expected \(dimension) 32-bit numbers in base 64.")
        return nil
      }
      numbers.append(vector)
    }
    return Neighbours(
      k: k, maxBootstrapped: maxBootstrapped, maxLabeled: maxLabeled, model: vectorizer, rows: rows.map(\.row),
      inputs: inputs, numbers: numbers)
  }
}

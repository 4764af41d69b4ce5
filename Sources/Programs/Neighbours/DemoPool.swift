import LanguageModels
import Failures
import JSON
import Traces

/// Rows that demos are chosen from, at hand for many executions.
struct DemoPool: Sendable {
  let neighbours: Neighbours
  /// What tells the rows apart, so that none is shown itself.
  private let inputs: DemoInputs

  private init(_ neighbours: Neighbours) {
    self.neighbours = neighbours
    inputs = DemoInputs(neighbours.rows, names: neighbours.inputs)
  }

  /// The pools of a program, each once, and for each predictor the place of its own.
  static func pools(of program: Program) -> ([DemoPool], [Int?]) {
    var pools: [DemoPool] = []
    let places = program.states.map { state -> Int? in
      guard let neighbours = state.nearest?.neighbours else { return nil }
      if let known = pools.firstIndex(where: { $0.neighbours == neighbours }) { return known }
      pools.append(DemoPool(neighbours))
      return pools.count - 1
    }
    return (pools, places)
  }

  /// The rows nearest to a program's inputs, the nearest first.
  func nearest(to row: JSONObject, in context: ExecutionContext) async throws(HoneError) -> [Neighbours.Choice] {
    let text = Neighbours.text(of: row, neighbours.inputs)
    let span = context.trace?.begin(
      "KNN.nearest", .retriever, parent: context.parent, inputs: .json(["text": .string(text)]))
    var inner = context
    inner.parent = span ?? context.parent
    do throws(HoneError) {
      let chosen = neighbours.nearest(
        to: try await vector(text, in: inner), among: context.leavesOneOut ? inputs.places(besides: row) : nil)
      if let span { context.trace?.end(span, outputs: .json(.array(chosen.map(shown)))) }
      return chosen
    } catch {
      if let span { context.trace?.end(span, error: (error.kind.rawValue, error.message)) }
      throw error
    }
  }

  private func vector(_ text: String, in context: ExecutionContext) async throws(HoneError) -> RowVector {
    switch neighbours.vectorizer {
    case .terms(let terms): return terms.vector(text)
    case .model(let model, let dimension):
      guard let vectorizer = context.vectorizer else {
        throw HoneError(
          .programInvalid, "The program's rows have vectors of \(model), and nothing here makes such vectors.",
          remedy: "Name the model as the request's vectorizer.")
      }
      let numbers = try await vectorizer.vector(of: text, in: context)
      guard numbers.count == dimension else {
        throw HoneError(
          .programInvalid,
          "\(vectorizer.configuration.model) gives vectors of \(numbers.count) numbers; the program's rows have \(dimension).",
          remedy: "Name the vectorizer that the program was compiled with, or compile it again.")
      }
      return RowVector(numbers)
    }
  }

  /// A row as MLflow shows what was retrieved.
  private func shown(_ choice: Neighbours.Choice) -> JSONValue {
    [
      "page_content": .string(Neighbours.text(of: neighbours.rows[choice.row], neighbours.inputs)),
      "metadata": [
        "row": .int(choice.row), "similarity": .double((choice.similarity * 10_000).rounded() / 10_000),
      ],
    ]
  }
}

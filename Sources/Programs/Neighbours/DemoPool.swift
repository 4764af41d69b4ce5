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
    let chosen: [Neighbours.Choice]
    switch neighbours.vectorizer {
    case .terms(let terms):
      chosen = neighbours.nearest(
        to: terms.vector(text), among: context.leavesOneOut ? inputs.places(besides: row) : nil)
    case .model: chosen = []
    }
    if let span { context.trace?.end(span, outputs: .json(.array(chosen.map(shown)))) }
    return chosen
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

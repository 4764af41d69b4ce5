package import JSON

/// What an optimizer changes of one predictor: its instructions and its demos.
package struct PredictorState: Sendable, Hashable {
  package var instructions: String
  /// Worked examples, each with the values of some or all fields; bootstrapped ones carry `augmented: true`.
  package var demos: [JSONObject] { didSet { nearest = nil } }
  /// Demos by row, of which those of the rows nearest to the inputs are shown in place of `demos`. Whoever sets `demos`
  /// does away with it.
  package var nearest: NearestDemos?

  package init(instructions: String, demos: [JSONObject] = []) {
    self.instructions = instructions
    self.demos = demos
  }
}

/// A program: its structure, and the state of its predictors in their order.
///
/// A candidate of an optimizer is a copy with another state.
package struct Program: Sendable, Hashable {
  package let module: Module
  package let predictors: [Predictor]
  /// One state for each predictor, in the same order.
  package var states: [PredictorState]
  /// The form in which its predictors are asked, where that has been decided.
  package var adapter: ReplyFormat?

  package init(_ module: Module) {
    self.module = module
    predictors = module.predictors
    states = predictors.map { PredictorState(instructions: $0.signature.instructions) }
  }

  /// The state of the predictor of that name.
  package subscript(predictor: String) -> PredictorState? {
    get { predictors.firstIndex { $0.name == predictor }.map { states[$0] } }
    set {
      guard let newValue, let index = predictors.firstIndex(where: { $0.name == predictor }) else { return }
      states[index] = newValue
    }
  }

  /// The signature of the predictor at `index` with its present instructions.
  package func signature(at index: Int) -> Signature {
    var signature = predictors[index].signature
    signature.instructions = states[index].instructions
    if let needed = predictors[index].mustSay, !signature.instructions.contains(needed) {
      signature.instructions += "\n\n" + needed
    }
    return signature
  }

  /// The predictor at `index` as its author knows it; nil where there is only one.
  package func stepName(_ index: Int) -> String? {
    guard predictors.count > 1 else { return nil }
    let name = predictors[index].name
    let suffix = ".predict"
    return name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
  }

  /// This program without demos; instructions stay. What optimizers start from.
  package func withoutDemos() -> Program {
    var copy = self
    for index in copy.states.indices { copy.states[index].demos = [] }
    return copy
  }

  /// How the root span of an execution is called.
  package var traceName: String { "\(module.className).forward" }
}

package import Failures
package import JSON
import LanguageModels
import Schema
import Synchronization
import Traces

/// A host program with what its runs need at hand.
struct HostPlan: Sendable {
  var host: HostProgram
  /// What each predictor's name runs.
  var parts: [String: PreparedProgram.Plan]
  var inputs: [String]
  var text: String
}

/// The executions that clients run at the moment, by id: where a client's `predict` finds the candidate it belongs to.
package final class HostExecutions: Sendable {
  private let open = Mutex<[String: HostExecution]>([:])

  package init() {}

  func add(_ execution: HostExecution) { open.withLock { $0[execution.id] = execution } }
  func remove(_ execution: HostExecution) { open.withLock { $0[execution.id] = nil } }

  /// Whether the execution of that id is under way.
  package func holds(_ id: String) -> Bool { open.withLock { $0[id] != nil } }

  /// How many are under way.
  package var count: Int { open.withLock { $0.count } }

  /// A place for one call in the execution of that id; nil if there is none, or none any more.
  ///
  /// To be asked in the order in which the calls came: it numbers them.
  package func place(_ id: String, predictor: String, inputs: JSONObject) -> HostExecution.Place? {
    open.withLock { $0[id] }?.place(predictor, inputs)
  }
}

/// One execution of a program whose control flow the client runs: takes the client's calls of its predictors, and
/// remembers them in order.
package final class HostExecution: Sendable {
  /// One call of a predictor: which one it is within its execution.
  package struct Place: Sendable {
    let execution: HostExecution
    let number: Int
    let predictor: String
    /// How many calls of the same predictor with the same inputs came before it.
    let repetition: Int
    let inputs: JSONObject

    /// Runs the predictor with the candidate's instructions and demos.
    ///
    /// - Throws: `invalidParams` for an unknown predictor or missing inputs; what the predictor throws; `notFound` if
    ///   the execution ended meanwhile.
    package func run() async throws(HoneError) -> Prediction { try await execution.run(self) }

    /// The trace that the call becomes part of.
    package var traceID: String? { execution.context.trace?.id.description }
  }

  private struct Call {
    var place: Place
    var outcome: Result<Prediction, HoneError>?
  }

  private struct State {
    var calls: [Call] = []
    var repetitions: [String: [JSONObject: Int]] = [:]
    var tasks: [Int: Task<Result<Prediction, HoneError>, Never>] = [:]
    /// The call that ended last.
    var last: Int?
    var isOver = false
  }

  let id: String
  fileprivate let context: ExecutionContext
  private let program: PreparedProgram
  private let plan: HostPlan
  private let state = Mutex(State())

  init(_ program: PreparedProgram, _ plan: HostPlan, in context: ExecutionContext) {
    self.program = program
    self.plan = plan
    self.context = context
    // Not to be guessed: the id alone gives access to the execution.
    var words = SystemRandomNumberGenerator()
    id = [words.next(), words.next()].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  fileprivate func place(_ predictor: String, _ inputs: JSONObject) -> Place? {
    state.withLock { state in
      guard !state.isOver else { return nil }
      let repetition = state.repetitions[predictor, default: [:]][inputs, default: 0]
      state.repetitions[predictor, default: [:]][inputs] = repetition + 1
      let place = Place(
        execution: self, number: state.calls.count, predictor: predictor, repetition: repetition, inputs: inputs)
      state.calls.append(Call(place: place))
      return place
    }
  }

  /// The part that a name means: an attribute, or a predictor within it as state files name it.
  private func part(named name: String) -> PreparedProgram.Plan? {
    if let part = plan.parts[name] { return part }
    let suffix = ".predict"
    guard name.hasSuffix(suffix), case .chainOfThought? = plan.parts[String(name.dropLast(suffix.count))] else {
      return nil
    }
    return plan.parts[String(name.dropLast(suffix.count))]
  }

  private func run(_ place: Place) async throws(HoneError) -> Prediction {
    let outcome = await outcome(of: place)
    state.withLock { state in
      state.calls[place.number].outcome = outcome
      state.tasks[place.number] = nil
      state.last = place.number
    }
    return try outcome.get()
  }

  fileprivate func outcome(of place: Place) async -> Result<Prediction, HoneError> {
    guard let part = part(named: place.predictor) else {
      let names = plan.host.parts.map(\.name)
      let problem = Problem(
        path: "predictor", message: "The program \"\(plan.host.name)\" has no predictor \"\(place.predictor)\".",
        got: place.predictor, allowed: names, suggestion: nearest(to: place.predictor, among: names))
      return .failure(HoneError(.invalidParams, "Invalid params for predict: \(problem)", problems: [problem]))
    }
    let missing = part.inputs.filter { place.inputs[$0] == nil }
    if !missing.isEmpty {
      let problems = missing.map { name in
        Problem(
          path: "inputs.\(name)", message: "The predictor \"\(place.predictor)\" takes this input, which is not given.",
          allowed: part.inputs, suggestion: nearest(to: name, among: place.inputs.keys))
      }
      return .failure(
        HoneError(.invalidParams, "Invalid params for predict: \(problems[0])", problems: problems))
    }
    var context = context
    context.call.scope += "/\(place.predictor)/\(place.repetition)"
    let (program, inputs, inner) = (program, place.inputs, context)
    // A task of the execution's own, which ends with it.
    let task = Task { () -> Result<Prediction, HoneError> in
      do throws(HoneError) {
        return .success(try await program.run(part, inputs: inputs, in: inner))
      } catch {
        return .failure(error)
      }
    }
    let isOver = state.withLock { state in
      state.tasks[place.number] = task
      return state.isOver
    }
    if isOver { task.cancel() }
    let outcome = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    if case .failure(let error) = outcome, error.kind == .cancelled, state.withLock({ $0.isOver }) {
      return .failure(Self.over)
    }
    return outcome
  }

  package static let over = HoneError(
    .notFound, "There is no such execution, or it is over.",
    remedy: "Call predict with an executionId only until program/forward is answered.")

  /// Takes no more calls, and ends those under way.
  func end() {
    let tasks = state.withLock { state in
      state.isOver = true
      return Array(state.tasks.values)
    }
    for task in tasks { task.cancel() }
  }

  // MARK: What it came to

  /// The predictors' steps in the order in which they were called, failed ones left out.
  var steps: [PredictorStep] {
    state.withLock { state in state.calls.flatMap { (try? $0.outcome?.get())?.steps ?? [] } }
  }

  /// The calls that gave something, as they are kept.
  var calls: JSONValue {
    state.withLock { state in
      .array(
        state.calls.filter { (try? $0.outcome?.get()) != nil }.map { call in
          [
            "predictor": .string(call.place.predictor), "repetition": .int(call.place.repetition),
            "inputs": .object(call.place.inputs),
          ]
        })
    }
  }

  /// A call's failure that ends more than this execution, whatever the client made of it.
  var fatal: HoneError? {
    state.withLock { state in
      state.calls.lazy.compactMap { $0.outcome?.failure }.first { $0.kind.endsRun && $0.kind != .cancelled }
    }
  }

  /// The call's failure behind a failure of the whole: one of the kind that the client names, else that of the call
  /// that ended last.
  func cause(ofKind kind: String?) -> HoneError? {
    state.withLock { state in
      let failures = state.calls.compactMap { $0.outcome?.failure }
      if let kind { return failures.last { $0.kind.rawValue == kind } }
      return state.last.flatMap { state.calls[$0].outcome?.failure }
    }
  }
}

extension Result {
  fileprivate var failure: Failure? {
    if case .failure(let error) = self { error } else { nil }
  }
}

// MARK: Running

extension PreparedProgram {
  /// Lets the client run the program, or, where the run has done it before, the calls that it made then.
  func runHost(
    _ plan: HostPlan, inputs: JSONObject, in context: ExecutionContext
  ) async throws(HoneError) -> Prediction {
    guard let callbacks = context.callbacks else {
      throw HoneError(
        .programInvalid,
        "The program \"\(plan.host.name)\" is a client's, and there is no client here that could be asked.",
        remedy: "Send the request over a connection to hone serve.")
    }
    let execution = HostExecution(self, plan, in: context)
    var asked = ForwardQuestion()
    asked.name = plan.host.name
    asked.executionID = execution.id
    asked.inputs = inputs
    var question = Callback(asked, timeout: plan.host.timeout, failure: .programFailed)
    question.distinction = "\(digest)/\(context.call.rollout)/\(JSONValue.object(context.options?.json ?? [:]).text())"
    if let kept = try callbacks.kept(question, for: context.call),
      let prediction = try await replayed(kept, plan, in: context)
    {
      return prediction
    }
    callbacks.executions.add(execution)
    let answer: Result<JSONValue, CallbackFailure>
    do throws(CallbackFailure) {
      answer = .success(try await callbacks.ask(question))
    } catch {
      answer = .failure(error)
    }
    execution.end()
    callbacks.executions.remove(execution)
    if let fatal = execution.fatal { throw fatal }
    let outputs = try outputs(answer, of: question, plan, execution)
    try await callbacks.keep(["outputs": .object(outputs), "calls": execution.calls], of: question, for: context.call)
    return Prediction(outputs: outputs, steps: execution.steps)
  }

  private func outputs(
    _ answer: Result<JSONValue, CallbackFailure>, of question: Callback, _ plan: HostPlan, _ execution: HostExecution
  ) throws(HoneError) -> JSONObject {
    switch answer {
    case .failure(let failure):
      // A program that lets a predictor's failure through failed for that reason, an outage for one.
      if case .refused(_, _, let data) = failure, let cause = execution.cause(ofKind: data?["kind"]?.stringValue),
        cause.kind != .invalidParams
      {
        throw cause
      }
      throw question.error(failure)
    case .success(let value):
      guard let outputs = ForwardAnswer(json: value)?.outputs else {
        throw question.nonsense(value, expected: "{\"outputs\": {…}}")
      }
      let missing = (plan.host.signature?.outputs ?? []).map(\.name).filter { outputs[$0] == nil }
      guard missing.isEmpty else {
        throw HoneError(
          .programFailed,
          "The client's program \"\(plan.host.name)\" answered without the output "
            + "\(missing.map { "\"\($0)\"" }.joined(separator: ", ")) that its signature names; it gave "
            + "\(outputs.isEmpty ? "none" : outputs.keys.joined(separator: ", ")).",
          remedy: "Answer all outputs, or leave them out of the signature.")
      }
      return outputs
    }
  }

  /// An execution as the run remembers it: its predictors' calls are made again, whose answers the run has too, so that
  /// the trace and the bill are whole. Nil if they cannot be: then the client is asked.
  private func replayed(
    _ kept: JSONValue, _ plan: HostPlan, in context: ExecutionContext
  ) async throws(HoneError) -> Prediction? {
    guard let outputs = kept["outputs"]?.objectValue, let calls = kept["calls"]?.arrayValue else { return nil }
    let execution = HostExecution(self, plan, in: context)
    var steps: [PredictorStep] = []
    for (number, call) in calls.enumerated() {
      guard let predictor = call["predictor"]?.stringValue, let inputs = call["inputs"]?.objectValue else { return nil }
      let place = HostExecution.Place(
        execution: execution, number: number, predictor: predictor,
        repetition: call["repetition"]?.intValue ?? 0, inputs: inputs)
      switch await execution.outcome(of: place) {
      case .success(let prediction): steps += prediction.steps
      case .failure(let error):
        if error.kind.endsRun { throw error }
        return nil
      }
    }
    return Prediction(outputs: outputs, steps: steps)
  }
}

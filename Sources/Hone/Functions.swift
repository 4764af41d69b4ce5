import Failures
import JSON
import Jobs
import LanguageModels
import Programs
import Schema
import Synchronization

/// The functions of this process that a call may come back to: metrics, models, tools and programs, by name. They are
/// asked as a client's are, so that their answers are kept with the run in the same way.
struct Functions: CallbackPeer {
  typealias Function = @Sendable (JSONObject) async throws -> JSONValue

  /// By kind and name.
  private var functions: [CallbackKind: [String: Function]] = [:]
  private let executions: HostExecutions

  init(executions: HostExecutions) { self.executions = executions }

  var isGone: Bool { false }

  var names: [CallbackKind: [String]] { functions.mapValues { $0.keys.sorted() } }

  mutating func add(_ metric: Metric) {
    if let judge = metric.judge {
      add(judge.program)
      judge.model.map { add($0) }
    }
    guard let score = metric.function else { return }
    let name = metric.name
    functions[.metrics, default: [:]][name] = { params in
      let question = try read(ScoreQuestion.self, params)
      let score = try await score(question.example, question.prediction)
      guard score.value.isFinite else {
        throw HoneError(.metricFailed, "It gave \(score.value), which is not a score.", remedy: "Give a finite number.")
      }
      return score.json
    }
  }

  mutating func add(_ model: Model) {
    guard let complete = model.function else { return }
    functions[.languageModels, default: [:]][model.name] = { params in
      let messages = try read(CompletionQuestion.self, params).messages.map { Model.Message($0) }
      var answer = CompletionAnswer()
      answer.text = try await complete(messages)
      return answer.jsonValue
    }
  }

  mutating func add(_ program: Program) {
    for tool in program.tools {
      functions[.tools, default: [:]][tool.name] = { params in
        let arguments = try read(ToolQuestion.self, params).args.objectValue ?? [:]
        return ToolAnswer(try await tool.function(arguments)).jsonValue
      }
    }
    guard let host = program.host else { return }
    functions[.programs, default: [:]][host.name] = { [executions] params in
      let question = try read(ForwardQuestion.self, params)
      let execution = Execution(id: question.executionID, executions: executions)
      return ForwardAnswer(try await host.forward(question.inputs, execution)).jsonValue
    }
  }

  func ask(_ method: String, _ params: JSONObject, timeout: Double?) async throws(CallbackFailure) -> JSONValue {
    let name = FunctionName(.object(params)).name
    guard let kind = CallbackKind.allCases.first(where: { $0.method == method }), let function = functions[kind]?[name]
    else {
      throw .refused(
        code: -32601,
        message: "\"\(name)\" is a function of the process that made the run, and was not given to this call.",
        data: nil)
    }
    let answer = FirstAnswer()
    let work = Task { await answer.give(attempt(function, params)) }
    let alarm = Task {
      guard let timeout, (try? await Task.sleep(for: .seconds(timeout))) != nil else { return }
      answer.give(.failure(.timedOut(timeout)))
    }
    let result = await withTaskCancellationHandler {
      await answer.wait()
    } onCancel: {
      answer.give(.failure(.cancelled))
    }
    work.cancel()
    alarm.cancel()
    return try result.get()
  }

  private func attempt(_ function: Function, _ params: JSONObject) async -> Result<JSONValue, CallbackFailure> {
    do {
      return .success(try await function(params))
    } catch is CancellationError {
      return .failure(.cancelled)
    } catch {
      let known = error as? HoneError
      return .failure(
        .refused(
          code: -32803, message: known?.message ?? "\(error)",
          data: known.map { ErrorData($0).jsonValue }))
    }
  }
}

/// Which function is asked.
private struct FunctionName: ForeignRecord {
  static let members: [Member<Self>] = [Member("name", \.name)]
  var name = ""
}

/// A question as it was asked.
private func read<Question: CallbackQuestion>(_ type: Question.Type, _ params: JSONObject) throws -> Question {
  guard let question = Question(json: .object(params)) else {
    throw HoneError(.internalError, "\(Question.kind.method) was asked without what it needs.")
  }
  return question
}

/// Waits for the first of several answers; later ones are passed over.
private final class FirstAnswer: Sendable {
  private struct State {
    var answer: Result<JSONValue, CallbackFailure>?
    var waiting: CheckedContinuation<Result<JSONValue, CallbackFailure>, Never>?
  }

  private let state = Mutex(State())

  func give(_ answer: Result<JSONValue, CallbackFailure>) {
    let waiting = state.withLock { state in
      guard state.answer == nil else { return nil as CheckedContinuation<Result<JSONValue, CallbackFailure>, Never>? }
      state.answer = answer
      defer { state.waiting = nil }
      return state.waiting
    }
    waiting?.resume(returning: answer)
  }

  func wait() async -> Result<JSONValue, CallbackFailure> {
    await withCheckedContinuation { continuation in
      let answer = state.withLock { state in
        if state.answer == nil { state.waiting = continuation }
        return state.answer
      }
      if let answer { continuation.resume(returning: answer) }
    }
  }
}

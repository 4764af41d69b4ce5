import Failures
import JSON
import LanguageModels
import Schema
import Traces

/// A ReAct with what its runs need at hand.
struct ReActPlan: Sendable {
  var program: ReActProgram
  /// The places of its two predictors.
  var react: Int
  var extract: Int
  var inputs: [String]
  var text: String
}

extension PreparedProgram {
  /// One turn, as later turns see it.
  private struct Turn {
    var number: Int
    var thought: JSONValue
    var tool: String
    var arguments: JSONValue
    var observation: JSONValue

    var members: [(String, JSONValue)] {
      [
        ("thought_\(number)", thought), ("tool_name_\(number)", .string(tool)), ("tool_args_\(number)", arguments),
        ("observation_\(number)", observation),
      ]
    }
  }

  /// Turns until the model says that it is done, then the answer.
  func runTurns(
    _ plan: ReActPlan, inputs: JSONObject, in context: ExecutionContext
  ) async throws(HoneError) -> Prediction {
    var turns: [Turn] = []
    /// The first turn that is still shown: old ones go when a prompt gets too long for the model.
    var firstShown = 0
    var steps: [PredictorStep] = []
    for number in 0..<plan.program.maxIterations {
      let choice: Prediction
      do throws(HoneError) {
        choice = try await asked(plan.react, inputs, turns, &firstShown, in: context)
      } catch  where error.kind.isUnreadable {
        // What was found out so far may do.
        break
      }
      steps += choice.steps
      let name = choice.outputs["next_tool_name"]?.stringValue ?? ""
      let arguments = choice.outputs["next_tool_args"] ?? [:]
      var turn = Turn(
        number: number, thought: choice.outputs["next_thought"] ?? .null, tool: name, arguments: arguments,
        observation: "Done.")
      if name != ReActProgram.finish {
        turn.observation = try await observation(plan.program, name, arguments, number, in: context)
      }
      turns.append(turn)
      if name == ReActProgram.finish { break }
    }
    let shown = firstShown
    let answer = try await spanned(
      "ChainOfThought.forward", inputs: inputs, signature: plan.program.signature.text, in: context
    ) { inner throws(HoneError) in
      var first = shown
      return try await self.asked(plan.extract, inputs, turns, &first, in: inner)
    }
    var outputs: JSONObject = ["trajectory": .object(JSONObject(turns.flatMap(\.members)))]
    for (key, value) in answer.outputs { outputs[key] = value }
    return Prediction(outputs: outputs, steps: steps + answer.steps)
  }

  /// One predictor's answer to the inputs and the turns so far; the oldest turns are left out, up to three, where all
  /// are too much for the model.
  private func asked(
    _ predictor: Int, _ inputs: JSONObject, _ turns: [Turn], _ firstShown: inout Int, in context: ExecutionContext
  ) async throws(HoneError) -> Prediction {
    var left = 3
    while true {
      var given = inputs
      let shown = turns[firstShown...].flatMap(\.members)
      given["trajectory"] = .string(
        shown.isEmpty
          ? "(nothing yet)" : shown.map { "\($0.0): \(Adapter.text(of: $0.1))" }.joined(separator: "\n"))
      do throws(HoneError) {
        return try await predict(predictor, given, in: context)
      } catch {
        guard error.kind == .contextWindowExceeded, left > 0, firstShown < turns.count else { throw error }
        left -= 1
        firstShown += 1
      }
    }
  }

  /// What came of a tool: its result, or in words what went wrong. Either is kept for the run, since what the model does
  /// next follows from it.
  private func observation(
    _ program: ReActProgram, _ name: String, _ arguments: JSONValue, _ number: Int, in context: ExecutionContext
  ) async throws(HoneError) -> JSONValue {
    guard let tool = program.tools.first(where: { $0.name == name }) else {
      return .string("There is no tool \"\(name)\".")
    }
    let span = context.trace?.begin("Tool.\(name)", .tool, parent: context.parent, inputs: .json(arguments))
    var call = context.call
    call.scope += "/tool/\(number)"
    var asked = ToolQuestion()
    asked.name = name
    asked.args = arguments
    let question = Callback(asked, timeout: tool.timeout, failure: .toolFailed)
    do throws(HoneError) {
      let (observation, error) = try await observed(question, for: call, in: context)
      if let span {
        context.trace?.end(
          span, outputs: .json(observation), error: error.map { ("toolFailed", $0) })
      }
      return observation
    } catch {
      if let span { context.trace?.end(span, error: (error.kind.rawValue, error.message)) }
      throw error
    }
  }

  private func observed(
    _ question: Callback, for call: CallContext, in context: ExecutionContext
  ) async throws(HoneError) -> (JSONValue, error: String?) {
    guard let callbacks = context.callbacks else {
      throw HoneError(
        .programInvalid,
        "The tool \"\(question.name)\" is a client's, and there is no client here that could be asked.",
        remedy: "Send the request over a connection to hone serve.")
    }
    func read(_ kept: JSONValue) -> (JSONValue, error: String?) {
      if let error = kept["error"]?.stringValue { return (.string(error), error) }
      return (kept["result"] ?? .null, nil)
    }
    if let kept = try callbacks.kept(question, for: call) { return read(kept) }
    let kept: JSONValue
    do throws(HoneError) {
      let answer = try await callbacks.answer(question)
      guard let result = ToolAnswer(json: answer)?.result else {
        throw question.nonsense(answer, expected: "{\"result\": …}")
      }
      kept = ["result": result]
    } catch {
      guard error.kind == .toolFailed else { throw error }
      kept = ["error": .string(error.message)]
    }
    try await callbacks.keep(kept, of: question, for: call)
    return read(kept)
  }
}

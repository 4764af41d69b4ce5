import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Programs
import RowStorage

/// A few sentences on what a data set is like, written by the prompt model.
enum DataSummary {
  private static let observe = Signature(
    inputs: [Field("examples", description: "rows of a data set, one JSON object a line")],
    outputs: [
      Field("observations", description: "what the rows have in common: topics, form, length, what makes them hard")
    ],
    instructions: "Study the rows and note what somebody who has to solve such tasks should know about them.")

  private static let condense = Signature(
    inputs: [Field("observations", description: "notes on parts of a data set")],
    outputs: [Field("summary", description: "two or three sentences")],
    instructions: "Condense the notes into a summary of the data set that keeps what matters for solving its tasks.")

  /// How many requests at most look at rows.
  private static let maximumBatches = 10

  /// What looking at the rows will be asked with: the requests are known to the letter.
  static func planned(_ rows: Rows, batch: Int) -> PlannedPart {
    let inputs = batches(rows, batch).map { rows -> JSONObject in
      ["examples": .string(rows.map(text).joined(separator: "\n"))]
    }
    return PlannedPart(
      "propose", .prompt, inputs.count + 1...inputs.count + 1,
      shortest: .init(Program(.predict(observe)), Rows(inputs)),
      details: ["what": "a summary of the data"])
  }

  private static func batches(_ rows: Rows, _ size: Int) -> [[JSONObject]] {
    stride(from: 0, to: rows.count, by: size).prefix(maximumBatches).map { start in
      Array(rows[start..<min(start + size, rows.count)])
    }
  }

  /// Looks at up to ten batches of rows at the same time, then condenses; nil if the model gave nothing.
  static func write(
    _ rows: Rows, batch: Int, _ task: CompileTask, _ tally: WritingTally
  ) async throws(HoneError) -> String? {
    let batches = batches(rows, batch)
    let notes = try await concurrently(batches) { index, rows throws(HoneError) in
      let inputs: JSONObject = ["examples": .string(rows.map(text).joined(separator: "\n"))]
      let output = try await ask(
        task, observe, inputs, (tally, .summary), scope: "observe/\(index)",
        metadata: ["phase": "observe", "batch": .int(index)])
      return output?["observations"]?.stringValue.flatMap { usable($0, inputs, tally) }
    }
    let written = notes.compactMap { $0 }
    guard !written.isEmpty else { return nil }
    let inputs: JSONObject = ["observations": .string(written.joined(separator: "\n"))]
    let output = try await ask(
      task, condense, inputs, (tally, .summary), scope: "condense", metadata: ["phase": "condense"])
    return output?["summary"]?.stringValue.flatMap { usable($0, inputs, tally) }
  }

  /// A text about the data; nil where it is none.
  private static func usable(_ text: String, _ inputs: JSONObject, _ tally: WritingTally) -> String? {
    // Notes may well quote the rows they are on.
    let shown = inputs.compactMap { $0.value.stringValue }
    switch ProposalGate(shown: [observe.instructions, condense.instructions], kin: shown).check(text) {
    case .success(let text): return text
    case .failure(let refusal):
      tally.refused(.summary, refusal.reason)
      return nil
    }
  }

  /// How many requests to the prompt model, failed one after the other, show that it is gone.
  private static let hopeless = 3

  /// One request to the prompt model; nil, and noted as wanting, if it failed.
  ///
  /// - Throws: what every request to come would meet, too: a search without what the prompt model writes is another
  ///   one, and stopped, it can go on when the model is back.
  static func ask(
    _ task: CompileTask, _ signature: Signature, _ inputs: JSONObject, _ noting: (WritingTally, WritingTally.Kind),
    scope: String, rollout: Int = 0, temperature: Double = 1.0, metadata: JSONObject
  ) async throws(HoneError) -> JSONObject? {
    var request = EngineSession.Request(
      program: PreparedProgram(Program(.predict(signature))), inputs: inputs, model: task.promptModel, scope: scope)
    request.role = .prompt
    request.rollout = rollout
    var options = task.promptModel.configuration.sampling
    options.temperature = temperature
    request.options = options
    request.metadata = metadata
    let (tally, kind) = noting
    tally.asked(kind)
    let execution = try await task.session.execute(request)
    switch execution.outcome {
    case .success(let prediction):
      // What was cut off in the middle says half of what was meant.
      guard execution.replies.cut == 0 || execution.replies.cut < execution.replies.replies else {
        tally.refused(kind, "was cut off at the token limit")
        return nil
      }
      return prediction.outputs
    case .failure(let error):
      if error.kind.stopsWork { throw error }
      if error.kind.isPassing, task.session.account.failuresInARow(.prompt) >= hopeless { throw error }
      tally.refused(kind, error.kind.isUnreadable ? "could not be read" : "failed (\(error.messageWithCause))")
      return nil
    }
  }

  /// A row as one line, long values cut.
  private static func text(_ row: JSONObject) -> String {
    var short = JSONObject()
    for (key, value) in row {
      if case .string(let text) = value, text.count > 2000 {
        short[key] = .string(text.prefix(2000) + "…")
      } else {
        short[key] = value
      }
    }
    return JSONValue.object(short).text(.spaced)
  }
}

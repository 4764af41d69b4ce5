import Failures
import JSON
import LanguageModels
import Messages

/// How a predictor asks until a reply can be read.
extension PreparedProgram {
  /// What the model gives for a predictor's outputs, one object for each completion that can be read.
  ///
  /// A reply that cannot be read is followed by one more request: in another form where nothing was found, else in the
  /// same one, with what was wrong. After two, a choice is guessed where one is close to what was said, else drawn several
  /// times with each choice shown; what is missing then is asked for in plain questions, one an output. A reply that the
  /// token limit cut off within its form is not asked for again in that form: it would be cut off again; nor is one with
  /// reasoning, which needs the room that it had not.
  func complete(
    _ index: Int, _ inputs: JSONObject, in context: ExecutionContext
  ) async throws(HoneError) -> [JSONObject] {
    let shown = shownDemos(index, inputs, in: context)
    let demos = shown ?? program.states[index].demos
    var adapter = adapters[index]
    var prompt = format(
      index, adapter, shown.map { adapter.sharedMessages(demos: $0) } ?? shared[index], inputs, in: context)
    var unread: [UnreadReply] = []
    var answer = try await ask(prompt, adapter, in: context)
    while true {
      if let error = answer.reply.noAnswer(context.model.configuration) { throw error }
      let fault: UnparsableReply
      do throws(UnparsableReply) { return try parse(answer.reply, adapter, in: context) } catch { fault = error }
      unread.append(UnreadReply(reply: answer.reply, adapter: adapter))
      guard let others, fault.fault != .cut || !adapter.signature.reasons else {
        throw unparsable(index, fault, times: unread.count)
      }
      if unread.count > 1 || fault.fault == .cut {
        return [try await insist(index, inputs, demos, unread, fault, in: context)]
      }
      if fault.fault == .values {
        // Endpoints refuse an empty turn, and a runaway reply need not be shown whole.
        let said = fault.reply.isEmpty ? "(no text)" : String(fault.reply.prefix(8_000))
        prompt.own += [ChatMessage(.assistant, said), adapter.correction(of: fault)]
        if let corrected = try await ifItFits({ () async throws(HoneError) in
          try await ask(prompt, adapter, in: context)
        }) {
          answer = corrected
          continue
        }
      }
      adapter = others[index]
      answer = try await askFitting(index, adapter, demos, inputs, in: context)
    }
  }

  /// Asks with demos after a reply that could not be read. Another form may need more room than the first one had: where
  /// the prompt is too long for the model, half as many demos are shown, down to none.
  ///
  /// - Parameter shown: demos that stay.
  private func askFitting(
    _ index: Int, _ adapter: Adapter, beside shown: [JSONObject] = [], _ demos: [JSONObject], _ inputs: JSONObject,
    in context: ExecutionContext
  ) async throws(HoneError) -> ModelAnswer {
    var demos = demos
    while true {
      let prompt = format(index, adapter, adapter.sharedMessages(demos: shown + demos), inputs, in: context)
      if demos.isEmpty { return try await ask(prompt, adapter, in: context) }
      if let answer = try await ifItFits({ () async throws(HoneError) in try await ask(prompt, adapter, in: context) })
      {
        return answer
      }
      demos = Array(demos.prefix(demos.count / 2))
    }
  }

  /// The answer to a request; nil where its prompt was too long for the model.
  private func ifItFits<Answer>(_ body: () async throws(HoneError) -> Answer) async throws(HoneError) -> Answer? {
    do throws(HoneError) {
      return try await body()
    } catch {
      if error.kind == .contextWindowExceeded { return nil }
      throw error
    }
  }

  private struct UnreadReply {
    var reply: ModelReply
    var adapter: Adapter
  }

  // MARK: After two replies that could not be read

  /// How a choice or a number is drawn that was missed twice: freely, since the model's favourite was none, and briefly,
  /// so that a reply that runs on is not paid for many times.
  private static let draws = 8
  private static let drawTemperature = 0.7
  private static let shortReply = 100
  /// How many outputs are asked for one by one, at most.
  private static let mostQuestions = 4

  private func insist(
    _ index: Int, _ inputs: JSONObject, _ demos: [JSONObject], _ unread: [UnreadReply], _ fault: UnparsableReply,
    in context: ExecutionContext
  ) async throws(HoneError) -> JSONObject {
    if let guess = guess(unread, inputs, in: context) { return guess }
    var requests = unread.count
    if let (choice, shown) = adapters[index].signature.choices(beside: demos) {
      // What a model was seen to draw from best, beside JSON: in plain text and tags it kept to words of its own.
      let own = adapters[index]
      let adapter = [.chat, .json].contains(own.format) ? own : Adapter(own.signature, .chat)
      // The program's own demos last: a reply looks most like what stands nearest.
      requests += 1
      let (outputs, reply) = try await draw(index, adapter, beside: shown, demos, inputs, choice, in: context)
      if let outputs { return outputs }
      if let guess = guess([UnreadReply(reply: reply, adapter: adapter)], inputs, in: context) { return guess }
    }
    // The outputs that are missing, each in a plain question: even models that keep to no form answer those.
    let signature = adapters[index].signature
    var outputs = fault.parsed
    // A text from a reply that was cut off may be half of one.
    if let last = unread.last?.reply, last.texts.indices.contains(where: { last.completion($0).isCut }) {
      for field in signature.outputs where field.type.admitsPart { outputs[field.name] = nil }
    }
    let missing = signature.outputs.filter { outputs[$0.name] == nil && $0.name != Module.reasoning.name }
    if missing.count <= Self.mostQuestions, missing.allSatisfy({ $0.type.isPlain }) {
      for field in missing {
        let adapter = Adapter(signature.asking(field), .plain)
        requests += 1
        let answer = try await draw(
          index, adapter, demos, inputs, field.type == .string ? nil : field.name, in: context)
        guard let value = answer.outputs?[field.name] else { break }
        outputs.append(field.name, value)
      }
      if missing.allSatisfy({ outputs[$0.name] != nil }) {
        var ordered = JSONObject()
        for field in signature.outputs { ordered.append(field.name, outputs[field.name] ?? "") }
        return ordered
      }
    }
    // What was wrong before: the last replies may be cut off by a limit that is not the caller's.
    throw unparsable(index, fault, times: requests)
  }

  /// Asks for a choice or a number several times at once, and takes what most replies say; for a text once, and takes it
  /// only if it is whole and has a word.
  ///
  /// - Parameter short: the output to draw; nil: a text is asked for.
  private func draw(
    _ index: Int, _ adapter: Adapter, beside shown: [JSONObject] = [], _ demos: [JSONObject], _ inputs: JSONObject,
    _ short: String?, in context: ExecutionContext
  ) async throws(HoneError) -> (outputs: JSONObject?, reply: ModelReply) {
    guard let short else {
      let reply = try await askFitting(index, adapter, beside: shown, demos, inputs, in: context).reply
      let said = reply.completion(0)
      let isWhole = !said.isCut && said.text.contains { $0.isLetter || $0.isNumber }
      return (isWhole ? (try? parse(reply, adapter, in: context))?.first : nil, reply)
    }
    var drawing = context
    var options = context.options ?? context.model.configuration.sampling
    options.n = max(options.n, Self.draws)
    options.temperature = max(options.temperature ?? 0, Self.drawTemperature)
    if adapter.signature.outputs.count == 1 { options.maxTokens = min(options.maxTokens ?? .max, Self.shortReply) }
    drawing.options = options
    let reply = try await askFitting(index, adapter, beside: shown, demos, inputs, in: drawing).reply
    let found = try? parse(reply, adapter, in: drawing, areDraws: true)
    return (found.map { Self.mostFrequent($0, short) }, reply)
  }

  /// The completion whose choice most have; of equals the first.
  private static func mostFrequent(_ completions: [JSONObject], _ choice: String) -> JSONObject {
    var votes: [JSONValue: Int] = [:]
    for completion in completions { votes[completion[choice] ?? .null, default: 0] += 1 }
    let most = votes.values.max() ?? 0
    return completions.first { votes[$0[choice] ?? .null] == most } ?? [:]
  }

  /// The choice that replies which name none come closest to; the last reply first.
  private func guess(
    _ unread: [UnreadReply], _ inputs: JSONObject, in context: ExecutionContext
  ) -> JSONObject? {
    for one in unread.reversed() {
      for place in one.reply.texts.indices where !Self.repeats(one.reply.texts[place], inputs) {
        guard let read = try? one.adapter.read(one.reply.completion(place), guesses: true) else { continue }
        var counts = ReplyCounts()
        counts.repaired = 1
        context.tally?.add(counts)
        return read.outputs
      }
    }
    return nil
  }

  /// Whether a reply says what it was asked: a choice found in that would be ours, not the model's.
  private static func repeats(_ reply: String, _ inputs: JSONObject) -> Bool {
    let reply = reply.lowercased()
    return inputs.contains { _, value in
      guard let text = value.stringValue?.trimmed.lowercased() else { return false }
      return text.contains(" ") && reply.contains(text)
    }
  }

  private func unparsable(_ index: Int, _ error: UnparsableReply, times: Int) -> HoneError {
    let often = [1: "", 2: ", twice"][times] ?? ", \(times) times"
    let step = program.stepName(index).map { " to the step \"\($0)\"" } ?? ""
    let isCut = error.isCut
    let remedy =
      isCut
      ? "Raise the model's maxTokens, or ask for shorter outputs."
      : "The trace has the whole reply. Another adapter, a stronger model or simpler output types help."
    return HoneError(
      isCut ? .replyCut : .outputUnparsable, "The model's reply\(step) could not be read\(often): \(error.reason)",
      remedy: remedy, details: ["reply": String(error.reply.prefix(500))])
  }
}

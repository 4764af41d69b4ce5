import Failures
import JSON
import LanguageModels
import Messages
import Programs
import Testing
import Traces

@Suite struct Execution {
  private func run(
    _ program: Program, _ inputs: JSONObject, _ model: ScriptedModel, trace: TraceBuilder? = nil,
    leavingOneOut: Bool = false
  ) async throws -> Prediction {
    var context = context(model, trace: trace)
    context.leavesOneOut = leavingOneOut
    return try await PreparedProgram(program).run(inputs, in: context)
  }

  /// The spans as lines, indented by their depth.
  private func tree(_ trace: Trace) -> [String] {
    var depths: [SpanID: Int] = [:]
    return trace.spans.map { span in
      let depth = span.parent.flatMap { depths[$0] }.map { $0 + 1 } ?? 0
      depths[span.id] = depth
      return String(repeating: "  ", count: depth) + span.name
    }
  }

  private func texts(_ request: ModelRequest?) -> [String] { request?.prompt.messages.map(\.content) ?? [] }

  private var cot: Program {
    get throws { Program(try module("question -> answer: int")) }
  }

  @Test func givesTheOutputsAndTheStepsThatDemosAreMadeOf() async throws {
    let model = ScriptedModel(reply(("reasoning", "2+3"), ("answer", "5")))
    let prediction = try await run(try cot, ["question": "2+3?", "gold": "x"], model)
    #expect(prediction.outputs == ["reasoning": "2+3", "answer": 5])
    #expect(
      prediction.steps
        == [PredictorStep(predictor: 0, inputs: ["question": "2+3?"], outputs: prediction.outputs)])
    #expect(prediction.completions.isEmpty)
  }

  @Test func leavesTheSpansOfDSPy() async throws {
    let trace = TraceBuilder()
    let model = ScriptedModel(reply(("reasoning", "r"), ("answer", "5")))
    _ = try await run(try cot, ["question": "q"], model, trace: trace)
    let finished = trace.finish(experimentID: nil, runID: nil)
    #expect(
      tree(finished) == [
        "ChainOfThought.forward",
        "  Predict.forward",
        "    ChatAdapter.format",
        "    LM.__call__",
        "    ChatAdapter.parse",
      ])
    #expect(finished.spans.map(\.kind) == [.chain, .llm, .parser, .chatModel, .parser])
    #expect(finished.spans.allSatisfy { $0.status == .ok && $0.end >= $0.start })
    #expect(finished.status == .ok)
    #expect(finished.usage == TokenUsage(inputTokens: 10, outputTokens: 5))
    #expect(finished.spans[0].outputs.json == ["reasoning": "r", "answer": 5])
    #expect(finished.spans[1].attributes["signature"] == "question -> reasoning, answer: int")
    #expect(finished.spans[2].outputs.json == finished.spans[3].inputs.json)
  }

  @Test func asksAfreshInAnotherFormWhereNothingWasFound() async throws {
    let trace = TraceBuilder()
    let model = ScriptedModel("no idea", #"{"reasoning": "r", "answer": 5}"#)
    let prediction = try await run(try cot, ["question": "q"], model, trace: trace)
    #expect(prediction.outputs == ["reasoning": "r", "answer": 5])
    let second = try #require(model.requests.last)
    #expect(model.requests.count == 2)
    #expect(second.prompt.messages.map(\.role) == [.system, .user])
    #expect(second.prompt.messages.last?.content.hasPrefix("question:\nq\n\nRespond with a JSON object") == true)
    #expect(second.options.schema != nil)
    #expect(model.requests.first?.options.schema == nil)
    let finished = trace.finish(experimentID: nil, runID: nil)
    #expect(
      finished.spans.dropFirst(2).map(\.name)
        == [
          "ChatAdapter.format", "LM.__call__", "ChatAdapter.parse", "JSONAdapter.format", "LM.__call__",
          "JSONAdapter.parse",
        ])
    #expect(finished.spans[4].status != .ok)
    #expect(finished.spans[7].status == .ok)
    #expect(finished.status == .ok)
  }

  @Test func showsWhatWasWrongWithAValue() async throws {
    let model = ScriptedModel(
      reply(("reasoning", "r"), ("answer", "plenty")), reply(("reasoning", "r"), ("answer", "5")))
    let prediction = try await run(try cot, ["question": "q"], model)
    #expect(prediction.outputs["answer"] == 5)
    let second = try #require(model.requests.last?.prompt.messages)
    #expect(second.suffix(3).map(\.role) == [.user, .assistant, .user])
    #expect(second[second.count - 2].content.contains("plenty"))
    #expect(second.last?.content.contains("`answer` should be int, got \"plenty\"") == true)
  }

  @Test func theOtherFormHasTheDemosToo() async throws {
    var program = try cot
    program["predict"]?.demos = [["question": "1+1?", "reasoning": "r", "answer": 2]]
    let model = ScriptedModel("no idea", #"{"reasoning": "r", "answer": 5}"#)
    _ = try await run(program, ["question": "q"], model)
    #expect(texts(model.requests.last)[2] == #"{"reasoning": "r", "answer": 2}"#)
  }

  @Test func aFurtherPromptThatIsTooLongShowsFewerDemos() async throws {
    var program = Program(try module(["module": "Predict", "signature": "question -> answer: int"]))
    program.adapter = .plain
    program["self"]?.demos = (0..<8).map { ["question": .string("What is \($0)?"), "answer": .int($0)] }
    let replies = [["no idea"], ["nor now"], Array(repeating: "7", count: 8)]
    let wide = ScriptedModel(replies)
    #expect(try await run(program, ["question": "q"], wide).outputs == ["answer": 7])
    let sizes = wide.requests.map(\.bytes)
    #expect(sizes.count == 3 && sizes[1] > sizes[0])
    // As long as the first prompt: the second, as JSON, is longer.
    let narrow = ScriptedModel(replies, mostBytes: sizes[0])
    #expect(try await run(program, ["question": "q"], narrow).outputs == ["answer": 7])
    let asked = narrow.requests.map(\.prompt.messages.count)
    #expect(asked[1] == asked[0] && asked[2] == asked[0] - 8 && narrow.requests[2].bytes <= sizes[0])
    // A first prompt that is too long is the caller's to shorten.
    let error = await #expect(throws: HoneError.self) {
      try await self.run(program, ["question": "q"], ScriptedModel(replies, mostBytes: sizes[0] - 1))
    }
    #expect(error?.kind == .contextWindowExceeded)
  }

  @Test func aReplyCutOffWithinItsFormIsNotAskedForAgain() async throws {
    let model = ScriptedModel("[[ ## reasoning ## ]]\nFirst we note", "unused", isCut: true)
    let error = await #expect(throws: HoneError.self) { try await self.run(try self.cot, ["question": "q"], model) }
    #expect(error?.message.contains("could not be read: It was cut off at the token limit") == true)
    #expect(error?.remedy?.contains("maxTokens") == true)
    #expect(model.requests.count == 1)
  }

  private var sorting: Program {
    get throws {
      var program = Program(
        try module([
          "module": "Predict", "signature": "text -> label: Literal['close_account', 'exchange_rate', 'lost']",
        ]))
      program["self"]?.demos = [["text": "Where is it?", "label": "lost"]]
      return program
    }
  }

  @Test func aChoiceThatWasMissedTwiceIsGuessedWhereOneIsClose() async throws {
    let model = ScriptedModel("[[ ## label ## ]]\ncancel_account", "[[ ## label ## ]]\nno idea")
    let tally = ReplyTally()
    var context = context(model)
    context.tally = tally
    let prediction = try await PreparedProgram(try sorting).run(["text": "t"], in: context)
    #expect(prediction.outputs == ["label": "close_account"])
    #expect(model.requests.count == 2)
    #expect(tally.counts.unreadable == 2 && tally.counts.repaired == 1)
  }

  @Test func nothingIsGuessedFromAReplyThatRepeatsTheQuestion() async throws {
    let echo = "[[ ## label ## ]]\nDelete my account."
    let model = ScriptedModel(echo, echo, echo, echo)
    await #expect(throws: HoneError.self) { try await self.run(try self.sorting, ["text": "delete my account"], model) }
    #expect(model.requests.count == 4)
    #expect(
      try await run(try sorting, ["text": "other words"], ScriptedModel(echo, echo)).outputs == [
        "label": "close_account"
      ])
  }

  @Test func aChoiceThatWasMissedTwiceIsDrawnWithEachChoiceShown() async throws {
    func replies(_ labels: String...) -> [String] { labels.map { "[[ ## label ## ]]\n\($0)" } }
    let model = ScriptedModel([
      ["weather"], ["rain"], replies("snow", "exchange_rate", "lost", "fog", "lost", "close_account", "ice", "lost"),
    ])
    let tally = ReplyTally()
    var context = context(model)
    context.tally = tally
    let prediction = try await PreparedProgram(try sorting).run(["text": "t"], in: context)
    #expect(prediction.outputs == ["label": "lost"])
    #expect(prediction.completions.isEmpty)
    #expect(tally.counts.replies == 3 && tally.counts.unreadable == 2 && tally.counts.repaired == 1)
    let last = try #require(model.requests.last)
    #expect(last.options.n == 8 && last.options.temperature == 0.7 && last.options.maxTokens == 100)
    // The choices that no demo has come first, the program's own demo is next to the request.
    let shown = texts(last)
    #expect(shown.count == 2 + 3 * 2)
    #expect(shown[1].hasPrefix("[[ ## text ## ]]\nclose account\n") && shown[2] == "[[ ## label ## ]]\nclose_account")
    #expect(shown[4] == "[[ ## label ## ]]\nexchange_rate" && shown[6] == "[[ ## label ## ]]\nlost")
    // From other forms than JSON it changes to chat for that.
    for (format, mark) in [
      (ReplyFormat.plain, "[[ ## label ## ]]"), (.xml, "[[ ## label ## ]]"), (.json, "JSON object"),
    ] {
      var other = try sorting
      other.adapter = format
      let model = ScriptedModel([["weather"], ["rain"], ["lost"]])
      #expect(try await run(other, ["text": "t"], model).outputs == ["label": "lost"])
      #expect(texts(model.requests.last).last?.contains(mark) == true)
    }
    // Of choices that are drawn equally often the first is taken.
    let tied = ScriptedModel([["weather"], ["rain"], replies("snow", "exchange_rate", "lost")])
    #expect(try await run(try sorting, ["text": "t"], tied).outputs == ["label": "exchange_rate"])
  }

  @Test func whatIsMissedInEveryWayIsSaid() async throws {
    let missed = await #expect(throws: HoneError.self) {
      try await self.run(try self.sorting, ["text": "t"], ScriptedModel("weather", "rain", "snow", "fog"))
    }
    #expect(missed?.message.contains("could not be read, 4 times") == true)
    // A text that is found nowhere is not asked for in pieces.
    let cut = ScriptedModel("[[ ## reasoning ## ]]\nThe", isCut: true)
    await #expect(throws: HoneError.self) { try await self.run(try self.cot, ["question": "q"], cut) }
    #expect(cut.requests.count == 1)
  }

  // MARK: Plain questions

  private var ticket: Program {
    get throws {
      var program = Program(
        try module(["module": "Predict", "signature": "message -> kind: Literal['bug', 'bill'], minutes: int, name"]))
      program["self"]?.demos = [["message": "It crashes. Ann", "kind": "bug", "minutes": 5, "name": "Ann"]]
      return program
    }
  }

  @Test func whatIsMissingAfterTwoRepliesIsAskedForByItself() async throws {
    let model = ScriptedModel([
      ["I see."], [#"{"name": "Bo"}"#], ["The kind is bill.", "hm", "bill", "bug"],
      ["5 or 6", "about 20 minutes", "20"],
    ])
    let prediction = try await run(try ticket, ["message": "I paid twice. Bo"], model)
    #expect(prediction.outputs == ["kind": "bill", "minutes": 20, "name": "Bo"])
    #expect(prediction.outputs.keys == ["kind", "minutes", "name"])
    try #require(model.requests.count == 4)
    #expect(
      texts(model.requests[2]) == [
        "Given the fields `message`, produce the fields `kind`.",
        "message: It crashes. Ann\n\nWhat is the kind? Answer with one of: bug, bill.", "bug",
        "message: I paid twice. Bo\n\nWhat is the kind? Answer with one of: bug, bill.",
      ])
    #expect(model.requests[3].options.n == 8 && model.requests[3].options.maxTokens == 100)
  }

  @Test func aTextIsAskedForWholeOrNotAtAll() async throws {
    let program = Program(try module(["module": "Predict", "signature": "message -> name, place"]))
    let cut = ScriptedModel("I see.", "So it is.", "The name is Bo.", "The place is somewhere in the", cut: [3])
    let error = await #expect(throws: HoneError.self) { try await self.run(program, ["message": "m"], cut) }
    #expect(error?.message.contains("could not be read, 4 times") == true)
    #expect(cut.requests.last?.options.n == 1 && cut.requests.last?.options.maxTokens != 100)
    let whole = ScriptedModel("I see.", "So it is.", "The name is Bo.", "The place of the meeting is 'Rome'.")
    #expect(try await run(program, ["message": "m"], whole).outputs == ["name": "Bo", "place": "Rome"])
  }

  @Test func aReplyThatWasCutOffInItsFormIsFollowedByQuestions() async throws {
    let model = ScriptedModel(#"{"kind": "bill", "name": "Bo and"#, "20", "The name is Bo.", cut: [0])
    #expect(
      try await run(try ticket, ["message": "m"], model).outputs == ["kind": "bill", "minutes": 20, "name": "Bo"])
    // What may be half a value is asked for again.
    #expect(model.requests.count == 3)
  }

  @Test func anAnswerAskedForByItselfNeedsNoReasoning() async throws {
    let model = ScriptedModel("?", "?", "The answer is 5.")
    #expect(try await run(try cot, ["question": "q"], model).outputs == ["reasoning": "", "answer": 5])
  }

  @Test func listsAreNotAskedForInPlainQuestions() async throws {
    let program = Program(try module(["module": "Predict", "signature": "text -> names: list[str], n: int"]))
    let model = ScriptedModel("?", "?", "unused")
    await #expect(throws: HoneError.self) { try await self.run(program, ["text": "t"], model) }
    #expect(model.requests.count == 2)
  }

  @Test func countsHowRepliesCameOut() async throws {
    let tally = ReplyTally()
    var context = context(ScriptedModel("no idea", #"{"reasoning": "r", "answer": "5 apples"}"#))
    context.tally = tally
    _ = try await PreparedProgram(try cot).run(["question": "q"], in: context)
    #expect(tally.counts.replies == 2)
    #expect(tally.counts.unreadable == 1)
    #expect(tally.counts.repaired == 1)
    #expect(tally.counts.share(\.unreadable) == 0.5)
  }

  @Test func theProgramsFormIsTheOneItIsAskedIn() async throws {
    var program = Program(try module(["module": "Predict", "signature": "question -> answer: int"]))
    program.adapter = .plain
    let model = ScriptedModel("5")
    let trace = TraceBuilder()
    #expect(try await run(program, ["question": "q"], model, trace: trace).outputs == ["answer": 5])
    #expect(texts(model.requests.first).last == "question: q\n\nWhat is the answer? Answer with a whole number only.")
    #expect(trace.finish(experimentID: nil, runID: nil).spans.contains { $0.name == "PlainAdapter.parse" })
  }

  @Test func theMessageNamesTheStepWhereThereAreSeveral() async throws {
    let one = await #expect(throws: HoneError.self) {
      try await self.run(try self.cot, ["question": "q"], ScriptedModel("?", "?", "?"))
    }
    #expect(one?.message.hasPrefix("The model's reply could not be read, 3 times: ") == true)
    let several = await #expect(throws: HoneError.self) {
      try await self.run(
        Program(try module(planAndSolve)), ["question": "q"], ScriptedModel(reply(("query", "y")), "[[", "[[", "[["))
    }
    #expect(several?.message.hasPrefix("The model's reply to the step \"solve\" could not be read, 3 times: ") == true)
  }

  @Test func failsAfterTheThirdUnreadableReply() async throws {
    let trace = TraceBuilder()
    let model = ScriptedModel("no sections", "[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\nplenty", "many", "unused")
    let error = await #expect(throws: HoneError.self) {
      try await self.run(try self.cot, ["question": "q"], model, trace: trace)
    }
    #expect(error?.kind == .outputUnparsable)
    #expect(error?.message.contains("`answer` should be int, got \"plenty\"") == true)
    #expect(model.requests.count == 3)
    // An empty turn would be refused by endpoints.
    #expect(!texts(model.requests.last).contains(""))
    guard case .error = trace.finish(experimentID: nil, runID: nil).status else {
      Issue.record("the trace does not say that the execution failed")
      return
    }
  }

  @Test func doesNotRepeatARunawayReplyWhole() async throws {
    let model = ScriptedModel(String(repeating: "x", count: 500_000), reply(("reasoning", "r"), ("answer", "5")))
    _ = try await run(try cot, ["question": "q"], model)
    #expect(texts(model.requests.last).allSatisfy { $0.count < 20_000 })
  }

  @Test func passesTheModelsFailureOn() async throws {
    let trace = TraceBuilder()
    let error = await #expect(throws: HoneError.self) {
      try await self.run(try self.cot, ["question": "q"], ScriptedModel(), trace: trace)
    }
    #expect(error?.kind == .languageModelUnavailable)
    let spans = trace.finish(experimentID: nil, runID: nil).spans
    #expect(
      spans.filter { $0.status != .ok }.map(\.name) == ["ChainOfThought.forward", "Predict.forward", "LM.__call__"])
  }

  @Test func sendsValuesFromStepToStep() async throws {
    let trace = TraceBuilder()
    let model = ScriptedModel(reply(("query", "capital")), reply(("reasoning", "r"), ("answer", "Paris")))
    let prediction = try await run(Program(try module(planAndSolve)), ["question": "France?"], model, trace: trace)
    #expect(prediction.outputs == ["reasoning": "r", "answer": "Paris"])
    #expect(prediction.steps.map(\.predictor) == [0, 1])
    #expect(prediction.steps[1].inputs == ["question": "France?", "query": "capital"])
    #expect(
      texts(model.requests.last).last?.hasPrefix(
        "[[ ## question ## ]]\nFrance?\n\n[[ ## query ## ]]\ncapital\n\nRespond with") == true)
    #expect(
      tree(trace.finish(experimentID: nil, runID: nil)).filter { !$0.contains("ChatAdapter") } == [
        "Pipeline.forward",
        "  Predict.forward",
        "    LM.__call__",
        "  ChainOfThought.forward",
        "    Predict.forward",
        "      LM.__call__",
      ])
  }

  @Test func usesThePredictorsOwnInstructionsAndDemos() async throws {
    var program = Program(try module(planAndSolve))
    program["plan"]?.instructions = "Plan well."
    program["solve.predict"]?.demos = [["question": "dq", "query": "dy", "reasoning": "dr", "answer": "da"]]
    program["nobody"] = PredictorState(instructions: "x")
    let model = ScriptedModel(reply(("query", "y")), reply(("reasoning", "r"), ("answer", "a")))
    _ = try await run(program, ["question": "q"], model)
    #expect(texts(model.requests.first).count == 2)
    #expect(texts(model.requests.first).first?.hasPrefix("Plan well.") == true)
    #expect(texts(model.requests.last).count == 4)
    #expect(program.withoutDemos()["solve.predict"]?.demos == [])
    #expect(program.withoutDemos()["plan"]?.instructions == "Plan well.")
  }

  @Test func aRowIsNotShownTheDemosThatWereMadeOfIt() async throws {
    var program = try cot
    program["predict"]?.demos = [
      ["question": "What is asked?", "answer": 1], ["question": " what  IS\nasked?", "answer": 2],
      ["augmented": true, "answer": 1, "question": "What is asked?"], ["question": "other", "answer": 3],
    ]
    let answers = [[reply(("reasoning", "r"), ("answer", "5"))]]
    let hiding = ScriptedModel(answers)
    _ = try await run(program, ["question": "What is asked?"], hiding, leavingOneOut: true)
    #expect(texts(hiding.requests.last).count == 2 + 1 * 2)
    let showing = ScriptedModel(answers)
    _ = try await run(program, ["question": "What is asked?"], showing)
    #expect(texts(showing.requests.last).count == 2 + 4 * 2)
  }

  @Test func aLaterStepIsToldByTheRowsOwnInputs() async throws {
    // What the first step wrote differs from run to run; the question does not.
    var program = Program(
      try module([
        "steps": [
          ["name": "a", "module": "Predict", "signature": "question -> note"],
          ["name": "b", "module": "Predict", "signature": "note, question -> answer"],
        ]
      ]))
    program["b"]?.demos = [
      ["augmented": true, "note": "an older note", "question": "q1", "answer": "copied"],
      ["augmented": true, "note": "a note", "question": "q2", "answer": "fine"],
    ]
    let model = ScriptedModel([[reply(("note", "a note"))], [reply(("answer", "x"))]])
    _ = try await run(program, ["question": "q1"], model, leavingOneOut: true)
    let asked = texts(model.requests.last).joined(separator: "\n")
    #expect(!asked.contains("copied") && asked.contains("fine"))
  }

  @Test func givesEveryCompletionThatCanBeRead() async throws {
    let model = ScriptedModel([
      ["junk", reply(("reasoning", "a"), ("answer", "1")), reply(("reasoning", "b"), ("answer", "2"))]
    ])
    let prediction = try await run(try cot, ["question": "q"], model)
    #expect(prediction.outputs == ["reasoning": "a", "answer": 1])
    #expect(prediction.completions.map { $0["answer"] } == [1, 2])
    #expect(model.requests.count == 1)
  }

  @Test func refusesMissingInputsWithoutAsking() async throws {
    let trace = TraceBuilder()
    let model = ScriptedModel("unused")
    let error = await #expect(throws: HoneError.self) {
      try await self.run(Program(try module("question, context -> answer")), ["question": "q"], model, trace: trace)
    }
    #expect(error?.kind == .programInvalid)
    #expect(error?.message.contains("\"context\"") == true)
    #expect(error?.remedy == "Inputs are question, context.")
    #expect(model.requests.isEmpty)
    let finished = trace.finish(experimentID: nil, runID: nil)
    #expect(finished.spans.map(\.name) == ["ChainOfThought.forward"])
    #expect(finished.status != .ok)
  }

  @Test func aNullInputIsNotAMissingOne() async throws {
    let model = ScriptedModel(reply(("reasoning", "r"), ("answer", "5")))
    _ = try await run(try cot, ["question": nil], model)
    #expect(texts(model.requests.last).last?.hasPrefix("[[ ## question ## ]]\nNone") == true)
  }
}

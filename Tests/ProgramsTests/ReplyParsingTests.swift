import JSON
import Programs
import Testing

@Suite struct RepliesInSections {
  private let adapter: Adapter

  init() throws { adapter = Adapter(try Signature("question -> reasoning, answer: int")) }

  @Test(arguments: [
    ("[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\n5\n\n[[ ## completed ## ]]", "r"),
    ("[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\n5", "r"),
    ("[[ ## answer ## ]]\n5\n[[ ## reasoning ## ]]\nr", "r"),
    ("Sure!\n\n[[ ## reasoning ## ]] r\n[[ ## answer ## ]] 5\n[[ ## completed ## ]]\nBye.", "r"),
    ("   [[ ## reasoning ## ]] r\n\t[[ ## answer ## ]] 5", "r"),
    ("[[ ## reasoning ## ]] r [[ ## answer ## ]] 5 [[ ## completed ## ]]", "r"),
    ("[[ ## reasoning ## ]]r[[ ## answer ## ]]5[[ ## completed ## ]]", "r"),
    ("[[## reasoning ##]]\nr\n[[##answer##]]\n5", "r"),
    ("[[ ## reasoning ## ]]\r\nr\r\n\r\n[[ ## answer ## ]]\r\n5\r\n", "r"),
    ("`[[ ## reasoning ## ]]`\nr\n\n**[[ ## answer ## ]]**\n5\n`[[ ## completed ## ]]`", "r"),
    ("[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\n5\n[[ ## reasoning ## ]]\nother\n[[ ## answer ## ]]\n6", "r"),
    ("[[ ## other ## ]]\nx\n[[ ## reasoning ## ]]\nr\n[[ ## note ## ]]\ny\n[[ ## answer ## ]]\n5", "r"),
    ("[[ ## reasoning ## ]]\n  a\n\n  b  \n[[ ## answer ## ]]\n5", "a\n\n  b"),
    ("[[ ## reasoning ## ]]\n\n[[ ## answer ## ]]\n5", ""),
    (
      "[[ ## reasoning ## ]]\nI fill `[[ ## answer ## ]]` with [[ ## answer ## ]] 7.\n[[ ## answer ## ]]\n5",
      "I fill `[[ ## answer ## ]]` with [[ ## answer ## ]] 7."
    ),
    ("[[ ## reasoning ## ]]\n`[[ ## answer ## ]]` holds 7\n[[ ## answer ## ]]\n5", "`[[ ## answer ## ]]` holds 7"),
    ("[[ ## reasoning ## ]] see [[ ## question ## ]] above\n[[ ## answer ## ]]\n5", "see [[ ## question ## ]] above"),
    ("[[ ## reasoning ## ]]\na[[0]] and [[ ## ]] and [[ x\n[[ ## answer ## ]]\n5", "a[[0]] and [[ ## ]] and [[ x"),
  ])
  func areReadWhateverTheirLayout(text: String, reasoning: String) throws {
    #expect(try adapter.parse(text) == ["reasoning": .string(reasoning), "answer": 5])
  }

  @Test func namesInOtherScriptsAreNames() throws {
    let adapter = Adapter(try Signature("q -> naïveté"))
    #expect(try adapter.parse("[[ ## naïveté ## ]]\nx") == ["naïveté": "x"])
  }

  @Test func anOutputMayBeCalledAsTheClosingHeader() throws {
    let adapter = Adapter(try Signature("q -> completed: bool"))
    #expect(try adapter.parse("[[ ## completed ## ]]\nyes\n[[ ## completed ## ]]") == ["completed": true])
  }

  @Test func missingOptionalOutputsAreNull() throws {
    let adapter = Adapter(try Signature("q -> a, b: Optional[int]"))
    #expect(try adapter.parse("[[ ## a ## ]]\nx") == ["a": "x", "b": nil])
    #expect(try adapter.parse(#"{"a": "x"}"#) == ["a": "x", "b": nil])
    #expect(throws: UnparsableReply.self) { try adapter.parse("just words") }
  }

  @Test func manyHeadersAreReadInTime() {
    for piece in [
      "[[ ## answer ## ]]", "[[ ## answer ## ]] x", "x [[ ## other ## ]]", "[[ ", "`*[[ ## a ## ]]", "  [[",
    ] {
      let text = String(repeating: piece, count: 1_000_000 / piece.utf8.count)
      let spent = ContinuousClock().measure { _ = try? adapter.parse("[[ ## reasoning ## ]]" + text) }
      #expect(spent < .seconds(20), "\(piece)")
    }
  }

  @Test func anyTextIsReadOrRefused() throws {
    var random = SeededGenerator(seed: 0)
    let pieces = [
      "[[ ## reasoning ## ]]", "[[ ## answer ## ]]", "[[", "]]", "##", " ", "\n", "`", "*", "5", "é", "{", "}",
    ]
    for _ in 0..<5_000 {
      let length = Int.random(in: 0...12, using: &random)
      let text = (0..<length).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }.joined()
      do {
        let outputs = try adapter.parse(text)
        #expect(outputs.keys == ["reasoning", "answer"])
        #expect(outputs["answer"]?.intValue != nil)
      } catch {
        #expect(!error.reason.isEmpty)
      }
    }
  }
}

@Suite struct RepliesInJSON {
  private let adapter: Adapter

  init() throws { adapter = Adapter(try Signature("question -> reasoning, answer: int")) }

  @Test(arguments: [
    #"{"reasoning": "r", "answer": 5}"#,
    #"{"answer": "5", "reasoning": "r", "extra": [1]}"#,
    "```json\n{\"reasoning\": \"r\", \"answer\": 5.0}\n```",
    "Here you are:\n{'reasoning': 'r', 'answer': 5,}\nDone.",
    #"{"reasoning": "r", "answer": 5"#,
    "[[ ## completed ## ]]\n{\"reasoning\": \"r\", \"answer\": 5}",
  ])
  func areReadWhereThereIsNoSection(text: String) throws {
    #expect(try adapter.parse(text) == ["reasoning": "r", "answer": 5])
  }

  @Test func textFieldsTakeOtherValuesAsText() throws {
    #expect(
      try adapter.parse(#"{"reasoning": ["a", "b"], "answer": 5}"#)
        == ["reasoning": #"["a", "b"]"#, "answer": 5])
  }

  @Test func sectionsWinOverJSON() throws {
    let text = "{\"reasoning\": \"x\", \"answer\": 1}\n[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\n5"
    #expect(try adapter.parse(text)["answer"] == 5)
  }

  @Test func faultsNameTheOutput() {
    let missing = #expect(throws: UnparsableReply.self) { try adapter.parse(#"{"reasoning": "r"}"#) }
    #expect(missing?.reason == "`answer` is missing. Expected reasoning: str, answer: int.")
    let wrong = #expect(throws: UnparsableReply.self) { try adapter.parse(#"{"reasoning": "r", "answer": "x"}"#) }
    #expect(wrong?.reason.contains(#"`answer` should be int, got "x"."#) == true)
  }
}

@Suite struct UnreadableReplies {
  private let adapter: Adapter

  init() throws { adapter = Adapter(try Signature("question -> reasoning, answer: int, tags: list[str]")) }

  private func fault(_ text: String) throws -> UnparsableReply {
    try #require(#expect(throws: UnparsableReply.self) { try adapter.parse(text) })
  }

  @Test func showEveryFaultWithWhatWasExpectedAndWhatCame() throws {
    let fault = try fault("[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\nmany apples")
    #expect(fault.reason.contains("`answer` should be int, got \"many apples\"."))
    #expect(fault.reason.contains("`tags` is missing."))
    #expect(fault.reason.hasSuffix("Expected reasoning: str, answer: int, tags: list[str]."))
    #expect(fault.parsed == ["reasoning": "r"])
  }

  @Test func sayWhatCameWhereThereWasNoForm() throws {
    let fault = try fault("I cannot help with that.")
    #expect(fault.fault == .form)
    #expect(fault.reason.contains("got \"I cannot help with that.\""))
    #expect(fault.reply == "I cannot help with that.")
  }

  @Test(arguments: ["", " \n\t "]) func sayWhenThereWasNothing(text: String) throws {
    #expect(try fault(text).reason == "The reply is empty; expected reasoning: str, answer: int, tags: list[str].")
  }

  @Test func stayShortWhateverCame() throws {
    #expect(try fault(String(repeating: "x", count: 100_000)).reason.count < 1_000)
    #expect(try fault("[[ ## answer ## ]]\n" + String(repeating: "x", count: 100_000)).reason.count < 1_000)
  }
}

@Suite struct RepliesInAnyForm {
  private func read(
    _ signature: String, _ text: String, _ format: ReplyFormat = .chat, reasoning: String = ""
  ) throws -> ReadReply {
    try Adapter(try Signature(signature), format).read(Completion(text, reasoning: reasoning))
  }

  @Test(arguments: ReplyFormat.allCases)
  func areReadInTheOneAskedForAndInTheOthers(format: ReplyFormat) throws {
    let replies: [(ReplyFormat, String)] = [
      (.chat, "[[ ## answer ## ]]\n5"), (.json, #"{"answer": 5}"#), (.xml, "<answer>5</answer>"), (.plain, "5"),
    ]
    for (form, text) in replies {
      let read = try read("question -> answer: int", text, format)
      #expect(read.outputs == ["answer": 5])
      #expect(read.isRepaired == (form != format), "\(form) where \(format) was asked for")
    }
  }

  @Test(
    arguments: [
      ("question -> answer", "I do not know.", "I do not know."), ("question -> answer", "answer: Paris", "Paris"),
      ("question -> answer", "```\nParis\n```", "Paris"),
      ("question -> answer: int", "The answer is 42.", 42), ("question -> answer: bool", "Yes.", true),
      ("text -> label: Literal['lost', 'late']", "Label: lost", "lost"),
      ("text -> label: Literal['lost', 'late']", "It is about a card that is lost, I think.", "lost"),
      ("text -> city", "Paris\n\ntext:\nNext one", "Paris"),
      ("text -> tags: list[str]", #"["a", "b"]"#, ["a", "b"]),
      ("text -> facts: dict[str, int]", #"{"a": 1}"#, ["a": 1]),
    ] as [(String, String, JSONValue)])
  func aBareValueStandsForTheOneOutput(signature: String, text: String, value: JSONValue) throws {
    let read = try read(signature, text)
    #expect(read.outputs.first?.value == value)
    #expect(read.isRepaired)
  }

  @Test(arguments: [
    ("question -> answer", "[[ ## completed ## ]]"), ("question -> answer", "[[ ## question ## ]]\nq"),
    ("question -> answer", #"{"other": 5}"#), ("question -> answer, source", "Paris"),
    ("text -> label: Literal['lost', 'late']", "Either lost or late."), ("question -> answer: int", "between 3 and 5"),
    ("question -> answer", "<think>I wonder"),
  ])
  func nothingIsMadeOfWhatIsNoAnswer(signature: String, text: String) {
    #expect(throws: UnparsableReply.self) { try read(signature, text) }
  }

  @Test func thoughtsFillTheReasoning() throws {
    let signature = "question -> reasoning, answer: int"
    #expect(
      try read(signature, "[[ ## answer ## ]]\n5", reasoning: "2+3").outputs == ["reasoning": "2+3", "answer": 5])
    #expect(
      try read(signature, "<think>\n2+3\n</think>\n\n[[ ## answer ## ]]\n5").outputs == [
        "reasoning": "2+3", "answer": 5,
      ])
    #expect(try read(signature, "2+3</think>[[ ## answer ## ]]\n5").outputs == ["reasoning": "2+3", "answer": 5])
    #expect(try read(signature, "<think>2+3</think>5").outputs == ["reasoning": "2+3", "answer": 5])
    let own = try read(signature, "[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\n5", reasoning: "2+3")
    #expect(own.outputs["reasoning"] == "r" && !own.isRepaired)
  }

  @Test func anAnswerWithoutReasoningIsOne() throws {
    let signature = "question -> reasoning, answer: int"
    #expect(try read(signature, "[[ ## answer ## ]]\n5").outputs == ["reasoning": "", "answer": 5])
    let before = try read(signature, "Two and three.\n\n[[ ## answer ## ]]\n5")
    #expect(before.outputs == ["reasoning": "Two and three.", "answer": 5])
    #expect(before.isRepaired)
    #expect(throws: UnparsableReply.self) { try read(signature, "[[ ## reasoning ## ]]\nr") }
    // Another output that is missing is missed.
    #expect(throws: UnparsableReply.self) { try read("question -> plan, answer: int", "[[ ## answer ## ]]\n5") }
  }

  @Test func whatWasCutOffSaysSo() throws {
    let adapter = Adapter(try Signature("question -> reasoning, answer: int"))
    let cut = #expect(throws: UnparsableReply.self) {
      try adapter.read(Completion("[[ ## reasoning ## ]]\nWell", isCut: true))
    }
    #expect(cut?.fault == .cut)
    // Outside of any form the limit is not what was wrong.
    let astray = #expect(throws: UnparsableReply.self) { try adapter.read(Completion("It is raining", isCut: true)) }
    #expect(astray?.fault == .form)
  }

  @Test(arguments: [
    ("<name>Ann</name>\n<age>5</age>", "Ann"), ("Here:\n<name>\nAnn\n</name><age>5</age>bye", "Ann"),
    ("<name>A &amp; B &lt;x&gt;</name><age>5</age>", "A & B <x>"),
    ("<name>A & <b>B</b></name><age>5</age>", "A & <b>B</b>"),
    ("<name>Ann<age>5</age>", "Ann"), ("<name>Ann</name><age>5", "Ann"),
    ("<name>Ann</name><name>Bob</name><age>5</age>", "Ann"),
  ])
  func tagsAreReadAsTheyStand(text: String, name: String) throws {
    #expect(try read("text -> name, age: int", text, .xml).outputs == ["name": .string(name), "age": 5])
  }
}

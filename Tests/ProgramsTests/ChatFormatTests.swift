import JSON
import LanguageModels
import Messages
import Programs
import Schema
import Testing

@Suite struct ChatFormat {
  private let adapter: Adapter

  init() throws {
    let problems = ProblemList()
    let signature = Signature.read(
      [
        "inputs": [["name": "question", "desc": "what\n[[ ## answer ## ]]\nis asked"], "k: int"],
        "outputs": ["reasoning", "answer: list[str]"],
        "instructions": "First line.\r\n[[ ## answer ## ]]\n\nLast line.",
      ], instructions: nil, path: "", problems: problems)
    adapter = Adapter(try #require(signature))
  }

  private func headers(_ message: ChatMessage) -> [Substring] {
    message.content.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .filter { $0.hasPrefix("[[ ## ") }
  }

  @Test func systemMessageHasTheTaskThenTheFieldsThenTheForm() throws {
    let system = try #require(adapter.sharedMessages(demos: []).messages.first)
    #expect(system.role == .system)
    let text = system.content
    let places = [
      "First line.\r\n[[ ## answer ## ]]\n\nLast line.\n\n", "`question`: what [[ ## answer ## ]] is asked\n",
      "`answer`: JSON of the type list[str], for the schema",
      "in this order: `[[ ## reasoning ## ]]`, `[[ ## answer ## ]]`.",
    ].map { text.firstRange(of: $0)?.lowerBound }
    #expect(!places.contains(nil))
    #expect(places.compactMap { $0 } == places.compactMap { $0 }.sorted())
    #expect(!text.contains("{question}"))
  }

  @Test func headersOpenALineOnlyWhereAValueStands() throws {
    let system = try #require(adapter.sharedMessages(demos: []).messages.first)
    // One stands in the instructions.
    #expect(headers(system) == ["[[ ## answer ## ]]"])
    #expect(headers(adapter.request(["question": "q", "k": 1])).count == 2)
    let fault = try #require(
      #expect(throws: UnparsableReply.self) { try adapter.parse("[[ ## reasoning ## ]]\nx\n[[ ## answer ## ]]\n5") })
    #expect(headers(adapter.correction(of: fault)).isEmpty)
  }

  @Test func requestHasTheInputsInOrderThenTheReminder() {
    let request = adapter.request(["k": 3, "question": "Why?", "other": "x"])
    #expect(request.role == .user)
    #expect(
      request.content == "[[ ## question ## ]]\nWhy?\n\n[[ ## k ## ]]\n3\n\n"
        + "Respond with `[[ ## reasoning ## ]]` and the reasoning and `[[ ## answer ## ]]` and the answer (JSON of the type "
        + "list[str]).")
  }

  @Test(
    arguments: [
      ("text", "text"), (true, "True"), (false, "False"), (nil, "None"), (3, "3"), (1.5, "1.5"), ([], "[]"),
      (["a", 1, nil], #"["a", 1, null]"#), (["ä": ["b": true]], #"{"ä": {"b": true}}"#),
    ] as [(JSONValue, String)])
  func valuesAreWrittenPlainly(value: JSONValue, text: String) {
    #expect(Adapter.text(of: value) == text)
  }

  @Test func aRequestWithoutInputsIsTheReminder() throws {
    #expect(Adapter(try Signature("-> a")).request([:]).content.hasPrefix("Respond with"))
  }

  @Test func demosAreExchangesIncompleteOnesFirst() throws {
    let messages = adapter.sharedMessages(demos: [
      ["augmented": true, "question": "q1", "k": 1, "reasoning": "r1", "answer": ["a1"], "gold": "hidden"],
      ["question": "q2", "answer": ["a2"]],
      ["question": "no output", "k": 1],
      ["answer": ["no input"]],
      ["question": "q3", "k": 3, "reasoning": "r3", "answer": ["a3"]],
    ]).messages
    #expect(messages.map(\.role) == [.system, .user, .assistant, .user, .assistant, .user, .assistant])
    #expect(messages[1].content.hasPrefix("[[ ## question ## ]]\nq2\n\nRespond with"))
    #expect(!messages[1].content.contains("[[ ## k ## ]]"))
    #expect(messages[2].content.contains("[[ ## reasoning ## ]]\n(the reasoning was not recorded"))
    #expect(messages[4].content == "[[ ## reasoning ## ]]\nr1\n\n[[ ## answer ## ]]\n[\"a1\"]")
    #expect(messages[5].content.contains("q3"))
    #expect(!messages.contains { $0.content.contains("hidden") || $0.content.contains("no output") })
  }

  @Test(arguments: ReplyFormat.allCases)
  func aDemosTurnHasTheFormOfTheRequest(format: ReplyFormat) throws {
    let adapter = Adapter(try Signature("question, k: int -> answer"), format)
    let demo: JSONObject = ["question": "Why?", "k": 3, "answer": "So."]
    let shown = try #require(adapter.sharedMessages(demos: [demo]).messages.dropFirst().first)
    #expect(shown == adapter.request(["question": "Why?", "k": 3]))
  }

  @Test(arguments: ReplyFormat.allCases)
  func nothingNamesAClosingMark(format: ReplyFormat) throws {
    let adapter = Adapter(try Signature("question -> answer"), format)
    let all =
      adapter.sharedMessages(demos: [["question": "q", "answer": "a"]]).messages + [adapter.request(["question": "q"])]
    #expect(!all.contains { $0.content.contains("completed") })
  }

  @Test(arguments: [ReplyFormat.chat, .json, .xml])
  func aCompleteDemosAnswerParsesBackToItsOutputs(format: ReplyFormat) throws {
    let adapter = Adapter(adapter.signature, format)
    let demo: JSONObject = ["question": "q", "k": 1, "reasoning": "a\n\n<b> & \"c\"", "answer": ["x, y", "z"]]
    let answer = try #require(adapter.sharedMessages(demos: [demo]).messages.last)
    let read = try adapter.read(Completion(answer.content))
    #expect(read.outputs == ["reasoning": "a\n\n<b> & \"c\"", "answer": ["x, y", "z"]])
    #expect(!read.isRepaired)
  }

  @Test func aNullIsAValueOnlyWhereTheTypeAllowsIt() throws {
    let demo: JSONObject = ["q": "q", "a": nil]
    let optional = Adapter(try Signature("q -> a: Optional[int]")).sharedMessages(demos: [demo])
    #expect(optional.messages.last?.content.hasPrefix("[[ ## a ## ]]\nNone") == true)
    #expect(Adapter(try Signature("q -> a: int")).sharedMessages(demos: [demo]).messages.count == 1)
  }

  @Test func theCorrectionSaysWhatWasWrongAndHowToReply() throws {
    let fault = try #require(
      #expect(throws: UnparsableReply.self) { try adapter.parse("[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\nfive") })
    #expect(fault.fault == .values)
    let message = adapter.correction(of: fault)
    #expect(message.role == .user)
    #expect(message.content.hasPrefix("That reply cannot be used: \(fault.reason) Respond with "))
  }

  @Test func equalDemosMakeEqualBeginnings() {
    let demo: JSONObject = ["question": "q", "answer": ["a"]]
    #expect(adapter.sharedMessages(demos: [demo]).digest == adapter.sharedMessages(demos: [demo]).digest)
    #expect(adapter.sharedMessages(demos: [demo]).digest != adapter.sharedMessages(demos: []).digest)
  }
}

@Suite struct OtherFormats {
  private func exchange(_ format: ReplyFormat, _ signature: String) throws -> [String] {
    let adapter = Adapter(try Signature(signature, instructions: "Sort it."), format)
    let demo: JSONObject = ["text": "My card is gone.", "label": "lost", "why": "It says so."]
    return adapter.sharedMessages(demos: [demo]).messages.map(\.content)
  }

  private let labels = "text -> label: Literal['lost', 'late']"

  @Test func jsonIsOneObject() throws {
    let texts = try exchange(.json, "text -> label: Literal['lost', 'late'], why")
    #expect(
      texts[0] == "Sort it.\n\n`label`: one of: lost, late\n\nReply with a JSON object: {\"label\": ..., \"why\": ...}")
    #expect(
      texts[1] == "text:\nMy card is gone.\n\n"
        + "Respond with a JSON object with the members \"label\" (one of: lost, late) and \"why\".")
    #expect(texts[2] == #"{"label": "lost", "why": "It says so."}"#)
  }

  @Test func plainIsAQuestionAndTheBareValue() throws {
    #expect(
      try exchange(.plain, labels) == [
        "Sort it.", "text: My card is gone.\n\nWhat is the label? Answer with one of: lost, late.", "lost",
      ])
    func question(_ output: String) throws -> String? {
      let adapter = Adapter(try Signature("text -> \(output)"), .plain)
      return adapter.request(["text": "t"]).content.split(separator: "\n").last.map(String.init)
    }
    #expect(try question("first_name") == "What is the first name? Answer with the first name only.")
    #expect(try question("age: int") == "What is the age? Answer with a whole number only.")
    #expect(try question("urgent: bool") == "What is the urgent? Answer with True or False only.")
    #expect(try question("size: Optional[float]") == "What is the size? Answer with a number or None only.")
  }

  @Test func aLongListOfChoicesStandsInTheSystemMessageAlone() throws {
    let labels = (0..<60).map { "'label number \($0)'" }.joined(separator: ", ")
    let texts = try exchange(.chat, "text -> label: Literal[\(labels)]")
    #expect(texts[0].contains("label number 59"))
    #expect(texts[1].hasSuffix("Respond with `[[ ## label ## ]]` and the label."))
    let plain = try exchange(.plain, "text -> label: Literal[\(labels)]")
    #expect(plain[0].contains("label number 59"))
    #expect(plain[1].hasSuffix("What is the label? Answer with the label only."))
  }

  @Test func choicesWithCommasStandApart() throws {
    #expect(try exchange(.plain, "text -> label: Literal['a, b', 'c']")[1].hasSuffix("one of: a, b; c."))
  }

  @Test func xmlStandsBetweenTags() throws {
    let texts = try exchange(.xml, labels)
    #expect(texts[0].contains("<label>the label</label>"))
    #expect(texts[2] == "<label>lost</label>")
  }

  @Test func plainIsForOneShortOutput() throws {
    for text in ["q -> a", "q -> a: int", "q -> a: bool", "q -> a: Literal['x']", "q -> a: Optional[float]"] {
      #expect(ReplyFormat.plain.suits(try Signature(text)), "\(text)")
    }
    for text in [
      "q -> a, b", "q -> a: list[str]", "q -> a: dict[str, int]", "q -> a: int | str", "q -> a: Optional[str]",
    ] {
      #expect(!ReplyFormat.plain.suits(try Signature(text)), "\(text)")
      #expect(Adapter(try Signature(text), .plain).format == .json)
    }
  }

  @Test func aStrictSchemaIsStatedWhereTheTypesAllowOne() throws {
    let schema = Adapter(try Signature("q -> a: list[int], b: Optional[str]"), .json).schema
    #expect(
      schema == [
        "type": "object",
        "properties": [
          "a": ["type": "array", "items": ["type": "integer"]], "b": ["anyOf": [["type": "string"], ["type": "null"]]],
        ],
        "required": ["a", "b"], "additionalProperties": false,
      ])
    for text in ["q -> a: dict[str, int]", "q -> a: Any", "q -> a: list[tuple[int, int]]"] {
      #expect(Adapter(try Signature(text), .json).schema == nil, "\(text)")
    }
    #expect(Adapter(try Signature("q -> a"), .chat).schema == nil)
  }
}

import JSON
import LanguageModels
import Programs
import Testing

@Suite struct ChatFormat {
  private let adapter: ChatAdapter

  init() throws {
    let problems = ProblemList()
    let signature = Signature.read(
      [
        "inputs": [["name": "question", "desc": "what\n[[ ## answer ## ]]\nis asked"], "k: int"],
        "outputs": ["reasoning", "answer: list[str]"],
        "instructions": "First line.\r\n[[ ## answer ## ]]\n\nLast line.",
      ], instructions: nil, path: "", problems: problems)
    adapter = ChatAdapter(try #require(signature))
  }

  private func lines(_ message: ChatMessage) -> [Substring] {
    message.content.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
  }

  private func headers(_ message: ChatMessage) -> [Substring] { lines(message).filter { $0.hasPrefix("[[ ## ") } }

  @Test func systemMessageListsFieldsThenLayoutThenTask() throws {
    let system = try #require(adapter.sharedMessages(demos: []).messages.first)
    #expect(system.role == .system)
    let text = system.content
    let places = [
      "1. `question` (str): what [[ ## answer ## ]] is asked", "2. `k` (int)", "1. `reasoning` (str)",
      "2. `answer` (list[str])", "[[ ## question ## ]]\n{question}", "[[ ## answer ## ]]\n{answer}  (write JSON",
      "[[ ## completed ## ]]", "Your task:\n    First line.\n    [[ ## answer ## ]]\n\n    Last line.",
    ].map { text.firstRange(of: $0)?.lowerBound }
    #expect(!places.contains(nil))
    #expect(places.compactMap { $0 } == places.compactMap { $0 }.sorted())
  }

  @Test func headersOpenALineOnlyWhereAValueStands() throws {
    let system = try #require(adapter.sharedMessages(demos: []).messages.first)
    #expect(
      headers(system).map(String.init)
        == ["question", "k", "reasoning", "answer", "completed"].map(ChatAdapter.header))
    #expect(headers(adapter.request(["question": "q", "k": 1])).count == 2)
    let fault = try #require(#expect(throws: UnparsableReply.self) { try adapter.parse("[[ ## answer ## ]]\nx") })
    #expect(headers(adapter.correction(of: fault)).isEmpty)
  }

  @Test func requestHasTheInputsInOrderThenTheReminder() {
    let request = adapter.request(["k": 3, "question": "Why?", "other": "x"])
    #expect(request.role == .user)
    #expect(
      request.content.hasPrefix(
        "[[ ## question ## ]]\nWhy?\n\n[[ ## k ## ]]\n3\n\nRespond with "))
    #expect(!request.content.contains("other"))
    #expect(request.content.contains("`[[ ## reasoning ## ]]`, then `[[ ## answer ## ]]` (JSON of the type list[str]"))
    #expect(request.content.hasSuffix("`[[ ## completed ## ]]`."))
  }

  @Test(arguments: [
    ("text", "text"), (true, "True"), (false, "False"), (nil, "None"), (3, "3"), (1.5, "1.5"), ([], "[]"),
    (["a", 1, nil], #"["a", 1, null]"#), (["ä": ["b": true]], #"{"ä": {"b": true}}"#),
  ] as [(JSONValue, String)])
  func valuesAreWrittenPlainly(value: JSONValue, text: String) {
    #expect(ChatAdapter.text(of: value) == text)
  }

  @Test func aRequestWithoutInputsIsTheReminder() throws {
    #expect(ChatAdapter(try Signature("-> a")).request([:]).content.hasPrefix("\n\nRespond with"))
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
    #expect(messages[1].content.hasPrefix("In this example some fields are not given.\n\n[[ ## question ## ]]\nq2"))
    #expect(!messages[1].content.contains("[[ ## k ## ]]"))
    #expect(messages[2].content.contains("[[ ## reasoning ## ]]\n(the reasoning was not recorded"))
    #expect(messages[3].content == "[[ ## question ## ]]\nq1\n\n[[ ## k ## ]]\n1")
    #expect(
      messages[4].content
        == "[[ ## reasoning ## ]]\nr1\n\n[[ ## answer ## ]]\n[\"a1\"]\n\n[[ ## completed ## ]]\n")
    #expect(messages[5].content.contains("q3"))
    #expect(!messages.contains { $0.content.contains("hidden") || $0.content.contains("no output") })
    #expect(!messages.dropFirst().contains { $0.content.contains("Respond with") })
  }

  @Test func aCompleteDemosAnswerParsesBackToItsOutputs() throws {
    let demo: JSONObject = ["question": "q", "k": 1, "reasoning": "a\n\nb", "answer": ["x, y", "z"]]
    let answer = try #require(adapter.sharedMessages(demos: [demo]).messages.last)
    #expect(try adapter.parse(answer.content) == ["reasoning": "a\n\nb", "answer": ["x, y", "z"]])
  }

  @Test func aNullIsAValueOnlyWhereTheTypeAllowsIt() throws {
    let demo: JSONObject = ["q": "q", "a": nil]
    let optional = ChatAdapter(try Signature("q -> a: Optional[int]")).sharedMessages(demos: [demo])
    #expect(optional.messages.last?.content.hasPrefix("[[ ## a ## ]]\nNone") == true)
    #expect(ChatAdapter(try Signature("q -> a: int")).sharedMessages(demos: [demo]).messages.count == 1)
  }

  @Test func theCorrectionSaysWhatWasWrongAndRepeatsTheReminder() throws {
    let fault = try #require(#expect(throws: UnparsableReply.self) { try adapter.parse("no list") })
    let message = adapter.correction(of: fault)
    #expect(message.role == .user)
    #expect(message.content.hasPrefix("That reply could not be read: \(fault.reason)\n\nRespond with "))
  }

  @Test func equalDemosMakeEqualBeginnings() {
    let demo: JSONObject = ["question": "q", "answer": ["a"]]
    #expect(adapter.sharedMessages(demos: [demo]).digest == adapter.sharedMessages(demos: [demo]).digest)
    #expect(adapter.sharedMessages(demos: [demo]).digest != adapter.sharedMessages(demos: []).digest)
  }
}

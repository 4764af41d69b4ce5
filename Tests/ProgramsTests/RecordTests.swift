import Messages
import Failures
import JSON
import LanguageModels
import Programs
import Schema
import Testing

/// As Pydantic 2 writes the schema of a class with a list of another.
private let event: JSONValue = [
  "$defs": [
    "Guest": [
      "title": "Guest", "type": "object",
      "properties": [
        "name": ["title": "Name", "type": "string", "minLength": 1, "maxLength": 20],
        "email": ["type": "string", "pattern": "^[^@ ]+@[^@ ]+$"],
        "age": ["anyOf": [["type": "integer", "minimum": 0], ["type": "null"]], "default": nil],
      ],
      "required": ["name", "email"],
    ]
  ],
  "title": "Event", "description": "Something that takes place.", "type": "object",
  "properties": [
    "title": ["type": "string", "description": "What it is called."],
    "day": ["type": "string", "format": "date"],
    "kind": ["enum": ["party", "meeting"], "type": "string"],
    "rating": ["type": "number", "minimum": 0, "exclusiveMaximum": 6, "default": 3],
    "guests": ["type": "array", "items": ["$ref": "#/$defs/Guest"], "maxItems": 2],
  ],
  "required": ["title", "day", "kind", "guests"],
]

@Suite struct Records {
  private func signature(_ type: JSONValue = event) throws -> Signature {
    let problems = ProblemList()
    let read = Signature.read(
      ["inputs": ["email"], "outputs": [["name": "event", "type": type]]], instructions: nil, path: "s",
      problems: problems)
    guard let read else { throw HoneError(.invalidParams, problems.problems.map(\.description).joined()) }
    return read
  }

  private let whole: JSONValue = [
    "title": "Birthday", "day": "2024-02-29", "kind": "party", "rating": 5,
    "guests": [["name": "Ann", "email": "ann@x.org", "age": nil]],
  ]

  @Test func areReadLenientlyAndValidated() throws {
    let type = try signature().outputs[0].type
    for text in [
      whole.text(), "```json\n\(whole.text(.indented))\n```", "Here it is: \(whole.text()) I hope it helps.",
      "{'title': 'Birthday', 'day': '29 February 2024', 'kind': 'Party', 'rating': '5', 'guests': [{'name': 'Ann', 'email': 'ann@x.org'},]}",
      #"{"Title": "Birthday", "day": "2024-02-29T00:00:00", "kind": "party", "rating": 5, "extra": 1, "Guests": [{"Name": "Ann", "e-mail": "ann@x.org", "age": null}]}"#,
    ] {
      let value = try type.parse(text).get()
      #expect(value["title"] == "Birthday" && value["day"] == "2024-02-29" && value["kind"] == "party", "\(text)")
      #expect(value["rating"] == 5 && value["extra"] == nil, "\(text)")
      #expect(value["guests"] == [["name": "Ann", "email": "ann@x.org", "age": nil]], "\(text)")
    }
    // What may be missing is its default.
    var less = try #require(whole.objectValue)
    less["rating"] = nil
    #expect(try type.parse(JSONValue.object(less).text()).get()["rating"] == 3)
  }

  @Test(
    arguments: [
      ("title", nil, "`event.title` is missing."),
      ("day", "2024-02-30", "`event.day` should be date, got \"2024-02-30\"."),
      ("day", "03/04/2024", "`event.day` should be date, got \"03/04/2024\"."),
      ("kind", "wedding", "`event.kind` should be Literal['party', 'meeting'], got \"wedding\"."),
      ("rating", 6, "`event.rating` should be less than 6, got 6."),
      ("rating", -1, "`event.rating` should be at least 0, got -1."),
      (
        "guests", [["name": "", "email": "a@b"]],
        "`event.guests[0].name` should be a text of at least 1 characters, got \"\"."
      ),
      (
        "guests", [["name": "A", "email": "a"]],
        "`event.guests[0].email` should be a text that matches ^[^@ ]+@[^@ ]+$, got \"a\"."
      ),
      ("guests", [["name": "A", "email": "a@b", "age": -2]], "`event.guests[0].age` should be at least 0, got -2."),
      ("guests", [["name": "A", "email": "a@b"], ["email": "a@b"]], "`event.guests[1].name` is missing."),
      (
        "guests", [["name": "A", "email": "a@b"], ["name": "B", "email": "a@b"], ["name": "C", "email": "a@b"]],
        "`event.guests` should be a list of at most 2 elements"
      ),
    ] as [(String, JSONValue?, String)])
  func whatIsWrongIsToldToTheModelWithItsPlace(name: String, value: JSONValue?, words: String) async throws {
    var wrong = try #require(whole.objectValue)
    wrong[name] = value
    let text = JSONValue.object(wrong).text()
    for format in [ReplyFormat.chat, .json, .xml] {
      let reply =
        switch format {
        case .json: "{\"event\": \(text)}"
        case .xml: "<event>\(text)</event>"
        default: "[[ ## event ## ]]\n\(text)"
        }
      let failure = try #require(throws: UnparsableReply.self) {
        try Adapter(try signature(), format).parse(reply)
      }
      #expect(failure.reason.contains(words), "\(failure.reason)")
      #expect(failure.fault == .values)
      #expect(Adapter(try signature(), format).correction(of: failure).content.contains(words))
    }
  }

  @Test func areShownAsTheirSchemaInEveryForm() throws {
    let signature = try signature()
    for format in ReplyFormat.allCases {
      let adapter = Adapter(signature, format)
      let system = adapter.sharedMessages(demos: []).messages[0].content
      for part in [
        "What it is called.", "\"minLength\": 1", "\"format\": \"date\"", "\"party\"", "\"maximum\"", "\"maxItems\": 2",
      ]
      where part != "\"maximum\"" {
        #expect(system.contains(part), "\(format) \(part)")
      }
      #expect(!system.contains("$ref"))
      let text = "{\"event\": \(whole.text())}"
      if format == .json { #expect(try adapter.parse(text)["event"]?["title"] == "Birthday") }
    }
    // An input's too, with what is said of its fields.
    let problems = ProblemList()
    let asked = try #require(
      Signature.read(
        ["inputs": [["name": "event", "type": event]], "outputs": ["summary"]], instructions: nil, path: "s",
        problems: problems))
    #expect(Adapter(asked).sharedMessages(demos: []).messages[0].content.contains("What it is called."))
  }

  @Test func haveAStrictSchemaForEndpoints() throws {
    let adapter = Adapter(try signature(), .json)
    let schema = try #require(adapter.schema)
    let strict = try #require(schema["properties"]?["event"])
    #expect(strict["additionalProperties"] == false)
    #expect(strict["required"] == ["title", "day", "kind", "rating", "guests"])
    // What may be missing may be null; lengths and defaults are not among what endpoints take.
    #expect(
      strict["properties"]?["rating"] == [
        "anyOf": [["type": "number", "minimum": 0, "exclusiveMaximum": 6], ["type": "null"]]
      ])
    let guest = try #require(strict["properties"]?["guests"]?["items"])
    #expect(guest["properties"]?["name"] == ["type": "string"] && guest["additionalProperties"] == false)
    #expect(guest["properties"]?["email"]?["pattern"] == "^[^@ ]+@[^@ ]+$")
    #expect(guest["required"] == ["name", "email", "age"])
    // A null for what may be missing is what is missing.
    var value = try #require(whole.objectValue)
    value["rating"] = .null
    #expect(
      try Adapter(signature(), .json).parse("{\"event\": \(JSONValue.object(value).text())}")["event"]?["rating"] == 3)
    let open: JSONValue = ["type": "object", "properties": ["a": ["type": "string"]], "additionalProperties": true]
    #expect(Adapter(try signature(open), .json).schema == nil)
  }

  @Test func standInATextOfASignatureToo() throws {
    let text =
      #"email -> event: {"type": "object", "properties": {"note": {"type": "string", "description": "a -> b, }"}, "n": {"type": "integer", "minimum": 0}}, "required": ["n"]}, others: list[{"type": "integer", "maximum": 5}], ok: bool"#
    let signature = try Signature(text)
    #expect(signature.outputs.map(\.name) == ["event", "others", "ok"])
    #expect(signature.outputs[0].type.schema["properties"]?["note"]?["description"] == "a -> b, }")
    #expect(try Signature(signature.text) == signature)
    let reply = "[[ ## event ## ]]\n{\"n\": 1}\n[[ ## others ## ]]\n[1, 6]\n[[ ## ok ## ]]\nTrue"
    let failure = try #require(throws: UnparsableReply.self) { try Adapter(signature).parse(reply) }
    #expect(failure.reason.contains("`others[1]` should be at most 5, got 6."))
  }

  @Test func areKeptWithTheirProgram() throws {
    let signature = try signature()
    let problems = ProblemList()
    #expect(Signature.read(signature.json, instructions: nil, path: "s", problems: problems) == signature)
    var program = Program(.chainOfThought(signature))
    program.states[0] = PredictorState(instructions: "Do.", demos: [["email": "x", "reasoning": "r", "event": whole]])
    let file = StateFile.text(program)
    let read = try StateFile.decode(try JSONReader.read(file), module: nil, source: "f")
    #expect(read.program == program && read.warnings.isEmpty)
    // DSPy's part of the file is DSPy's.
    let state = try #require(StateFile.encode(program)["predict"])
    #expect(
      state["signature"]?["fields"] == [
        ["prefix": "Email:", "description": "${email}"], ["prefix": "Reasoning:", "description": "${reasoning}"],
        ["prefix": "Event:", "description": "${event}"],
      ])
  }

  @Test(
    arguments: [
      (["type": "integer", "minimum": 1, "maximum": 5], "5", "5"),
      (["type": "integer", "minimum": 1, "maximum": 5], "6", nil),
      (["type": "integer", "minimum": 1, "maximum": 5], "**5**", "5"),
      (["type": "number", "multipleOf": 0.1], "0.3", "0.3"),
      (["type": "number", "multipleOf": 0.1], "0.35", nil), (["type": "integer", "exclusiveMinimum": 0], "0", nil),
      (["type": "string", "pattern": "^[A-Z]{3}$"], "ABC", "\"ABC\""),
      (["type": "string", "pattern": "^[A-Z]{3}$"], "abcd", nil),
      (["type": "string", "maxLength": 3], "ééé", "\"ééé\""), (["type": "string", "maxLength": 3], "éééé", nil),
      (["type": ["string", "null"]], "x", "\"x\""), (["type": ["integer", "null"]], "None", "null"),
      (["anyOf": [["type": "integer", "minimum": 3], ["type": "null"]]], "2", nil), (["const": "x"], "x", "\"x\""),
      (["type": "array", "items": ["type": "integer"], "minItems": 2], "[1]", nil),
      (["type": "array", "items": ["type": "integer"], "minItems": 2], "[1, 2]", "[1,2]"),
      (["type": "array", "items": ["type": "integer"], "uniqueItems": true], "[1, 1]", nil),
      (["type": "object", "additionalProperties": ["type": "integer"]], "{\"a\": \"1\"}", "{\"a\":1}"),
      (
        ["type": "object", "properties": ["a": ["type": "integer"]], "additionalProperties": false],
        "{\"a\": 1, \"b\": 2}", nil
      ),
      (
        ["type": "object", "properties": ["a": ["type": "integer"]], "additionalProperties": ["type": "string"]],
        "{\"a\": 1, \"b\": 2}", "{\"a\":1,\"b\":\"2\"}"
      ),
      (
        [
          "allOf": [["$ref": "#/$defs/A"]],
          "$defs": ["A": ["type": "object", "properties": ["a": ["type": "integer"]], "required": ["a"]]],
        ], "{\"a\": 1}", "{\"a\":1}"
      ),
      (["type": "array", "prefixItems": [["type": "integer"], ["type": "string"]]], "[1, \"x\"]", "[1,\"x\"]"),
      (
        ["anyOf": [["type": "number"], ["type": "string", "pattern": "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$"]]], "1.5",
        "1.5"
      ),
      ([:], "x", "\"x\""), (["type": "boolean"], "yes", "true"),
    ] as [(JSONValue, String, String?)])
  func boundsHoldForEveryKindOfValue(schema: JSONValue, text: String, expected: String?) throws {
    let type = try signature(schema).outputs[0].type
    switch type.parse(text) {
    case .success(let value): #expect(value.text() == expected)
    case .failure: #expect(expected == nil)
    }
  }

  @Test(
    arguments: [
      (["type": "strng"], "strng"), (["$ref": "#/$defs/None"], "#/$defs/None"),
      (["$ref": "https://x/y"], "https://x/y"),
      (
        ["$ref": "#/$defs/A", "$defs": ["A": ["type": "object", "properties": ["next": ["$ref": "#/$defs/A"]]]]],
        "recursive"
      ),
      (["type": "object", "properties": ["me": ["$ref": "#"]]], "recursive"),
      (["type": "string", "pattern": "("], "pattern"), (["type": "integer", "minimum": "x"], "minimum"),
      (["type": "array", "items": ["type": "integer"], "minItems": -1], "minItems"), (["not": [:]], "not"),
      (["enum": []], "enum"), (["type": "object", "properties": [:], "required": ["a"]], "required"),
      (["type": "object", "properties": ["a": ["type": "integer", "default": "x"]]], "default"), (3, "object"),
      (["allOf": [["type": "integer", "minimum": 1], ["type": "integer", "minimum": 2]]], "minimum"),
    ] as [(JSONValue, String)])
  func whatASchemaCannotMeanIsRefused(schema: JSONValue, word: String) throws {
    let error = try #require(throws: HoneError.self) { try signature(schema) }
    #expect(error.message.contains(word), "\(error.message)")
  }

  @Test func theirDepthAndSizeAreBounded() throws {
    var deep: JSONValue = ["type": "integer"]
    for _ in 0..<40 { deep = ["type": "array", "items": deep] }
    #expect(throws: HoneError.self) { try signature(deep) }
    let wide = JSONObject((0..<600).map { ("f\($0)", ["type": "integer"] as JSONValue) })
    #expect(throws: HoneError.self) { try signature(["type": "object", "properties": .object(wide)]) }
    // References that double with each step are counted as what they stand for.
    var defs = JSONObject()
    for level in 0..<14 {
      let next: JSONValue = ["$ref": .string("#/$defs/L\(level + 1)")]
      defs["L\(level)"] = ["type": "object", "properties": ["a": next, "b": next, "c": next]]
    }
    defs["L14"] = ["type": "integer"]
    #expect(throws: HoneError.self) { try signature(["$ref": "#/$defs/L0", "$defs": .object(defs)]) }
  }
}

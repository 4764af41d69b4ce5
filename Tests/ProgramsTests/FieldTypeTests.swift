import JSON
import Programs
import Testing

@Suite struct ValuesFromText {
  /// Type, what the model wrote, the value as JSON. Rows marked ≙ were observed of DSPy.
  @Test(arguments: [
    ("str", "  Paris \n", #""Paris""#),
    ("str", "42", #""42""#),
    ("str", "\u{A0}\u{3000}é\u{2003}", #""é""#),
    ("int", "42", "42"), ("int", "42.0", "42"), ("int", " 42 ", "42"), ("int", "1e3", "1000"),  // ≙
    ("int", "0x10", "16"), ("int", "-0b11", "-3"), ("int", "0o17", "15"), ("float", "0x1F", "31"),  // ≙
    ("int", "+7", "7"), ("int", "-5", "-5"), ("int", "**42**", "42"), ("int", "`42`", "42"),
    ("int", "$42", "42"), ("int", "1,000", "1000"), ("int", "-$1,234,567", "-1234567"),
    ("float", "3.5", "3.5"), ("float", "3", "3"), ("float", "$1,234.50", "1234.5"), ("float", ".5", "0.5"),
    ("bool", "True", "true"), ("bool", "yes", "true"), ("bool", "1", "true"), ("bool", "on", "true"),  // ≙
    ("bool", "no", "false"), ("bool", "FALSE", "false"), ("bool", "`false`", "false"), ("bool", "f", "false"),
    ("list[int]", "[1, 2", "[1,2]"),  // ≙
    ("list[str]", "```json\n[\"x\"]\n```", #"["x"]"#),  // ≙
    ("list[str]", "Here: ['a']", #"["a"]"#),  // ≙
    ("list[str]", "[\"a\"]\n\nI hope this helps.", #"["a"]"#),
    ("list[str]", #"["he said "hi" there", "b"]"#, #"["he said \"hi\" there","b"]"#),  // ≙
    ("list[int]", #"["1", 2.0]"#, "[1,2]"),
    ("list", "[]", "[]"),
    ("tuple[int, str]", "(1, 'x')", #"[1,"x"]"#),  // ≙
    ("dict[str, int]", "{'a': 1, b: 2,}", #"{"a":1,"b":2}"#),
    ("dict[int, str]", #"{"1": "a"}"#, #"{"1":"a"}"#),  // ≙
    ("dict", "{'a': True}", #"{"a":true}"#),  // ≙
    ("Optional[int]", "None", "null"), ("Optional[int]", "null", "null"), ("Optional[int]", "", "null"),
    ("Optional[int]", "3", "3"),
    ("Optional[str]", "None", #""None""#),  // ≙
    ("Optional[int | str]", "None", #""None""#),
    ("int | str", "3", "3"), ("int | str", "three", #""three""#),  // ≙
    ("int | str", "42.0", "42"), ("int | str", "\"a b\"", #""a b""#), ("int | str", "007", #""007""#),  // ≙
    ("int | str", "1.5", #""1.5""#), ("int | str", "[1]", #""[1]""#),
    ("int | float", "3.5", "3.5"),  // ≙
    ("list[int] | dict[str, int]", #"{"a": 1}"#, #"{"a":1}"#),
    ("Literal['a', 'b']", "a", #""a""#), ("Literal['a', 'b']", " \"b\" ", #""b""#),
    ("Literal['a', 'b']", "Literal['a']", #""a""#), ("Literal['a', 'b']", "str[a]", #""a""#),  // ≙
    ("Literal['\"q\"', 'b']", "\"q\"", #""\"q\"""#),
    ("Literal[1, 2]", "1", "1"), ("Literal[True, 'x']", "true", "true"), ("Literal[None, 'x']", "None", "null"),  // ≙
    ("Any", "3", "3"), ("Any", "007", #""007""#), ("Any", "0x10", "16"), ("Any", "1, 2", "[1,2]"),  // ≙
    ("Any", "hello there", #""hello there""#), ("Any", "{\"a\": [1]}", #"{"a":[1]}"#),
  ])
  func areReadLeniently(typeText: String, text: String, expected: String) throws {
    let value = try type(typeText).parse(text)
    #expect(try value.get().text() == expected)
  }

  @Test(arguments: [
    ("int", ""), ("int", "4 2"), ("int", "3.5"), ("int", "1,00"), ("int", "1234,567"),
    ("int", "0xg"), ("int", "--5"), ("int", "99999999999999999999"),
    ("float", "nan"), ("float", "inf"), ("float", "1e999"), ("float", "1,234.5,678"), ("float", "0x1p3"),
    ("bool", "maybe"), ("bool", ""), ("bool", "2"),
    ("list[str]", "a, b"), ("list[int]", "[\"a\"]"), ("list[int]", "{\"a\": 1}"),
    ("tuple[int, str]", "[1]"), ("tuple[int, int]", "[1, null]"), ("dict[str, int]", "[1]"),
    ("dict[int, str]", #"{"x": "a"}"#),
    ("Literal['a', 'b']", "c"), ("Literal['a', 'b']", "a or b"),
    ("Optional[int]", "x"), ("int | float", "x"),
  ])
  func areRefusedWhereTheyAreNoneOfTheType(typeText: String, text: String) throws {
    let fieldType = try type(typeText)
    guard case .failure(let mismatch) = fieldType.parse(text) else {
      Issue.record("\(typeText) took \(text)")
      return
    }
    #expect(mismatch.expected == fieldType.description)
    #expect(mismatch.got == text.trimmed)
  }

  @Test func keepOnlyTheBeginningOfALongMismatch() throws {
    guard case .failure(let mismatch) = try type("int").parse(String(repeating: "x", count: 5_000)) else {
      Issue.record("a text was taken for a number")
      return
    }
    #expect(mismatch.got.count == 200)
  }
}

@Suite struct ValuesFromJSON {
  @Test(arguments: [
    ("str", "3", #""3""#), ("str", "true", #""True""#), ("str", "1.50", #""1.50""#),
    ("int", "3.0", "3"), ("int", #""3""#, "3"), ("int", "1e2", "100"),
    ("float", "3", "3"), ("float", #""2.5""#, "2.5"),
    ("bool", #""no""#, "false"),
    ("list[float]", #"["1.5", 2]"#, "[1.5,2]"),
    ("Optional[int]", "null", "null"), ("Optional[int]", #""None""#, "null"),
    ("int | str", "3", "3"), ("int | str", #""3""#, #""3""#),
    ("Literal[1, 'a']", "1.0", "1"), ("Literal['a']", #""'a'""#, #""a""#),
    ("dict[str, list[int]]", #"{"a": ["1"]}"#, #"{"a":[1]}"#),
  ])
  func becomeTheTypeWhereNothingIsLost(typeText: String, json: String, expected: String) throws {
    #expect(try type(typeText).coerce(try JSONReader.read(json))?.text() == expected)
  }

  @Test(arguments: [
    ("str", "null"), ("str", "[1]"), ("int", "3.5"), ("int", "true"), ("int", #""x""#), ("float", "1e999"),
    ("bool", "1"), ("list[int]", "[1, null]"), ("tuple[int, int]", "[1, 2, 3]"),
    ("tuple[int, int]", #"[1, "x"]"#), ("dict[str, int]", #"{"a": "x"}"#),
    ("Literal['a']", #""b""#), ("Literal[1]", "true"), ("Optional[int]", #""x""#),
  ])
  func areRefusedElsewhere(typeText: String, json: String) throws {
    #expect(try type(typeText).coerce(try JSONReader.read(json)) == nil)
  }

  @Test func ofManyMembersAreReadInProportionToTheirNumber() throws {
    let text = "{" + (0..<40_000).map { "'k\($0)': \($0)" }.joined(separator: ",") + "}"
    let clock = ContinuousClock()
    let spent = try clock.measure {
      let value = try type("dict[str, int]").parse(text).get()
      #expect(value.objectValue?.count == 40_000)
    }
    #expect(spent < .seconds(20))
  }
}

@Suite struct TypesInWords {
  @Test func everyTypeButTextTellsTheModelWhatToWrite() throws {
    for text in [
      "int", "float", "bool", "list[int]", "dict[str, int]", "tuple[int, str]", "Optional[int]",
      "Optional[str]", "int | float", "Literal['a', 'b']",
    ] {
      #expect(try type(text).outputNote?.isEmpty == false, "\(text)")
    }
    #expect(FieldType.string.outputNote == nil)
    #expect(try type("Literal['a', 3]").outputNote?.contains("one of: a, 3") == true)
  }

  @Test func schemasAreJSONSchema() throws {
    #expect(
      try type("list[Optional[int]]").schema
        == ["type": "array", "items": ["anyOf": [["type": "integer"], ["type": "null"]]]])
    #expect(try type("tuple[int, str]").schema["minItems"] == 2)
    #expect(try type("Literal['a', 3]").schema == ["enum": ["a", 3]])
  }
}

import JSON
import Programs
import Testing

@Suite struct RepairedJSON {
  @Test(arguments: [
    ("{'a': True, 'b': None}", #"{"a":true,"b":null}"#),
    ("[1, 2,]", "[1,2]"),
    ("[1, 2", "[1,2]"),
    (#"{"a": [1, {"b": "x"#, #"{"a":[1,{"b":"x"}]}"#),
    (#"{"a": 1, "b":"#, #"{"a":1,"b":""}"#),
    (#"{"a": 1, "b"#, #"{"a":1}"#),
    ("{a: 1, b-c: 2}", #"{"a":1,"b-c":2}"#),
    ("(1, 'x')", #"[1,"x"]"#),
    ("[1, # one\n 2, // two\n 3 /* three */]", "[1,2,3]"),
    ("```json\n{\"a\": 1}\n```", #"{"a":1}"#),
    ("```\r\n[1]\r\n```\r\n", "[1]"),
    ("\n  ```python\n[True]\n  ```  \nThat is all.", "[true]"),
    ("```json\n[1, 2", "[1,2]"),
    (#"["it's", 'it's', "a "b" c"]"#, #"["it's","it's","a \"b\" c"]"#),
    ("[\"two\nlines\"]", #"["two\nlines"]"#),
    (#"['\u00e9\ud83d\ude00\n\q']"#, #"["é😀\n\\q"]"#),
    (#"['\ud83d', '\u12']"#, #"["","12"]"#),
    ("[+1, .5, 1., 007]", "[1,0.5,1.0,7]"),
    (#"{"a": 1, "a": 2}"#, #"{"a":2}"#),
    ("{'a': 1, 'b': 2, 'a': 3}", #"{"a":3,"b":2}"#),
    ("'text'", #""text""#),
    ("None", "null"),
  ])
  func standsForTheValueThatWasMeant(text: String, expected: String) {
    #expect(LenientJSON.read(text)?.text() == expected)
  }

  @Test(arguments: [
    "", "   ", "hello", "a, b", "- a\n- b", "[1] and more", "{1 2}", "[nan]", "[Infinity]", "}", "]",
    "\"A\" and \"B\"", "{\"a\" 1 2}", "[[ ## answer ## ]]\nParis",
  ])
  func isNoneWhereNothingCanBeMadeOut(text: String) {
    #expect(LenientJSON.read(text) == nil)
  }

  @Test func isFoundAmongOtherWords() {
    #expect(LenientJSON.firstObject(in: "So {} it is: {'a': 1}. Or {'b': 2}?") == ["a": 1])
    #expect(LenientJSON.firstObject(in: "A set {x, y}, then {\"a\": 1}") == ["a": 1])
    #expect(LenientJSON.firstObject(in: "none here") == nil)
    // Of a reply, an output that was not written yet is missing.
    #expect(LenientJSON.firstObject(in: "{\"a\": 1, \"b\": ") == ["a": 1])
    #expect(LenientJSON.firstObject(in: "Here: {\"a\": 1, \"b\":") == ["a": 1])
    #expect(LenientJSON.firstObject(in: "[[ ## completed ## ]]\n{\"a\": 1}") == ["a": 1])
  }

  @Test(arguments: [
    #"{"a": {"b": 1}, "c": x "y" z}"#, #"[{"a": 1}, {"b": 2}]"#, #"Here: {"a": {"b": 1}, "c": "d" e}"#,
    #"{"a": {"b": 1}, "c" d, {"e": 2}"#, #""a": {"b": 1}"#, #"x": {"b": 1}, "y": 2}"#, #"{a {"b": 1}"#,
    #"{"a": 1}, "b" 2"#, #"[{"a": {"b": 1}, """" "c": {"d": 1}]"#, #"{""a"":[{""b"":"x""}]}"#,
  ])
  func isNeverAPieceOfSomethingLarger(text: String) {
    #expect(LenientJSON.firstObject(in: text) == nil)
  }
}

@Suite struct HostileJSON {
  @Test func deepNestingIsRefusedNotFollowed() {
    for bracket in ["[", "{'a':", "("] {
      let deep = String(repeating: bracket, count: 100_000)
      #expect(LenientJSON.read(deep) == nil)
      #expect(LenientJSON.firstObject(in: deep) == nil)
    }
  }

  @Test func lengthIsLimited() {
    let long = "[" + String(repeating: "'x',", count: 400_000)
    #expect(LenientJSON.read(long) == nil)
  }

  @Test(arguments: [
    "{'k", "[\"", "[\"a\" ", "/*", "[#", "{,", "[\"\\", "[\"\\u", "[\"\\ud83d\\u", "```\n", "```", "{\"a\"   ",
    "{#}", "[#]", "{1},", "{a: b, ", "[a, ", "{\"a\": b c, d", "[\"a\" \"b\" ", "{\"a\": \"x, \"b",
    "{{", "{\"a: ", "...", "“", "[[x] ", "{\"a\": {\"b\": \"", "{\"k\": \"`", "\"\"\"", "{\\\"", "[1}", "- a\n",
    "{x} ", "[(", "(", "- 1\n", "é, ", "{\"\"a\"\": ", "{\"a\" 1, ", "NOTE \"a\": ", "{\"a\": x\\\" ",
    "{\"a\": {\"b\": \"x}, ", "[\"a\" b, ", "{\"a\": true\" ",
  ])
  func unfinishedPiecesEverywhereAreReadInTime(piece: String) {
    let text = String(repeating: piece, count: 200_000 / piece.utf8.count)
    let spent = ContinuousClock().measure {
      _ = LenientJSON.read(text)
      _ = LenientJSON.firstObject(in: text)
    }
    #expect(spent < .seconds(20))
  }

  /// The same texts as fields of each type, which are tried in more ways.
  @Test(arguments: [
    "{\"a: ", "{#}", "```", "\"\"\"", "[1}", "{1},", "{{", "[\"a\" \"b\" ", "- 1\n", "1 ", "a b, ", "\"",
  ])
  func unfinishedPiecesAreReadAsFieldsInTime(piece: String) throws {
    let text = String(repeating: piece, count: 50_000 / piece.utf8.count)
    let types = try ["list[int]", "dict[str, Any]", "int", "bool", "Any", "Literal['a', 'b c']"].map(type)
    let spent = ContinuousClock().measure {
      for type in types { _ = type.read(text) }
    }
    #expect(spent < .seconds(20))
  }

  @Test func anyTextIsReadOrRefused() throws {
    var random = SeededGenerator(seed: 0)
    let pieces = [
      "{", "}", "[", "]", "(", ")", "\"", "'", ":", ",", "\\", "\\u", "d83d", "/*", "*/", "//", "#", "\n", " ", "```",
      "json", "True", "null", "-", "1", "e9", ".", "é", "😀", "\u{0}", "a", "“", "”", "…", ";", "=",
      " b", "not ", "answer is ",
    ]
    let types = try ["Any", "int", "float", "bool", "list[str]", "tuple[int, str]", "Literal['a', 'b 1']"].map(type)
    for _ in 0..<5_000 {
      let length = Int.random(in: 0...40, using: &random)
      let text = (0..<length).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }.joined()
      if let value = LenientJSON.read(text) {
        // Whatever came of it can be written and read again.
        #expect(throws: Never.self, "\(text.debugDescription)") { try JSONReader.read(value.text()) }
      }
      _ = LenientJSON.firstObject(in: text)
      for type in types {
        guard case .success(let reading) = type.read(text) else { continue }
        // What was read is of the type.
        #expect(type.coerce(reading.value) == reading.value, "\(type) \(text.debugDescription)")
      }
    }
  }
}

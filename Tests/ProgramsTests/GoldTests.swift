import JSON
import Testing

@testable import Programs

struct GoldTests {
  @Test(
    arguments: [
      ("bool", "1", true), ("bool", "yes", true), ("bool", "FALSE", false), ("bool", 0, false), ("bool", 1.0, true),
      ("int", "3", 3), ("int", "3.0", 3), ("int", " 7 ", 7), ("list[str]", "[\"a\", \"b\"]", ["a", "b"]),
      ("list[str]", "['a', 'b']", ["a", "b"]), ("list[int]", ["1", 2], [1, 2]),
      ("dict[str, int]", "{'a': 1}", ["a": 1]),
      ("Literal['Yes', 'No']", "yes", "Yes"), ("Optional[int]", "3", 3), ("int | bool", "3", 3),
      // Several right values.
      ("int", ["1", "2"], [1, 2]), ("bool", ["yes", 0], [true, false]),
      // Nothing is stated.
      ("bool", "", nil), ("int", " ", nil), ("int", nil, nil),
      // Texts stay texts.
      ("str", "1", "1"), ("str", "[1]", "[1]"), ("Optional[str]", "None", "None"), ("Any", "1", "1"), ("str", 3, 3),
    ] as [(String, JSONValue, JSONValue)])
  func `what is right is read as the type`(type: String, stated: JSONValue, value: JSONValue) throws {
    let type = try SignatureParser.parseType(type, path: "")
    let gold = try #require(type.gold(stated))
    #expect(gold == value)
    #expect(type.gold(gold) == gold)
  }

  @Test(
    arguments: [
      ("bool", "maybe"), ("bool", 2), ("bool", "It is true that I know nothing"), ("int", "three or four"),
      ("int", "3.5"),
      ("list[int]", "[1, x]"), ("Literal['Yes', 'No']", "perhaps"), ("int", ["1", "x"]), ("int", true),
    ] as [(String, JSONValue)])
  func `what is no value of the type is none`(type: String, stated: JSONValue) throws {
    #expect(try SignatureParser.parseType(type, path: "").gold(stated) == nil)
  }
}

import JSON
import Testing

@Suite("The JSON writer")
struct JSONWriterTests {
  let sample: JSONValue = ["b": [1, 2.5, nil], "a": ["x": true], "e": [], "o": [:]]

  @Test("writes compactly, members in their order")
  func compact() {
    #expect(sample.text() == #"{"b":[1,2.5,null],"a":{"x":true},"e":[],"o":{}}"#)
  }

  @Test("writes with a space behind colon and comma")
  func spaced() {
    #expect(sample.text(.spaced) == #"{"b": [1, 2.5, null], "a": {"x": true}, "e": [], "o": {}}"#)
  }

  @Test("writes indented, with empty containers on one line")
  func indented() {
    let expected = """
      {
        "b": [
          1,
          2.5,
          null
        ],
        "a": {
          "x": true
        },
        "e": [],
        "o": {}
      }
      """
    #expect(sample.text(.indented) == expected)
  }

  @Test("escapes what must be escaped and nothing else")
  func escapes() {
    let text: JSONValue = "\"\\/\u{8}\u{C}\n\r\t\u{0}\u{1F}\u{7F}é\u{2028}😀"
    #expect(text.text() == "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u{7F}é\u{2028}😀\"")
    #expect(JSONValue.object(["a\nb": 1]).text() == #"{"a\nb":1}"#)
  }

  @Test("writes null for numbers that JSON has no word for")
  func notFinite() {
    #expect(JSONValue.array([.double(.nan), .double(.infinity), .double(-.infinity)]).text() == "[null,null,null]")
  }

  @Test("holds no raw line break in compact form, so that a text fits a line")
  func oneLine() {
    let value: JSONValue = ["a\r\nb": "c\nd\re"]
    #expect(!value.encoded().contains(0x0A))
    #expect(!value.encoded().contains(0x0D))
  }

  @Test("what is written is read as the same value", arguments: [UInt64(0), 1, 2, 3])
  func roundTrip(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<500 {
      let value = randomValue(depth: 0, using: &random)
      for layout in [JSONWriter.Layout.compact, .spaced, .indented] {
        #expect(try JSONReader.read(value.encoded(layout)) == value)
      }
    }
  }

  private func randomValue(depth: Int, using random: inout SeededGenerator) -> JSONValue {
    switch Int.random(in: 0..<(depth > 5 ? 6 : 8), using: &random) {
    case 0: return .null
    case 1: return .bool(.random(using: &random))
    case 2: return .int(.random(in: .min ... .max, using: &random))
    case 3:
      let number = Double(bitPattern: random.next())
      return number.isFinite ? .double(number) : .int(0)
    case 4, 5: return .string(randomText(using: &random))
    case 6:
      return .array(
        (0..<Int.random(in: 0...5, using: &random)).map { _ in randomValue(depth: depth + 1, using: &random) })
    default:
      var object = JSONObject()
      for _ in 0..<Int.random(in: 0...20, using: &random) {
        object[randomText(using: &random)] = randomValue(depth: depth + 1, using: &random)
      }
      return .object(object)
    }
  }

  private func randomText(using random: inout SeededGenerator) -> String {
    var text = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0...12, using: &random) {
      let limit: UInt32 = [0x20, 0x80, 0x800, 0x10000, 0x110000][Int.random(in: 0..<5, using: &random)]
      if let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &random)) { text.append(scalar) }
    }
    return String(text)
  }
}

@Suite("JSON values")
struct JSONValueTests {
  @Test("an object keeps its order when members change, go and come")
  func objectOrder() {
    var object: JSONObject = ["a": 1, "b": 2, "c": 3]
    object["b"] = 20
    object["a"] = nil
    object["a"] = 10
    object["none"] = nil
    #expect(JSONValue.object(object).text() == #"{"b":20,"c":3,"a":10}"#)
    #expect(object.count == 3)
    #expect(object["none"] == nil)
  }

  @Test("merging lets the other side win and keeps places; filtering keeps order")
  func mergeAndFilter() {
    let object: JSONObject = ["a": 1, "b": 2]
    #expect(JSONValue.object(object.merging(["b": 3, "c": 4])).text() == #"{"a":1,"b":3,"c":4}"#)
    #expect(object.filter { $0 == "b" } == ["b": 2])
  }

  @Test("look-ups answer nil where there is nothing, and never trap")
  func lookups() {
    let value: JSONValue = ["a": [1, "x"]]
    #expect(value["a"]?[1] == "x")
    #expect(value["a"]?[2] == nil)
    #expect(value["a"]?[-1] == nil)
    #expect(value["b"] == nil)
    #expect(value[0] == nil)
    #expect(JSONValue.int(3).doubleValue == 3)
    #expect(JSONValue.double(3).intValue == 3)
    #expect(JSONValue.double(1e300).intValue == nil)
    #expect(JSONValue.string("3").intValue == nil)
  }

  @Test("an excerpt is short, whatever it is cut from")
  func excerpts() {
    #expect(JSONValue.string(String(repeating: "x", count: 500)).excerpt.count == 81)
    #expect(JSONValue.array(Array(repeating: 1, count: 9)).excerpt == "[… 9 elements]")
    #expect(JSONValue.int(5).excerpt == "5")
  }
}

@Suite("Numbers that JSON does not have")
struct NotANumberTests {
  @Test(
    "are texts, and come back",
    arguments: [(Double.infinity, "Infinity"), (-.infinity, "-Infinity"), (.nan, "NaN"), (1.5, "1.5")])
  func roundTrip(value: Double, text: String) {
    let written = JSONValue(numberOrText: value)
    #expect(written.stringValue ?? written.text() == text)
    let read = written.numberFromText
    #expect(value.isNaN ? read?.isNaN == true : read == value)
    #expect(JSONValue.string(text).numberFromText.map { $0.isNaN == value.isNaN } == true)
    #expect(JSONValue.string("many").numberFromText == nil)
  }
}

import JSON
import Testing

@Suite("The JSON reader")
struct JSONReaderTests {
  @Test(
    "refuses what RFC 8259 does not allow",
    arguments: [
      "", " ", "[1,]", "{\"a\":1,}", "[,1]", "[1 2]", "{\"a\" 1}", "{a:1}", "{'a':1}", "[1", "{\"a\":1", "\"a", "]",
      "\u{FEFF}[]", "01", "-", "-01", "+1", ".5", "1.", "1e", "1e+", "0x10", "NaN", "Infinity", "-Infinity", "nul",
      "True",
      "truefalse", "1 2", "[] []", "\"\\x\"", "\"\\u12\"", "\"\\u12G4\"", "\"\t\"", "\"\n\"", "\"\\ud800\"",
      "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"", "/*c*/1", "[1]//c", "\u{0C}1", "\"\\\"", "{\"a\":}",
      "{1:2}", "\u{0}",
    ])
  func refuses(_ text: String) {
    #expect(throws: JSONSyntaxError.self) { try JSONReader.read(text) }
  }

  @Test("refuses bytes that are not UTF-8, inside strings and outside")
  func refusesBadUTF8() {
    let texts: [[UInt8]] = [
      [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xE2, 0x82, 0x22],
      [0x22, 0xF5, 0x80, 0x80, 0x80, 0x22], [0xFE, 0xFF, 0x00, 0x5B], [0x5B, 0x00, 0x5D, 0x00], [0x80],
      [0x22, 0x5C, 0x6E, 0xFF, 0x22],
    ]
    for text in texts { #expect(throws: JSONSyntaxError.self) { try JSONReader.read(text) } }
  }

  @Test("refuses more values than allowed, those within others counted")
  func boundedValues() throws {
    let text = #"{"a": [1, {"b": null}], "c": "d"}"#
    #expect(try JSONReader.read(text, maximumValues: 6)["c"] == "d")
    let error = #expect(throws: JSONSyntaxError.self) { try JSONReader.read(text, maximumValues: 5) }
    #expect(error?.message == "It has more than the 5 values allowed")
  }

  @Test("of repeated members the last wins in the first one's place, however many there are")
  func repeatedMembers() throws {
    for count in [3, 16, 17, 40] {
      var members = (0..<count).map { ("m\($0)", JSONValue.int($0)) }
      members.append(("m1", "new"))
      let object = JSONObject(members)
      #expect(object.keys == (0..<count).map { "m\($0)" })
      #expect(object["m1"] == "new")
      #expect(try JSONReader.read(JSONValue.object(object).encoded()) == .object(object))
      #expect(object.merging(["m2": true, "more": 1]).count == count + 1)
    }
  }

  @Test("says where the text goes wrong")
  func offset() {
    do {
      _ = try JSONReader.read("{\"a\": [1, 2,]}")
      Issue.record("a trailing comma was taken")
    } catch {
      #expect(error.offset == 12)
      #expect(error.description.hasSuffix("at byte 12"))
    }
  }

  @Test("takes nesting of 128 levels and refuses the 129th, whatever the kind")
  func depth() throws {
    func arrays(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    func objects(_ depth: Int) -> String {
      String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
    }
    _ = try JSONReader.read(arrays(128))
    _ = try JSONReader.read(objects(128))
    #expect(throws: JSONSyntaxError.self) { try JSONReader.read(arrays(129)) }
    #expect(throws: JSONSyntaxError.self) { try JSONReader.read(objects(129)) }
    #expect(throws: JSONSyntaxError.self) { try JSONReader.read(String(repeating: "[", count: 1_000_000)) }
    #expect(throws: JSONSyntaxError.self) { try JSONReader.read("[[[1]]]", maximumDepth: 2) }
  }

  @Test(
    "keeps every number's token",
    arguments: [
      "0", "-0", "1", "-1", "9007199254740993", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
      "123456789012345678901234567890", "1.0", "1.5", "1.50", "-0.0", "1e3", "1E+3", "1e400", "-1e400", "1e-400", "0.1",
      "3.141592653589793238462643383279", "5e-324", "100000000000000000", "999999999999999999", "-999999999999999999",
    ])
  func keepsNumbers(_ token: String) throws {
    #expect(try JSONReader.read(token).text() == token)
    #expect(try JSONReader.read("[ \(token) ]").text() == "[\(token)]")
  }

  @Test("gives numbers their values")
  func numberValues() throws {
    #expect(try JSONReader.read("9007199254740993") == .int(9_007_199_254_740_993))
    #expect(try JSONReader.read("1.5") == .double(1.5))
    #expect(try JSONReader.read("1e3").intValue == 1000)
    #expect(try JSONReader.read("1.0").intValue == 1)
    #expect(try JSONReader.read("1.5").intValue == nil)
    #expect(try JSONReader.read("1e400").doubleValue == nil)
    #expect(try JSONReader.read("1e400").intValue == nil)
    #expect(try JSONReader.read("9223372036854775808").intValue == nil)
    #expect(try JSONReader.read("-0").doubleValue?.sign == .minus)
  }

  @Test("reads every escape")
  func escapes() throws {
    let text = #""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00\u0000""#
    #expect(try JSONReader.read(text) == .string("\"\\/\u{8}\u{C}\n\r\tA\u{E9}\u{20AC}\u{1F600}\u{0}"))
    #expect(try JSONReader.read("\"é€😀\"") == "é€😀")
  }

  @Test("takes the last of two members with one name, and keeps the first one's place")
  func duplicates() throws {
    #expect(try JSONReader.read(#"{"a":1,"b":2,"a":3}"#).text() == #"{"a":3,"b":2}"#)
    #expect(try JSONReader.read(#"{"a":1,"\u0061":2}"#).text() == #"{"a":2}"#)
    let many = (0..<40).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
    let value = try JSONReader.read("{\(many),\"k3\":\"x\",\"k39\":\"y\"}")
    #expect(value.objectValue?.count == 40)
    #expect(value["k3"] == "x")
    #expect(value["k39"] == "y")
    #expect(value.objectValue?.keys[3] == "k3")
  }

  @Test("keeps the order of members and takes white space anywhere")
  func order() throws {
    let value = try JSONReader.read(" \t\r\n{ \"z\" : 1 , \"a\" : [ true , false , null ] }\n")
    #expect(value.text() == #"{"z":1,"a":[true,false,null]}"#)
  }

  @Test("never traps, whatever the bytes")
  func hostile() {
    var random = SeededGenerator(seed: 7)
    let alphabet = Array("{}[]\",:\\u0123456789eE+-.truefalsn \n".utf8) + [0x00, 0x80, 0xC3, 0xFF]
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 0...40, using: &random)).map { _ in
        alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
      }
      // What is taken must come out as JSON again.
      guard let value = try? JSONReader.read(text) else { continue }
      #expect((try? JSONReader.read(value.encoded())) == value)
    }
  }
}

/// A small generator with a seed (SplitMix64), so that a failure can be run again.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

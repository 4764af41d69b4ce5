import Basics
import JSON
import Testing

@testable import Evaluation

private let casesPath = "reference/fixtures/dspy/metric_cases.json"

struct AnswerTextTests {
  @Test(.enabled(if: sharedFileExists(casesPath)))
  func `recorded cases of DSPy come out alike to the byte`() throws {
    let cases = try sharedJSON(casesPath)
    for (text, expected) in try #require(cases["parse_integer_answer"]?.objectValue) {
      #expect(AnswerText.gsm8kInteger(text) == expected.text(), "\(text)")
    }
    for (text, expected) in try #require(cases["normalize_text"]?.objectValue) {
      let wanted = try #require(expected.stringValue)
      // The fixture's own text is decomposed, as the function's result is.
      #expect(Array(AnswerText.normalized(text).utf8) == Array(wanted.utf8), "\(text)")
    }
    let dspy = TextComparison.dspy
    for (name, function) in [("f1", dspy.f1(_:_:)), ("hotpot_f1", dspy.hotpotF1)] {
      for pair in try #require(cases[name]?.arrayValue) {
        let prediction = try #require(pair[0]?.stringValue)
        let expected = try #require(pair[1]?.stringValue)
        #expect(function(prediction, expected) == pair[2]?.doubleValue, "\(name) \(pair.text())")
      }
    }
  }

  @Test(arguments: [
    ("The cat, a dog and an ant!", "cat dog and ant"),
    ("A", ""), ("  many\u{A0}\u{2003}spaces\u{1F}here ", "many spaces here"),
    ("snake_case", "snakecase"), ("É", "e\u{301}"), ("ÅNGSTRÖM", "\u{30A}ngstro\u{308}m"),
    ("CÔTÉ", "co\u{302}te\u{301}"),
    ("à la carte", "\u{300} la carte"), ("ΟΔΟΣ", "οδος"), ("Σ", "σ"), ("\u{212A}elvin", "kelvin"),
    ("≠", "\u{338}"), ("\u{37E}", ""), ("한", "\u{1112}\u{1161}\u{11AB}"), ("x the\u{301} y", "x \u{301} y"),
  ])
  func `texts are normalized as Python does it`(text: String, expected: String) {
    #expect(Array(AnswerText.normalized(text).unicodeScalars) == Array(expected.unicodeScalars))
  }

  @Test(arguments: [
    ("", "0"), ("007", "7"), ("000", "0"), ("x²", "0"), ("٤٢", "42"), ("a 5\u{85}b", "5"),
    ("123456789012345678901234567890", "123456789012345678901234567890"), ("3 . 5", "5"), (".5", "0"),
  ])
  func `the lenient whole number has Python's corners`(text: String, expected: String) {
    #expect(AnswerText.gsm8kInteger(text) == expected)
  }

  @Test func `more digits than Python reads are no number`() {
    #expect(AnswerText.gsm8kInteger(String(repeating: "1", count: 4300)).count == 4300)
    #expect(AnswerText.gsm8kInteger(String(repeating: "1", count: 4301)) == "0")
  }

  @Test func `passages are cut into words and signs`() {
    #expect(
      AnswerText.passageTokens("It’s 3.5 Éclairs\n(ok)") == [
        "it", "’", "s", "3", ".", "5", "e\u{301}clairs", "(", "ok", ")",
      ])
  }

  @Test func `a run of elements is found wherever it stands`() {
    let text = Array("abacabacabad")
    #expect(text.hasContiguous(Array("abacabad")))
    #expect(text.hasContiguous([]))
    #expect(text.hasContiguous(["d"]))
    #expect(!text.hasContiguous(Array("abad" + "x")))
    #expect(!Array("aaab").hasContiguous(Array("aaaab")))
    var places: [Range<Int>] = []
    #expect(
      !Array("aaa").hasContiguous(Array("aa")) { place in
        places.append(place); return false
      })
    #expect(places == [0..<2, 1..<3])
    #expect(Array("aaaaab").hasContiguous(Array("aab")))
  }
}

struct NumberTextTests {
  @Test(arguments: [
    ("12 and 7", [12.0, 7]), ("$1,234.50", [1234.5]), ("-3", [-3]), ("−3", [-3]), ("-$5", [-5]), ("$-5", [-5]),
    ("5-3", [5, 3]), ("x-3", [3]), ("= -3.", [-3]), ("1/2", [0.5]), ("1 1/2 cups", [1.5]), ("-1 1/2", [-1.5]),
    ("3/4/2020", [3, 4, 2020]), ("50%", [50]), ("1e3", [1000]), ("2.5e-1", [0.25]), ("1,2,3", [1, 2, 3]),
    ("12,000,000 dollars", [12_000_000]), ("1234,567", [1234, 567]), ("1,2345", [1, 2345]), (".5", [0.5]),
    ("7.", [7]), ("v1.2.3", [1.2, 3]), ("٣", [3]), ("€3", [3]), ("no number", []), ("", []), ("#### 18", [18]),
    ("0/0", [0, 0]), ("+4", [4]), ("--4", [4]), ("3 - 4", [3, 4]), ("10 5/2", [10, 2.5]), ("½", []),
  ])
  func `numbers are found as they are meant`(text: String, expected: [Double]) {
    #expect(NumberText.all(in: text).map(\.value) == expected)
  }

  @Test(arguments: [
    ("42", true), (" $42.00 ", true), ("42.", true), ("-42%", true), ("42 apples", false), ("4 2", false), ("", false),
  ])
  func `a text is whole if nothing else stands there`(text: String, isWhole: Bool) {
    #expect((NumberText.whole(text) != nil) == isWhole)
  }

  @Test(arguments: [("007.50", "7.5"), ("-0.0", "0"), (".5", "0.5"), ("1,000", "1000"), ("-2.0", "-2")])
  func `a plain decimal has one exact form`(text: String, exact: String) {
    #expect(NumberText.all(in: text).first?.exact == exact)
  }
}

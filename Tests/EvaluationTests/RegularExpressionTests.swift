import Foundation
import Randomness
import Testing

@testable import Evaluation
@testable import RegularExpressions

struct RegularExpressionTests {
  private func groups(
    _ pattern: String, _ text: String, options: RegularExpression.Options = [], isFull: Bool = false
  ) throws -> [String?]? {
    let scalars = Array(text.unicodeScalars)
    return try RegularExpression(pattern, options: options).firstMatch(in: scalars, isFull: isFull)?
      .map { range in range.map { String(String.UnicodeScalarView(scalars[$0])) } }
  }

  @Test(arguments: [
    ("abc", "xabcx", ["abc"]), ("a|ab", "ab", ["a"]), ("(a+)(b*)", "caab", ["aab", "aa", "b"]),
    ("(a|b)*c", "ababc", ["ababc", "b"]), ("a.c", "abc a\nc", ["abc"]), ("[^a-c]+", "abcxyz", ["xyz"]),
    ("\\d{2,3}", "1 2345", ["234"]), ("\\d{2,3}?", "2345", ["23"]), ("a*?b", "aab", ["aab"]), ("x{0}y", "xy", ["y"]),
    ("(?:ab)+", "ababa", ["abab"]), ("(?<year>\\d{4})", "in 1999.", ["1999", "1999"]),
    ("\\bcat\\b", "concat cat", ["cat"]),
    ("^b", "b", ["b"]), ("b$", "ab\n", ["b"]), ("[\\d-]+", "a1-2", ["1-2"]), ("[]a]+", "]a]", ["]a]"]),
    ("\\$\\d+\\.\\d\\d", "is $12.50", ["$12.50"]), ("a{,2}", "a{,2}", ["a{,2}"]), ("x{", "x{", ["x{"]),
    ("[\\u00e9\\x41]+", "éA", ["éA"]), ("\\u{1F600}", "😀", ["😀"]), ("", "abc", [""]),
    ("(a*)*", "aa", ["aa", "aa"]),
    ("\\Aab\\z", "ab", ["ab"]), ("\\S+\\s\\w+", "é! b_c", ["é! b_c"]),
  ])
  func `the leftmost, preferred match is found with its groups`(
    pattern: String, text: String, expected: [String?]
  ) throws {
    #expect(try groups(pattern, text) == expected)
  }

  @Test(arguments: [
    ("abc", "ab"), ("^b", "ab"), ("b$", "bc"), ("\\bat", "cat"), ("[a-c]", "d"), ("a.c", "a\nc"), ("A", "a"),
  ])
  func `what does not match is not found`(pattern: String, text: String) throws {
    #expect(try groups(pattern, text) == nil)
  }

  @Test func `options widen what matches`() throws {
    #expect(try groups("straße[A-C]", "STRASSE straßEb", options: .ignoreCase) == ["straßEb"])
    #expect(try groups("^b$", "a\nb\nc", options: .multiline) == ["b"])
    #expect(try groups("a.c", "a\nc", options: .dotAll) == ["a\nc"])
    #expect(try groups("[^a]", "A", options: .ignoreCase) == nil)
  }

  @Test func `a full match takes the way that reaches the end`() throws {
    #expect(try groups("a|ab", "ab", isFull: true) == ["ab"])
    #expect(try groups("a+?", "aaa", isFull: true) == ["aaa"])
    #expect(try groups("b", "ab", isFull: true) == nil)
  }

  @Test(arguments: [
    ("(a", "A ( has no ) at character 1"), ("a)", "A ) has no ( at character 2"),
    ("*a", "A quantifier has nothing to repeat at character 1"),
    ("a**", "A quantifier follows a quantifier at character 3"),
    ("a{2}{3}", "A quantifier follows a quantifier at character 5"), ("[a", "A [ has no ] at character 1"),
    ("[z-a]", "A range in [...] needs a character at each end, the lower first at character 5"),
    ("a\\", "A backslash ends the pattern at character 3"),
    ("\\1", "Back-references are not understood at character 3"),
    ("(?=a)", "Only (?:...) and (?<name>...) are understood behind (? at character 3"),
    ("a{3,2}", "A count ends below its start at character 7"),
    ("a{1001}", "A count is greater than 1000 at character 8"),
    ("\\q", "The escape \\q is not understood at character 3"),
    ("^*", "An assertion cannot be repeated at character 1"),
    ("(?:a{1000}){1000}", "The pattern is too large (more than 2000 steps) at character 1"),
    ("\\xZZ", "Expected the hexadecimal number of a character at character 3"),
  ])
  func `a faulty pattern is told with its place`(pattern: String, message: String) {
    let error = #expect(throws: RegularExpression.SyntaxError.self) { try RegularExpression(pattern) }
    #expect(error?.description == message)
  }

  @Test(.timeLimit(.minutes(1)))
  func `patterns that stop other engines take linear time`() throws {
    let text = String(repeating: "a", count: 5_000) + "!"
    for pattern in ["(a+)+$", "(a|aa)+$", "(a*)*b", "(.*)(.*)(.*)(.*)x", "(?:(?:(?:){1000}){1000}){1000}z"] {
      #expect(try groups(pattern, text) == nil)
    }
  }

  @Test func `nesting and size are bounded`() {
    #expect(throws: RegularExpression.SyntaxError.self) {
      try RegularExpression(String(repeating: "(", count: 60) + String(repeating: ")", count: 60))
    }
    #expect(throws: RegularExpression.SyntaxError.self) { try RegularExpression(String(repeating: "a", count: 1001)) }
  }

  @Test(arguments: 0..<4)
  func `on random patterns it agrees with a backtracking engine`(seed: Int) throws {
    var random = PythonRandom(seed: seed)
    func pattern(_ depth: Int) -> String {
      switch random.randint(0...(depth > 0 ? 6 : 2)) {
      case 0: return "a"
      case 1: return "b"
      case 2: return "[ab]"
      case 3: return "(\(pattern(depth - 1)))"
      case 4: return "(?:\(pattern(depth - 1))|\(pattern(depth - 1)))"
      case 5: return pattern(depth - 1) + pattern(depth - 1)
      default: return "(?:\(pattern(depth - 1))c)" + (random.choice(["*", "+", "?", "*?", "+?", "{1,2}"]) ?? "*")
      }
    }
    for _ in 0..<60 {
      let pattern = pattern(4)
      let reference = try NSRegularExpression(pattern: pattern)
      for _ in 0..<8 {
        let text = random.choices(["a", "b", "c"], k: random.randint(0...10)).joined()
        let found = reference.firstMatch(in: text, range: NSRange(location: 0, length: text.count))
        let range = try RegularExpression(pattern).firstMatch(in: Array(text.unicodeScalars))?[0]
        let expected = found.map { $0.range.location..<($0.range.location + $0.range.length) }
        #expect(range == expected, "\(pattern) on \(text)")
      }
    }
  }
}

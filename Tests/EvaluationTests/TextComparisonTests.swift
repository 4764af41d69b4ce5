import JSON
import Randomness
import Testing

@testable import Evaluation

struct TextComparisonTests {
  private let standard = TextComparison.standard

  @Test(arguments: [
    ("-5", "5"), ("3.5", "35"), ("3.5", "3,5"), ("3,5", "35"), (".5", "5"), ("C#", "C++"), ("C", "C++"), ("F", "F#"),
    ("x > 0", "x < 0"), ("x >= 0", "x > 0"), ("a = b", "a != b"), ("!x", "x"), ("50%", "50"), ("$5", "5"), ("$5", "€5"),
    ("-5%", "5%"), ("5-3", "53"), ("5-3", "5+3"), ("1990-1995", "19901995"), ("x-3", "x+3"), ("x - 3", "x 3"),
    ("3:30", "330"), ("1/2", "12"), ("1/2", "1 2"), ("m/s", "ms"), ("1,2,3", "123"), ("2*(3+4)", "2*3+4"),
    ("2 * (3 + 4)", "2 * 3 + 4"), ("f(x)", "fx"), ("[0, 1)", "[0, 1]"), ("?", "!"), (":)", ":("), ("A", "The"),
    ("A", ""), ("A", "B"), ("Type A", "Type"), ("A, C", "C"), ("A+", "A"), ("A-", "A+"), ("A*", "A"), (".NET", "NET"),
    ("3.10", "3.1"), ("1.2.3", "123"), ("AT&T", "ATT"), ("20°", "20"), ("x²", "x2"), ("≠", "="), ("5'10\"", "510"),
    ("not", "note"), ("résumé", "resume"), ("−5", "5"), ("–5", "5"), ("~5", "5"), ("+5", "-5"), ("@a", "a"),
    ("东京", "京东"), ("５", "６"), ("－５", "５"), ("３．５", "３５"), ("50％", "50"), ("ไป", "ใบ"), ("😀", "😡"), ("✓", "✗"),
    ("-x", "x"), ("--v", "-v"), ("x = -5", "x = 5"), ("3 * -5", "3 * 5"), ("- 5", "5"),
  ])
  func `signs that carry meaning tell answers apart`(one: String, other: String) {
    #expect(!standard.isSame(one, other))
    #expect(!standard.isSame(other, one))
  }

  @Test(arguments: [
    ("Paris", "paris."), ("Paris", "\"Paris\""), ("Paris", "“Paris”!"), ("the Eiffel Tower", "Eiffel Tower"),
    ("Paris, France", "Paris,France"), ("Paris, France", "Paris France"), ("Paris (France)", "Paris France"),
    ("don't", "don’t"), ("don't", "dont"), ("U.S.", "US"), ("e-mail", "email"), ("well-known", "well known"),
    ("close_account", "close account"), ("COVID-19", "COVID 19"), ("COVID‑19", "covid19"), ("**Paris**", "Paris"),
    ("`x`", "x"), ("$x^2$", "x^2"), ("- Paris", "Paris"), ("* Paris", "Paris"), ("# Paris", "Paris"), ("A", "a."),
    ("(A)", "A"), ("A)", "A"), ("1,000", "1000"), ("$1,234.50", "$1234.50"), ("50 %", "50%"), ("x>0", "x > 0"),
    ("2*3", "2 * 3"), ("5-3", "5 - 3"), ("x-3", "x - 3"), ("1990–1995", "1990-1995"), ("−5", "-5"), ("–5", "-5"),
    ("- 5", "-5"), (".5", "0.5"), ("-.5", "-0.5"), ("5.", "5"), ("Straße", "STRASSE"), ("ΟΔΟΣ", "οδος"),
    ("Ａ１", "a1"), ("５０％", "50%"), ("東京。", "東京"), ("東京 都", "東京都"), ("「東京」", "東京"), ("ﾄｳｷｮｳ", "トウキョウ"),
    ("ｶﾞ", "ガ"), ("ジョン・スミス", "ジョンスミス"), ("٤٢", "42"), ("กรุงเทพ ฯ", "กรุงเทพฯ"), ("é", "e\u{301}"),
    ("Hello, world!", "hello world"), ("iPhone®", "iPhone"), ("zero\u{200B}width", "zerowidth"), ("❤\u{FE0F}", "❤"),
    ("C++, mostly", "c++ mostly"), ("3 + 4", "3+4"), ("“A”", "A"), ("3〜5", "3～5"), ("第3章", "第３章。"),
  ])
  func `what says nothing does not`(one: String, other: String) {
    #expect(standard.isSame(one, other))
    #expect(standard.isSame(other, one))
    #expect(standard.f1(one, other) == 1)
  }

  @Test func `F1 counts words, and characters where words are not parted`() {
    #expect(standard.f1("A", "A") == 1)
    #expect(standard.f1("", "") == 1)
    #expect(standard.f1(" ", "\n") == 1)
    #expect(standard.f1("", "A") == 0)
    #expect(standard.f1("...", "...") == 1)
    #expect(standard.f1("the", "a") == 0)
    #expect(standard.f1("-5", "5") == 0)
    #expect(standard.f1("C#", "C++") == 0)
    #expect(standard.f1("東京都", "東京") == 0.8)
    #expect(standard.f1("ประเทศไทย", "ไทย") > 0.4)
    #expect(standard.f1("မြန်မာ", "မြန်") > 0.5)
    #expect(standard.f1("서울 타워", "서울") == 2.0 / 3)
    #expect(TextComparison.dspy.f1("A", "A") == 0)
    #expect(standard.hotpotF1("yes", "yes it is") == 0)
    #expect(standard.hotpotF1("Yes.", "yes") == 1)
  }

  @Test(.timeLimit(.minutes(1)), arguments: Array("-+*#_.,:!'\"([{~$ a1,東ภ—\n"))
  func `texts of strangers are read in one go, however odd they are`(sign: Character) {
    for (before, after) in [("x", "y"), (" ", "1")] {
      let text = before + String(repeating: sign, count: 20_000) + after
      #expect(standard.isSame(text, text))
      #expect(standard.f1(text, before) <= 1)
      let mixed = before + String(repeating: "\(sign) a\(sign)1", count: 2_000) + after
      #expect(standard.isSame(mixed, mixed))
    }
  }

  @Test(arguments: [("-5", "5"), ("3.5", "35"), ("C#", "C++"), ("x > 0", "x < 0")])
  func `DSPy's way stays to be had`(one: String, other: String) { #expect(TextComparison.dspy.isSame(one, other)) }

  @Test(arguments: 0..<8)
  func `comparing is symmetric, and case makes no difference, whatever stands there`(seed: Int) {
    var random = PythonRandom(seed: seed)
    let pieces = [
      "a", "A", "The ", "an ", " ", "\n", "-", "−", "—", ".", ",", "'", "\"", "(", ")", "[", "]", "*", "**", "_", "$",
      "#", "+", "++", "=", "!", "?", "%", "/", "1", "23", "000", "x", "ß", "İ", "ı", "Σ", "ς", "é", "e\u{301}",
      "\u{338}",
      "東", "京", "ไ", "ท", "ย", "ｱ", "ﾞ", "５", "。", "·", "😀", "\u{200B}", "²", "ŉ", "ǰ", "ᾳ", "ẞ", "K",
    ]
    for _ in 0..<400 {
      let one = random.choices(pieces, k: random.randint(0...9)).joined()
      let other = random.choices(pieces, k: random.randint(0...9)).joined()
      #expect(standard.isSame(one, one), "\(one)")
      #expect(standard.isSame(one, one.uppercased()), "\(one)")
      #expect(standard.isSame(one, one.lowercased()), "\(one)")
      #expect(standard.f1(one, one) == 1, "\(one)")
      for comparison in TextComparison.allCases {
        #expect(comparison.isSame(one, other) == comparison.isSame(other, one), "\(one) \(other)")
        #expect(comparison.f1(one, other) == comparison.f1(other, one), "\(one) \(other)")
        if comparison.isSame(one, other), comparison == .standard { #expect(comparison.f1(one, other) == 1) }
      }
    }
  }
}

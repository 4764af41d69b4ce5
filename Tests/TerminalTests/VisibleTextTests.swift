import Terminal
import Testing

@Suite("Text on a terminal")
struct VisibleTextTests {
  @Test(
    "what would control a terminal is shown",
    arguments: [
      ("\u{1b}[2J", "␛[2J"), ("a\rb", "a␍b"), ("a\r\nb", "a␍\nb"), ("\u{0}\u{7}\u{8}\u{7f}", "␀␇␈␡"),
      ("\u{9b}31m", "\\u{9b}31m"), ("\u{202e}gnp", "\\u{202e}gnp"),
      ("\u{2066}x\u{2069}\u{200f}", "\\u{2066}x\\u{2069}\\u{200f}"),
      ("a\u{2028}b", "a\\u{2028}b"), ("a\tb\nc", "a\tb\nc"), ("naïve 日本語 👩‍🔬 é", "naïve 日本語 👩‍🔬 é"),
    ])
  func shows(text: String, shown: String) {
    #expect(text.visible == shown)
  }

  @Test("no scalar of the hidden kinds passes, and no other is changed")
  func everyScalar() {
    for value in UInt32(0)...0x10FFFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let text = String(String.UnicodeScalarView([scalar]))
      let isHidden =
        scalar.properties.generalCategory == .control || [0x2028, 0x2029, 0x061C, 0x200E, 0x200F].contains(value)
        || (0x202A...0x202E).contains(value) || (0x2066...0x2069).contains(value)
      #expect((text.visibleLine != text) == isHidden)
      #expect((text.visible != text) == (isHidden && value != 9 && value != 10))
    }
  }

  @Test("one line stays one, and a paragraph's further lines are set in")
  func lines() {
    #expect("a\nb\tc".visibleLine == "a␊b␉c")
    #expect("hone: no\nhone: yes\n  - so\n".visibleParagraph == "hone: no\n  hone: yes\n  - so\n")
  }

  @Test("JSON keeps its meaning")
  func json() {
    #expect("{\n  \"a\": \"\u{9b}\u{202e}\u{7f}é\"\n}".visibleJSON == "{\n  \"a\": \"\\u009b\\u202e\\u007fé\"\n}")
  }

  @Test(
    "columns that text takes",
    arguments: [
      ("", 0), ("abc", 3), ("日本", 4), ("ﾊﾝ", 2), ("ＡＢ", 4), ("e\u{301}", 1), ("한글", 4), ("👍", 2), ("❤️", 2), ("🇫🇷", 4),
      ("👩‍🔬", 4), ("…─", 2), ("\u{1112}\u{1161}\u{11ab}", 2),
    ])
  func widths(text: String, width: Int) {
    #expect(text.displayWidth == width)
  }

  @Test("a cut text has room, and characters stay whole")
  func cuts() {
    for text in ["abcdef", "日本語のテキスト", "e\u{301}e\u{301}e\u{301}e\u{301}", "👩‍🔬👩‍🔬👩‍🔬", "a日b本c"] {
      for width in 0...12 {
        let cut = text.cut(toWidth: width)
        #expect(cut.displayWidth <= width)
        #expect(cut == text || cut.isEmpty || text.hasPrefix(cut.dropLast()))
      }
    }
    #expect("日本語".cut(toWidth: 5) == "日本…")
  }

  @Test("columns are as wide as what they show")
  func tables() {
    #expect(columns([["日本", "x"], ["abc", "y"], ["\u{1b}", "z\n"]]) == "日本  x\nabc   y\n␛     z␊")
  }
}

import JSON

/// The number that a sentence states: `The answer is 42.`, `42 apples`, `6 * 7 = 42`.
///
/// Where a sentence holds several numbers, the one behind "answer is" or an equals sign counts; a number that
/// is part of something else (a date, a range, a percentage, `1.5 million`) or is negated counts for nothing,
/// and nothing is read beside it unless it is called the answer.
struct NumberInWords {
  private struct Mention {
    var value: JSONValue
    var range: Range<Int>
    /// Whether it stands for itself, rather than for a part of something.
    var isClear: Bool
    /// Whether it belongs to a name: `Example 1`.
    var isInName = false
    var cue: Cue?
    /// Whether it belongs together with the next one: `3 or 4`, `6 * 7`.
    var isLinked = false
  }

  private enum Cue { case answer, equals }

  /// The text in lower case.
  private let text: [Character]
  /// The text as it was written.
  private let original: [Character]
  private let wholeOnly: Bool
  private var mentions: [Mention] = []

  /// The number that `text` states; a percentage only where whole numbers are wanted, as 50 % may also be 0.5.
  static func read(_ text: String, wholeOnly: Bool) -> JSONValue? {
    guard text.utf8.count <= 10_000, text.utf8.contains(where: { (0x30...0x39).contains($0) }) else { return nil }
    var reader = NumberInWords(text, wholeOnly: wholeOnly)
    guard reader.findMentions() else { return nil }
    return reader.stated
  }

  private init(_ text: String, wholeOnly: Bool) {
    original = Array(text)
    self.text = original.map { $0.lowercased().first ?? $0 }
    self.wholeOnly = wholeOnly
  }

  private var stated: JSONValue? {
    let isClear = mentions.allSatisfy(\.isClear)
    for cue in [Cue.answer, .equals] where cue == .answer || isClear {
      let values = mentions.filter { $0.cue == cue }
      if let first = values.first, values.allSatisfy({ $0.value == first.value && $0.isClear }) { return first.value }
      if !values.isEmpty { return nil }
    }
    guard isClear else { return nil }
    let areValues = mentions.allSatisfy { !$0.isInName && !$0.isLinked }
    if areValues, let first = mentions.first?.value, mentions.allSatisfy({ $0.value == first }) { return first }
    return aloneOnALine
  }

  /// The number that has a line for itself.
  private var aloneOnALine: JSONValue? {
    let values = text.split(whereSeparator: \.isNewline).compactMap {
      DecimalNumber(spoken: String($0).trimmed.unquoted)?.json
    }
    guard values.count == 1 else { return nil }
    return values[0]
  }

  /// Finds every number; false where one cannot be made out.
  private mutating func findMentions() -> Bool {
    var place = 0
    var end = 0
    while place < text.count {
      guard text[place].isASCIIDigit || (text[place] == "." && isDigit(place + 1)) else {
        // A name with digits in it (`gpt4`) is no number.
        if text[place].isLetter || text[place] == "_" {
          while place < text.count, text[place].isLetter || text[place].isNumber || text[place] == "_" { place += 1 }
        } else {
          place += 1
        }
        continue
      }
      guard let mention = mention(at: place, behind: end) else { return false }
      if let last = mentions.last, isLinked(last.range.upperBound..<mention.range.lowerBound) {
        mentions[mentions.count - 1].cue = nil
        mentions[mentions.count - 1].isLinked = true
      }
      mentions.append(mention)
      end = mention.range.upperBound
      place = end
    }
    return true
  }

  private func mention(at start: Int, behind previous: Int) -> Mention? {
    var end = start
    while end < text.count, text[end].isASCIIDigit || (",._".contains(text[end]) && isDigit(end + 1)) { end += 1 }
    if end < text.count, text[end] == "e" {
      let sign = end + 1 < text.count && "+-".contains(text[end + 1]) ? 1 : 0
      if isDigit(end + 1 + sign) {
        end += 1 + sign
        while isDigit(end) { end += 1 }
      }
    }
    var first = start
    if first > previous, "$€£¥".contains(text[first - 1]) { first -= 1 }
    if first > previous, Self.signs.contains(text[first - 1]) {
      // In `2+2` it is no sign of its own.
      if first - 1 > previous || previous == 0 || text[first - 1] != "+" { first -= 1 }
    } else if first > previous + 1, text[first - 1] == " ", Self.signs.contains(text[first - 2]),
      previous == 0 || text[previous..<(first - 2)].contains(where: { $0 != " " })
    {
      // `- 5` may be a minus sign or a bullet; in `3 - 5` it is neither.
      return Mention(value: .null, range: start..<end, isClear: false)
    }
    guard let number = DecimalNumber(spoken: String(text[first..<end]))?.json else { return nil }
    var mention = Mention(value: number, range: first..<end, isClear: true)
    mention.isClear =
      isSeparate(mention.range) && !isScaled(behind: end) && !isQualified(before: first)
      && !numbersALine(mention.range)
    mention.isInName = isPartOfAName(mention.range)
    mention.cue = mention.isClear && !mention.isInName ? cue(before: first, behind: previous) : nil
    return mention
  }

  private static let signs: Set<Character> = ["-", "+", "\u{2212}", "\u{2013}"]

  private func isDigit(_ place: Int) -> Bool { place < text.count && text[place].isASCIIDigit }

  /// Whether a number is no part of a word, date, time, ratio, range or version.
  private func isSeparate(_ range: Range<Int>) -> Bool {
    if range.lowerBound > 0 {
      let before = text[range.lowerBound - 1]
      if isInCode(range.lowerBound) { return false }
      if before.isLetter || before.isNumber || "_/:.^\\<≤≥".contains(before) && !isLabelEnd(range.lowerBound - 1) {
        return false
      }
      if Self.signs.contains(before), before != "+" { return false }
    }
    guard range.upperBound < text.count else { return true }
    let after = text[range.upperBound]
    if after.isLetter || after.isNumber || "_/^".contains(after) { return false }
    if Self.signs.contains(after) { return after == "+" && isDigit(range.upperBound + 1) }
    return after != ":" || !isDigit(range.upperBound + 1)
  }

  /// Whether it is an index (`a[0]`), an argument (`f(x, 1)`) or an issue's number (`#7`).
  private func isInCode(_ start: Int) -> Bool {
    let lead = text[..<start].suffix(60)
    if lead.last == "#" { return lead.dropLast().last != "#" }
    if lead.last == "[" { return lead.dropLast().last.map { $0.isLetter || $0.isNumber || "_]".contains($0) } ?? false }
    var depth = 0
    for place in lead.indices.reversed() {
      switch text[place] {
      case "\n": return false
      case ")": depth += 1
      case "(" where depth > 0: depth -= 1
      case "(": return place > 0 && (text[place - 1].isLetter || text[place - 1] == "_")
      default: break
      }
    }
    return false
  }

  /// Whether a colon before a number ends a word (`answer:42`) rather than an hour.
  private func isLabelEnd(_ place: Int) -> Bool {
    text[place] == ":" && (place == 0 || !text[place - 1].isNumber)
  }

  /// Whether it counts the lines of a list: `1. a`, `2) b`.
  private func numbersALine(_ range: Range<Int>) -> Bool {
    guard text[..<range.lowerBound].last(where: { $0 != " " })?.isNewline ?? true else { return false }
    let rest = text[range.upperBound...].prefix(3)
    return rest.count == 3 && (rest.first == "." || rest.first == ")") && rest.dropFirst().first == " "
  }

  /// Whether it is the number of a thing rather than how many there are: `Example 1`, `Model 2 B`, `123 Main St`.
  private func isPartOfAName(_ range: Range<Int>) -> Bool {
    let following = capitalizedWords(behind: range.upperBound)
    if following > 1 { return true }
    let place = wordBefore(range.lowerBound)
    let word = original[place]
    guard let first = word.first, first.isLetter else { return false }
    if Self.introductions.contains(String(text[place])) { return false }
    if first.isUppercase, word.contains(where: \.isLowercase) || following > 0 { return true }
    // A noun behind it is what is counted: `ate 3 apples`.
    return !original[range.upperBound...].prefix(2).contains { $0.isLetter || "%$€£¥°".contains($0) }
  }

  /// How many words in title case follow directly, up to two.
  private func capitalizedWords(behind end: Int) -> Int {
    var words = original[end...].prefix(60).split(separator: " ", omittingEmptySubsequences: false)[...]
    guard words.popFirst()?.isEmpty == true else { return 0 }
    return words.prefix(2).prefix { $0.first?.isUppercase == true && $0.dropFirst().first?.isLowercase == true }.count
  }

  /// The word that only spaces part from a number.
  private func wordBefore(_ number: Int) -> Range<Int> {
    var end = number
    while end > 0, text[end - 1] == " " || "*_`\"'".contains(text[end - 1]) { end -= 1 }
    var start = end
    while start > 0, number - start < 40, text[start - 1].isLetter || text[start - 1].isNumber { start -= 1 }
    return start..<end
  }

  /// Words behind which a number at the end of a sentence is a value.
  private static let introductions: Set<String> = Set(
    """
    is are was were be being been equals equal as to of at in by with about approximately approx around roughly
    exactly nearly almost only just precisely currently now a an the answer result total sum count number value
    score rating grade rank rate rated level label class category option choice confidence probability difference
    product average mean say says said give gives gave given get gets got have has had make makes made yield yields
    cost costs return returns returned output outputs remain remains contain contains think believe guess estimate
    predict choose pick select and or plus times minus need needs needed pay pays paid earn earns earned spend spent
    sold bought ate used leave leaves usd eur gbp int integer float so then therefore thus hence i we it there left
    """.split(whereSeparator: \.isWhitespace).map(String.init))

  /// Whether what follows makes another number of it: `%`, `million`.
  private func isScaled(behind end: Int) -> Bool {
    let rest = text[end...].drop { $0 == " " }
    if rest.first == "%" { return !wholeOnly }
    let word = String(rest.prefix(12).prefix { $0.isLetter })
    return Self.scales.contains(word) || (word == "percent" && !wholeOnly)
  }

  private static let scales: Set<String> = [
    "hundred", "thousand", "million", "billion", "trillion", "dozen", "k", "m", "bn", "mn", "millions", "billions",
    "thousands", "hundreds",
  ]

  /// Whether the word before says that it is not this number.
  private func isQualified(before start: Int) -> Bool {
    let words = text[..<start].suffix(20).reversed().drop { " *_`\"'(:".contains($0) }
    if let sign = words.first, "<≤≥".contains(sign) || (sign == ">" && words.dropFirst().first == " ") {
      return true
    }
    let word = String(words.prefix { $0.isLetter || $0 == "'" || $0 == "’" }.reversed())
    if String(text[..<start].suffix(40)).contains("than or equal to") { return true }
    return Self.qualifiers.contains(word) || word.hasSuffix("n't") || word.hasSuffix("n’t")
  }

  private static let qualifiers: Set<String> = ["not", "no", "never", "than", "least", "most", "minus", "negative"]

  /// Whether words between two numbers bind them: `3 or 4`, `6 * 7`, `8 out of 10`, `1, 2`.
  private func isLinked(_ gap: Range<Int>) -> Bool {
    guard gap.count <= 12 else { return false }
    return Self.links.contains(String(text[gap].filter { !$0.isWhitespace && !"*`\"'$€£¥".contains($0) }))
  }

  private static let links: Set<String> = [
    "", "-", "\u{2212}", "or", "and", "to", "outof", "of", "through", "±", ",", ",or", ",and", "x", "×", "/", "&",
    "|", ";", "+", "÷",
  ]

  private func cue(before start: Int, behind previous: Int) -> Cue? {
    let lead = text[previous..<start].suffix(40)
    var end = lead.endIndex
    while end > lead.startIndex, lead[end - 1].isWhitespace || ":*_`\"'($\\[{".contains(lead[end - 1]) { end -= 1 }
    let words = String(lead[..<end])
    if Self.answers.contains(where: words.hasSuffix) { return .answer }
    return words.hasSuffix("=") || words.hasSuffix(" equals") ? .equals : nil
  }

  private static let answers = [
    "answer is", "answer", "answer would be", "answer should be", "answer =", "answer is approximately",
    "answer is about", "####", "boxed",
  ]
}

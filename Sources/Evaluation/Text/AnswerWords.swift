import Basics

/// Cuts an answer into what is compared: its words, numbers and the signs that carry meaning, folded (`foldedText`).
///
/// What is left out, since people write it or not as they like: quotes, full stops, commas and the like between words and
/// at the end, brackets around a part that stands apart, bullets, `**emphasis**`, and an article before a word. What
/// stays: signs and decimal points of numbers (`-5`, `3.5`), operators (`x > 0`), units and currencies (`50%`, `$5`), and
/// signs that belong to a name (`C++`, `C#`, `.NET`). Thousands lose their commas. Scripts without spaces give a word a
/// character. A text of nothing but what would be left out stays as it is, so that `?` is not `!`.
struct AnswerWords {
  /// What a hyphen or underscore within a word does: people write `e-mail` as `email`, and `well-known` as `well known`.
  enum Hyphens: CaseIterable { case part, join }

  private struct Token {
    var text: String.UnicodeScalarView
    var isSign = false
    /// Whether something that parts sentences or the items of a list stands before it.
    var isParted = false
    /// Where it ends in the text.
    var end: Int
  }

  private let scalars: [Unicode.Scalar]
  private let hyphens: Hyphens
  /// Brackets and marks of emphasis that say nothing.
  private let asides: Set<Int>
  private var tokens: [Token] = []
  private var position = 0
  private var isParted = false

  /// - Parameter keepsArticles: whether `a`, `an` and `the` stay.
  static func of(_ text: String, hyphens: Hyphens = .part, keepsArticles: Bool = false) -> [String] {
    let scalars = foldedText(text)
    var scanner = AnswerWords(scalars, hyphens)
    scanner.scan()
    let words = keepsArticles ? scanner.tokens.map { String($0.text) } : scanner.withoutArticles
    if !words.isEmpty { return words }
    let rest = scalars.filter { !PythonText.isSpace($0) }
    return rest.isEmpty ? [] : [String(String.UnicodeScalarView(rest))]
  }

  private init(_ scalars: [Unicode.Scalar], _ hyphens: Hyphens) {
    self.scalars = scalars
    self.hyphens = hyphens
    asides = TextAsides.places(in: scalars)
  }

  /// An article stands before a word: the A of `type A` and of `A, C` is none.
  private var withoutArticles: [String] {
    tokens.indices.compactMap { index in
      let token = tokens[index]
      let text = String(token.text)
      guard ["a", "an", "the"].contains(text), index + 1 < tokens.count, isSpace(token.end) else { return text }
      let next = tokens[index + 1]
      return next.isSign || next.isParted ? text : nil
    }
  }

  // MARK: Looking

  private func at(_ index: Int) -> Unicode.Scalar? { scalars.indices.contains(index) ? scalars[index] : nil }
  private func isDigit(_ index: Int) -> Bool { at(index).map { ("0"..."9").contains($0) } ?? false }
  private func isSpace(_ index: Int) -> Bool { at(index).map(PythonText.isSpace) ?? false }
  private func isOfWord(_ index: Int) -> Bool { at(index).map(PythonText.isAlphanumeric) ?? false }
  private func isMark(_ index: Int) -> Bool {
    switch at(index)?.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: true
    default: false
    }
  }
  /// Whether a number begins here, be it with its point.
  private func isNumber(_ index: Int) -> Bool { isDigit(index) || (at(index) == "." && isDigit(index + 1)) }
  private func isAfterWord(_ index: Int) -> Bool { isOfWord(index - 1) || isMark(index - 1) }
  /// Whether the line begins here.
  private func isLineStart(_ index: Int) -> Bool {
    var place = index - 1
    while place >= 0, isSpace(place), scalars[place] != "\n" { place -= 1 }
    return place < 0 || scalars[place] == "\n"
  }

  /// The letters and digits that stand next to a place: on its left, or from it on.
  private func run(before index: Int) -> ArraySlice<Unicode.Scalar> {
    var start = index
    while start > 0, isOfWord(start - 1) { start -= 1 }
    return scalars[start..<index]
  }
  private func run(from index: Int) -> ArraySlice<Unicode.Scalar> {
    var end = index
    while isOfWord(end) { end += 1 }
    return scalars[min(index, end)..<end]
  }

  /// Whether these are a number or one letter, as the sides of a difference or a range are.
  private func isOperand(_ run: ArraySlice<Unicode.Scalar>) -> Bool {
    run.count == 1 || (!run.isEmpty && run.allSatisfy { ("0"..."9").contains($0) })
  }

  // MARK: Scanning

  private mutating func scan() {
    while position < scalars.count {
      if isSpace(position) {
        position += 1
      } else if asides.contains(position) {
        position += 1
      } else if isOfWord(position) {
        readWord()
      } else if isMark(position) {
        if let last = tokens.indices.last, tokens[last].end == position {
          tokens[last].text.append(scalars[position])
          tokens[last].end = position + 1
        } else {
          add([scalars[position]], isSign: false)
        }
        position += 1
      } else {
        readSign()
      }
    }
  }

  private mutating func add(_ text: [Unicode.Scalar], isSign: Bool = true, end: Int? = nil) {
    tokens.append(
      Token(
        text: String.UnicodeScalarView(text), isSign: isSign, isParted: isParted, end: end ?? position + text.count))
    isParted = false
  }

  private mutating func part() {
    isParted = true
    position += 1
  }

  private mutating func sign() {
    add([scalars[position]])
    position += 1
  }

  /// Reads a word or number, with what stands within it.
  private mutating func readWord(after prefix: [Unicode.Scalar] = []) {
    var text = prefix
    if isWrittenWithoutSpaces(scalars[position]), prefix.isEmpty {
      text.append(scalars[position])
      position += 1
      while isMark(position) {
        text.append(scalars[position])
        position += 1
      }
      return add(text, isSign: false, end: position)
    }
    var thousands = position..<position
    while let scalar = at(position) {
      if isOfWord(position) {
        if isWrittenWithoutSpaces(scalar) { break }
        if isDigit(position), !isDigit(position - 1), position >= thousands.upperBound {
          thousands = thousandsGroups(from: position)
        }
        text.append(scalar)
      } else if isMark(position) {
        text.append(scalar)
      } else if scalar == ".", isDigit(position - 1), isDigit(position + 1) {
        text.append(scalar)
      } else if !joinsWord(scalar, thousands) {
        break
      }
      position += 1
    }
    add(text, isSign: false, end: position)
  }

  /// Whether a word goes on behind a sign within it, which is left out.
  private func joinsWord(_ scalar: Unicode.Scalar, _ thousands: Range<Int>) -> Bool {
    guard isOfWord(position + 1), !isWrittenWithoutSpaces(scalars[position + 1]) else { return false }
    let isBetweenDigits = isDigit(position - 1) && isDigit(position + 1)
    switch scalar {
    case "'", "\"": return !isBetweenDigits
    case ".": return !isDigit(position - 1) && !isDigit(position + 1)
    case ",": return thousands.contains(position)
    case "-": return hyphens == .join && !isMinus(position)
    case "_": return hyphens == .join
    default: return false
    }
  }

  /// Up to where a number has its thousands in groups of three behind commas; nothing where it has none.
  private func thousandsGroups(from start: Int) -> Range<Int> {
    var end = start
    while isDigit(end) { end += 1 }
    guard end - start <= 3, at(start - 1) != ".", !(at(start - 1) == "," && isDigit(start - 2)) else {
      return start..<start
    }
    let first = end
    while at(end) == ",", isDigit(end + 1), isDigit(end + 2), isDigit(end + 3), !isDigit(end + 4) { end += 4 }
    return end > first && !(at(end) == "," && isDigit(end + 1)) ? start..<end : start..<start
  }

  /// Whether a hyphen between letters and digits is a minus or a range: `5-3`, `x-3`, but not `COVID-19`.
  private func isMinus(_ index: Int) -> Bool { isOperand(run(before: index)) && isOperand(run(from: index + 1)) }

  // MARK: Signs

  private mutating func readSign() {
    let scalar = scalars[position]
    let (isAfterWord, isBeforeWord) = (isAfterWord(position), isOfWord(position + 1))
    switch scalar {
    case "'", "\"":
      if isDigit(position - 1), isDigit(position + 1) { return sign() }
      position += 1
    case "-": readDash()
    case "—": isDigit(position - 1) && isDigit(position + 1) ? readMinus() : part()
    case "+": readPlus()
    case "#", "*": readSignOfName()
    case "_": position += 1
    case ".": readPoint()
    case ":": isDigit(position - 1) && isDigit(position + 1) ? sign() : part()
    case "!": at(position + 1) == "=" || (!isAfterWord && isBeforeWord) ? sign() : part()
    case "%", "/", "\\", "&", "@": sign()
    case "(", ")", "[", "]", "{", "}": sign()
    case "®", "™", "©", "℠", "·": position += 1
    default:
      switch scalar.properties.generalCategory {
      case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
        .finalPunctuation, .otherPunctuation:
        part()
      case .otherSymbol where isLineStart(position) && isSpace(position + 1): part()
      default: sign()
      }
    }
  }

  /// A minus sign, whatever dash is written for it.
  private mutating func readMinus() {
    add(["-"])
    position += 1
  }

  private mutating func readDash() {
    let next = position + 1
    if isAfterWord(position) {
      if isOfWord(next) {
        // Else the hyphen parts two words.
        if isMinus(position) { return sign() }
        position += 1
      } else if isNumber(next) || isOperand(run(before: position)) && isOperand(operand(from: next)) {
        sign()
      } else if (1...2).contains(run(before: position).count), !isDigit(position - 1), endsWord(next) {
        addToLast(["-"])
      } else {
        part()
      }
      return
    }
    if isNumber(next) { return readNumber("-") }
    if isSpace(next) || next >= scalars.count {
      let following = operand(from: next)
      if tokens.isEmpty, isDigit(following.startIndex), !following.isEmpty {
        position = following.startIndex
        return readWord(after: ["-"])
      }
      return isOperand(following) && endsInOperand ? sign() : part()
    }
    // `-x`, `--flag`, `-$5`; a line of dashes says nothing.
    var behind = next
    while at(behind) == "-" { behind += 1 }
    let isSign = behind < scalars.count && !isSpace(behind) && behind - position <= 2
    if isSign { add(Array(scalars[position..<behind])) } else { isParted = true }
    position = behind
  }

  private mutating func readPlus() {
    !isAfterWord(position) && isNumber(position + 1) ? readNumber("+") : readSignOfName()
  }

  /// A sign before a number, as a part of it.
  private mutating func readNumber(_ sign: Unicode.Scalar) {
    position += 1
    if at(position) == "." {
      position += 1
      return readWord(after: [sign, "0", "."])
    }
    readWord(after: [sign])
  }

  /// Signs that end a name (`C++`, `C#`, `A*`); elsewhere they stand by themselves, but for bullets and headings.
  private mutating func readSignOfName() {
    let start = position
    var end = start
    while at(end) == scalars[start] { end += 1 }
    if isAfterWord(start), endsWord(end) { return addToLast(Array(scalars[start..<end])) }
    if scalars[start] != "+", isLineStart(start), isSpace(end) {
      position = end
      isParted = true
      return
    }
    add(Array(scalars[start..<end]))
    position = end
  }

  private mutating func addToLast(_ signs: [Unicode.Scalar]) {
    if let last = tokens.indices.last, tokens[last].end == position {
      tokens[last].text.append(contentsOf: signs)
      tokens[last].end += signs.count
    } else {
      add(signs)
    }
    position += signs.count
  }

  private mutating func readPoint() {
    if isDigit(position + 1), !isAfterWord(position), at(position - 1) != "." {
      position += 1
      return readWord(after: ["0", "."])
    }
    let begins = position == 0 || isSpace(position - 1) || "([{\"'".unicodeScalars.contains(scalars[position - 1])
    begins && isOfWord(position + 1) ? sign() : part()
  }

  /// Whether nothing of the same word follows.
  private func endsWord(_ index: Int) -> Bool {
    at(index).map { PythonText.isSpace($0) || ".,;:!?\"')]}/".unicodeScalars.contains($0) } ?? true
  }

  /// What stands behind the spaces that follow, up to the next sign.
  private func operand(from index: Int) -> ArraySlice<Unicode.Scalar> {
    var start = index
    while isSpace(start), scalars[start] != "\n" { start += 1 }
    return run(from: min(start, scalars.count))
  }

  /// Whether the last word is a number or one letter, with nothing but spaces behind it.
  private var endsInOperand: Bool {
    guard let last = tokens.last, !last.isSign, !isParted else { return false }
    return scalars[last.end..<position].allSatisfy(PythonText.isSpace) && isOperand(run(before: last.end))
  }
}

import JSON

/// Finds which of a few labels a text names: `Positive.`, `Label: positive`, `card arrival issue`.
///
/// The label is the whole text, in other letters or with punctuation; else what a line states (`The answer is
/// x`); else the one label that occurs in the text in whole words. A text that names two is refused, and so is
/// one that says "not" before a label.
struct LabelReading {
  private struct Label {
    var text: String
    var words: [String]
    var value: JSONValue
  }

  private var labels: [Label] = []
  /// Whether a label has signs that tell it from others (`C++`): then it is not looked for among words.
  private var hasSigns = false

  private init(_ labels: some Sequence<(text: String, value: JSONValue)>) {
    var seen: [String: JSONValue] = [:]
    for (text, value) in labels {
      let words = Self.words(of: text)
      if let other = seen.updateValue(value, forKey: words.joined(separator: " ")), other != value { hasSigns = true }
      // Of `Billing & Payments` the words say enough; of `C#` and `>50K` the sign does.
      let isSaidBySigns = text.contains { !Self.isOrdinary($0) } && words.count < 2 && (words.first?.count ?? 0) < 5
      if words.isEmpty || isSaidBySigns { hasSigns = true }
      self.labels.append(Label(text: text.lowercased(), words: words, value: value))
    }
  }

  /// The value of a `Literal` that a text names.
  static func literal(_ text: String, among values: [JSONValue]) -> FieldReading? {
    if let exact = exact(text, among: values) { return exact }
    let plain = LenientJSON.unfenced(text).trimmed
    if plain != text, let exact = exact(plain, among: values) { return exact }
    // Numbers have signs and points that words do without.
    if values.allSatisfy({ $0.intValue != nil }) {
      guard case .success(let number) = FieldType.int.parse(plain) else { return nil }
      return values.first { $0.intValue == number.intValue }.map { FieldReading($0, isRepaired: true) }
    }
    let labels = values.compactMap { value -> (text: String, value: JSONValue)? in
      switch value {
      case .string(let option): (option, value)
      case .bool(let flag): (flag ? "true" : "false", value)
      case .null: nil
      default: (value.text(), value)
      }
    }
    if LenientJSON.isRecord(plain) { return nil }
    return LabelReading(labels).find(plain).map { FieldReading($0, isRepaired: true) }
  }

  /// The label that a short text comes closest to: it has words of that one and of no other (`cancel_account` for
  /// `close_account`). A guess, for where asking again has brought no better.
  static func closest(_ text: String, among values: [JSONValue]) -> JSONValue? {
    let said = Set(words(of: text).map(stem))
    guard (1...8).contains(said.count), !said.contains(where: isNegation) else { return nil }
    let labels = values.compactMap { value in value.stringValue.map { (value, Set(words(of: $0).map(stem))) } }
    let near = labels.filter { !$0.1.isDisjoint(with: said) }
    guard near.count == 1 else { return nil }
    return near[0].0
  }

  /// The literal that a text is but for letters' case and punctuation, as an element of a list is.
  static func element(_ text: String, among values: [JSONValue]) -> JSONValue? {
    if let exact = exact(text, among: values) { return exact.value }
    let labels = values.compactMap { value in value.stringValue.map { (text: $0, value: value) } }
    return LabelReading(labels).whole(text)
  }

  static func bool(_ text: String) -> FieldReading? {
    let plain = text.unquoted.lowercased()
    if let flag = flags[plain] { return FieldReading(.bool(flag)) }
    if setsAnArgument(plain) || LenientJSON.isRecord(text) { return nil }
    // `No` is a word of many sentences; as an answer it ends one or begins one.
    let labels = LabelReading(["true", "yes", "false", "no"].map { ($0, .bool($0 == "true" || $0 == "yes")) })
    return labels.find(text).map { FieldReading($0, isRepaired: true) }
  }

  /// Whether a text is of code that sets something else: `f(x, strict=True)`.
  private static func setsAnArgument(_ text: String) -> Bool {
    ["=true", "=false"].contains { value in
      guard let range = text.firstRange(of: value) else { return false }
      // `is_valid=true` is an answer.
      return range.upperBound < text.endIndex || text[..<range.lowerBound].contains { !isOfWord($0) && $0 != "_" }
    }
  }

  /// A flag as JSON or Python write it, or as people abbreviate it.
  static func exactBool(_ text: String) -> JSONValue? { flags[text.unquoted.lowercased()].map(JSONValue.bool) }

  private static let flags: [String: Bool] = [
    "true": true, "yes": true, "1": true, "1.0": true, "t": true, "y": true, "on": true,
    "false": false, "no": false, "0": false, "0.0": false, "f": false, "n": false, "off": false,
  ]

  /// The literal that a text is, be it quoted or written out as `Literal['x']`.
  private static func exact(_ text: String, among values: [JSONValue]) -> FieldReading? {
    func find(_ plain: String) -> JSONValue? {
      values.first { value in
        switch value {
        case .string(let option): option == plain
        case .bool(let flag): plain.lowercased() == (flag ? "true" : "false")
        case .null: plain == "None" || plain == "null"
        default: value.text() == plain
        }
      }
    }
    if let value = find(text) ?? find(text.unquoted) { return FieldReading(value) }
    for opening in ["Literal[", "str["] where text.hasPrefix(opening) && text.hasSuffix("]") {
      return find(String(text.dropFirst(opening.count).dropLast()).trimmed.unquoted).map {
        FieldReading($0, isRepaired: true)
      }
    }
    return nil
  }

  // MARK: Near labels

  private func find(_ text: String) -> JSONValue? {
    guard text.utf8.count <= 10_000 else { return nil }
    if let value = whole(text) { return value }
    if hasSigns { return nil }
    var stated: JSONValue?
    for line in text.split(whereSeparator: \.isNewline) {
      guard let value = whole(String(line)) ?? statement(line) else { continue }
      if let stated, stated != value { return nil }
      stated = value
    }
    if let stated { return stated }
    let tokens = Self.tokens(Array(text))
    return isNamed(in: tokens) ? onlyMention(in: text, tokens) : onlyParaphrase(in: text, tokens)
  }

  /// Whether any label stands in the text in its own words.
  private func isNamed(in tokens: [Token]) -> Bool {
    tokens.indices.contains { label(at: $0, of: tokens, reachingTheEnd: false) != nil }
  }

  /// The one label all of whose words are in a text that has no label as it is written: in other forms (`exchange rates`
  /// for `exchange_rate`) or with others between them (`close an account`). A question, and a text that denies anything,
  /// say none.
  private func onlyParaphrase(in text: String, _ tokens: [Token]) -> JSONValue? {
    guard !text.contains("?"), !tokens.contains(where: { Self.isNegation($0.word) }) else { return nil }
    let said = Set(tokens.map { Self.stem($0.word) })
    let found = labels.filter { label in
      (label.words.count > 1 || label.words[0].count > 4) && label.words.allSatisfy { said.contains(Self.stem($0)) }
    }
    // `lost card arrival` is no case of `lost card`.
    let widest = found.map(\.words.count).max() ?? 0
    let main = found.filter { $0.words.count == widest }
    let words = Set(main.first?.words ?? [])
    guard found.allSatisfy({ words.isSuperset(of: $0.words) }) else { return nil }
    return only(main)
  }

  /// A word without the endings of English inflection.
  private static func stem(_ word: String) -> String {
    var stem = word
    for ending in ["ing", "ed", "es", "s"] where stem.hasSuffix(ending) && stem.count - ending.count >= 3 {
      stem.removeLast(ending.count)
      break
    }
    if stem.hasSuffix("e"), stem.count > 3 { stem.removeLast() }
    if stem.hasSuffix("i") { stem = stem.dropLast() + "y" }
    if let last = stem.last, stem.count > 4, stem.dropLast().last == last { stem.removeLast() }
    return stem
  }

  /// The label that a text is, letters' case, punctuation around it, and `_`, `-` and spaces aside.
  private func whole(_ text: String) -> JSONValue? {
    guard text.utf8.count <= 1_000 else { return nil }
    if hasSigns {
      var plain = text.lowercased().unquoted
      if let last = plain.last, ".!,;".contains(last) { plain = String(plain.dropLast()).unquoted }
      return only(labels.filter { $0.text == plain })
    }
    guard let first = text.firstIndex(where: Self.isOfWord), let last = text.lastIndex(where: Self.isOfWord) else {
      return nil
    }
    // Signs tell `-1` from 1 and `C++` from C.
    if text[..<first].contains("-"), !text.hasPrefix("- ") { return nil }
    if text[last...].contains(where: { "+#&@%$=".contains($0) }) { return nil }
    let words = Self.words(of: text)
    return only(labels.filter { $0.words == words })
  }

  private func only(_ found: [Label]) -> JSONValue? {
    guard let first = found.first, found.allSatisfy({ $0.value == first.value }) else { return nil }
    return first.value
  }

  /// The label at the end of a line that states it: `Label: x`, `The answer is x.`
  private func statement(_ line: Substring) -> JSONValue? {
    let tokens = Self.tokens(Array(line))
    for start in tokens.indices.dropFirst() {
      guard let label = label(at: start, of: tokens, reachingTheEnd: true) else { continue }
      let lead = tokens[..<start]
      let isStated =
        tokens[start].gap.contains { ":=→>".contains($0) } || ["is", "be"].contains(tokens[start - 1].word)
      guard isStated, lead.count <= 6, !lead.contains(where: { Self.isNegation($0.word) }),
        !lead.indices.contains(where: { names(another: label.value, at: $0, of: tokens) })
      else { continue }
      return label.value
    }
    return nil
  }

  private func names(another value: JSONValue, at place: Int, of tokens: [Token]) -> Bool {
    guard let label = label(at: place, of: tokens, reachingTheEnd: false), label.value != value else { return false }
    return label.words.count > 1 || label.words[0].count > 1
  }

  /// The one label that a text names in whole words. A question names none.
  private func onlyMention(in text: String, _ tokens: [Token]) -> JSONValue? {
    guard !text.contains("?") else { return nil }
    var found: JSONValue?
    var passedOver: [JSONValue] = []
    var place = 0
    var free = 0
    while place < tokens.count {
      guard let label = label(at: place, of: tokens, reachingTheEnd: false) else {
        place += 1
        continue
      }
      let end = place + label.words.count
      if isLikeAWordOfASentence(label, tokens[place..<end], next: end < tokens.count ? tokens[end] : nil) {
        if label.words[0].count > 1 || tokens[place].isCapital { passedOver.append(label.value) }
        place += 1
        continue
      }
      var before = place
      while before > free, place - before < 3, tokens[before].isInOneClause {
        before -= 1
        if Self.isNegation(tokens[before].word) { return nil }
      }
      if let found, found != label.value { return nil }
      found = label.value
      place = end
      free = end
    }
    guard passedOver.allSatisfy({ $0 == found }) else { return nil }
    return found
  }

  /// The longest label whose words begin at a token.
  private func label(at start: Int, of tokens: [Token], reachingTheEnd: Bool) -> Label? {
    var best: Label?
    for label in labels where label.words.count > best?.words.count ?? 0 {
      let end = start + label.words.count
      guard end <= tokens.count, !reachingTheEnd || end == tokens.count,
        zip(label.words, tokens[start..<end]).allSatisfy({ $0 == $1.word }),
        tokens[start..<end].dropFirst().allSatisfy(\.isBound), !tokens[end - 1].hasSign
      else { continue }
      best = label
    }
    return best
  }

  /// Whether a short label (`A`, `no`, `it`) may be a mere word here: it counts where a sentence ends behind it.
  private func isLikeAWordOfASentence(_ label: Label, _ tokens: ArraySlice<Token>, next: Token?) -> Bool {
    guard label.words.count == 1, label.words[0].count <= 3 else { return false }
    if label.words[0].count == 1, tokens.first?.isCapital != true { return true }
    // A sentence may go on in the next line.
    return next.map { $0.isBound || (!$0.isCapital && $0.gap.allSatisfy(\.isWhitespace)) } ?? false
  }

  // MARK: Words

  private struct Token {
    var word: String
    /// What stands between the word before and this one.
    var gap: String
    /// Whether only spaces, `_` or `-` part it from the word before.
    var isBound: Bool
    /// Whether nothing parts it from the word before that ends a clause.
    var isInOneClause: Bool { gap.allSatisfy { " \t_-:*`\"'“”‘’([{".contains($0) } }
    var isCapital: Bool
    /// Whether a sign follows that makes another word of it: `C++`, `10%`.
    var hasSign: Bool
  }

  private static func tokens(_ text: [Character]) -> [Token] {
    var tokens: [Token] = []
    var gap = ""
    var place = 0
    while place < text.count {
      let start = place
      while place < text.count, isOfWord(text[place]), place > start || !isApostrophe(text[place]) { place += 1 }
      // At the end it is a quote.
      while place > start, isApostrophe(text[place - 1]) { place -= 1 }
      guard place > start else {
        gap.append(text[place])
        place += 1
        continue
      }
      let isBound = !tokens.isEmpty && !gap.isEmpty && gap.allSatisfy { " \t_-".contains($0) }
      let word = String(text[start..<place])
      tokens.append(
        Token(
          word: word.lowercased(), gap: gap, isBound: isBound, isCapital: text[start].isUppercase,
          hasSign: place < text.count && "+#%&@".contains(text[place])))
      gap = ""
    }
    return tokens
  }

  private static func words(of text: String) -> [String] {
    guard text.utf8.count <= 1_000 else { return [] }
    return tokens(Array(text)).map(\.word)
  }

  private static func isOfWord(_ character: Character) -> Bool {
    character.isLetter || character.isNumber || isApostrophe(character)
  }

  private static func isApostrophe(_ character: Character) -> Bool { character == "'" || character == "’" }

  private static func isOrdinary(_ character: Character) -> Bool {
    isOfWord(character) || character == " " || character == "_" || character == "-"
  }

  private static func isNegation(_ word: String) -> Bool {
    negations.contains(word) || word.hasSuffix("n't") || word.hasSuffix("n’t")
  }

  private static let negations: Set<String> = ["not", "no", "never", "non", "neither", "nor", "cannot", "without"]
}

import Programs

/// Tells a proposed instruction from what models write when they cannot write one: pieces of the prompt, marks of its
/// layout, loops, another script.
struct ProposalGate {
  /// What the model was shown and must not give back: its own task, hints, data.
  let shown: [String]
  /// Texts whose script the proposal is to share: the instruction in use, the data.
  let kin: [String]

  /// - Returns: the instruction without quotes, marks and labels around it; or why it is none, in words that follow
  ///   "it".
  func check(_ proposal: String) -> Result<String, Refusal> {
    let text = Self.cleaned(proposal)
    let words = text.lowercased().split { !$0.isLetter && !$0.isNumber }
    guard words.count(where: { $0.contains(where: \.isLetter) }) >= 2 || (Self.isDense(text) && text.count >= 4) else {
      return .failure(Refusal(reason: text.isEmpty ? "was empty" : "had no words"))
    }
    if text.contains("[[ ##") || text.contains("## ]]") || text.contains("${") {
      return .failure(Refusal(reason: "kept marks of the prompt's layout"))
    }
    if words.count >= 40, Set(words).count * 5 < words.count {
      return .failure(Refusal(reason: "went round in circles"))
    }
    if let other = foreignScript(text) { return .failure(Refusal(reason: "was written in \(other)")) }
    if copies(words) { return .failure(Refusal(reason: "copied the prompt")) }
    return .success(text)
  }

  struct Refusal: Error, Sendable, Hashable { var reason: String }

  // MARK: Copies

  /// Whether most of the text stands, five words at a time, in what was shown.
  private func copies(_ words: [Substring]) -> Bool {
    let size = min(5, words.count)
    func runs(_ words: [Substring]) -> [ArraySlice<Substring>] {
      words.count < size ? [] : (0...(words.count - size)).map { words[$0..<($0 + size)] }
    }
    let own = runs(words)
    guard !own.isEmpty else { return false }
    return shown.contains { text in
      let known = Set(runs(text.lowercased().split { !$0.isLetter && !$0.isNumber }))
      return own.count { known.contains($0) } * 10 > own.count * 6
    }
  }

  // MARK: Scripts

  private enum Script: String, CaseIterable {
    case latin = "Latin letters"
    case cyrillic = "Cyrillic letters"
    case greek = "Greek letters"
    case arabic = "Arabic letters"
    case hebrew = "Hebrew letters"
    case indic = "Indic letters"
    case kana = "Japanese"
    case han = "Chinese characters"
    case hangul = "Korean"
    case thai = "Thai letters"

    init?(_ scalar: Unicode.Scalar) {
      guard scalar.properties.isAlphabetic else { return nil }
      switch scalar.value {
      case 0x41...0x24F, 0x1E00...0x1EFF: self = .latin
      case 0x370...0x3FF, 0x1F00...0x1FFF: self = .greek
      case 0x400...0x52F: self = .cyrillic
      case 0x590...0x5FF: self = .hebrew
      case 0x600...0x77F, 0x8A0...0x8FF: self = .arabic
      case 0x900...0xDFF: self = .indic
      case 0xE00...0xE7F: self = .thai
      case 0x3040...0x30FF: self = .kana
      case 0x3400...0x9FFF, 0xF900...0xFAFF, 0x20000...0x3FFFF: self = .han
      case 0x1100...0x11FF, 0xAC00...0xD7AF: self = .hangul
      default: return nil
      }
    }
  }

  /// The script that most of the text is in, if its kin has none of it.
  private func foreignScript(_ text: String) -> String? {
    func counts(_ text: some StringProtocol) -> [Script: Int] {
      text.unicodeScalars.prefix(20_000).reduce(into: [:]) { counts, scalar in
        if let script = Script(scalar) { counts[script, default: 0] += 1 }
      }
    }
    let own = counts(text)
    let order = Script.allCases.filter { own[$0] != nil }
    guard let main = order.max(by: { own[$0, default: 0] < own[$1, default: 0] }) else { return nil }
    let known = kin.map { counts($0) }
    guard known.contains(where: { !$0.isEmpty }) else { return nil }
    return known.contains { $0[main, default: 0] > 0 } ? nil : main.rawValue
  }

  /// Whether the text is of a script that writes no spaces between words.
  private static func isDense(_ text: String) -> Bool {
    text.unicodeScalars.contains { scalar in
      switch Script(scalar) {
      case .han?, .kana?, .thai?, .hangul?: true
      default: false
      }
    }
  }

  // MARK: Cleaning

  /// A proposal without quotes, fences or a label like "Instruction:" around it, and without what a model writes on
  /// after it.
  static func cleaned(_ proposal: String) -> String {
    var text = LenientJSON.unfenced(proposal).trimmed
    // What stands behind the layout's marks belongs to the next section, or to nothing.
    for mark in ["[[ ##", "</proposed_instruction>", "<|"] {
      if let found = text.firstRange(of: mark), found.lowerBound > text.startIndex {
        text = String(text[..<found.lowerBound]).trimmed
      }
    }
    if let colon = text.firstIndex(of: ":") {
      let label = text[..<colon]
      let words = label.split { $0 == " " || $0 == "_" }
      if words.count <= 4, !label.contains("\n"), words.last.map({ $0.lowercased().hasPrefix("instruction") }) == true {
        text = String(text[text.index(after: colon)...]).trimmed
      }
    }
    for quote: Character in ["\"", "'", "`"] {
      guard let inner = inside(text, quote) else { continue }
      text = inner
    }
    return String(text.prefix(20_000))
  }

  /// The text without a quote at both ends, or without one that was opened and never closed.
  private static func inside(_ text: String, _ quote: Character) -> String? {
    let count = text.count { $0 == quote }
    // Quotes that open and close several times belong to the text.
    if text.count >= 2, text.first == quote, text.last == quote, count == 2 {
      return String(text.dropFirst().dropLast()).trimmed
    }
    guard count == 1, quote == "\"" else { return nil }
    if text.first == quote { return String(text.dropFirst()).trimmed }
    return text.last == quote ? String(text.dropLast()).trimmed : nil
  }
}

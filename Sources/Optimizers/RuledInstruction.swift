import Programs

/// An instruction with rules below it that can be added and taken away one by one.
struct RuledInstruction: Sendable, Hashable {
  var base: String
  var rules: [String] = []

  /// The instruction as the model is to follow it.
  var text: String {
    guard !rules.isEmpty else { return base }
    let list = "Keep to these rules:\n" + rules.map { "- \($0)" }.joined(separator: "\n")
    return base.isEmpty ? list : "\(base)\n\n\(list)"
  }

  /// The rules in a text: its lines without marks and numbers before them, or, where all stands on one line, its
  /// sentences; each once, `most` of them.
  static func rules(in text: String, most: Int) -> [String] {
    var pieces = text.split(whereSeparator: \.isNewline).map { bare($0) }.filter { !$0.isEmpty }
    if pieces.count == 1 { pieces = sentences(pieces[0]) }
    var seen: Set<String> = []
    // What announces the list is no rule.
    return Array(
      pieces.filter { !$0.hasSuffix(":") && $0.contains(" ") && seen.insert($0.lowercased()).inserted }.prefix(most))
  }

  /// A line without the bullet or the number before it.
  private static func bare(_ line: Substring) -> String {
    var rest = line.drop { $0.isWhitespace || "-*•–".contains($0) }
    let number = rest.prefix { $0.isNumber }
    if !number.isEmpty, let mark = rest.dropFirst(number.count).first, ".):".contains(mark) {
      rest = rest.dropFirst(number.count + 1)
    }
    return String(rest.drop(while: \.isWhitespace)).trimmed
  }

  private static func sentences(_ text: String) -> [String] {
    var result: [String] = []
    var current = ""
    var ended = false
    for character in text {
      if ended, character.isWhitespace {
        result.append(current.trimmed)
        current = ""
      } else {
        current.append(character)
      }
      ended = ".!?".contains(character)
    }
    return (result + [current.trimmed]).filter { !$0.isEmpty }
  }
}

/// How many columns of a terminal text takes.
extension StringProtocol {
  /// The columns of a line that holds nothing but what is shown: two for wide characters of East Asia and emoji, none for
  /// marks that combine.
  ///
  /// Terminals disagree about emoji that are made of several; this is the most that one takes.
  package var displayWidth: Int { unicodeScalars.reduce(0) { $0 + $1.displayWidth } + emojiVariants }

  /// Signs of one column that a variation selector makes emoji.
  private var emojiVariants: Int {
    reduce(0) { sum, character in
      let scalars = character.unicodeScalars
      return scalars.first.map { $0.displayWidth == 1 } == true && scalars.contains("\u{FE0F}") ? sum + 1 : sum
    }
  }

  /// As much of it as has room in that many columns, with an ellipsis where something is left out.
  package func cut(toWidth width: Int) -> String {
    guard displayWidth > width else { return String(self) }
    var result = ""
    var room = width - 1
    for character in self {
      room -= String(character).displayWidth
      if room < 0 { break }
      result.append(character)
    }
    return width > 0 ? result + "…" : ""
  }
}

/// Rows as columns, each as wide as its widest cell.
package func columns(_ rows: [[String]]) -> String {
  let rows = rows.map { $0.map(\.visibleLine) }
  let count = rows.map(\.count).max() ?? 0
  let widths = (0..<count).map { column in rows.map { $0.count > column ? $0[column].displayWidth : 0 }.max() ?? 0 }
  return rows.map { row in
    row.enumerated().map { index, cell in
      index == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.displayWidth)
    }.joined(separator: "  ")
  }.joined(separator: "\n")
}

extension Unicode.Scalar {
  fileprivate var displayWidth: Int {
    if value < 0x300 { return 1 }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    if properties.isEmojiPresentation { return 2 }
    return Self.isWide(value) ? 2 : Self.joins(value) ? 0 : 1
  }

  /// Medial and final letters of Hangul, which stand within a syllable.
  private static func joins(_ value: UInt32) -> Bool {
    switch value {
    case 0x1160...0x11FF, 0xD7B0...0xD7FF: true
    default: false
    }
  }

  /// Wide and full-width characters of Unicode's East Asian Width, in blocks.
  private static func isWide(_ value: UInt32) -> Bool {
    switch value {
    case 0x1100...0x115F, 0x2329...0x232A, 0x2630...0x2637, 0x268A...0x268F, 0x2E80...0x303E, 0x3041...0xA4CF,
      0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60,
      0xFFE0...0xFFE6, 0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF, 0x1D300...0x1D376, 0x1F200...0x1F2FF,
      0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1FAFF, 0x20000...0x3FFFD:
      true
    default: false
    }
  }
}

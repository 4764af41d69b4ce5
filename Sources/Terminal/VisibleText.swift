/// Text from elsewhere in a form that a terminal shows instead of obeying.
///
/// Hidden are the control characters (C0, DEL, C1), the separators of lines and paragraphs that are none of ASCII's, and
/// the marks, embeddings, overrides and isolates that change the direction of writing.
extension StringProtocol {
  /// The text with its lines and tabs as they are, and whatever else would control a terminal shown: `␛` for ESC, `␍`
  /// for CR, `\u{9b}` for what has no picture.
  package var visible: String { VisibleText.shown(self, .lines) }

  /// The same on one line: its newlines and tabs are shown too.
  package var visibleLine: String { VisibleText.shown(self, .oneLine) }

  /// JSON text that means the same, with what would control a terminal escaped.
  package var visibleJSON: String { VisibleText.shown(self, .json) }

  /// The same as `visible`, with every further line set in, so that none can pass for a message of its own.
  package var visibleParagraph: String {
    visible.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { index, line in
      index == 0 || line.isEmpty || line.hasPrefix("  ") ? String(line) : "  " + line
    }.joined(separator: "\n")
  }
}

private enum VisibleText {
  enum Form { case lines, oneLine, json }

  static func shown(_ text: some StringProtocol, _ form: Form) -> String {
    guard text.unicodeScalars.contains(where: { isHidden($0, form) }) else { return String(text) }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if isHidden(scalar, form) {
        result.append(contentsOf: replacement(scalar, form).unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }

  private static func isHidden(_ scalar: Unicode.Scalar, _ form: Form) -> Bool {
    switch scalar.value {
    // In JSON text they stand between values only.
    case 0x09, 0x0A: form == .oneLine
    case 0x00..<0x20, 0x7F..<0xA0: true
    case 0x2028, 0x2029: true
    case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }

  private static func replacement(_ scalar: Unicode.Scalar, _ form: Form) -> String {
    let digits = String(scalar.value, radix: 16)
    if form == .json { return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits }
    // Unicode has pictures of them.
    let picture: UInt32? = scalar.value < 0x20 ? 0x2400 + scalar.value : scalar.value == 0x7F ? 0x2421 : nil
    return picture.flatMap(Unicode.Scalar.init).map { String(Character($0)) } ?? "\\u{\(digits)}"
  }
}

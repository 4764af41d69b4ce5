import Basics

/// Readings of answers that metrics need besides.
extension AnswerText {
  /// The tokens in which passages are searched: runs of letters, digits and marks, and single other
  /// characters; no separators, no controls; decomposed and in lower case.
  ///
  /// Source: V. Karpukhin et al., "Dense Passage Retrieval for Open-Domain Question Answering",
  /// arXiv:2004.04906 (its evaluation's tokens).
  static func passageTokens(_ text: String) -> [String] {
    var tokens: [String] = []
    var run = String.UnicodeScalarView()
    func close() {
      if !run.isEmpty { tokens.append(String(run)) }
      run = String.UnicodeScalarView()
    }
    for scalar in PythonText.lower(canonicallyDecomposed(text)) {
      switch scalar.properties.generalCategory {
      case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
        .letterNumber, .otherNumber, .nonspacingMark, .spacingMark, .enclosingMark:
        run.append(scalar)
      case .spaceSeparator, .lineSeparator, .paragraphSeparator, .control, .format, .surrogate, .privateUse,
        .unassigned:
        close()
      default:
        close()
        tokens.append(String(scalar))
      }
    }
    close()
    return tokens
  }

  /// GSM8K's reading of an answer, in DSPy's form: of the first line's last word with a digit, the
  /// digits in front of the first point, as a whole number without leading zeros; `0` where there is none.
  ///
  /// It is kept as it is so that scores compare with published ones, faults included: signs are lost
  /// (`-3` is 3), `1/2` is 12, and an answer without any number equals 0. `numeric_match` has none of these.
  static func gsm8kInteger(_ text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    let stripped = scalars.drop(while: PythonText.isSpace)
    let firstLine = String(String.UnicodeScalarView(stripped.prefix { $0 != "\n" }))
    let word = PythonText.split(firstLine).last { $0.unicodeScalars.contains(where: PythonText.isDigit) }
    guard let word else { return "0" }
    let digits = word.unicodeScalars.prefix { $0 != "." }.filter(PythonText.isDigit)
    // Python refuses more than 4300 digits, and digits that are not decimal (superscripts).
    guard (1...4300).contains(digits.count) else { return "0" }
    var number = ""
    for digit in digits {
      guard digit.properties.numericType == .decimal, let value = digit.properties.numericValue else { return "0" }
      number += String(Int(value))
    }
    let significant = number.drop { $0 == "0" }
    return significant.isEmpty ? "0" : String(significant)
  }
}

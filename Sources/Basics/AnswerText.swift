/// How DSPy makes answers to questions comparable: the normalization of the SQuAD and HotPotQA evaluations.
///
/// Sources: P. Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension of Text",
/// arXiv:1606.05250.
package enum AnswerText {
  /// Decomposed (NFD), in lower case, without ASCII punctuation and the words a, an, the, with one
  /// space between words.
  ///
  /// Words are told apart as Python's `re` does, for which a combining mark is no part of a word: the
  /// `a` of a decomposed `à` that stands alone counts as an article and goes, its accent stays.
  package static func normalized(_ text: String) -> String { words(text).joined(separator: " ") }

  /// The words of the normalized text.
  package static func words(_ text: String) -> [String] {
    let plain = PythonText.lower(canonicallyDecomposed(text)).filter { !isPunctuation($0) }
    var withoutArticles = String.UnicodeScalarView()
    var index = 0
    while index < plain.count {
      let start = index
      let isWord = PythonText.isAlphanumeric(plain[index])
      while index < plain.count, PythonText.isAlphanumeric(plain[index]) == isWord { index += 1 }
      if isWord && isArticle(plain[start..<index]) {
        withoutArticles.append(" ")
      } else {
        withoutArticles.append(contentsOf: plain[start..<index])
      }
    }
    return PythonText.split(String(withoutArticles))
  }

  private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
    default: false
    }
  }

  private static func isArticle(_ word: ArraySlice<Unicode.Scalar>) -> Bool {
    word.elementsEqual("a".unicodeScalars) || word.elementsEqual("an".unicodeScalars)
      || word.elementsEqual("the".unicodeScalars)
  }
}

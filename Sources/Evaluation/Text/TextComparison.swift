import Basics
import Schema

/// How metrics make texts comparable.
enum TextComparison: String, SchemaChoice {
  /// See `AnswerWords`.
  case standard
  /// See `AnswerText`.
  case dspy

  var summary: String {
    switch self {
    case .standard:
      "Case, articles and punctuation that says nothing are ignored; signs, decimal points and operators count (-5 is "
        + "not 5, C# not C++); Chinese, Japanese, Thai and their like are compared by character."
    case .dspy:
      "As DSPy's metrics do it: case, articles and all ASCII punctuation are ignored, so that -5 is 5 and 3.5 is 35."
    }
  }

  /// Whether two texts are the same answer.
  func isSame(_ a: String, _ b: String) -> Bool {
    forms.contains { form in equal(form(a), form(b)) }
  }

  /// The F1 of the words of two texts as multisets.
  func f1(_ prediction: String, _ expected: String) -> Double {
    forms.map { WordOverlap.f1($0(prediction), $0(expected), emptyIsRight: self == .standard) }.max() ?? 0
  }

  /// `f1`, but 0 where either text is `yes`, `no` or `noanswer` and the other is not the same.
  func hotpotF1(_ prediction: String, _ expected: String) -> Double {
    let (predicted, wanted) = (forms[0](prediction), forms[0](expected))
    for words in [predicted, wanted] where words.count == 1 && ["yes", "no", "noanswer"].contains(words[0]) {
      if !equal(predicted, wanted) { return 0 }
    }
    return f1(prediction, expected)
  }

  /// Whether a passage contains an answer as a run of words.
  ///
  /// An answer of which nothing but articles is left is in no passage.
  func contains(_ answer: String, in passage: String) -> Bool {
    switch self {
    case .dspy:
      let tokens = AnswerText.passageTokens(AnswerText.normalized(answer))
      return !tokens.isEmpty && AnswerText.passageTokens(AnswerText.normalized(passage)).hasContiguous(tokens)
    case .standard:
      let whole = AnswerWords.of(answer, keepsArticles: true)
      guard whole.contains(where: { !["a", "an", "the"].contains($0) }) else { return false }
      return AnswerWords.of(passage, keepsArticles: true).hasContiguous(whole)
        || AnswerWords.Hyphens.allCases.contains { hyphens in
          AnswerWords.of(passage, hyphens: hyphens).hasContiguous(AnswerWords.of(answer, hyphens: hyphens))
        }
    }
  }

  /// The readings of a text as words; texts are the same where one reading of both is.
  private var forms: [(String) -> [String]] {
    switch self {
    case .dspy: [AnswerText.words]
    case .standard: AnswerWords.Hyphens.allCases.map { hyphens in { AnswerWords.of($0, hyphens: hyphens) } }
    }
  }

  /// Scalar by scalar: Swift takes equivalent characters for the same.
  private func equal(_ a: [String], _ b: [String]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
  }
}

/// How many words two texts share.
enum WordOverlap {
  /// The harmonic mean of precision and recall of two multisets of words.
  static func f1(_ prediction: [String], _ expected: [String], emptyIsRight: Bool) -> Double {
    if emptyIsRight, prediction.isEmpty, expected.isEmpty { return 1 }
    var left: [String: Int] = [:]
    for word in expected { left[word, default: 0] += 1 }
    var shared = 0
    for word in prediction {
      guard let count = left[word], count > 0 else { continue }
      left[word] = count - 1
      shared += 1
    }
    guard shared > 0 else { return 0 }
    let precision = Double(shared) / Double(prediction.count)
    let recall = Double(shared) / Double(expected.count)
    return (2 * precision * recall) / (precision + recall)
  }
}

/// What makes a prompt good or bad for the simulated model: the truth that an optimizer can find.
///
/// The skill of a prompt is a sum of what its parts are worth; the logistic function of it is the share
/// of questions that the prompt gets right. Advice helps or harms, some pieces of it overlap or support
/// each other, too much of it costs; worked demos help less and less; so does letting the model reason first.
enum SimulatedLandscape {
  /// A piece of advice: how the simulated model itself would put it, how it is recognized, its worth.
  struct Advice: Sendable {
    var phrase: String
    /// Any of these, in lowercase, shows that a prompt gives the advice.
    var signs: [String]
    var worth: Double

    init(_ phrase: String, _ signs: String..., worth: Double) {
      self.phrase = phrase
      self.signs = signs
      self.worth = worth
    }
  }

  static let advice: [Advice] = [
    // 0–11: helps.
    Advice("work through the problem step by step", "step by step", "one step at a time", worth: 0.45),
    Advice("write the unit beside every number", "unit beside", "units beside", "track units", worth: 0.35),
    Advice("end with the number alone", "number alone", "only the number", "just the number", worth: 0.5),
    Advice("check the result by putting it back into the problem", "putting it back", "double-check", worth: 0.4),
    Advice("say first what is being asked", "what is being asked", "what is asked", worth: 0.35),
    Advice("turn each sentence into an equation", "into an equation", "into equations", worth: 0.45),
    Advice("name a variable for each unknown", "variable for each", "name a variable", worth: 0.25),
    Advice("watch for words such as twice, half and each", "words such as twice", "words like twice", worth: 0.3),
    Advice("do not round before the end", "not round before", "without rounding", worth: 0.2),
    Advice("leave out facts that do not matter", "facts that do not matter", "irrelevant facts", worth: 0.3),
    Advice("keep a small table of the amounts", "table of the amounts", "table of amounts", worth: 0.2),
    Advice("solve a smaller case first", "smaller case first", "simpler case first", worth: 0.1),
    // 12–15: does next to nothing.
    Advice("take a deep breath", "deep breath", worth: 0.04),
    Advice("act as an expert in mathematics", "expert in math", "world-class", worth: 0),
    Advice("remember that this matters a lot", "matters a lot", "very important to me", worth: 0),
    Advice("be polite to the reader", "polite to", worth: -0.03),
    // 16–22: harms.
    Advice("answer at once", "answer at once", "answer immediately", worth: -0.9),
    Advice("keep it short", "keep it short", "be concise", "be brief", worth: -0.4),
    Advice("guess when in doubt", "when in doubt", "just guess", worth: -0.6),
    Advice("write numbers as words", "numbers as words", worth: -0.7),
    Advice("be creative", "be creative", worth: -0.3),
    Advice("do not explain anything", "not explain", "no explanation", worth: -0.8),
    Advice("write in capital letters", "capital letters", worth: -0.15),
  ]

  static let helpfulCount = 12

  /// Pairs whose parts are worth more or less together than apart.
  private static let interactions: [(Int, Int, Double)] = [
    (0, 5, -0.15),  // two ways of saying: go slowly
    (4, 9, 0.2),  // who knows the goal knows what does not matter
    (5, 6, 0.2),  // equations want variables
    (1, 10, -0.1),  // a table has its units already
    (3, 8, 0.1),  // a rounded result cannot be checked
    (0, 17, -0.3),  // step by step, but short
    (3, 16, -0.2),  // check, but at once
  ]

  /// The advice that a text gives, as bits.
  static func advice(in text: [UInt8]) -> UInt32 {
    var found: UInt32 = 0
    for (index, signs) in signs.enumerated() where signs.contains(where: { contains(text, $0) }) {
      found |= 1 << UInt32(index)
    }
    return found
  }

  private static let signs: [[[UInt8]]] = advice.map { $0.signs.map { Array($0.utf8) } }

  /// What is known of a candidate's system message and demos.
  struct Features: Sendable {
    /// Advice given in the system message, as bits.
    var advice: UInt32 = 0
    /// Different demos with reasoning and a right answer.
    var workedDemos = 0
    /// Other different demos.
    var plainDemos = 0
    /// Demos whose answer is known to be wrong.
    var wrongDemos = 0
    /// Each demo's own luck, from -0.5 to 0.5, added up.
    var demoLuck = 0.0
    /// How many of four kinds of question the demos show.
    var demoKinds = 0
    var systemBytes = 0
  }

  /// The skill of a prompt's beginning; the question and the reasoning field come on top.
  static func skill(_ features: Features) -> Double {
    var skill = -1.25
    var pieces = 0
    for (index, item) in advice.enumerated() where features.advice & (1 << UInt32(index)) != 0 {
      skill += item.worth
      pieces += 1
    }
    for (a, b, worth) in interactions
    where features.advice & (1 << UInt32(a)) != 0 && features.advice & (1 << UInt32(b)) != 0 {
      skill += worth
    }
    skill -= 0.2 * Double(max(0, pieces - 6))
    skill -= 0.15 * Double(max(0, features.systemBytes - 3000)) / 1000
    skill += 0.38 * logarithm(1 + min(features.workedDemos, 8))
    skill += 0.12 * logarithm(1 + min(features.plainDemos, 8))
    skill -= 0.3 * Double(features.wrongDemos)
    let demos = features.workedDemos + features.plainDemos + features.wrongDemos
    if demos > 0 {
      skill += 0.5 * features.demoLuck / Double(demos).squareRoot()
      skill += 0.07 * Double(max(0, features.demoKinds - 1))
    }
    return skill
  }

  /// What writing its reasoning first is worth.
  static let reasoningWorth = 0.8
  /// What it is worth to a question that the prompt gives just the advice it needs.
  static let matchingAdviceWorth = 0.6

  /// The share of questions that this skill gets right.
  static func share(_ skill: Double) -> Double { 1 / (1 + exponential(-skill)) }

  /// The binary logarithm of a small whole number, from a table: the same on every machine.
  private static func logarithm(_ number: Int) -> Double { logarithms[min(max(number, 1), 9)] }
  private static let logarithms = [0, 0, 1, 1.584962, 2, 2.321928, 2.584962, 2.807355, 3, 3.169925]

  /// e to the power of `x`, for |x| up to about 20, by halving and Taylor's series.
  private static func exponential(_ x: Double) -> Double {
    let small = min(max(x, -20), 20) / 1024
    var result = 1 + small * (1 + small / 2 * (1 + small / 3 * (1 + small / 4)))
    for _ in 0..<10 { result *= result }
    return result
  }
}

/// Whether `needle`, not empty, stands in `text`.
func contains(_ text: [UInt8], _ needle: [UInt8]) -> Bool {
  guard let first = needle.first, text.count >= needle.count else { return false }
  return text.withUnsafeBufferPointer { text in
    needle.withUnsafeBufferPointer { needle in
      for start in 0...(text.count - needle.count) where text[start] == first {
        var length = 1
        while length < needle.count, text[start + length] == needle[length] { length += 1 }
        if length == needle.count { return true }
      }
      return false
    }
  }
}

import JSON
import RowStorage
import Testing

@testable import Datasets
@testable import Evaluation
@testable import Simulation

/// Every answer is worked out a second time here, from the numbers that stand in the question.
private let formulas: [String: @Sendable ([Int]) -> Int] = [
  "boxes-given-away": { n in n[0] * n[1] - n[2] },
  "change-from-note": { n in n[3] - n[0] * n[1] - n[2] },
  "discount-percent": { n in n[0] * (100 - n[1]) / 100 },
  "wage-and-overtime": { n in n[0] * n[1] + n[2] * n[0] * 3 / 2 },
  "weeks-of-saving": { n in (n[0] - n[1]) / n[2] },
  "profit-of-a-stall": { n in (n[0] - n[2]) * n[3] - n[0] * n[1] },
  "tickets-of-two-prices": { n in n[0] * n[1] + n[2] * n[3] },
  "packs-rounded-up": { n in (n[0] + n[1] - 1) / n[1] * n[2] },
  "monthly-fee-difference": { n in n[0] * n[1] - (n[0] * n[2] + n[3]) },
  "two-legs-of-a-trip": { n in n[0] * n[1] + n[2] * n[3] },
  "meeting-travellers": { n in n[0] / (n[1] + n[2]) },
  "fence-around-garden": { n in (2 * n[0] + 2 * n[1] - n[2]) * n[3] },
  "tiles-on-a-floor": { n in n[0] * n[1] * n[2] + n[3] },
  "tank-with-leak": { n in n[0] + n[1] * n[3] - n[2] * n[3] },
  "reading-a-book": { n in (n[0] - n[1] * n[2]) / n[3] },
  "minutes-of-practice": { n in (60 * n[0] + n[1]) * n[2] },
  "recipe-for-more-people": { n in n[1] * n[2] / n[0] - n[3] },
  "age-in-years-to-come": { n in n[0] * n[1] + n[2] },
  "equal-shares-with-rest": { n in (n[0] - n[1]) % n[2] },
  "more-and-fewer": { n in n[0] + (n[0] + n[1]) * (1 + n[2]) },
  "score-for-an-average": { n in 3 * n[2] - n[0] - n[1] },
  "fraction-of-a-class": { n in n[0] * n[1] / n[2] + n[3] },
  "legs-in-a-yard": { n in 4 * (n[0] - n[2]) + 2 * n[1] },
  "rows-and-empty-seats": { n in n[0] * n[1] * (100 - n[2]) / 100 },
  "passengers-in-and-out": { n in (n[0] - n[1] + n[2]) * n[3] },
]

struct WordProblemsTests {
  private func numbers(in text: String) -> [Int] {
    text.split { !$0.isASCII || !$0.isNumber }.compactMap { Int($0) }
  }

  @Test func `there are 25 templates, each checked by a formula`() {
    #expect(WordProblems.templates.count == 25)
    #expect(Set(WordProblems.templates.map(\.name)) == Set(formulas.keys))
  }

  @Test func `every answer is right`() throws {
    for (template, problem) in WordProblems.all() {
      let formula = try #require(formulas[template])
      #expect(formula(numbers(in: problem.question)) == problem.answer, "\(template): \(problem.question)")
      #expect(problem.answer > 0, "\(template): \(problem.question)")
    }
  }

  @Test func `every step of every solution is a true equation without remainder, the last gives the answer`() throws {
    for (template, problem) in WordProblems.all() {
      var results: [Int] = []
      for step in problem.steps {
        for match in step.matches(of: /([\d()*\/+ -]*\d[)]?) = (-?\d+)/) {
          let result = try #require(Int(match.2))
          #expect(Arithmetic.value(String(match.1)) == result, "\(template): \(step)")
          results.append(result)
        }
      }
      #expect(results.last == problem.answer, "\(template)")
    }
  }

  @Test func `the splits have their sizes, all questions differ and every template is in each`() {
    #expect(WordProblems.rows(split: "train").count == 120)
    #expect(WordProblems.rows(split: "val").count == 80)
    #expect(WordProblems.rows(split: "test").count == 80)
    #expect(Set(WordProblems.all().map(\.problem.question)).count == 280)
    let templates = WordProblems.all().map(\.template)
    #expect(Set(templates[..<120]).count >= 24)
    #expect(Set(templates[120..<200]).count >= 22)
    #expect(Set(templates[200...]).count >= 22)
  }

  @Test func `the set is the same every time`() {
    #expect(Dataset.contentDigest(of: Rows(WordProblems.rows(split: "train"))) == "7a3287ce")
    #expect(Dataset.contentDigest(of: Rows(WordProblems.rows(split: "test"))) == "0bba4457")
  }

  @Test func `it is loaded by its name`() throws {
    let dataset = try #require(load(["name": "word-problems", "split": "val", "limit": 3]).dataset)
    #expect(dataset.count == 3)
    #expect(dataset.name == "word-problems/val")
    #expect(dataset.inputKeys == ["question"])
    #expect(dataset.rows[0].keys == ["question", "gold_reasoning", "answer"])
    #expect(dataset.source.uri == "word-problems/val")
    #expect(load(["name": "word-problems"]).dataset?.count == 120)
  }
}

/// Works out `2 * (3 + 4) - 1` and the like, for checking written solutions; nil for a division with a rest.
private enum Arithmetic {
  static func value(_ text: String) -> Int? {
    var rest = text.filter { $0 != " " }[...]
    let result = sum(&rest)
    return rest.isEmpty ? result : nil
  }

  private static func sum(_ text: inout Substring) -> Int? {
    guard var result = product(&text) else { return nil }
    while let sign = text.first, sign == "+" || sign == "-" {
      text.removeFirst()
      guard let next = product(&text) else { return nil }
      result = sign == "+" ? result + next : result - next
    }
    return result
  }

  private static func product(_ text: inout Substring) -> Int? {
    guard var result = atom(&text) else { return nil }
    while let sign = text.first, sign == "*" || sign == "/" {
      text.removeFirst()
      guard let next = atom(&text), sign == "*" || (next != 0 && result % next == 0) else { return nil }
      result = sign == "*" ? result * next : result / next
    }
    return result
  }

  private static func atom(_ text: inout Substring) -> Int? {
    if text.first == "(" {
      text.removeFirst()
      let result = sum(&text)
      guard text.popFirst() == ")" else { return nil }
      return result
    }
    let digits = text.prefix { $0.isNumber }
    text.removeFirst(digits.count)
    return Int(digits)
  }
}

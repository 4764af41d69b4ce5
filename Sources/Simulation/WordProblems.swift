package import JSON
import Randomness

/// A small embedded set of arithmetic word problems, for trying things out with no file and no network.
///
/// Made from hand-written templates and numbers drawn from a fixed seed: 120 rows `train`, 80 `val`,
/// 80 `test`, all questions distinct, the same on every machine. Rows have `question`,
/// `gold_reasoning` (every step of the solution as an equation) and `answer` (a whole number in digits).
/// All splits draw on the same templates, so a high score here says that a program can do such sums,
/// not that it would do well elsewhere.
package enum WordProblems {
  package static let splits = ["train", "val", "test"]
  private static let counts = [120, 80, 80]
  private static let seed = 280

  /// One problem with its worked solution.
  struct Problem {
    package var question: String
    var steps: [String]
    var answer: Int

    var row: JSONObject {
      [
        "question": .string(question),
        "gold_reasoning": .string(steps.joined(separator: " ")),
        "answer": .string(String(answer)),
      ]
    }
  }

  /// A kind of problem: draws names and numbers and works the problem out.
  struct Template: Sendable {
    package var name: String
    var make: @Sendable (inout Draw) -> Problem
  }

  /// What templates draw from.
  struct Draw {
    var random: PythonRandom

    private static let names = [
      "Amara", "Ben", "Chiara", "Dmitri", "Elif", "Farid", "Grace", "Hiro", "Ines", "Jonas", "Kavya", "Liam", "Mei",
      "Nadia", "Oskar", "Priya", "Quentin", "Rosa", "Samir", "Tereza", "Uma", "Viktor", "Wanda", "Yusuf",
    ]

    mutating func name() -> String { random.choice(Self.names) ?? "Amara" }

    /// Two different names.
    mutating func names() -> (String, String) {
      let drawn = random.sample(Self.names, k: 2)
      return (drawn[0], drawn[1])
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int { random.randint(range) }

    mutating func number(of values: [Int]) -> Int { random.choice(values) ?? 0 }

    mutating func word(_ words: String...) -> String { random.choice(words) ?? "" }
  }

  /// The rows of a split; none for a name that is no split.
  package static func rows(split: String) -> [JSONObject] {
    guard let index = splits.firstIndex(of: split) else { return [] }
    let start = counts[..<index].reduce(0, +)
    return all()[start..<start + counts[index]].map(\.problem.row)
  }

  /// Every problem with the name of its template, in the order of the splits.
  static func all() -> [(template: String, problem: Problem)] {
    var draw = Draw(random: PythonRandom(seed: seed))
    let total = counts.reduce(0, +)
    var seen: Set<String> = []
    var result: [(template: String, problem: Problem)] = []
    while result.count < total {
      let template = templates[result.count % templates.count]
      // Every template can make far more problems than are asked of it, so a repeat is drawn again.
      var problem = template.make(&draw)
      while !seen.insert(problem.question).inserted { problem = template.make(&draw) }
      result.append((template.name, problem))
    }
    draw.random.shuffle(&result)
    return result
  }

  static let templates = tradeTemplates + measureTemplates + logicTemplates

  /// Every row, all splits: what the simulated model knows by itself.
  package static let allRows: [JSONObject] = all().map(\.problem.row)
}

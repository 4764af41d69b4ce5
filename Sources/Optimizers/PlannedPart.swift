import Evaluation
package import JSON
import LanguageModels
package import Messages
package import Programs
package import RowStorage

/// One part of a search before anything is asked: how many executions it will make, and what they will be asked with.
package struct PlannedPart: Sendable {
  /// Prompts as they are known beforehand: a program and rows it is asked on.
  package struct Sample: Sendable {
    package var program: Program
    package var rows: Rows

    init(_ program: Program, _ rows: Rows) {
      self.program = program
      self.rows = rows
    }
  }

  package var name: String
  package var role: CallRole
  /// At least and at most.
  package var executions: ClosedRange<Int>
  /// What the shortest and the longest prompts are like.
  package var shortest: Sample
  package var longest: Sample
  /// How the part is made up (`evaluations`, `rows` …), for people.
  package var details: JSONObject

  init(
    _ name: String, _ role: CallRole, _ executions: ClosedRange<Int>, shortest: Sample, longest: Sample? = nil,
    details: JSONObject = [:]
  ) {
    self.name = name
    self.role = role
    self.executions = executions
    self.shortest = shortest
    self.longest = longest ?? shortest
    self.details = details
  }
}

/// From one bound to another, as it is told.
func bounds(_ range: ClosedRange<Int>) -> JSONValue {
  ["min": .int(range.lowerBound), "max": .int(range.upperBound)]
}

extension CompileTask {
  /// The part in which the student and the best program are scored on rows that the search never saw.
  package func testPart(_ rows: Rows) -> PlannedPart {
    let longest = LabeledFewShot(k: 16).labeled(student, trainset: trainset)
    return scoring("test", 1...2, rows: rows, shortest: student, longest: longest)
  }

  /// The part in which texts are made vectors: each row's once, whatever it is looked at for; nil where no vectors are
  /// made.
  package func vectorPart(by optimizer: any Optimizer, testset: Rows?) -> PlannedPart? {
    let makes = optimizer.makesVectors
    guard session.vectorizer != nil, makes || !student.vectorModels.isEmpty else { return nil }
    let inputs = student.module.inputs.map(\.name)
    let texts = [trainset, valset ?? [], testset ?? []].flatMap { rows in rows.map { Neighbours.text(of: $0, inputs) } }
    let count = Set(texts).count
    let asked = Program(.predict(Signature(inputs: [Field("text")], outputs: [], instructions: "")))
    return PlannedPart(
      "vectors", .embedding, (makes ? count : 0)...count,
      shortest: .init(asked, Rows(Set(texts).sorted().map { ["text": .string($0)] })), details: ["texts": .int(count)])
  }

  /// The part that scores programs whole on the valset, `count` times.
  func scoring(
    _ name: String, _ count: ClosedRange<Int>, rows: Rows, shortest: Program, longest: Program
  ) -> PlannedPart {
    PlannedPart(
      name, .task, count.lowerBound * rows.count...count.upperBound * rows.count, shortest: .init(shortest, rows),
      longest: .init(longest, rows), details: ["evaluations": bounds(count), "rows": .int(rows.count)])
  }
}

extension BootstrapFewShot {
  /// The part in which demos are bootstrapped: `sizes` are how many demos each set needs.
  static func bootstrapping(
    _ task: CompileTask, rows: Rows, sizes: [Int], labeled: Int, rounds: Int, mayEndEarly: Bool = false
  ) -> PlannedPart {
    let least = mayEndEarly ? 0 : sizes.reduce(0) { $0 + min($1, rows.count) }
    let most = sizes.count { $0 > 0 } * rows.count * rounds
    let teacher =
      labeled > 0 ? LabeledFewShot(k: labeled).labeled(task.student, trainset: rows) : task.student.withoutDemos()
    return PlannedPart(
      "bootstrap", .teacher, least...max(least, most), shortest: .init(teacher, rows),
      details: ["demoSets": .int(sizes.count)])
  }
}

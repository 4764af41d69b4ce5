import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Programs
import RowStorage
package import Schema

/// Lets a teacher answer every row of the trainset once; each call is then shown the demos of the rows that are nearest
/// to its inputs.
///
/// DSPy's KNNFewShot bootstraps the nearest rows anew at every call and cannot be saved. Here the rows are bootstrapped
/// while the program is compiled and are part of it: a call costs what it costs without them.
package struct KNNFewShot: Optimizer {
  package static let name = "KNNFewShot"
  package static let summary =
    "Bootstraps every row of the trainset once; each call is shown the demos of the rows nearest to its inputs."
  package static let members: [Member<Self>] = [
    Member("k", \.k, in: 1...1000, "How many rows each call is shown."),
    Member(
      "k_candidates", \.kCandidates,
      "Numbers of rows to try in place of k, each in one evaluation of the valset; the best stays, of equals the first."
    ),
    .metricThreshold(\.metricThreshold),
    .maxBootstrappedDemos(\.maxBootstrappedDemos),
    .maxLabeledDemos(\.maxLabeledDemos),
    .maxRounds(\.maxRounds),
    .maxErrors(\.maxErrors),
  ]

  package var k = 3
  package var kCandidates: [Int] = []
  package var metricThreshold: Double?
  package var maxBootstrappedDemos = 4
  package var maxLabeledDemos = 16
  package var maxRounds = 1
  package var maxErrors = 10

  package init() {}

  package var makesVectors: Bool { true }

  package func check(trainset: Int, valset: Int?, at place: String, problems: ProblemList) {
    if trainset > Neighbours.mostRows {
      problems.add(
        "trainset",
        "KNNFewShot keeps every row in the program, and a program keeps at most \(Neighbours.mostRows); this trainset has "
          + "\(trainset) rows.")
    }
    if !kCandidates.isEmpty, valset ?? 0 == 0 {
      problems.add("valset", "k_candidates are compared on a valset, which this request does not have.")
    }
  }

  package mutating func settle(_ fields: FieldReader) {
    for (index, count) in kCandidates.enumerated() where !(0...1000).contains(count) {
      fields.problems.add("\(fields.place("k_candidates"))[\(index)]", "Expected a whole number from 0 to 1000.")
    }
  }

  /// The numbers of rows that are tried.
  private var counts: [Int] { kCandidates.isEmpty ? [k] : kCandidates }

  /// The trainset's rows, compared by a model's vectors where the request names a vectorizer.
  private func neighbours(_ task: CompileTask) async throws(HoneError) -> Neighbours {
    guard let vectorizer = task.session.vectorizer else { return neighboursByWords(task) }
    let inputs = task.student.module.inputs.map(\.name)
    let rows = Array(task.trainset)
    await task.session.events.emit(.phase("vectors", message: "Making vectors of \(rows.count) rows"))
    let context = ExecutionContext(model: vectorizer, call: CallContext(account: task.session.account))
    let gate = task.session.gate
    @Sendable func vector(_ row: JSONObject) async throws(HoneError) -> [Float] {
      try await gate.pass { () async throws(HoneError) in
        try await vectorizer.vector(of: Neighbours.text(of: row, inputs), in: context)
      }
    }
    // The first one tells, before the others are paid, how long they are.
    guard let first = rows.first else { return neighboursByWords(task) }
    let one = try await vector(first)
    guard one.count * rows.count <= Neighbours.mostNumbers else {
      throw HoneError(
        .datasetInvalid,
        "The vectors of \(vectorizer.configuration.model) have \(one.count) numbers; a program keeps those of at most "
          + "\(Neighbours.mostNumbers / one.count) such rows, and the trainset has \(rows.count).",
        remedy:
          "Give fewer rows, ask for shorter vectors with {\"extra\": {\"dimensions\": …}}, or leave vectorizer out.")
    }
    let numbers =
      [one]
      + (try await concurrently(Array(rows.dropFirst())) { _, row throws(HoneError) in
        try await vector(row)
      })
    let dimensions = Set(numbers.map(\.count))
    guard dimensions.count <= 1 else {
      throw HoneError(
        .malformedReply,
        "\(vectorizer.configuration.model) gives vectors of different lengths: "
          + dimensions.sorted().map(String.init).joined(separator: ", ") + ".")
    }
    return Neighbours(
      k: counts.max() ?? k, maxBootstrapped: maxBootstrappedDemos, maxLabeled: maxLabeledDemos,
      model: vectorizer.configuration.model, rows: rows, inputs: inputs, numbers: numbers)
  }

  private func neighboursByWords(_ task: CompileTask) -> Neighbours {
    Neighbours(
      k: counts.max() ?? k, maxBootstrapped: maxBootstrappedDemos, maxLabeled: maxLabeledDemos,
      rows: Array(task.trainset), inputs: task.student.module.inputs.map(\.name))
  }

  /// The student with the nearest rows as they are.
  private func labeled(_ task: CompileTask, _ neighbours: Neighbours) -> Program {
    var program = task.student
    for index in program.states.indices { program.states[index].show(NearestDemos(neighbours)) }
    return program
  }

  private func teacher(_ task: CompileTask, _ labeled: Program) -> Program {
    task.teacher ?? (maxLabeledDemos > 0 ? labeled : task.student)
  }

  package func parts(_ task: CompileTask) -> [PlannedPart] {
    let labeled = labeled(task, neighboursByWords(task))
    let rows = maxBootstrappedDemos > 0 ? task.trainset.count : 0
    let bootstrap = PlannedPart(
      "bootstrap", .teacher, rows...rows * maxRounds, shortest: .init(teacher(task, labeled), task.trainset),
      details: ["rows": .int(rows)])
    guard let valset = task.valset, !valset.isEmpty else { return [bootstrap] }
    return [task.adapterPart(examples: labeled, rows: valset)].compactMap(\.self) + [
      task.scoring("baseline", 1...1, rows: valset, shortest: task.student, longest: task.student), bootstrap,
      task.scoring("search", counts.count...counts.count, rows: valset, shortest: labeled, longest: labeled),
    ]
  }

  package func compile(_ task: CompileTask) async -> SearchResult {
    let neighbours: Neighbours
    do throws(HoneError) {
      neighbours = try await self.neighbours(task)
    } catch {
      return SearchResult(program: task.student, stopped: error)
    }
    return await task.withAdapter(examples: labeled(task, neighbours), rows: task.valset ?? []) { task in
      guard kCandidates.isEmpty else { return await search(task, neighbours) }
      return await compared(task) { () async throws(HoneError) in try await bootstrapped(task, neighbours) }
    }
  }

  /// Scores the student and the program with each number of rows.
  private func search(_ task: CompileTask, _ neighbours: Neighbours) async -> SearchResult {
    let log = SearchLog(task)
    let valset = task.valset ?? []
    let rows = Array(valset.indices)
    do throws(HoneError) {
      await task.session.events.emit(.planned(executions: (1 + counts.count) * rows.count))
      _ = try await log.scoreBaseline("eval", task.student, on: valset, isFull: false)
      let program = try await bootstrapped(task, neighbours)
      for count in counts {
        let info = log.info("eval", program.showing(count), rows: rows, coordinates: ["k": .int(count)])
        await log.add(info, try await task.evaluator.evaluate(info, examples: valset), isFull: true)
      }
      return log.result()
    } catch {
      return log.result(stoppedBy: error)
    }
  }

  /// How many rows are tried ahead of the first whose outcome is not known. It does not depend on the concurrency, so that
  /// the rows tried before it is given up do not either.
  private static let window = 64

  /// The student with what came of every row.
  private func bootstrapped(_ task: CompileTask, _ neighbours: Neighbours) async throws(HoneError) -> Program {
    var program = labeled(task, neighbours)
    guard maxBootstrappedDemos > 0 else { return program }
    let count = task.trainset.count
    await task.session.events.emit(.phase("bootstrap", message: "Bootstrapping each of the \(count) rows"))
    var bootstrap = BootstrapFewShot()
    bootstrap.metricThreshold = metricThreshold
    bootstrap.maxRounds = maxRounds
    let (settings, teacher) = (bootstrap, PreparedProgram(teacher(task, program)))
    var demos: [[JSONObject?]] = program.states.map { _ in Array(repeating: nil, count: count) }
    var tally = BootstrapFewShot.Tally(maxErrors: maxErrors)
    var position = 0
    try await inOrder(free: 0, window: Self.window) { () async throws(HoneError) in
      guard position < count, !tally.isHopeless else { return nil }
      defer { position += 1 }
      return position
    } work: { (row: Int) async throws(HoneError) in
      try await settings.tryRow(row, teacher: teacher, label: "0", task)
    } commit: { (row: Int, outcome: BootstrapFewShot.Attempt) async throws(HoneError) in
      try tally.note(outcome)
      for (predictor, demo) in outcome.demos ?? [] { demos[predictor][row] = demo }
    }
    await tally.warn(of: "The trainset", task.session)
    for index in program.states.indices {
      guard var nearest = program.states[index].nearest else { continue }
      nearest.bootstrapped = demos[index]
      program.states[index].show(nearest)
    }
    let most = program.states.map(\.demos.count).max() ?? 0
    await task.session.events.emit(.demoSetReady(index: 0, demos: most, attempts: tally.attempts))
    return program
  }
}

extension Program {
  /// This program with another number of nearest rows shown.
  fileprivate func showing(_ count: Int) -> Program {
    var copy = self
    for index in copy.states.indices {
      guard var nearest = copy.states[index].nearest else { continue }
      nearest.neighbours.k = count
      copy.states[index].show(nearest)
    }
    return copy
  }
}

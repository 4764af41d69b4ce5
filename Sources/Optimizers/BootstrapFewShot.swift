import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Programs
import Randomness
import RowStorage
package import Schema

/// Lets a teacher answer rows of the trainset and keeps, as demos, the steps of those answers that the metric accepts;
/// rows as they are fill the rest.
///
/// Algorithm: DSPy's BootstrapFewShot (Khattab et al. 2023, arXiv 2310.03714). Rows are tried in order, but as many at
/// once as are still needed: each of them would have been tried anyway, so no call is made that a one-by-one search
/// would not make.
package struct BootstrapFewShot: Optimizer {
  package static let name = "BootstrapFewShot"
  package static let summary =
    "Runs the program on the trainset and shows the executions that the metric accepts as demos."
  package static let members: [Member<Self>] = [
    .metricThreshold(\.metricThreshold),
    .maxBootstrappedDemos(\.maxBootstrappedDemos),
    .maxLabeledDemos(\.maxLabeledDemos),
    .maxRounds(\.maxRounds),
    .maxErrors(\.maxErrors),
  ]

  package var metricThreshold: Double?
  package var maxBootstrappedDemos = 4
  package var maxLabeledDemos = 16
  package var maxRounds = 1
  package var maxErrors = 10

  package init() {}

  package func parts(_ task: CompileTask) -> [PlannedPart] {
    let bootstrap = Self.bootstrapping(
      task, rows: task.trainset, sizes: [maxBootstrappedDemos], labeled: maxLabeledDemos, rounds: maxRounds)
    guard let valset = task.valset, !valset.isEmpty else { return [bootstrap] }
    let full = LabeledFewShot(k: max(maxBootstrappedDemos, maxLabeledDemos)).labeled(
      task.student, trainset: task.trainset)
    return [task.adapterPart(examples: examples(task), rows: valset)].compactMap(\.self) + [
      task.scoring("baseline", 1...1, rows: valset, shortest: task.student, longest: task.student), bootstrap,
      task.scoring("search", 1...1, rows: valset, shortest: task.student.withoutDemos(), longest: full),
    ]
  }

  private func examples(_ task: CompileTask) -> Program? {
    let count = max(maxLabeledDemos, maxBootstrappedDemos)
    return count == 0 ? nil : LabeledFewShot(k: count).labeled(task.student, trainset: task.trainset)
  }

  package func compile(_ task: CompileTask) async -> SearchResult {
    await task.withAdapter(examples: examples(task), rows: task.valset ?? []) { task in
      await compared(task) { () async throws(HoneError) in
        await task.session.events.emit(.phase("bootstrap", message: "Bootstrapping demos"))
        let outcome = try await bootstrap(task.student, order: Array(task.trainset.indices), label: "0", task)
        let demos = outcome.program.states.map(\.demos.count).max() ?? 0
        await task.session.events.emit(.demoSetReady(index: 0, demos: demos, attempts: outcome.attempts))
        return outcome.program
      }
    }
  }

  /// What one try at a row gave: the demos of its steps if the metric accepted it.
  struct Attempt: Sendable {
    var demos: [(predictor: Int, demo: JSONObject)]?
    var tries: Int
    var errors: [HoneError]
  }

  /// How the tries at rows went so far.
  struct Tally {
    let maxErrors: Int
    private(set) var attempts = 0
    private var errors = 0
    private(set) var unreadable = 0

    /// How many rows, one after the other, whose replies cannot be read show that none will be.
    private static let hopeless = 10

    init(maxErrors: Int) { self.maxErrors = maxErrors }

    var isHopeless: Bool { unreadable >= Self.hopeless }

    /// Notes the next row's.
    ///
    /// - Throws: what ends the bootstrap.
    mutating func note(_ outcome: Attempt) throws(HoneError) {
      attempts += outcome.tries
      // What cannot be read says that the model is weak, and what is refused that the row is odd, not that something is
      // broken.
      let isUnreadable = outcome.errors.last?.kind.isUnreadable == true
      unreadable = isUnreadable ? unreadable + 1 : 0
      errors += outcome.errors.count { !$0.kind.isUnreadable && !$0.kind.isRefusal }
      if let error = outcome.errors.first(where: { $0.kind.stopsWork }) { throw error }
      if errors > maxErrors, let last = outcome.errors.last {
        throw HoneError(
          .tooManyErrors, "More than \(maxErrors) attempts at demos failed; the last: \(last.message)",
          remedy: last.remedy, details: ["causeKind": last.kind.rawValue], cause: last.cause)
      }
    }

    /// Tells that rows were given up.
    func warn(of set: String, _ session: EngineSession) async {
      guard isHopeless else { return }
      await session.events.emit(
        .warning(
          "\(set): \(unreadable) replies running could not be read, so no more rows were tried; the rest of its demos are "
            + "rows as they are."))
    }
  }

  /// Makes a demo set.
  ///
  /// - Parameters:
  ///   - order: rows of the trainset in the order to try them.
  ///   - label: names the set within the run; part of each call's scope.
  func bootstrap(
    _ student: Program, order: [Int], label: String, _ task: CompileTask
  ) async throws(HoneError) -> (program: Program, attempts: Int) {
    let trainset = task.trainset
    let teacher = PreparedProgram(teacher(for: student, rows: trainset.choosing(order), task))
    var augmented: [[JSONObject]] = student.predictors.map { _ in [] }
    var accepted: Set<Int> = []
    var tally = Tally(maxErrors: maxErrors)
    var position = 0
    while accepted.count < maxBootstrappedDemos, position < order.count, !tally.isHopeless {
      let wave = order[position..<min(position + maxBootstrappedDemos - accepted.count, order.count)]
      position += wave.count
      let outcomes = try await concurrently(Array(wave)) { _, row throws(HoneError) in
        try await tryRow(row, teacher: teacher, label: label, task)
      }
      for (row, outcome) in zip(wave, outcomes) {
        try tally.note(outcome)
        guard let demos = outcome.demos else { continue }
        accepted.insert(row)
        for (predictor, demo) in demos { augmented[predictor].append(demo) }
      }
    }
    await tally.warn(of: "Demo set \(label)", task.session)
    return (
      fill(student, augmented, leftover: trainset.choosing(order.filter { !accepted.contains($0) })), tally.attempts
    )
  }

  private func teacher(for student: Program, rows: Rows, _ task: CompileTask) -> Program {
    if let teacher = task.teacher { return teacher }
    return maxLabeledDemos > 0
      ? LabeledFewShot(k: maxLabeledDemos).labeled(student, trainset: rows) : student
  }

  /// Lets a teacher answer a row, up to `maxRounds` times, until the metric accepts what it answers.
  func tryRow(
    _ row: Int, teacher: PreparedProgram, label: String, _ task: CompileTask
  ) async throws(HoneError) -> Attempt {
    let example = task.trainset[row]
    var attempt = Attempt(demos: nil, tries: 0, errors: [])
    for round in 0..<maxRounds {
      var request = EngineSession.Request(
        program: teacher, inputs: example, model: task.teacherModel ?? task.taskModel,
        scope: "bootstrap/\(label)/\(row)/\(round)")
      request.role = .teacher
      request.leavesOneOut = true
      request.rollout = round
      if round > 0 {
        var options = request.model.configuration.sampling
        options.temperature = 1.0
        request.options = options
      }
      request.metadata = ["phase": "bootstrap", "demoSet": .string(label), "row": .int(row), "round": .int(round)]
      attempt.tries += 1
      let judgement = Judgement()
      let outcome = try await task.session.execute(request) { outcome, context throws(HoneError) in
        try await judgement.judge(
          outcome, in: context, example: example, program: teacher, metric: task.metric, isBootstrapping: true)
      }.outcome
      if let error = judgement.verdict?.failure ?? outcome.failure {
        attempt.errors.append(error)
        continue
      }
      guard case .success(let prediction) = outcome, case .success(let score)? = judgement.verdict,
        score.passes(threshold: metricThreshold)
      else { continue }
      attempt.demos = demos(of: prediction)
      break
    }
    return attempt
  }

  /// A demo for each predictor that took part. Where one ran several times, one of its steps is kept: the last, or
  /// with an even chance one of those before it.
  private func demos(of prediction: Prediction) -> [(predictor: Int, demo: JSONObject)] {
    var steps: [Int: [JSONObject]] = [:]
    for step in prediction.steps {
      var demo: JSONObject = ["augmented": true]
      for (key, value) in step.inputs.merging(step.outputs) { demo[key] = value }
      steps[step.predictor, default: []].append(demo)
    }
    return steps.sorted { $0.key < $1.key }.compactMap { predictor, demos in
      guard let last = demos.last else { return nil }
      guard demos.count > 1 else { return (predictor, last) }
      var random = PythonRandom(seed: demos.count)
      let earlier = random.random() < 0.5 ? random.choice(demos.dropLast()) : nil
      return (predictor, earlier ?? last)
    }
  }

  private func fill(_ student: Program, _ augmented: [[JSONObject]], leftover: Rows) -> Program {
    var rest = Array(leftover.indices)
    var shuffler = PythonRandom(seed: 0)
    shuffler.shuffle(&rest)
    var sampler = PythonRandom(seed: 0)
    var program = student
    for index in program.states.indices {
      let own = Array(augmented[index].prefix(maxBootstrappedDemos))
      let room = max(0, min(maxLabeledDemos - own.count, rest.count))
      program.states[index].demos = own + sampler.sample(rest, k: room).map { leftover[$0] }
    }
    return program
  }
}

extension Result {
  var failure: Failure? {
    if case .failure(let error) = self { error } else { nil }
  }
}

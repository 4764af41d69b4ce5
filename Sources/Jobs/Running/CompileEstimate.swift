import Datasets
import Evaluation
package import Failures
import JSON
import LanguageModels
import Messages
import Optimizers
import Platform
import Programs
package import Schema
import Tracking

/// What a compile will ask for and cost, told without asking any model.
package struct CompileEstimate {
  /// What is taken for granted where it is not known.
  package struct Terms: SchemaObject {
    package static let members: [Member<Self>] = [
      Member("latency", \.seconds, in: 0...86_400, "Seconds that a reply takes."),
      Member("outputTokens", \.outputTokens, in: 0...1e9, "Tokens that a reply has."),
    ]
    /// Nil: measured on earlier calls of the model, else assumed.
    package var seconds: Double?
    package var outputTokens: Double?

    package init() {}
  }

  /// From one number to another; the upper one may be unknown.
  private struct Bounds {
    var least = 0.0
    var most: Double? = 0

    static func + (a: Bounds, b: Bounds) -> Bounds {
      Bounds(least: a.least + b.least, most: a.most.flatMap { known in b.most.map { known + $0 } })
    }

    static func * (a: Bounds, factor: Double) -> Bounds {
      Bounds(least: a.least * factor, most: a.most.map { $0 * factor })
    }

    /// As it is sent, rounded to that part of one.
    func shown(_ digits: Double = 1) -> Bracket {
      func rounded(_ number: Double) -> JSONValue {
        digits == 1 ? .int(Int(number.rounded())) : .double((number * digits).rounded() / digits)
      }
      return Bracket(min: rounded(least), max: most.map(rounded))
    }
  }

  private struct Phase {
    var part: PlannedPart
    var calls: Bounds
    var input: Bounds
    var output: Bounds
    var cost: Bounds?
  }

  private let job: CompileJob
  private let terms: Terms
  /// Bytes of text that make a token, on the average.
  private static let bytesPerToken = 4.0
  private static let assumed = (seconds: 1.0, outputTokens: 150.0)

  package init(_ job: CompileJob, _ terms: Terms) {
    self.job = job
    self.terms = terms
  }

  /// The figures, found apart from the threads that all requests share: the rows of large data sets are measured.
  package func figures(_ workspace: Workspace) async throws(HoneError) -> Report {
    try await withTaskExecutorPreference(ComputationThreads.data) { () async throws(HoneError) in
      try await measured(workspace)
    }
  }

  private func measured(_ workspace: Workspace) async throws(HoneError) -> Report {
    let usual = try await workspace.store().usualAnswer(of: job.model.configuration.model)
    let seconds = terms.seconds ?? usual?.seconds ?? Self.assumed.seconds
    let outputTokens = terms.outputTokens ?? usual?.outputTokens ?? Self.assumed.outputTokens
    var session = EngineSession(account: RunAccount(), concurrency: job.terms.concurrency)
    session.vectorizer = job.terms.vectorizer
    let task = job.task(session)
    var parts = job.optimizer.parts(task)
    if let testset = job.testset { parts.append(task.testPart(testset.rows)) }
    if let vectors = task.vectorPart(by: job.optimizer, testset: job.testset?.rows) { parts.append(vectors) }
    let phases = parts.map { phase($0, outputTokens) }

    let calls = phases.reduce(Bounds()) { $0 + $1.calls }
    let input = phases.reduce(Bounds()) { $0 + $1.input }
    let output = phases.reduce(Bounds()) { $0 + $1.output }
    var figures = Report()
    figures.calls = calls.shown()
    for role in CallRole.allCases {
      let own = phases.filter { $0.part.role == role }
      guard !own.isEmpty else { continue }
      figures.byRole[role.rawValue] = RoleCalls(calls: own.reduce(Bounds()) { $0 + $1.calls }.shown())
    }
    figures.inputTokens = input.shown()
    figures.outputTokens = output.shown()
    figures.totalTokens = (input + output).shown()
    figures.cost = cost(phases)?.shown(1e6)
    figures.seconds = (calls * (seconds / Double(job.terms.concurrency))).shown(10)
    figures.concurrency = job.terms.concurrency
    figures.latency = Latency(
      seconds: (seconds * 1000).rounded() / 1000,
      source: terms.seconds != nil ? .given : usual != nil ? .measured : .assumed)
    figures.phases = phases.map(shown)
    figures.assumptions = assumptions(outputTokens, usual != nil)
    figures.budget = budgetVerdict(calls, input + output, cost(phases))
    figures.isSimulated = job.model.configuration.isSimulated
    figures.warnings = job.terms.warnings
    return figures
  }

  private func model(of role: CallRole) -> ModelClient {
    switch role {
    case .prompt: job.promptModel ?? job.model
    case .teacher: job.teacher ?? job.model
    case .embedding: job.terms.vectorizer ?? job.model
    case .task, .judge: job.model
    }
  }

  private func phase(_ part: PlannedPart, _ outputTokens: Double) -> Phase {
    let executions = part.executions
    let per = part.shortest.program.module.callsPerExecution
    let calls = Bounds(
      least: Double(executions.lowerBound * per.least),
      most: per.most.map { Double(executions.upperBound * $0) })
    func tokens(_ sample: PlannedPart.Sample) -> Double {
      let sizes = PreparedProgram(sample.program).promptBytes(sample.rows)
      return Double(sizes.reduce(0, +)) / Double(max(1, sizes.count)) / Self.bytesPerToken
    }
    let (short, long) = (tokens(part.shortest), tokens(part.longest))
    let input = Bounds(least: calls.least * min(short, long), most: calls.most.map { $0 * max(short, long) })
    let output = calls * outputTokens
    let price = PriceTable.price(of: model(of: part.role).configuration)
    let cost = price.map { price in (input * (price.input / 1e6)) + (output * (price.output / 1e6)) }
    return Phase(part: part, calls: calls, input: input, output: output, cost: cost)
  }

  private func cost(_ phases: [Phase]) -> Bounds? {
    var sum = Bounds()
    for phase in phases {
      guard let cost = phase.cost else { return nil }
      sum = sum + cost
    }
    return sum
  }

  private func shown(_ phase: Phase) -> PhaseReport {
    let range = phase.part.executions
    return PhaseReport(
      name: phase.part.name, role: phase.part.role.rawValue,
      executions: Bracket(min: .int(range.lowerBound), max: .int(range.upperBound)), calls: phase.calls.shown(),
      inputTokens: phase.input.shown(), outputTokens: phase.output.shown(), cost: phase.cost?.shown(1e6),
      details: phase.part.details)
  }

  /// Whether the request's bounds will do.
  private func budgetVerdict(_ calls: Bounds, _ tokens: Bounds, _ cost: Bounds?) -> BudgetVerdict? {
    let limits = job.terms.budget.left
    func verdict(_ need: Bounds?, _ limit: Double?) -> Sufficiency? {
      guard let limit else { return nil }
      guard let need else { return .unknown }
      if need.least > limit { return .no }
      return need.most.map { $0 <= limit } == true ? .yes : .perhaps
    }
    let suffices = BudgetVerdict.Limits(
      maxCalls: verdict(calls, limits.maxCalls.map(Double.init)),
      maxTokens: verdict(tokens, limits.maxTokens.map(Double.init)), maxCost: verdict(cost, limits.maxCost))
    return suffices.given.isEmpty ? nil : BudgetVerdict(suffices: suffices)
  }

  private func assumptions(_ outputTokens: Double, _ isMeasured: Bool) -> [String] {
    var lines = [
      "Every call is counted as if no answer were in the store yet, and every reply as readable at the first try.",
      "A token is assumed to be \(Int(Self.bytesPerToken)) bytes of the prompt; prompts are made with the program's own rows.",
      "A reply has \(Int(outputTokens.rounded())) tokens (\(terms.outputTokens != nil ? "given" : isMeasured ? "measured" : "assumed")).",
      "New instructions are assumed to be as long as the present ones, bootstrapped demos as long as rows.",
      "Calls are assumed to keep all \(job.terms.concurrency) places busy.",
    ]
    let models = [job.model, job.promptModel, job.teacher, job.terms.vectorizer].compactMap { $0?.configuration }
    let unpriced = models.filter { PriceTable.price(of: $0) == nil }.map(\.model)
    lines.append(
      unpriced.isEmpty
        ? "Prices are the request's own or list prices of \(PriceTable.compiled)."
        : "The price of \(Set(unpriced).sorted().joined(separator: ", ")) is not known: state it as price in its configuration."
    )
    return lines
  }
}

import Evaluation
import Failures
import JSON
import LanguageModels
import Optimizers
import Programs
import Schema
import Tracking

/// What a compile will ask for and cost, told without asking any model.
struct CompileEstimate {
  /// What is taken for granted where it is not known.
  struct Terms: SchemaObject {
    static let members: [Member<Self>] = [
      Member("latency", \.seconds, in: 0...86_400, "Seconds that a reply takes."),
      Member("outputTokens", \.outputTokens, in: 0...1e9, "Tokens that a reply has."),
    ]
    var seconds: Double?
    var outputTokens: Double?
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

    func json(_ digits: Double = 1) -> JSONValue {
      func shown(_ number: Double) -> JSONValue {
        digits == 1 ? .int(Int(number.rounded())) : .double((number * digits).rounded() / digits)
      }
      return ["min": shown(least), "max": most.map(shown) ?? .null]
    }
  }

  private struct Phase {
    var part: PlannedPart
    var calls: Bounds
    var input: Bounds
    var output: Bounds
    var cost: Bounds?
  }

  private let order: CompileOrder
  private let terms: Terms
  /// Bytes of text that make a token, on the average.
  private static let bytesPerToken = 4.0
  private static let assumed = (seconds: 1.0, outputTokens: 150.0)

  init(_ order: CompileOrder, _ terms: Terms) {
    self.order = order
    self.terms = terms
  }

  func json(_ service: Service) async throws(HoneError) -> JSONValue {
    let usual = try await service.store().usualAnswer(of: order.taskModel.configuration.model)
    let seconds = terms.seconds ?? usual?.seconds ?? Self.assumed.seconds
    let outputTokens = terms.outputTokens ?? usual?.outputTokens ?? Self.assumed.outputTokens
    let task = order.task(EngineSession(account: RunAccount(), concurrency: order.concurrency))
    let phases = order.optimizer.parts(task).map { phase($0, outputTokens) }

    let calls = phases.reduce(Bounds()) { $0 + $1.calls }
    let input = phases.reduce(Bounds()) { $0 + $1.input }
    let output = phases.reduce(Bounds()) { $0 + $1.output }
    var roles = JSONObject()
    for role in CallRole.allCases {
      let own = phases.filter { $0.part.role == role }
      guard !own.isEmpty else { continue }
      roles.append(role.rawValue, ["calls": own.reduce(Bounds()) { $0 + $1.calls }.json()])
    }
    var object: JSONObject = [
      "status": "ESTIMATED", "calls": calls.json(), "byRole": .object(roles), "inputTokens": input.json(),
      "outputTokens": output.json(), "totalTokens": (input + output).json(),
      "cost": cost(phases)?.json(1e6) ?? .null, "seconds": (calls * (seconds / Double(order.concurrency))).json(10),
      "concurrency": .int(order.concurrency),
      "latency": [
        "seconds": .double((seconds * 1000).rounded() / 1000),
        "source": .string(terms.seconds != nil ? "given" : usual != nil ? "measured" : "assumed"),
      ],
      "phases": .array(phases.map(json)), "assumptions": .array(assumptions(outputTokens, usual != nil)),
    ]
    if let verdict = budgetVerdict(calls, input + output, cost(phases)) { object["budget"] = verdict }
    if order.taskModel.configuration.isSimulated { object["simulated"] = true }
    if !order.warnings.isEmpty { object["warnings"] = .array(order.warnings.map(JSONValue.string)) }
    return .object(object)
  }

  private func model(of role: CallRole) -> ModelClient {
    switch role {
    case .prompt: order.promptModel ?? order.taskModel
    case .teacher: order.teacher ?? order.taskModel
    case .task, .judge: order.taskModel
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

  private func json(_ phase: Phase) -> JSONValue {
    let range = phase.part.executions
    var object: JSONObject = [
      "name": .string(phase.part.name), "role": .string(phase.part.role.rawValue),
      "executions": ["min": .int(range.lowerBound), "max": .int(range.upperBound)], "calls": phase.calls.json(),
      "inputTokens": phase.input.json(), "outputTokens": phase.output.json(),
      "cost": phase.cost?.json(1e6) ?? .null,
    ]
    for (key, value) in phase.part.details { object[key] = value }
    return .object(object)
  }

  /// Whether the request's bounds will do.
  private func budgetVerdict(_ calls: Bounds, _ tokens: Bounds, _ cost: Bounds?) -> JSONValue? {
    let limits = order.budget.limits
    func verdict(_ need: Bounds?, _ limit: Double?) -> String? {
      guard let limit else { return nil }
      guard let need else { return "unknown" }
      if need.least > limit { return "no" }
      return need.most.map { $0 <= limit } == true ? "yes" : "perhaps"
    }
    var object = JSONObject()
    if let word = verdict(calls, limits.maxCalls.map(Double.init)) { object["maxCalls"] = .string(word) }
    if let word = verdict(tokens, limits.maxTokens.map(Double.init)) { object["maxTokens"] = .string(word) }
    if let word = verdict(cost, limits.maxCost) { object["maxCost"] = .string(word) }
    return object.isEmpty ? nil : ["suffices": .object(object)]
  }

  private func assumptions(_ outputTokens: Double, _ isMeasured: Bool) -> [JSONValue] {
    var lines = [
      "Every call is counted as if no answer were in the store yet, and every reply as readable at the first try.",
      "A token is taken as \(Int(Self.bytesPerToken)) bytes of the prompt; prompts are made with the program's own rows.",
      "A reply has \(Int(outputTokens.rounded())) tokens (\(terms.outputTokens != nil ? "given" : isMeasured ? "measured" : "assumed")).",
      "New instructions are taken to be as long as the present ones, bootstrapped demos as long as rows.",
      "Calls are taken to keep all \(order.concurrency) places busy.",
    ]
    let models = [order.taskModel, order.promptModel, order.teacher].compactMap { $0?.configuration }
    let unpriced = models.filter { PriceTable.price(of: $0) == nil }.map(\.model)
    lines.append(
      unpriced.isEmpty
        ? "Prices are the request's own or list prices of \(PriceTable.compiled)."
        : "The price of \(Set(unpriced).sorted().joined(separator: ", ")) is not known: state it as price in its configuration.")
    return lines.map(JSONValue.string)
  }
}

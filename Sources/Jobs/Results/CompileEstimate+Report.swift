package import JSON
package import Schema

/// What `compile` is answered with where it is only to estimate.
extension CompileEstimate {
  /// From one number to another; the upper one may be unknown.
  package struct Bracket: ResultObject {
    package static let members: [Member<Self>] = [
      Member("min", \.min, isAlwaysWritten: true, "At least."),
      Member("max", \.max, isAlwaysWritten: true, "At most; null where that is not known."),
    ]
    package var min = JSONValue.int(0)
    package var max: JSONValue?

    package init() {}

    init(min: JSONValue, max: JSONValue?) {
      self.min = min
      self.max = max
    }
  }

  package struct RoleCalls: ResultObject {
    package static let members: [Member<Self>] = [Member("calls", \.calls, isAlwaysWritten: true, "Calls.")]
    package var calls = Bracket()

    package init() {}
    init(calls: Bracket) { self.calls = calls }
  }

  package struct Latency: ResultObject {
    package enum Source: String, SchemaChoice { case given, measured, assumed }

    package static let members: [Member<Self>] = [
      Member("seconds", \.seconds, isAlwaysWritten: true, "Seconds that a reply takes."),
      Member("source", \.source, isAlwaysWritten: true, "Where that is known from."),
    ]
    package var seconds = 0.0
    package var source = Source.assumed

    package init() {}
    init(seconds: Double, source: Source) {
      self.seconds = seconds
      self.source = source
    }
  }

  package struct PhaseReport: ResultObject {
    package static let members: [Member<Self>] = [
      Member("name", \.name, isAlwaysWritten: true, "The phase, by its name in traces."),
      Member("role", \.role, isAlwaysWritten: true, "What the calls are made for."),
      Member("executions", \.executions, isAlwaysWritten: true, "Executions of a program."),
      Member("calls", \.calls, isAlwaysWritten: true, "Calls."),
      Member("inputTokens", \.inputTokens, isAlwaysWritten: true, "Tokens of the prompts."),
      Member("outputTokens", \.outputTokens, isAlwaysWritten: true, "Tokens of the replies."),
      Member("cost", \.cost, isAlwaysWritten: true, "US dollars; null where a price is not known."),
    ]
    package var name = ""
    package var role = ""
    package var executions = Bracket()
    package var calls = Bracket()
    package var inputTokens = Bracket()
    package var outputTokens = Bracket()
    package var cost: Bracket?
    /// What the optimizer adds: `trials`, `rows` …
    package var details: JSONObject = [:]

    package init() {}

    init(
      name: String, role: String, executions: Bracket, calls: Bracket, inputTokens: Bracket, outputTokens: Bracket,
      cost: Bracket?, details: JSONObject
    ) {
      self.name = name
      self.role = role
      self.executions = executions
      self.calls = calls
      self.inputTokens = inputTokens
      self.outputTokens = outputTokens
      self.cost = cost
      self.details = details
    }

    package mutating func settle(_ fields: FieldReader) {
      details = fields.object.filter { name in !Self.members.contains { $0.name == name } }
    }

    package var jsonValue: JSONValue { .object(given.merging(details)) }
  }

  package enum Sufficiency: String, SchemaChoice { case yes, no, perhaps, unknown }

  package struct BudgetVerdict: ResultObject {
    package struct Limits: ResultObject {
      package static let members: [Member<Self>] = [
        Member("maxCalls", \.maxCalls, "Whether the bound on calls will do."),
        Member("maxTokens", \.maxTokens, "Whether the bound on tokens will do."),
        Member("maxCost", \.maxCost, "Whether the bound on cost will do."),
      ]
      package var maxCalls: Sufficiency?
      package var maxTokens: Sufficiency?
      package var maxCost: Sufficiency?

      package init() {}
      init(maxCalls: Sufficiency?, maxTokens: Sufficiency?, maxCost: Sufficiency?) {
        self.maxCalls = maxCalls
        self.maxTokens = maxTokens
        self.maxCost = maxCost
      }
    }

    package static let members: [Member<Self>] = [
      Member("suffices", \.suffices, isAlwaysWritten: true, "For each bound of the request.")
    ]
    package var suffices = Limits()

    package init() {}
    init(suffices: Limits) { self.suffices = suffices }
  }

  package struct Report: ResultObject {
    package static let members: [Member<Self>] = [
      Member("status", \.status, isAlwaysWritten: true, "ESTIMATED."),
      Member("calls", \.calls, isAlwaysWritten: true, "Calls."),
      Member("byRole", \.byRole, isAlwaysWritten: true, "Calls by what they are made for."),
      Member("inputTokens", \.inputTokens, isAlwaysWritten: true, "Tokens of the prompts."),
      Member("outputTokens", \.outputTokens, isAlwaysWritten: true, "Tokens of the replies."),
      Member("totalTokens", \.totalTokens, isAlwaysWritten: true, "Both together."),
      Member("cost", \.cost, isAlwaysWritten: true, "US dollars; null where a price is not known."),
      Member("seconds", \.seconds, isAlwaysWritten: true, "How long it takes."),
      Member("concurrency", \.concurrency, isAlwaysWritten: true, "Executions at once."),
      Member("latency", \.latency, isAlwaysWritten: true, "How long a reply is assumed to take."),
      Member("phases", \.phases, isAlwaysWritten: true, "The same by phase."),
      Member("assumptions", \.assumptions, isAlwaysWritten: true, "What is assumed, in sentences."),
      Member("budget", \.budget, "Whether the request's bounds will do."),
      Member("simulated", \.isSimulated, "Whether the embedded simulation is to answer, and not a model."),
      Member("warnings", \.warnings, "What will differ from the request."),
    ]
    package var status = "ESTIMATED"
    package var calls = Bracket()
    package var byRole: [String: RoleCalls] = [:]
    package var inputTokens = Bracket()
    package var outputTokens = Bracket()
    package var totalTokens = Bracket()
    package var cost: Bracket?
    package var seconds = Bracket()
    package var concurrency = 0
    package var latency = Latency()
    package var phases: [PhaseReport] = []
    package var assumptions: [String] = []
    package var budget: BudgetVerdict?
    package var isSimulated = false
    package var warnings: [String] = []

    package init() {}
  }
}

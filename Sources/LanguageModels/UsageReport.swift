package import JSON
package import Messages
public import Schema

/// What was asked of language models and what it cost, by role: the `usage` of a result, a run's bill.
public struct UsageReport: SchemaValue, Hashable {
  /// The figures of one role, or of all together.
  public struct Entry: ResultObject, Hashable {
    package static let members: [Member<Self>] = [
      Member("calls", \.calls, isAlwaysWritten: true, "Requests sent to a model, failed ones included."),
      Member("cached", \.cached, isAlwaysWritten: true, "Calls that were answered without asking a model."),
      Member("failed", \.failed, isAlwaysWritten: true, "Requests sent that brought no answer."),
      Member("inputTokens", \.tokens.inputTokens, isAlwaysWritten: true, "Tokens of the prompts."),
      Member("outputTokens", \.tokens.outputTokens, isAlwaysWritten: true, "Tokens of the replies."),
      Member("totalTokens", \.totalTokens, isAlwaysWritten: true, "Both together."),
      Member(
        "cost", \.shownCost, isAlwaysWritten: true, "US dollars; null where the price of any request is not known."),
      Member("knownCost", \.shownKnownCost, "Where the cost is not known: the part that is."),
      Member("counted", \.counted, "Where some of it is estimated: the part that endpoints counted."),
      Member(
        "estimated", \.estimated,
        "The part that nobody counted: of requests that were lost, cut off or given up, the most that they can have used."
      ),
    ]

    /// A part of the figures.
    public struct Share: ResultObject, Hashable {
      package static let members: [Member<Self>] = [
        Member("requests", \.requests, isAlwaysWritten: true, "How many requests."),
        Member("tokens", \.tokens, isAlwaysWritten: true, "Tokens of prompts and replies."),
        Member("cost", \.shownCost, isAlwaysWritten: true, "US dollars of those whose price is known."),
      ]

      /// How many requests.
      public var requests = 0
      /// Tokens of prompts and replies.
      public var tokens = 0
      /// US dollars of those whose price is known.
      public var cost = 0.0

      package init() {}

      package init(requests: Int, tokens: Int, cost: Double) {
        self.requests = requests
        self.tokens = tokens
        self.cost = cost
      }

      package static func += (a: inout Share, b: Share) {
        a.requests += b.requests
        a.tokens += b.tokens
        a.cost += b.cost
      }

      fileprivate var shownCost: Double {
        get { UsageReport.rounded(cost) }
        set { cost = newValue }
      }
    }

    /// Requests sent to a model, failed ones included: what a budget's `maxCalls` counts.
    public var calls = 0
    /// Calls that were answered without asking a model: from the store, or together with an equal call.
    public var cached = 0
    /// Requests sent that brought no answer.
    public var failed = 0
    /// Tokens of the requests sent: as the endpoints counted them, else estimated.
    package var tokens = TokenUsage()
    /// US dollars of the requests whose price is known.
    package var knownCost = 0.0
    /// Requests that were answered and whose price is not known.
    package var unpriced = 0
    /// Seconds that callers waited for answers from models, all callers added up.
    package var seconds = 0.0

    /// The requests whose tokens nobody counted, and what they can have used at most.
    package var estimates = Share()

    package init() {}

    /// What nobody counted; nil where endpoints counted all of it.
    public var estimated: Share? {
      get { estimates.requests > 0 ? estimates : nil }
      set { estimates = newValue ?? Share() }
    }

    /// How much of it is estimated, in words that go after the tokens and dollars; empty where nothing is.
    package var estimateNote: String {
      guard let estimated else { return "" }
      let requests = estimated.requests == 1 ? "1 request" : "\(estimated.requests) requests"
      return " (of these at most \(estimated.tokens) tokens for \(requests) that nobody counted)"
    }

    /// What endpoints counted, where that is not all of it.
    fileprivate var counted: Share? {
      get {
        estimated.map { estimated in
          Share(
            requests: calls - estimated.requests, tokens: totalTokens - estimated.tokens,
            cost: max(0, knownCost - estimated.cost))
        }
      }
      // Follows from the rest.
      set {}
    }

    /// Calls that brought an answer, from a model or from the store.
    package var answered: Int { calls - failed + cached }

    /// US dollars; nil where the price of any request is not known.
    public var cost: Double? { unpriced == 0 ? knownCost : nil }

    package static func += (a: inout Entry, b: Entry) {
      a.calls += b.calls
      a.cached += b.cached
      a.failed += b.failed
      a.tokens += b.tokens
      a.knownCost += b.knownCost
      a.unpriced += b.unpriced
      a.seconds += b.seconds
      a.estimates += b.estimates
    }

    /// All tokens; what is set goes to the outputs.
    fileprivate var totalTokens: Int {
      get { tokens.totalTokens }
      set { tokens.outputTokens = newValue - tokens.inputTokens }
    }

    fileprivate var shownCost: Double? {
      get { cost.map(UsageReport.rounded) }
      set {
        knownCost = newValue ?? knownCost
        unpriced = newValue == nil ? max(1, unpriced) : 0
      }
    }

    fileprivate var shownKnownCost: Double? {
      get { cost == nil ? UsageReport.rounded(knownCost) : nil }
      set { knownCost = newValue ?? knownCost }
    }
  }

  /// The roles that anything was asked for.
  package var byRole: [CallRole: Entry]

  package init(byRole: [CallRole: Entry] = [:]) { self.byRole = byRole }

  package subscript(role: CallRole) -> Entry {
    get { byRole[role] ?? Entry() }
    set { byRole[role] = newValue }
  }

  /// All roles together.
  public var total: Entry {
    // In a fixed order, so that the sum of floating-point numbers is always the same.
    CallRole.allCases.reduce(into: Entry()) { $0 += self[$1] }
  }

  package static func + (a: UsageReport, b: UsageReport) -> UsageReport {
    UsageReport(byRole: a.byRole.merging(b.byRole) { $0.plus($1) })
  }

  package static var schema: Schema { Schema(.named("Usage"), "what was asked of models and what it cost") }

  /// What stands under that name.
  package static var shape: Schema {
    let roles = Schema.Field("byRole", Schema(.map(Entry.schema)), "The same for each role that was used.")
    var schema = Schema(.object(Entry.fields + [roles]))
    schema.isOpen = true
    return schema
  }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> UsageReport? {
    guard let roles = value["byRole"]?.objectValue else {
      problems.add(place, "Expected usage with byRole.")
      return nil
    }
    var report = UsageReport()
    for (name, figures) in roles {
      guard let role = CallRole(rawValue: name) else { continue }
      report.byRole[role] = Entry.read(figures, at: "\(place).byRole.\(name)", problems)
    }
    return report
  }

  /// The total's members, and `byRole` with those of each role that was used.
  package var json: JSONObject {
    var object = total.given
    var roles = JSONObject()
    for role in CallRole.allCases {
      if let figures = byRole[role], figures != Entry() { roles.append(role.rawValue, .object(figures.given)) }
    }
    object["byRole"] = .object(roles)
    return object
  }

  package var jsonValue: JSONValue { .object(json) }

  /// To the billionth of a dollar: hides the last digits that summing in another order would change.
  private static func rounded(_ cost: Double) -> Double { (cost * 1e9).rounded() / 1e9 }
}

extension UsageReport.Entry {
  fileprivate func plus(_ other: Self) -> Self {
    var sum = self
    sum += other
    return sum
  }
}

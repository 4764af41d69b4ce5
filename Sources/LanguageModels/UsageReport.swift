package import JSON

/// What was asked of language models and what it cost, by role: the `usage` of a result, a run's bill.
package struct UsageReport: Sendable, Hashable {
  /// The figures of one role, or of all together.
  package struct Figures: Sendable, Hashable {
    /// Requests sent to a model, failed ones included: what a budget's `maxCalls` counts.
    package var calls = 0
    /// Calls that were answered without asking a model: from the store, or together with an equal call.
    package var cached = 0
    /// Requests sent that brought no answer.
    package var failed = 0
    /// Tokens of the requests sent, as the endpoints counted them.
    package var tokens = TokenUsage()
    /// US dollars of the requests whose price is known.
    package var knownCost = 0.0
    /// Requests that were answered and whose price is not known.
    package var unpriced = 0
    /// Seconds that callers waited for answers from models, all callers added up.
    package var seconds = 0.0

    package init() {}

    /// Calls that brought an answer, from a model or from the store.
    package var answered: Int { calls - failed + cached }

    /// US dollars; nil where the price of any request is not known.
    package var cost: Double? { unpriced == 0 ? knownCost : nil }

    package static func += (a: inout Figures, b: Figures) {
      a.calls += b.calls
      a.cached += b.cached
      a.failed += b.failed
      a.tokens += b.tokens
      a.knownCost += b.knownCost
      a.unpriced += b.unpriced
      a.seconds += b.seconds
    }

    /// `calls`, `cached`, `failed`, `inputTokens`, `outputTokens`, `totalTokens`, `cost`; where the cost
    /// is not known, `knownCost` is the part that is.
    package var json: JSONObject {
      var object: JSONObject = [
        "calls": .int(calls), "cached": .int(cached), "failed": .int(failed),
        "inputTokens": .int(tokens.inputTokens), "outputTokens": .int(tokens.outputTokens),
        "totalTokens": .int(tokens.totalTokens), "cost": JSONValue(cost.map(UsageReport.rounded)),
      ]
      if cost == nil { object["knownCost"] = .double(UsageReport.rounded(knownCost)) }
      return object
    }
  }

  /// The roles that anything was asked for.
  package var byRole: [CallRole: Figures]

  package init(byRole: [CallRole: Figures] = [:]) { self.byRole = byRole }

  package subscript(role: CallRole) -> Figures {
    get { byRole[role] ?? Figures() }
    set { byRole[role] = newValue }
  }

  /// All roles together.
  package var total: Figures {
    // In a fixed order, so that the sum of floating-point numbers is always the same.
    CallRole.allCases.reduce(into: Figures()) { $0 += self[$1] }
  }

  package static func + (a: UsageReport, b: UsageReport) -> UsageReport {
    UsageReport(byRole: a.byRole.merging(b.byRole) { $0.plus($1) })
  }

  /// The total's members, and `byRole` with those of each role that was used.
  package var json: JSONObject {
    var object = total.json
    var roles = JSONObject()
    for role in CallRole.allCases {
      if let figures = byRole[role], figures != Figures() { roles.append(role.rawValue, .object(figures.json)) }
    }
    object["byRole"] = .object(roles)
    return object
  }

  /// To the billionth of a dollar: hides the last digits that summing in another order would change.
  private static func rounded(_ cost: Double) -> Double { (cost * 1e9).rounded() / 1e9 }
}

extension UsageReport.Figures {
  fileprivate func plus(_ other: Self) -> Self {
    var sum = self
    sum += other
    return sum
  }
}

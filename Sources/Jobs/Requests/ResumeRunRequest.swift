package import JSON
package import LanguageModels
package import Schema

package struct ResumeRunRequest: SchemaObject {
  package static let members: [Member<Self>] = [
    Member("runId", \.runId, isRequired: true, "The run's id. A finished run answers with its result."),
    Member("budget", \.budget, "Bounds that replace the run's own, each for the whole run; null lifts all."),
    Member("concurrency", \.concurrency, in: 1...1024, "How many executions at once, from now on."),
    Member("detach", \.detach, "Answer at once and continue without the client."),
  ]
  package var runId = ""
  package var budget = Change<Budget.Limits>.none
  package var concurrency: Int?
  package var detach = false

  package init() {}

  /// - Parameter budget: bounds in place of those the run had; as they were where nil.
  package init(_ runID: String, budget: Budget.Limits?, concurrency: Int?) {
    runId = runID
    self.budget = budget.map { .set($0) } ?? .none
    self.concurrency = concurrency
  }

  /// A run's kept parameters with what changes; a limit that is not named stays as it was.
  package func applied(to kept: JSONObject) -> JSONObject {
    var params = kept
    if let concurrency { params["concurrency"] = .int(concurrency) }
    switch budget {
    case .none: break
    case .lift: params["budget"] = .null
    case .set(let limits): params["budget"] = .object((kept["budget"]?.objectValue ?? [:]).merging(limits.given))
    }
    return params
  }
}

/// What becomes of a value that is there already.
package enum Change<Value: SchemaValue>: SchemaValue {
  case none
  case lift
  case set(Value)

  package static var schema: Schema { Value.schema.orNull }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Change? {
    value.isNull ? .lift : Value.read(value, at: place, problems).map(Change.set)
  }

  /// What it is set to; nil where it is lifted, or nothing is said.
  package var value: Value? { if case .set(let value) = self { value } else { nil } }

  package var jsonValue: JSONValue { value?.jsonValue ?? .null }
}

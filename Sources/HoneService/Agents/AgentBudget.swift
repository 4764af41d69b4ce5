import Failures
import JSON
import LanguageModels
import Schema

/// The bounds under which agents' requests run that state none of their own.
package struct AgentBudget: Sendable {
  package var maxCalls: Int
  /// US dollars; counts where the prices of all models of a request are known.
  package var maxCost: Double

  package init(maxCalls: Int = 1000, maxCost: Double = 2) {
    self.maxCalls = maxCalls
    self.maxCost = maxCost
  }

  var text: String { "\(maxCalls) model calls and, where prices are known, $\(maxCost)" }

  func applies(to method: Method) -> Bool {
    method.name != Method.resumeRun.name && method.parameters.contains { $0.name == "budget" }
  }

  /// The request with each bound that it does not state itself; null in it lifts one.
  func bounding(_ params: JSONObject) -> JSONObject {
    if let stated = params["budget"], !stated.isNull, stated.objectValue == nil { return params }
    if params["budget"] == .null { return params }
    var budget: JSONObject = ["maxCalls": .int(maxCalls)]
    if hasPrices(params) { budget["maxCost"] = .double(maxCost) }
    for (name, value) in params["budget"]?.objectValue ?? [:] {
      // Bounds may be spelt as in Python.
      if let member = Budget.Limits.members.first(where: { $0.otherSpellings.contains(name) }) {
        budget[member.name] = nil
      }
      budget[name] = value
    }
    var bounded = params
    bounded["budget"] = .object(budget)
    return bounded
  }

  /// Whether a bound in dollars can be kept, because all prices are known, and has anything to bound.
  private func hasPrices(_ params: JSONObject) -> Bool {
    let models = ["lm", "promptModel", "teacher"].compactMap { params[$0] }.filter { !$0.isNull }
    let prices = models.map { model in
      ModelConfiguration(model, path: "lm", problems: ProblemList()).flatMap { PriceTable.price(of: $0) }
    }
    guard params["lm"] != nil, !prices.contains(where: { $0 == nil }) else { return false }
    return prices.contains { ($0?.input ?? 0) + ($0?.output ?? 0) > 0 }
  }
}

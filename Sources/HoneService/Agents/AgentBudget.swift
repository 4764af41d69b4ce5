import Failures
import JSON
import LanguageModels

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
      let canonical = ["max_calls": "maxCalls", "max_cost": "maxCost"][name]
      if let canonical { budget[canonical] = nil }
      budget[name] = value
    }
    var bounded = params
    bounded["budget"] = .object(budget)
    return bounded
  }

  private func hasPrices(_ params: JSONObject) -> Bool {
    guard params["lm"] != nil else { return false }
    return ["lm", "promptModel", "teacher"].allSatisfy { name in
      guard let value = params[name], !value.isNull else { return true }
      let configuration = ModelConfiguration(value, path: name, problems: ProblemList())
      return configuration.map { PriceTable.price(of: $0) != nil } ?? false
    }
  }
}

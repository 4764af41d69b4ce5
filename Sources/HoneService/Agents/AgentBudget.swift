import Failures
import JSON
import Jobs
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
    let stated: JSONObject
    switch ToolArguments(.object(params)).budget {
    case .none: stated = [:]
    case .lift: return params
    case .set(let value):
      // What is no object is refused where it is read.
      guard let object = value.objectValue else { return params }
      stated = object
    }
    var own = Budget.Limits(maxCalls: maxCalls)
    if hasPrices(params) { own.maxCost = maxCost }
    // A bound may be spelt as in Python.
    let members = Budget.Limits.members.filter { member in
      ([member.name] + member.otherSpellings).contains { stated[$0] != nil }
    }
    let kept = own.given.filter { name in !members.contains { $0.name == name } }
    return params.merging(["budget": .object(kept.merging(stated))])
  }

  /// Whether a bound in dollars can be kept, because all prices are known, and has anything to bound.
  private func hasPrices(_ params: JSONObject) -> Bool {
    let asked = ToolArguments(.object(params))
    let models = [asked.lm, asked.promptModel, asked.teacher].compactMap(\.self)
    let prices = models.map { model in
      ModelConfiguration(model, path: "lm", problems: ProblemList()).flatMap { PriceTable.price(of: $0) }
    }
    guard asked.lm != nil, !prices.contains(where: { $0 == nil }) else { return false }
    return prices.contains { ($0?.input ?? 0) + ($0?.output ?? 0) > 0 }
  }
}

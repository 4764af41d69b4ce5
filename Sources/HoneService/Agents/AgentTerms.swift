package import Jobs
package import LanguageModels
package import Platform
import Schema

/// What the operator lets an agent do, whatever the agent asks for.
package struct AgentTerms: Sendable {
  /// The bounds unless the operator says otherwise.
  package static let limits = Budget.Limits(maxCalls: 1000, maxTokens: 10_000_000, maxCost: 2, maxSeconds: 21_600)

  /// What all requests of the session together may spend.
  package let ceiling: SpendingCeiling
  /// The only directory whose files the agent may name; relative paths count from it.
  package let root: Enclosure
  let written = WrittenFiles()

  package init(ceiling: SpendingCeiling, root: Enclosure) {
    self.ceiling = ceiling
    self.root = root
  }

  /// Whether a method may ask models.
  static func spends(_ method: Method) -> Bool { method.parameters.contains { $0.name == "budget" } }

  /// Whether a method can go on without the agent.
  static func detaches(_ method: Method) -> Bool { method.parameters.contains { $0.name == "detach" } }

  /// Bounds in words.
  static func words(_ limits: Budget.Limits) -> String {
    [
      limits.maxCalls.map { "\($0) model calls" }, limits.maxTokens.map { "\($0) tokens" },
      limits.maxCost.map { "$\(($0 * 1e4).rounded() / 1e4) where prices are known" },
      limits.maxSeconds.map { "\(Int($0)) seconds of work" },
    ].compactMap(\.self).joined(separator: ", ")
  }
}

import Jobs
import JSON
import Terminal

/// What a compile would ask for and cost, for a person.
enum EstimateReport {
  static func text(_ estimate: CompileEstimate.Report) -> String {
    var rows = [["phase", "role", "calls", "input tokens", "cost"]]
    for phase in estimate.phases {
      rows.append([phase.name, phase.role, range(phase.calls), range(phase.inputTokens), range(phase.cost, "$")])
    }
    rows.append(["in all", "", range(estimate.calls), range(estimate.inputTokens), range(estimate.cost, "$")])
    var lines = [columns(rows), ""]
    let latency = estimate.latency
    lines.append(
      "\(range(estimate.seconds)) s with \(estimate.concurrency) at once and "
        + "\(JSONValue.double(latency.seconds).text()) s a call (\(latency.source.rawValue))")
    return (lines + estimate.assumptions.map { "- \($0.visibleLine)" }).joined(separator: "\n")
  }

  private static func range(_ bracket: CompileEstimate.Bracket?, _ prefix: String = "") -> String {
    guard let bracket else { return "unknown" }
    let (low, high) = (bracket.min.text(), bracket.max?.text() ?? "?")
    return low == high ? prefix + low : "\(prefix)\(low) to \(prefix)\(high)"
  }
}

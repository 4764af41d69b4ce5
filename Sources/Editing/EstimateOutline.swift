import JSON
import Jobs
import Schema

/// An estimate as lines for a person: what it comes to, each phase, what was taken for granted.
enum EstimateOutline {
  static func lines(of estimate: CompileEstimate.Report, for name: String) -> JSONValue {
    var lines: [JSONValue] = []
    func add(_ depth: Int, _ text: String) { lines.append(["depth": .int(depth), "text": .string(text)]) }
    let cost = range(estimate.cost, digits: 4)
    add(0, "Compiling \(name) takes \(range(estimate.calls, digits: 0) ?? "?") calls")
    add(1, "tokens: \(range(estimate.totalTokens, digits: 0) ?? "not known")")
    add(1, "cost: \(cost.map { "$" + $0 } ?? "not known")")
    let latency = estimate.latency
    add(
      1,
      "seconds: \(range(estimate.seconds, digits: 1) ?? "not known"), \(estimate.concurrency) at once, "
        + "\(number(latency.seconds, digits: 3)) s a call (\(latency.source.rawValue))")
    for (limit, verdict) in estimate.budget?.suffices.given ?? [:] {
      add(1, "budget.\(limit) suffices: \(verdict.stringValue ?? "")")
    }
    if estimate.isSimulated { add(1, "the model is simulated") }
    for warning in estimate.warnings { add(1, "warning: \(warning)") }
    add(1, "phases")
    for phase in estimate.phases {
      let (calls, input) = (range(phase.calls, digits: 0), range(phase.inputTokens, digits: 0))
      add(2, "\(phase.name), \(phase.role) model: \(calls ?? "?") calls, \(input ?? "?") input tokens")
    }
    add(1, "taken for granted")
    for line in estimate.assumptions { add(2, line) }
    return .array(lines)
  }

  /// `290 to 761`, or one number where both are the same; nil for what is not known.
  private static func range(_ bounds: CompileEstimate.Bracket?, digits: Int) -> String? {
    guard let least = bounds?.min.doubleValue else { return nil }
    guard let most = bounds?.max?.doubleValue else { return "at least \(number(least, digits: digits))" }
    let (low, high) = (number(least, digits: digits), number(most, digits: digits))
    return low == high ? low : "\(low) to \(high)"
  }

  /// With a comma at each thousand and no zeros behind the last digit that says something.
  private static func number(_ value: Double, digits: Int) -> String {
    let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
    guard let scaled = Int(exactly: (value * scale).rounded()) else { return "\(value)" }
    let (whole, part) = scaled.quotientAndRemainder(dividingBy: Int(scale))
    var grouped = ""
    for (index, digit) in String(whole).reversed().enumerated() {
      if index > 0, index % 3 == 0 { grouped.append(",") }
      grouped.append(digit)
    }
    var fraction = String(part)
    fraction = String(repeating: "0", count: max(0, digits - fraction.count)) + fraction
    while fraction.last == "0" { fraction.removeLast() }
    return String(grouped.reversed()) + (fraction.isEmpty ? "" : "." + fraction)
  }
}

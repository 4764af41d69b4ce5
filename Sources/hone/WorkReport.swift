import ArgumentParser
import Foundation
import JSON

/// The result of a compile or an evaluation on the terminal, and the status the command ends with.
enum WorkReport {
  static func text(_ result: JSONValue) -> String {
    if result["results"] != nil { return evaluation(result) }
    if result["status"] == "RUNNING" {
      let run = result["runId"]?.stringValue ?? ""
      return "run \(run)\n  hone watch \(run)\n  hone cancel \(run)"
    }
    if result["status"] == "ESTIMATED" { return estimate(result) }
    return CompileReport.text(result)
  }

  private static func estimate(_ result: JSONValue) -> String {
    func range(_ value: JSONValue?, _ prefix: String = "") -> String {
      guard let low = value?["min"]?.text(), let value, !value.isNull else { return "unknown" }
      let high = value["max"].map { $0.isNull ? "?" : $0.text() } ?? "?"
      return low == high ? prefix + low : "\(prefix)\(low) to \(prefix)\(high)"
    }
    var rows = [["phase", "role", "calls", "input tokens", "cost"]]
    for phase in result["phases"]?.arrayValue ?? [] {
      rows.append([
        phase["name"]?.stringValue ?? "", phase["role"]?.stringValue ?? "", range(phase["calls"]),
        range(phase["inputTokens"]), range(phase["cost"], "$"),
      ])
    }
    rows.append(["in all", "", range(result["calls"]), range(result["inputTokens"]), range(result["cost"], "$")])
    var lines = [columns(rows), ""]
    lines.append(
      "\(range(result["seconds"])) s with \(result["concurrency"]?.text() ?? "") at once and "
        + "\(result["latency"]?["seconds"]?.text() ?? "") s a call (\(result["latency"]?["source"]?.stringValue ?? ""))")
    for line in result["assumptions"]?.arrayValue ?? [] { lines.append("- \(line.stringValue ?? "")") }
    return lines.joined(separator: "\n")
  }

  /// Prints the result; throws the status where the work did not run to its end.
  static func show(_ result: JSONValue, json: Bool) throws {
    print(json ? result.text(.indented) : text(result))
    switch result["status"]?.stringValue {
    case "BUDGET_EXHAUSTED": throw ExitCode(4)
    case "CANCELLED", "INTERRUPTED": throw ExitCode(130)
    case "PAUSED": throw ExitCode(3)
    case "FAILED": throw ExitCode(1)
    default: break
    }
  }

  private static func evaluation(_ result: JSONValue) -> String {
    var lines: [String] = []
    if result["simulated"]?.boolValue == true { lines.append("(simulated model)") }
    lines.append(
      "score \(CompileReport.number(result["score"])) \(CompileReport.interval(result["interval"])) on \(result["count"]?.text() ?? "0") examples, \(result["failed"]?.text() ?? "0") failed")
    for row in (result["results"]?.arrayValue ?? []).filter({ $0["error"] != nil }).prefix(5) {
      lines.append(
        "  row \(row["index"]?.text() ?? ""): \(row["error"]?["message"]?.stringValue ?? "") \(row["traceId"]?.stringValue ?? "")")
    }
    lines += replies(result) + ending(result)
    if let run = result["runId"]?.stringValue { lines.append("run \(run)") }
    return lines.joined(separator: "\n")
  }

  /// How the replies came out behind the score, and in which form they were asked for, where either is worth a word.
  static func replies(_ result: JSONValue) -> [String] {
    var lines: [String] = []
    let replies = result["replies"]
    let count = replies?["count"]?.doubleValue ?? 0
    let parts = [("unreadable", "could not be read"), ("cut", "were cut off at the token limit"), ("repaired", "needed mending")]
      .compactMap { key, words -> String? in
        guard count > 0, let part = replies?[key]?.doubleValue, part > 0 else { return nil }
        return String(format: "%.0f %% \(words)", max(1, 100 * part / count))
      }
    if !parts.isEmpty { lines.append("of \(Int(count)) replies " + parts.joined(separator: ", ")) }
    let tried = result["adapter"]?["tried"]?.arrayValue ?? []
    if let format = result["adapter"]?["format"]?.stringValue, Set(tried.compactMap { $0["format"]?.stringValue }).count > 1 {
      let figures = tried.map { one in
        "\(one["format"]?.stringValue ?? "")\(one["withDemos"] == true ? " with demos" : ""): "
          + "\(one["readable"]?.text() ?? "0") of \(one["rows"]?.text() ?? "0") read"
          + (one["score"]?.doubleValue.map { String(format: ", score %.0f", $0) } ?? "")
      }
      lines.append("adapter \(format), chosen among " + figures.joined(separator: "; "))
    }
    return lines
  }

  /// The bill, and why and how it goes on where the work ended before its time.
  static func ending(_ result: JSONValue) -> [String] {
    var lines: [String] = []
    if let usage = result["usage"] {
      let cost = usage["cost"]?.doubleValue.map { ", $" + CompileReport.short($0) } ?? ""
      lines.append(
        "\(usage["calls"]?.text() ?? "0") calls, \(usage["cached"]?.text() ?? "0") answered from the store, "
          + "\(usage["totalTokens"]?.text() ?? "0") tokens\(cost), \(result["seconds"]?.text() ?? "") s")
    }
    for warning in result["warnings"]?.arrayValue ?? [] { lines.append("warning: \(warning.stringValue ?? "")") }
    if let error = result["error"]?["message"]?.stringValue {
      lines.append("\(result["status"]?.stringValue ?? "stopped"): \(error)")
    }
    if let command = result["resumeCommand"]?.stringValue { lines.append("it goes on with: \(command)") }
    return lines
  }
}

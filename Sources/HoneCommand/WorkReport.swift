import ArgumentParser
import Evaluation
import Failures
import Foundation
import Jobs
import JSON
import LanguageModels
import Messages
import Programs
import Schema
import Statistics
import Terminal

/// The result of a compile or an evaluation on the terminal, and the status the command ends with.
enum WorkReport {
  /// The result for a person; of a kind that has no words of its own, as it is.
  static func text(_ result: JSONValue, showsAllTrials: Bool = false) -> String {
    if let estimate = CompileEstimate.Report(json: result) { return EstimateReport.text(estimate) }
    guard let outline = JobOutline(json: result) else { return result.text(.indented) }
    if outline.results != nil { return evaluation(outline) }
    if outline.status == "RUNNING", let run = outline.runID {
      return "run \(run)\n  hone watch \(run)\n  hone cancel \(run)"
    }
    return CompileReport.text(outline, showsAllTrials: showsAllTrials)
  }

  static func write(_ result: JSONValue, json: Bool, showsAllTrials: Bool = false) {
    if json { return TerminalOutput.standard.json(result) }
    TerminalOutput.standard.line(text(result, showsAllTrials: showsAllTrials))
  }

  /// Prints the result; throws the status where the work did not run to its end.
  static func show(_ result: JSONValue, json: Bool, showsAllTrials: Bool = false) throws {
    write(result, json: json, showsAllTrials: showsAllTrials)
    // The status counts even where the rest cannot be read, as from a service of another version.
    switch result["status"]?.stringValue.flatMap(RunOutcome.init(rawValue:)) {
    case .budgetExhausted: throw ExitCode(4)
    case .cancelled, .interrupted: throw ExitCode(130)
    case .paused: throw ExitCode(3)
    case .failed: throw ExitCode(1)
    case .finished, nil: break
    }
  }

  private static func evaluation(_ result: JobOutline) -> String {
    var lines: [String] = []
    if result.isSimulated { lines.append("(simulated model)") }
    let refused = result.refused.map { $0 > 0 ? ", \($0) of them refused and not scored" : "" } ?? ""
    lines.append(
      "score \(number(result.score)) \(interval(result.interval)) on \(result.count ?? 0) examples, "
        + "\(result.failed ?? 0) failed\(refused)")
    lines += failures(result)
    for row in (result.results ?? []).filter({ $0.error != nil }).prefix(5) {
      lines.append("  row \(row.row): \((row.error?.message ?? "").visibleLine) \(row.traceName ?? "")")
    }
    lines += replies(result) + ending(result)
    if let run = result.runID { lines.append("run \(run)") }
    return lines.joined(separator: "\n")
  }

  /// How many examples failed in which way.
  private static func failures(_ result: JobOutline) -> [String] {
    let parts = FailureKind.all.compactMap { kind, _ in result.failures[kind.rawValue].map { "\($0) \(words(kind))" } }
    return parts.isEmpty ? [] : ["  " + parts.joined(separator: ", ")]
  }

  private static func words(_ kind: FailureKind) -> String {
    switch kind {
    case .contentRefused: "refused by a content filter or the model"
    case .inputRejected: "refused by the endpoint"
    case .contextWindowExceeded: "too long for the model"
    case .outputUnparsable: "could not be read"
    case .replyCut: "cut off at the token limit"
    case .replyEmpty: "without text"
    case .replyToolCall: "a tool call in place of an answer"
    case .metricFailed: "without a score from the metric"
    case .programFailed: "failed in the program"
    default: kind.rawValue
    }
  }

  /// How the replies came out behind the score, and in which form they were asked for, where either is worth a word.
  static func replies(_ result: JobOutline) -> [String] {
    var lines: [String] = []
    if let replies = result.replies, replies.replies > 0 {
      let parts = [
        (replies.unreadable, "could not be read"), (replies.cut, "were cut off at the token limit"),
        (replies.repaired, "needed mending"),
      ].filter { $0.0 > 0 }.map { part, words in
        String(format: "%.0f %% \(words)", max(1, 100 * Double(part) / Double(replies.replies)))
      }
      if !parts.isEmpty { lines.append("of \(replies.replies) replies " + parts.joined(separator: ", ")) }
    }
    if let adapter = result.adapter, Set(adapter.tries.map(\.format)).count > 1 {
      let figures = adapter.tries.map { one in
        "\(one.format.rawValue)\(one.hasDemos ? " with demos" : ""): \(one.readable) of \(one.rows) read"
          + (one.score.map { String(format: ", score %.0f", 100 * $0) } ?? "")
      }
      lines.append("adapter \(adapter.format.rawValue), chosen among " + figures.joined(separator: "; "))
    }
    return lines
  }

  /// The bill, and why and how it goes on where the work ended before its time.
  static func ending(_ result: JobOutline) -> [String] {
    var lines: [String] = []
    if let usage = result.usage?.total {
      let cost = usage.cost.map { ", $" + short($0) } ?? ""
      lines.append(
        "\(usage.calls) calls, \(usage.cached) answered from the store, \(usage.tokens.totalTokens) tokens\(cost)\(usage.estimateNote), "
          + "\(JSONValue(result.seconds).text()) s")
    }
    for warning in result.warnings { lines.append("warning: \(warning.visibleLine)") }
    if let error = result.error {
      lines.append("\(result.status ?? "stopped"): \(error.messageWithCause)".visibleParagraph)
    }
    // How it goes on has a line of its own.
    let remedy = result.error?.remedy.map {
      $0.prefix(upTo: $0.firstRange(of: "Resume it with")?.lowerBound ?? $0.endIndex)
    }
    if let remedy, !remedy.isEmpty { lines.append(String(remedy).visibleParagraph) }
    if let command = result.resumeCommand { lines.append("it goes on with: \(command.visibleLine)") }
    return lines
  }

  // MARK: Numbers

  static func number(_ value: Double?) -> String { value.map { String(format: "%.2f", $0) } ?? "–" }

  static func short(_ value: Double?) -> String { value.map { String(format: "%.2g", $0) } ?? "–" }

  static func interval(_ value: PercentInterval?) -> String {
    value.map { "[\(number($0.low)), \(number($0.high))]" } ?? ""
  }
}

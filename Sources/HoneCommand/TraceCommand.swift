import ArgumentParser
import Foundation
import HoneService
import JSON
import Programs
import Schema
import Terminal
import Tracking

/// `hone trace`.
struct TraceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace", abstract: "Show a trace as a tree with times.",
    discussion: "Given a run's id in place of a trace's, shows the run's latest trace.")

  @OptionGroup var common: CommonOptions

  @Argument(help: "A trace's id, or a run's.", completion: Candidates.runs)
  var id: String

  @Flag(help: "Show messages and values whole.")
  var full = false

  func run() async throws {
    try await reporting {
      var traceID = id
      if !id.hasPrefix("tr-") {
        let list = try await Caller(common).call("listTraces", ["runId": .string(id), "maxResults": 1], inStore: true)
        guard let first = ListTracesResult(json: list)?.traces.first?.traceID else {
          TerminalOutput.errors.line(
            "hone: the run \(id) has no traces of its own; its children may: hone runs --parent \(id)".visibleLine)
          throw ExitCode(2)
        }
        traceID = first
      }
      let result = try await Caller(common).call("getTrace", ["traceId": .string(traceID)], inStore: true)
      guard !common.json, let trace = GetTraceResult(json: result) else { return TerminalOutput.standard.json(result) }
      TerminalOutput.standard.line(text(trace))
    }
  }

  private func text(_ trace: GetTraceResult) -> String {
    let info = trace.info
    var lines = [
      "\(info.traceID)  \(info.name.visibleLine)  \(info.status)  \(milliseconds(info.duration))  "
        + "\(info.usage.totalTokens) tokens"
    ]
    for assessment in info.assessments { lines.append("  \(assessment.name.visibleLine): \(assessment.value.text())") }
    func add(_ span: SpanRecord, depth: Int) {
      let indent = String(repeating: "  ", count: depth)
      let status = span.statusMessage.map { "  ERROR: \($0.visibleLine)" } ?? ""
      let seconds = Double(span.endTimeNs - span.startTimeNs) / 1e9
      lines.append("\(indent)\(span.name.visibleLine)  \(span.type.visibleLine)  \(milliseconds(seconds))\(status)")
      for (label, value) in [("in", span.inputs), ("out", span.outputs)] where !value.isNull {
        lines.append(contentsOf: shown(value, label, indent + "  "))
      }
      for child in trace.spans where child.parentID == span.id { add(child, depth: depth + 1) }
    }
    for span in trace.spans where span.parentID == nil { add(span, depth: 0) }
    if trace.nextPageToken != nil { lines.append("(more spans: hone call getTrace with pageToken)") }
    return lines.joined(separator: "\n")
  }

  private func shown(_ value: JSONValue, _ label: String, _ indent: String) -> [String] {
    let messages = (value.arrayValue ?? []).compactMap { ChatMessageRecord(json: $0) }
    if full, !messages.isEmpty, messages.count == value.arrayValue?.count {
      return messages.flatMap { message in
        ["\(indent)\(label) [\(message.role.rawValue)]"]
          + message.content.visible.split(separator: "\n", omittingEmptySubsequences: false)
          .map { "\(indent)  \($0)" }
      }
    }
    let text = value.text(.spaced)
    return ["\(indent)\(label) \(full || text.count <= 160 ? text : text.prefix(160) + "…")"]
  }

  private func milliseconds(_ seconds: Double) -> String { String(format: "%.1f ms", seconds * 1000) }
}

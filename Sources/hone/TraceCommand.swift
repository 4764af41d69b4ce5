import ArgumentParser
import Foundation
import JSON

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
        let list = try await Caller(common).call("listTraces", ["runId": .string(id), "maxResults": 1])
        guard let first = list["traces"]?[0]?["traceId"]?.stringValue else {
          printError("hone: the run \(id) has no traces of its own; its children may: hone runs --parent \(id)")
          throw ExitCode(2)
        }
        traceID = first
      }
      let result = try await Caller(common).call("getTrace", ["traceId": .string(traceID)])
      print(common.json ? result.text(.indented) : text(result))
    }
  }

  private func text(_ result: JSONValue) -> String {
    let info = result["info"] ?? .null
    var lines = [
      "\(info["traceId"]?.stringValue ?? "")  \(info["name"]?.stringValue ?? "")  \(info["status"]?.stringValue ?? "")  \(milliseconds(info["duration"]?.doubleValue))  \(info["usage"]?["totalTokens"]?.text() ?? "0") tokens"
    ]
    for assessment in info["assessments"]?.arrayValue ?? [] {
      lines.append("  \(assessment["name"]?.stringValue ?? ""): \(assessment["value"]?.text() ?? "")")
    }
    let spans = result["spans"]?.arrayValue ?? []
    func add(_ span: JSONValue, depth: Int) {
      let start = span["startTimeNs"]?.intValue ?? 0
      let end = span["endTimeNs"]?.intValue ?? start
      let indent = String(repeating: "  ", count: depth)
      let status = span["statusMessage"]?.stringValue.map { "  ERROR: \($0)" } ?? ""
      lines.append(
        "\(indent)\(span["name"]?.stringValue ?? "")  \(span["type"]?.stringValue ?? "")  \(milliseconds(Double(end - start) / 1e9))\(status)")
      for (label, value) in [("in", span["inputs"]), ("out", span["outputs"])] {
        guard let value, !value.isNull else { continue }
        lines.append(contentsOf: shown(value, label, indent + "  "))
      }
      for child in spans where child["parentId"] == span["id"] { add(child, depth: depth + 1) }
    }
    for span in spans where span["parentId"]?.isNull ?? true { add(span, depth: 0) }
    if let next = result["nextPageToken"], !next.isNull { lines.append("(more spans: hone call getTrace with pageToken)") }
    return lines.joined(separator: "\n")
  }

  private func shown(_ value: JSONValue, _ label: String, _ indent: String) -> [String] {
    if full, let messages = value.arrayValue, messages.first?["role"] != nil {
      return messages.flatMap { message in
        ["\(indent)\(label) [\(message["role"]?.stringValue ?? "")]"]
          + (message["content"]?.stringValue ?? "").split(separator: "\n", omittingEmptySubsequences: false)
          .map { "\(indent)  \($0)" }
      }
    }
    let text = value.text(.spaced)
    return ["\(indent)\(label) \(full || text.count <= 160 ? text : text.prefix(160) + "…")"]
  }

  private func milliseconds(_ seconds: Double?) -> String {
    seconds.map { String(format: "%.1f ms", $0 * 1000) } ?? ""
  }
}

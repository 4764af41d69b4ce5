import Failures
import HoneService
import JSON
import LanguageModels
import Messages
import Programs
import Schema
import Traces
import Tracking

/// `hone.trace`: a trace as lines with depths, for a buffer that folds.
enum TraceOutline {
  private struct Line {
    var depth: Int
    var text: String
  }

  static func json(_ call: EditorCall, _ arguments: CommandArguments) async throws -> JSONValue {
    let store = try await call.service.store()
    var answer = JSONObject()
    var text = arguments.traceID
    if text == nil, let run = arguments.run {
      let traces = try await store.searchTraces(runID: run, orderBy: ["timestamp_ms ASC"], maxResults: 1000).items
      let index = arguments.index
      guard traces.indices.contains(index) else {
        throw HoneError(
          .notFound, "The run \(run) has \(traces.count) traces of its own.",
          remedy: traces.isEmpty
            ? "Name one of its children; hone.runs shows them." : "Name an index below \(traces.count).")
      }
      answer.append(
        "traces",
        .array(traces.map { ["traceId": .string($0.id.description), "label": .string(label($0))] }))
      text = traces[index].id.description
    }
    guard let id = text.flatMap({ TraceID($0) }) else {
      let problem = Problem(
        path: "arguments[0].traceId", message: "A trace's id is tr- and 32 hexadecimal digits.", got: text)
      throw HoneError(.invalidParams, problem.description, problems: [problem])
    }
    let info = try await store.trace(id)
    let spans = try await store.spans(of: id, maxResults: 1000).items
    let lines = lines(info, spans)
    let shown = lines.map { $0.text.isEmpty ? "" : String(repeating: "  ", count: $0.depth) + $0.text }
    answer.append("traceId", .string(id.description))
    answer.append("title", .string(label(info)))
    answer.append("lines", .array(lines.map { ["depth": .int($0.depth), "text": .string($0.text)] }))
    answer.append("text", .string(shown.joined(separator: "\n") + "\n"))
    return .object(answer)
  }

  private static func label(_ info: TraceInfo) -> String {
    let milliseconds = Double(info.end - info.start) / 1e6
    return
      "\(info.name)  \(info.status.word)  \((milliseconds * 10).rounded() / 10) ms  \(info.usage.totalTokens) tokens"
  }

  private static func lines(_ info: TraceInfo, _ spans: [Span]) -> [Line] {
    var lines = [Line(depth: 0, text: label(info))]
    for judged in info.assessments.map(\.assessment) {
      let why = judged.rationale.map { "  \($0)" } ?? ""
      lines.append(Line(depth: 1, text: "\(judged.name): \(judged.value.text())\(why)"))
    }
    let ids = Set(spans.map(\.id))
    func add(_ span: Span, depth: Int) {
      let milliseconds = Double(span.end - span.start) / 1e6
      let error = span.status.message.map { "  ERROR: \($0)" } ?? ""
      lines.append(
        Line(
          depth: depth,
          text: "\(span.name)  \(span.kind.rawValue)  \((milliseconds * 10).rounded() / 10) ms\(error)"))
      for (name, payload) in [("inputs", span.inputs), ("outputs", span.outputs)] {
        guard let value = payload.json, !value.isNull else { continue }
        lines.append(Line(depth: depth + 1, text: name))
        show(value, depth: depth + 2)
      }
      for child in spans where child.parent == span.id { add(child, depth: depth + 1) }
    }
    /// A value, a member a line; messages by role; texts with their line breaks.
    func show(_ value: JSONValue, depth: Int, name: String? = nil) {
      let prefix = name.map { "\($0): " } ?? ""
      if let message = ChatMessageRecord(json: value) {
        lines.append(Line(depth: depth, text: message.role.rawValue))
        return show(.string(message.content), depth: depth + 1)
      }
      switch value {
      case .object(let object) where !object.isEmpty:
        if let name { lines.append(Line(depth: depth, text: name)) }
        for (key, member) in object { show(member, depth: name == nil ? depth : depth + 1, name: key) }
      case .array(let elements) where elements.contains { $0.objectValue != nil || $0.arrayValue != nil }:
        if let name { lines.append(Line(depth: depth, text: name)) }
        for element in elements { show(element, depth: name == nil ? depth : depth + 1) }
      case .string(let text):
        let parts = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
        guard parts.count > 1 else { return lines.append(Line(depth: depth, text: prefix + text)) }
        if let name { lines.append(Line(depth: depth, text: name)) }
        for part in parts { lines.append(Line(depth: name == nil ? depth : depth + 1, text: part)) }
      default: lines.append(Line(depth: depth, text: prefix + value.text(.spaced)))
      }
    }
    for span in spans where span.parent.map({ !ids.contains($0) }) ?? true { add(span, depth: 1) }
    return lines
  }
}

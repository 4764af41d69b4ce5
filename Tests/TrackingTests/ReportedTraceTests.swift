import Basics
import Failures
import Foundation
import GRDB
import JSON
import Messages
import Testing
import Traces

@testable import Tracking

/// Traces that clients send in pieces: spans and the account of the whole, in any order.
struct ReportedTraceTests {
  private static let start = 1_790_000_000_123_456_789
  private static let id = TraceID(high: 1, low: 2)

  /// A root and `count - 1` children, each a microsecond after the one before.
  private static func spans(_ count: Int) -> [Span] {
    let messages: JSONValue = [
      ["role": "system", "content": "You are given a question, and answer it in one word, whatever it may be."],
      ["role": "user", "content": "Why?"],
    ]
    return (0..<count).map { index in
      Span(
        id: SpanID(UInt64(index + 1)), parent: index == 0 ? nil : SpanID(1),
        name: index == 0 ? "root" : "step \(index)",
        kind: index == 0 ? .chain : .chatModel, start: start + index * 1000, end: start + 900_000_000 - index,
        inputs: .json(index == 0 ? ["question": "Why?"] : ["messages": messages, "prompt": nil]),
        outputs: .json("Because."), attributes: ["index": .int(index)], status: .ok)
    }
  }

  private static func report(_ status: TraceStatus = .ok) -> TraceReport {
    TraceReport(
      id: id, experimentID: "0", runID: "r", name: "as reported", status: status, start: start / 1_000_000 * 1_000_000,
      duration: 900_000_000, requestPreview: "request", responsePreview: "response",
      usage: TokenUsage(inputTokens: 3, outputTokens: 4), metadata: ["k": "v"], tags: [KeyValue("t", "1")])
  }

  private static func send(_ spans: [Span], to store: TrackingStore) async throws {
    try await store.addSpans([SpanBatch(traceID: id, experimentID: "0", spans: spans)])
  }

  @Test(arguments: [0, 1, 2, 3]) func `Whatever comes first, the whole is the same`(order: Int) async throws {
    try await withStore { store async throws in
      let spans = Self.spans(6)
      var steps: [() async throws -> Void] = [
        { try await Self.send(Array(spans[3...].reversed()), to: store) },
        { try await Self.send(Array(spans[..<3].reversed()), to: store) },
        { _ = try await store.report(Self.report()) },
      ]
      if order.isMultiple(of: 2) { steps.swapAt(0, 1) }
      if order > 1 { steps.swapAt(1, 2) }
      for step in steps { try await step() }
      let info = try await store.trace(Self.id)
      #expect((info.name, info.status, info.runID) == ("as reported", .ok, "r"))
      #expect((info.requestPreview, info.responsePreview) == ("request", "response"))
      #expect(info.usage == TokenUsage(inputTokens: 3, outputTokens: 4))
      #expect((info.metadata, info.tags) == (["k": "v"], [KeyValue("t", "1")]))
      #expect(info.start / 1_000_000 == Self.start / 1_000_000)
      #expect((info.spanCount, info.isReported) == (6, true))
      let read = try await store.spans(of: Self.id).items
      #expect(read.map(\.name) == spans.map(\.name))
      #expect(read.map(\.start) == spans.map(\.start))
      #expect(read.map { $0.inputs.json } == spans.map { $0.inputs.json })
      #expect(read.map(\.attributes) == spans.map(\.attributes))
    }
  }

  @Test func `Spans alone make a trace, in progress until the root has come`() async throws {
    try await withStore { store async throws in
      let spans = Self.spans(3)
      try await Self.send(Array(spans[1...]), to: store)
      #expect(try await store.trace(Self.id).status == .inProgress)
      #expect(try await store.spans(of: Self.id).items.map(\.name) == ["step 1", "step 2"])
      #expect(try await store.span(SpanID(2), of: Self.id).name == "step 1")
      try await Self.send([spans[0]], to: store)
      let info = try await store.trace(Self.id)
      #expect((info.name, info.status, info.start) == ("root", .ok, Self.start))
      #expect(info.requestPreview == #"{"question":"Why?"}"#)
      #expect(try await store.searchTraces(filter: "span.name = 'step 2'").items.map(\.id) == [Self.id])
    }
  }

  @Test func `A span that comes twice is there once, as it came last`() async throws {
    try await withStore { store async throws in
      var spans = Self.spans(4)
      try await Self.send(spans, to: store)
      spans[2].name = "changed"
      try await Self.send([spans[2]], to: store)
      #expect(try await store.spans(of: Self.id).items.map(\.name) == ["root", "step 1", "changed", "step 3"])
      #expect(try await store.trace(Self.id).spanCount == 4)
    }
  }

  @Test func `A large trace comes in many pieces and is read by page`() async throws {
    try await withStore { store async throws in
      let spans = Self.spans(3000)
      for first in stride(from: 1, to: 3000, by: 250) {
        try await Self.send(Array(spans[first..<min(first + 250, 3000)]), to: store)
      }
      try await Self.send([spans[0]], to: store)
      // What comes after the root of a large trace is not sorted in until it is read.
      let late = Span(
        id: SpanID(9999), parent: SpanID(1), name: "late", kind: .tool, start: Self.start + 500, end: Self.start + 600)
      try await Self.send([late], to: store)
      var names: [String] = []
      var token: String?
      repeat {
        let page = try await store.spans(of: Self.id, maxResults: 700, pageToken: token)
        names += page.items.map(\.name)
        token = page.nextPageToken
      } while token != nil
      #expect(names.count == 3001)
      #expect(names.prefix(4) == ["root", "late", "step 1", "step 2"])
      #expect(try await store.span(SpanID(9999), of: Self.id).name == "late")
    }
  }

  @Test func `Prompts that repeat from trace to trace are stored once`() async throws {
    try await withStore { store async throws in
      for number in 0..<50 {
        try await store.addSpans([
          SpanBatch(traceID: TraceID(high: 7, low: UInt64(number)), experimentID: "0", spans: Self.spans(5))
        ])
      }
      let (texts, bytes) = try await store.read { db in
        (
          try Int.fetchOne(db, sql: "SELECT count(*) FROM texts") ?? 0,
          try Int.fetchOne(db, sql: "SELECT sum(length(payload)) FROM span_chunks") ?? 0
        )
      }
      #expect(texts == 1)
      #expect(bytes < 50 * 600)
    }
  }

  @Test func `An assessment waits for its trace, is changed, overridden and restored`() async throws {
    try await withStore { store async throws in
      let first = try await store.addAssessment(Assessment(name: "score", value: true), to: Self.id)
      try await Self.send(Self.spans(1), to: store)
      #expect(try await store.trace(Self.id).assessments.map(\.id) == [first.id])
      let second = try await store.addAssessment(
        Assessment(name: "score", value: false), to: Self.id, overrides: first.id)
      #expect(try await store.assessment(first.id, of: Self.id).isValid == false)
      let changed = try await store.updateAssessment(second.id, of: Self.id) { $0.assessment.value = 0.5 }
      #expect(changed.assessment.value == 0.5)
      #expect(try await store.searchTraces(filter: "feedback.score > 0.4").items.count == 1)
      try await store.deleteAssessment(second.id, of: Self.id)
      #expect(try await store.assessment(first.id, of: Self.id).isValid)
      #expect(
        await failure { _ = try await store.assessment(first.id, of: TraceID(high: 9, low: 9)) }?.kind == .notFound)
    }
  }

  @Test func `Traces are deleted with all that is theirs`() async throws {
    try await withStore { store async throws in
      try await Self.send(Self.spans(3), to: store)
      _ = try await store.report(Self.report())
      try await store.addAssessment(Assessment(name: "score", value: 1), to: Self.id)
      #expect(try await store.deleteTraces([Self.id, TraceID(high: 5, low: 5)], experimentID: "0") == 1)
      let left = try await store.read { db in
        try ["traces", "span_chunks", "trace_tags", "assessments"].map { table in
          try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)") ?? -1
        }
      }
      #expect(left == [0, 0, 0, 0])
    }
  }

  @Test func `Metrics of traces are grouped by what was asked for`() async throws {
    try await withStore { store async throws in
      try await Self.send(Self.spans(3), to: store)
      try await store.addAssessment(Assessment(name: "score", value: true), to: Self.id)
      let traces = try await store.metricRows(
        TraceMetricsQuery(subject: .traces, metric: "latency", dimensions: ["trace_status"], experimentIDs: ["0"]))
      #expect(traces.map(\.dimensions) == [["OK"]] && traces.map(\.value) == [900])
      let spans = try await store.metricRows(
        TraceMetricsQuery(subject: .spans, metric: "span_count", dimensions: ["span_type"], experimentIDs: ["0"]))
      #expect(spans.map(\.dimensions) == [["CHAIN"], ["CHAT_MODEL"], ["CHAT_MODEL"]])
      let scores = try await store.metricRows(
        TraceMetricsQuery(
          subject: .assessments, metric: "assessment_value", dimensions: ["assessment_name"], experimentIDs: ["0"],
          filters: ["status = 'OK'"]))
      #expect(scores.map(\.dimensions) == [["score"]] && scores.map(\.value) == [1])
      #expect(
        await failure {
          _ = try await store.metricRows(TraceMetricsQuery(subject: .traces, metric: "x", experimentIDs: ["0"]))
        }?.kind == .invalidParams)
    }
  }

  @Test(
    arguments: [
      ("2026-11-23T22:47:10.870Z", 1_795_474_030_870_000_000), ("1970-01-01T00:00:00Z", 0),
      ("2026-11-23T23:47:10.870+01:00", 1_795_474_030_870_000_000),
      ("2024-02-29T12:00:00.000000001Z", 1_709_208_000_000_000_001),
      ("2026-13-01T00:00:00Z", nil), ("yesterday", nil), ("2026-11-23T22:47:10", nil), ("", nil),
    ] as [(String, Int?)])
  func `Times are read from text`(text: String, expected: Int?) {
    #expect(nanoseconds(rfc3339: text) == expected)
    if let expected {
      #expect(nanoseconds(rfc3339: rfc3339(nanoseconds: expected)) == expected / 1_000_000 * 1_000_000)
    }
  }
}

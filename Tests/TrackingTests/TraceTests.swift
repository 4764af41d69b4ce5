import Failures
import Foundation
import GRDB
import JSON
import Messages
import Schema
import Testing
import Traces

@testable import Tracking

/// A span in a form that compares, its prompts taken apart.
private func described(_ span: Span) -> String {
  func payload(_ payload: SpanPayload) -> String {
    switch payload {
    case .none: "none"
    case .json(let value): "json \(value)"
    case .prompt(let prompt): "prompt \(prompt.shared.digest) \(prompt.shared.messages) \(prompt.own)"
    }
  }
  return "\(span.id) \(String(describing: span.parent)) \(span.name) \(span.kind) \(span.start) \(span.end) "
    + "\(payload(span.inputs)) \(payload(span.outputs)) \(span.attributes) \(span.events) \(span.status)"
}

@Suite struct TraceTests {
  @Test func `A trace comes back exactly, prompts included`() async throws {
    try await withStore { store async throws in
      var trace = typicalTrace(90, shared: demoMessages, runID: "r1")
      trace.spans[4].status = .error("~ no \u{0} such field, although this message is longer than 48 bytes")
      trace.spans[4].events = [
        SpanEvent(name: "exception", time: trace.spans[4].end, attributes: ["exception.type": "parse", "~": "~5"])
      ]
      trace.spans[3].attributes = [
        "~tilde": "~", "two": "~~", "ref": "~0", "nan": .double(.nan), "inf": .double(-.infinity), "nothing": .null,
        "exact": .number("1.50"), "big": .number("123456789012345678901234567890"),
        "nested": [[], [:], ["a": [1, 2.5, true]]],
        "long": .string(String(repeating: "~ü", count: 100)), "empty": "",
      ]
      trace.spans[1].inputs = .json(.null)
      trace.spans[2].outputs = .prompt(Prompt([ChatMessage(.user, "alone"), ChatMessage(.assistant, "")]))
      trace.spans[0].parent = .random()
      trace.spans[1].status = .inProgress
      await store.record(trace)
      await store.flush()
      let page = try await store.spans(of: trace.id)
      #expect(page.nextPageToken == nil)
      #expect(page.items.map(described) == trace.spans.map(described))
      #expect(described(try await store.span(trace.spans[3].id, of: trace.id)) == described(trace.spans[3]))
      #expect(await failure { _ = try await store.span(.random(), of: trace.id) }?.kind == .notFound)
    }
  }

  @Test func `Strings that only look alike are kept apart`() async throws {
    // One text in composed and decomposed characters: equal to Swift, other bytes.
    let composed = String(repeating: "caf\u{E9} ", count: 30)
    let decomposed = String(repeating: "cafe\u{301} ", count: 30)
    #expect(composed == decomposed)
    try await withStore { store async throws in
      var trace = typicalTrace(1, shared: demoMessages)
      trace.spans[0].inputs = .json([.string(composed), .string(decomposed), .string(composed + decomposed)])
      await store.record(trace)
      await store.flush()
      let read = try #require(try await store.spans(of: trace.id).items[0].inputs.json?.arrayValue)
      let texts = read.compactMap(\.stringValue).map { Array($0.utf8) }
      #expect(texts == [Array(composed.utf8), Array(decomposed.utf8), Array((composed + decomposed).utf8)])
    }
  }

  @Test func `Hundreds of distinct and repeated strings find their places`() throws {
    var generator = SeededGenerator(state: 0)
    let texts = (0..<700).map { "\($0) " + String(repeating: "\($0 % 7)", count: 48 + $0 % 90) }
    let spans = (0..<512).map { index in
      let chosen = (0..<4).map { _ in JSONValue.string(texts.randomElement(using: &generator) ?? "") }
      return Span(
        id: SpanID(UInt64(index + 1)), parent: nil, name: "s", kind: .tool, start: index, end: -index,
        inputs: .json(.array(chosen)))
    }
    let payload = SpanEncoder.encode(spans[...], origin: 7).payload
    let decoder = try SpanDecoder(payload, origin: 7) { _ in demoMessages }
    #expect(try (0..<decoder.count).map { described(try decoder.span($0)) } == spans.map(described))
  }

  @Test func `The info has times, tokens, cost, previews and assessments`() async throws {
    try await withStore { store async throws in
      let trace = typicalTrace(7, shared: demoMessages, runID: "r1", experimentID: "3")
      await store.record(trace)
      await store.flush()
      let info = try await store.trace(trace.id)
      #expect(info.name == "ChainOfThought.forward")
      #expect(info.status == .ok)
      #expect(info.start == trace.spans[0].start)
      #expect(info.end == trace.spans[0].end)
      #expect(info.spanCount == 5)
      #expect(info.usage.totalTokens == 612)
      #expect(info.cost == 0.000_116)
      #expect(info.runID == "r1")
      #expect(info.experimentID == "3")
      #expect(info.requestPreview?.hasPrefix(#"{"question":"A file of 7"#) == true)
      #expect(info.metadata == ["row": 7])
      #expect(info.assessments.map(\.assessment) == trace.assessments)
      let json = TraceRecord(info).jsonValue
      #expect(json["traceId"]?.stringValue == trace.id.description)
      #expect(json["startTime"]?.stringValue?.hasSuffix("Z") == true)
      #expect(json["startTimeNs"]?.intValue == trace.spans[0].start)
      #expect(json["duration"] == 0.02)
      #expect(json["assessments"]?[0]?["value"] == false)
      #expect(SpanRecord(trace.spans[1]).parentID == trace.spans[0].id.description)
      #expect(await failure { _ = try await store.trace(.random()) }?.kind == .notFound)
    }
  }

  @Test func `Previews end after 1000 characters`() async throws {
    try await withStore { store async throws in
      var trace = typicalTrace(1, shared: demoMessages)
      trace.spans[0].inputs = .json(.string(String(repeating: "é", count: 5000)))
      trace.spans[0].outputs = .none
      await store.record(trace)
      await store.flush()
      let info = try await store.trace(trace.id)
      #expect(info.requestPreview?.count == 1000)
      #expect(info.responsePreview == nil)
    }
  }

  @Test func `Spans are paged by number and by size`() async throws {
    try await withStore { store async throws in
      var trace = typicalTrace(1, shared: demoMessages)
      let root = trace.spans[0]
      trace.spans =
        [root]
        + (1..<1300).map { index in
          Span(
            id: SpanID(UInt64(index)), parent: index == 1 ? root.id : SpanID(UInt64(index - 1)), name: "step \(index)",
            kind: .tool, start: root.start + index, end: root.start + index + 5,
            inputs: .json(.string("input of step \(index) " + String(repeating: "x", count: 100))), status: .ok)
        }
      await store.record(trace)
      await store.flush()
      for limit in [(300, 1 << 30), (10_000, 60_000), (100_000, 1)] {
        var spans: [Span] = []
        var token: String?
        var pages = 0
        repeat {
          let page = try await store.spans(of: trace.id, maxResults: limit.0, maxBytes: limit.1, pageToken: token)
          #expect(!page.items.isEmpty)
          #expect(page.items.count <= limit.0)
          spans += page.items
          token = page.nextPageToken
          pages += 1
        } while token != nil && pages < 50
        if limit.1 > 1 { #expect(spans.map(described) == trace.spans.map(described)) } else { #expect(pages == 50) }
      }
      #expect(described(try await store.span(SpanID(1200), of: trace.id)) == described(trace.spans[1200]))
    }
  }

  @Test func `A prompt's shared part is stored once, for whatever process`() async throws {
    try await withHome { home async throws in
      let stores = [try TrackingStore.open(home: home), try TrackingStore.open(home: home)]
      for index in 0..<40 { await stores[index % 2].record(typicalTrace(index, shared: demoMessages)) }
      for store in stores { await store.flush() }
      let count = try await stores[0].read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM texts") }
      #expect(count == 1)
      for store in stores { await store.close() }
      let again = try TrackingStore.open(home: home, readOnly: true)
      let page = try await again.searchTraces()
      let spans = try await again.spans(of: page.items[0].id).items
      guard case .prompt(let prompt) = spans[3].inputs else {
        Issue.record("The prompt is none.")
        return
      }
      #expect(prompt.shared.messages == demoMessages.messages)
      #expect(prompt.shared.digest == demoMessages.digest)
      await again.close()
    }
  }

  @Test func `A trace recorded again takes the first one's place`() async throws {
    try await withStore { store async throws in
      var trace = typicalTrace(1, shared: demoMessages)
      trace.assessments = []
      await store.record(trace)
      await store.record(typicalTrace(2, shared: demoMessages))
      trace.spans.removeLast()
      trace.name = "again"
      await store.record(trace)
      await store.flush()
      #expect(try await store.searchTraces().items.count == 2)
      #expect(try await store.trace(trace.id).name == "again")
      #expect(try await store.spans(of: trace.id).items.count == 4)
      #expect(store.traceLosses.count == 0)
    }
  }

  @Test func `A queue of thousands of traces waits instead of growing, and loses none`() async throws {
    try await withStore { store async throws in
      await withTaskGroup(of: Void.self) { group in
        for task in 0..<8 {
          group.addTask {
            for index in 0..<500 {
              await store.record(typicalTrace(task * 500 + index, shared: demoMessages, runID: "r"))
            }
          }
        }
      }
      await store.flush()
      let count = try await store.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM traces") }
      #expect(count == 4000)
      #expect(store.traceLosses == TraceLosses(count: 0, lastError: nil))
    }
  }

  @Test func `One trace larger than the whole queue is still taken`() async throws {
    try await withStore { store async throws in
      for index in 0..<3 {
        var trace = typicalTrace(index, shared: demoMessages)
        trace.spans[4].outputs = .json(.string(String(repeating: "\(index)", count: 20 << 20)))
        await store.record(trace)
        await store.record(typicalTrace(index, shared: demoMessages))
      }
      await store.flush()
      #expect(store.traceLosses.count == 0)
      #expect(try await store.searchTraces().items.count == 6)
    }
  }

  @Test func `Traces that come after the end are counted as lost`() async throws {
    try await withHome { home async throws in
      let store = try TrackingStore.open(home: home)
      await store.close()
      await store.record(typicalTrace(1, shared: demoMessages))
      #expect(store.traceLosses.count == 1)
      #expect(store.traceLosses.lastError != nil)
    }
  }

  @Test func `A trace without spans and one that never ended are kept`() async throws {
    try await withStore { store async throws in
      let empty = Trace(id: .random(), name: "empty", spans: [], status: .error("nothing ran"))
      var open = typicalTrace(1, shared: demoMessages)
      open.spans[0].end = 0
      open.status = .inProgress
      await store.record(empty)
      await store.record(open)
      await store.flush()
      #expect(try await store.trace(empty.id).status == .error("nothing ran"))
      #expect(try await store.spans(of: empty.id).items.isEmpty)
      #expect(try await store.trace(open.id).end == open.spans[0].start)
      #expect(try await store.spans(of: open.id).items[0].end == 0)
    }
  }

  @Test func `Damaged payloads are reported, whatever the damage`() throws {
    let payload = SpanEncoder.encode(typicalTrace(1, shared: demoMessages).spans[...], origin: 0).payload
    var generator = SeededGenerator(state: 0)
    for _ in 0..<3000 {
      var bytes = payload
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: .min ... .max, using: &generator)
      }
      do {
        let decoder = try SpanDecoder(bytes, origin: 0) { _ in demoMessages }
        for index in 0..<decoder.count { _ = try decoder.span(index) }
      } catch {
        #expect(HoneError(wrapping: error).kind == .storeUnavailable)
      }
    }
  }

  @Test func `10,000 traces of the usual shape take at most 3 KB each`() async throws {
    try await withHome { home async throws in
      let store = try TrackingStore.open(home: home)
      for index in 0..<10_000 {
        await store.record(typicalTrace(index, shared: demoMessages, runID: "0123456789abcdef0123456789abcdef"))
      }
      await store.close()
      let size = try #require(
        FileManager.default.attributesOfItem(atPath: home + "/hone.sqlite")[.size] as? Int)
      print("bytes per trace on disk: \(size / 10_000)")
      #expect(size / 10_000 <= 3 * 1024)
    }
  }
}

@Suite struct AssessmentTests {
  @Test func `An assessment may come before its trace`() async throws {
    try await withStore { store async throws in
      var trace = typicalTrace(1, shared: demoMessages)
      trace.assessments = []
      let judged = Assessment(
        name: "helpful", value: 0.8, rationale: "It is.", source: .judge, metadata: ["model": "m"])
      let stored = try await store.addAssessment(judged, to: trace.id, span: trace.spans[3].id, sourceID: "gpt")
      #expect(await failure { _ = try await store.trace(trace.id) }?.kind == .notFound)
      await store.record(trace)
      await store.flush()
      #expect(try await store.trace(trace.id).assessments == [stored])
      #expect(stored.assessment == judged)
      #expect(stored.spanID == trace.spans[3].id)
      #expect(stored.id.count == 34)
    }
  }

  @Test func `Overriding leaves the old one, no longer valid`() async throws {
    try await withStore { store async throws in
      let trace = TraceID.random()
      let first = try await store.addAssessment(Assessment(name: "a", value: false), to: trace)
      let second = try await store.addAssessment(
        Assessment(name: "a", value: true, source: .human), to: trace, sourceID: "ann", overrides: first.id)
      #expect(second.overrides == first.id)
      let all = try await store.assessments(of: trace)
      #expect(all.map(\.isValid) == [false, true])
      for bad in ["a-x", "", "a-" + String(repeating: "f", count: 32)] {
        let error = await failure {
          try await store.addAssessment(Assessment(name: "a", value: 1), to: trace, overrides: bad)
        }
        #expect(error?.kind == .notFound)
      }
      #expect(await failure { try await store.addAssessment(Assessment(name: "", value: 1), to: trace) } != nil)
      try await store.deleteAssessment(first.id, of: trace)
      #expect(try await store.assessments(of: trace).map(\.id) == [second.id])
      #expect(await failure { try await store.deleteAssessment(second.id, of: .random()) }?.kind == .notFound)
    }
  }
}

@Suite struct TraceSearchTests {
  private func withTraces(_ body: (TrackingStore, [Trace]) async throws -> Void) async throws {
    try await withStore { store async throws in
      var traces = (0..<4).map { typicalTrace($0, shared: demoMessages, runID: "run-\($0 % 2)") }
      traces[0].name = "Predict.forward"
      traces[1].status = .error("boom")
      traces[1].spans[3].status = .error("boom")
      traces[2].runID = nil
      traces[2].metadata = ["mlflow.user": "ann", "row": 2, "o'brien": "x"]
      traces[2].cost = nil
      traces[3].spans[3].attributes["flag"] = true
      traces[3].spans[3].attributes["temperature"] = 0.1
      traces[3].assessments.append(Assessment(name: "score", value: 0.75))
      traces[3].usage.outputTokens = 5000
      traces[3].spans[0].end = traces[3].spans[0].start + 2_000_000_000
      for trace in traces { await store.record(trace) }
      await store.flush()
      try await store.setTraceTag(traces[0].id, "team", "blue")
      try await store.addAssessment(
        Assessment(name: "expected", value: "42"), to: traces[1].id, kind: .expectation)
      try await store.addAssessment(Assessment(name: "score", value: 0.25), to: traces[0].id)
      try await body(store, traces)
    }
  }

  @Test func `Filters choose the traces they describe`() async throws {
    let table: [(String, [Int])] = [
      ("", [0, 1, 2, 3]), ("status = 'OK'", [0, 2, 3]), ("trace.status = 'ERROR'", [1]),
      ("attributes.status IN ('OK','ERROR')", [0, 1, 2, 3]), ("state = 'ERROR'", [1]),
      ("timestamp_ms > 0", [0, 1, 2, 3]), ("timestamp > 1790000000001", [2, 3]),
      ("trace.timestamp_ms <= 1790000000000", [0]), ("execution_time_ms > 1000", [3]),
      ("execution_time >= 20", [0, 1, 2, 3]),
      ("duration > 1.5", [3]), ("end_time > 1790000001000", [3]), ("end_time_ms > 0", [0, 1, 2, 3]),
      ("name = 'Predict.forward'", [0]), ("name LIKE '%forward'", [0, 1, 2, 3]), ("trace.name RLIKE 'Predict.*'", [0]),
      ("name NOT LIKE 'Predict%'", [1, 2, 3]), ("tags.mlflow.traceName = 'Predict.forward'", [0]),
      ("tag.`mlflow.traceName` IS NOT NULL", [0, 1, 2, 3]), ("tags.team = 'blue'", [0]),
      ("tags.team IS NULL", [1, 2, 3]),
      ("request_metadata.mlflow.sourceRun != 'run-0'", [1, 3]), ("metadata.`mlflow.sourceRun` IS NULL", [2]),
      ("metadata.mlflow.user = 'ann'", [2]), ("metadata.row = '3'", [3]), ("metadata.\"o'brien\" = 'x'", [2]),
      ("run_id = 'run-1'", [1, 3]), ("attribute.run_id IN ('run-0')", [0]), ("run_id IS NULL", [2]),
      ("trace.text LIKE '%downloads at a rate%'", [0, 1, 2, 3]), ("trace.text LIKE '%DOWNLOADS%'", []),
      ("text ILIKE '%DOWNLOADS at%'", [0, 1, 2, 3]), ("trace.text LIKE '%download of file 2 take%'", [2]),
      ("trace.text LIKE '%Demo 3:%'", [0, 1, 2, 3]), ("span.name = 'LM.__call__'", [0, 1, 2, 3]),
      ("span.type = 'TOOL'", []),
      ("span.type IN ('LLM','CHAIN')", [0, 1, 2, 3]), ("span.status = 'ERROR'", [1]),
      ("span.content LIKE '%boom%'", [1]),
      ("span.attributes.model = 'openai/gpt-4o-mini'", [0, 1, 2, 3]),
      ("span.attributes.model LIKE '%mini'", [0, 1, 2, 3]),
      ("span.attributes.temperature > 0.5", [0, 1, 2]), ("span.attributes.`flag` = true", [3]),
      ("feedback.exact_match = 'true'", [0, 2]),
      ("feedback.exact_match = true", [0, 2]), ("feedback.score IS NULL", [1, 2]),
      ("feedback.score IS NOT NULL", [0, 3]),
      ("feedback.score > 0.5", [3]), ("feedback.score != 0.75", [0]), ("feedback.exact_match > 0", []),
      ("expectation.expected = '42'", [1]), ("expectation.score > 0", []), ("client_request_id = 'x'", []),
      ("request_id = 'tr-x'", []), ("experiment_id = '0'", [0, 1, 2, 3]),
      ("status = 'ERROR' OR name = 'Predict.forward'", [0, 1]),
      ("request LIKE '%file of 3 %'", [3]), ("response LIKE '%zzz%'", []), ("total_tokens > 5000", [3]),
      ("cost IS NULL", [2]), ("cost < 1", [0, 1, 3]), ("NOT cost < 1", [2]), ("prompt = 'a/1'", []),
      ("NOT span.status = 'ERROR' AND NOT feedback.score > 0", [2]),
    ]
    try await withTraces { store, traces async throws in
      for (filter, expected) in table {
        let found = try await store.searchTraces(filter: filter, orderBy: ["timestamp"]).items
        #expect(found.map(\.id) == expected.map { traces[$0].id }, "\(filter)")
      }
      let id = traces[2].id.description
      for key in ["request_id", "trace_id", "trace.request_id"] {
        #expect(try await store.searchTraces(filter: "\(key) = '\(id)'").items.map(\.id) == [traces[2].id])
      }
    }
  }

  @Test(arguments: [
    "trace.text = 'x'", "span.content = 'x'", "span.name > 'x'", "foo = 'x'", "span.foo = 'x'", "span.attributes = 'x'",
    "timestamp = 'x'", "name RLIKE '('", "span.name RLIKE '*'", "feedback.x > 'y'", "issue.id = 'x'", "status = 5",
    "metrics.a > 1",
    "span.name IS NULL", "span.attributes.x > 'y'", "name = true",
  ])
  func `Mistakes are refused`(filter: String) async throws {
    try await withStore { store async throws in
      let error = await failure { _ = try await store.searchTraces(filter: filter) }
      #expect(error?.kind == .invalidParams)
      #expect(error?.details["position"] != nil)
    }
  }

  @Test func `Traces are sorted by what they can be filtered by`() async throws {
    let table: [(String, [Int])] = [
      ("timestamp_ms DESC", [3, 2, 1, 0]), ("timestamp", [0, 1, 2, 3]), ("execution_time DESC", [3, 2, 1, 0]),
      ("name", [3, 2, 1, 0]), ("name DESC", [0, 3, 2, 1]), ("run_id", [0, 3, 1, 2]), ("status", [1, 3, 2, 0]),
      ("experiment_id", [3, 2, 1, 0]), ("tags.team", [0, 3, 2, 1]), ("feedback.score", [0, 3, 2, 1]),
      ("feedback.score DESC", [3, 0, 2, 1]), ("feedback.exact_match", [3, 1, 2, 0]), ("end_time desc", [3, 2, 1, 0]),
      ("metadata.row DESC", [3, 2, 1, 0]), ("cost", [3, 1, 0, 2]), ("total_tokens DESC", [3, 2, 1, 0]),
    ]
    try await withTraces { store, traces async throws in
      for (order, expected) in table {
        let found = try await store.searchTraces(orderBy: [order]).items
        #expect(found.map(\.id) == expected.map { traces[$0].id }, "\(order)")
        var paged: [TraceID] = []
        var token: String?
        repeat {
          let page = try await store.searchTraces(orderBy: [order], maxResults: 1, pageToken: token)
          paged += page.items.map(\.id)
          token = page.nextPageToken
        } while token != nil && paged.count < 10
        #expect(paged == found.map(\.id), "\(order)")
      }
      for bad in ["trace.text", "span.name", "nothing", "timestamp DOWN"] {
        #expect(await failure { _ = try await store.searchTraces(orderBy: [bad]) }?.kind == .invalidParams)
      }
    }
  }

  @Test func `The traces of a run, and tags that come and go`() async throws {
    try await withTraces { store, traces async throws in
      #expect(try await store.traces(run: "run-1").items.map(\.id) == [traces[3].id, traces[1].id])
      #expect(try await store.trace(traces[0].id).tags == [KeyValue("team", "blue")])
      try await store.deleteTraceTag(traces[0].id, "team")
      #expect(try await store.trace(traces[0].id).tags.isEmpty)
      #expect(await failure { try await store.deleteTraceTag(traces[0].id, "team") }?.kind == .notFound)
      #expect(await failure { try await store.setTraceTag(.random(), "a", "b") }?.kind == .notFound)
    }
  }
}

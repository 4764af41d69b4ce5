import Basics
import Failures
import Foundation
import GRDB
import JSON
import Messages
import Testing
import Traces

@testable import Tracking

@Suite struct SpanFilterTests {
  /// Whether the filter of some spans lets a test see them, and whether one of them passes.
  private func verdicts(
    _ spans: [Span], _ part: String, _ key: String?, _ comparator: String, _ operand: String
  ) throws
    -> (may: Bool, does: Bool)
  {
    let chunk = SpanEncoder.encode(spans[...], origin: 5)
    let question = JSONValue.array([.string(part), JSONValue(key), .string(comparator), .string(operand)]).text()
    let test = try #require(SpanTest(question))
    let texts = Dictionary(chunk.shared.map { (SpanFilter.prefix($0.digest.bytes), $0) }) { first, _ in first }
    let needed = test.needed
    let may = needed.mayStand(in: Data(chunk.filter().bytes)) { prefix in
      texts[prefix].map { needed.held(by: SharedTexts.content($0.messages)) } ?? 0
    }
    return (needed.fragments.isEmpty || may, spans.contains { test.passes($0) })
  }

  private let spans: [Span] = {
    var trace = typicalTrace(48_213, shared: demoMessages).spans
    trace[1].attributes["odd \"key\"\n"] = ["Straße", "a\\b", "tab\there", .double(2.5e-7), .number("1.50"), nil, true]
    trace[1].attributes["note"] = "He said \"NO\" \u{1} – \u{e9}t\u{e9}, e\u{301}t\u{e9}; 100% sure_"
    trace[1].attributes["list"] = ["x": [1, 23, 456_789], "y": .double(.nan)]
    trace[2].status = .error("Something broke: \u{8}\u{c}\r\n\tat line 7")
    trace[2].events = [SpanEvent(name: "exception", time: 1_790_000_000_123_456_789, attributes: ["code": -17])]
    trace[3].parent = SpanID(0xfeed_beef_dead_cafe)
    return trace
  }()

  @Test func `No piece of a span's text is ever ruled out`() throws {
    var generator = SeededGenerator(state: 7)
    for span in spans {
      let text = Array(SpanRecord(span).jsonValue.text().unicodeScalars)
      for _ in 0..<400 {
        let length = Int.random(in: 1...40, using: &generator)
        let start = Int.random(in: 0..<text.count - length, using: &generator)
        var piece = String(String.UnicodeScalarView(text[start..<start + length]))
        if Bool.random(using: &generator) { piece = piece.uppercased() == piece ? piece : asciiUppercased(piece) }
        // What stands between wild cards is needed, too.
        let pattern = "%" + piece.replacing(" ", with: Bool.random(using: &generator) ? "%" : "_") + "%"
        let found = try verdicts(spans, "content", nil, "ILIKE", pattern)
        #expect(found.does, "\(pattern)")
        #expect(found.may, "\(pattern)")
      }
    }
  }

  private func asciiUppercased(_ text: String) -> String {
    String(decoding: text.utf8.map { (97...122).contains($0) ? $0 - 32 : $0 }, as: UTF8.self)
  }

  @Test(
    arguments: [
      ("content", nil, "LIKE", "%zebra stripes%"), ("content", nil, "ILIKE", "%ZEBRA crossing%"),
      ("content", nil, "LIKE", "%One and 7777%"), ("content", nil, "LIKE", "%99887766%"), ("name", nil, "=", "nowhere"),
      ("name", nil, "LIKE", "%nowhere%"), ("attribute", "nowhere", "=", "x"),
      ("attribute", "note", "LIKE", "%zebra crossing%"),
    ] as [(String, String?, String, String)])
  func `What is not there is passed over`(part: String, key: String?, comparator: String, operand: String) throws {
    let found = try verdicts(spans, part, key, comparator, operand)
    #expect(!found.does)
    #expect(!found.may)
  }

  @Test(
    arguments: [
      ("content", nil, "LIKE", "%work step by step. work%"), ("content", nil, "ILIKE", "%work step by step. work%"),
      ("content", nil, "LIKE", "%Demo 3: how many then%"), ("content", nil, "LIKE", #"%"type":"CHAIN"%"#),
      ("content", nil, "LIKE", "%:[1,23,456789]%"), ("content", nil, "LIKE", "%1790000000123456789%"),
      ("content", nil, "LIKE", "%feedbeefdeadcafe%"), ("content", nil, "LIKE", #"%said \"NO\" \u0001%"#),
      ("content", nil, "LIKE", "%parentId%"), ("content", nil, "LIKE", #"%"status":"ERROR"%"#),
      ("content", nil, "LIKE", "%null%"), ("content", nil, "LIKE", "%2.5e-07%"), ("content", nil, "LIKE", "%1.50%"),
      ("name", nil, "=", "LM.__call__"), ("name", nil, "LIKE", "%.for_ard"), ("type", nil, "=", "CHAT_MODEL"),
      ("attribute", "model", "=", "openai/gpt-4o-mini"), ("attribute", "note", "LIKE", "He said \"NO\"%"),
      ("attribute", "note", "=", "He said \"NO\" \u{1} – e\u{301}t\u{e9}, \u{e9}t\u{e9}; 100% sure_"),
      ("attribute", "list", "LIKE", "%[1,23,456789]%"), ("attribute", "temperature", "IS NOT NULL", ""),
    ] as [(String, String?, String, String)])
  func `A test sees whatever passes it`(part: String, key: String?, comparator: String, operand: String) throws {
    let found = try verdicts(spans, part, key, comparator, operand)
    #expect(found.may || !found.does)
  }

  /// A store's traces by a filter, by number.
  private func found(_ store: TrackingStore, _ filter: String) async throws -> [String] {
    try await store.searchTraces(filter: filter, orderBy: ["timestamp_ms ASC"], maxResults: 1000).items.map(
      \.id.description)
  }

  private let filters = [
    "trace.text LIKE '%file of 7 megabytes%'", "trace.text ILIKE '%WORK STEP by step%'",
    "span.name = 'Predict.forward'",
    "span.content LIKE '%zebra%'", "trace.text NOT LIKE '%file of 7 megabytes%'",
    "span.attributes.model = 'openai/gpt-4o-mini' AND span.content LIKE '%file of 1_ megabytes%'",
  ]

  @Test func `A store without filters finds the same, and is given them in steps`() async throws {
    try await withHome { home async throws in
      let store = try TrackingStore.open(home: home)
      for number in 0..<120 { await store.record(typicalTrace(number, shared: demoMessages)) }
      await store.flush()
      var wanted: [[String]] = []
      for filter in filters { wanted.append(try await found(store, filter)) }
      #expect(wanted.map(\.count) == [1, 120, 120, 0, 120, 10])
      // As an older Hone leaves it.
      try await store.write { db in
        try db.execute(sql: "DELETE FROM span_filters; INSERT INTO progress SELECT 'unfiltered', max(seq) FROM traces")
      }
      for (filter, ids) in zip(filters, wanted) { #expect(try await found(store, filter) == ids) }
      #expect(try await store.fillSpanFilters() == 70)
      for (filter, ids) in zip(filters, wanted) { #expect(try await found(store, filter) == ids) }
      while try await store.fillSpanFilters() != nil {}
      for (filter, ids) in zip(filters, wanted) { #expect(try await found(store, filter) == ids) }
      let counts = try await store.read { db in
        try ["span_chunks", "span_filters"].map { try Int.fetchOne(db, sql: "SELECT count(*) FROM \($0)") }
      }
      #expect(counts == [120, 120])
      // Filters go with what they speak for.
      let first = try await store.searchTraces(maxResults: 50).items.map(\.id)
      _ = try await store.deleteTraces(first, experimentID: "0")
      #expect(try await store.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM span_filters") } == 70)
      await store.close()
    }
  }

  @Test func `A search that nobody waits for any more ends`() async throws {
    try await withStore { store async throws in
      for number in 0..<600 { await store.record(typicalTrace(number, shared: demoMessages)) }
      await store.flush()
      let search = Task { try await store.searchTraces(filter: "trace.text RLIKE '(zebra|giraffe)+ crossing'") }
      search.cancel()
      let error = await failure { _ = try await search.value }
      #expect(error?.kind == .cancelled)
      #expect(try await store.searchTraces(maxResults: 1).items.count == 1)
    }
  }
}

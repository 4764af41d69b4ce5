import Basics
import Foundation
import JSON
import Messages
import Testing
import Traces

@testable import Tracking

/// Prints what the store costs; runs where `HONE_BENCH` is 1. The figures mean something in a release build.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["HONE_BENCH"] == "1"))
struct Benchmarks {
  /// Processor seconds of the process so far.
  private var processorTime: Double {
    var usage = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &usage)
    return Double(usage.tv_sec) + Double(usage.tv_nsec) / 1e9
  }

  private func measure(_ name: String, _ count: Int, _ body: () async throws -> Void) async rethrows {
    let (start, processor) = (ContinuousClock.now, processorTime)
    try await body()
    let wall =
      Double((ContinuousClock.now - start).components.attoseconds) / 1e18
      + Double((ContinuousClock.now - start).components.seconds)
    let spent = processorTime - processor
    print("\(name): \(Int(wall / Double(count) * 1e9)) ns wall, \(Int(spent / Double(count) * 1e9)) ns processor each")
  }

  @Test func `Traces`() async throws {
    try await withStore { store async throws in
      let traces = (0..<20_000).map {
        typicalTrace($0, shared: demoMessages, runID: "0123456789abcdef0123456789abcdef")
      }
      await measure("encode a trace of 5 spans", traces.count) {
        for trace in traces { _ = SpanEncoder.encode(trace.spans[...], origin: 0) }
      }
      await measure("record a trace of 5 spans", traces.count) {
        for trace in traces { await store.record(trace) }
        await store.flush()
      }
      try await measure("get a trace with its spans", 1000) {
        for trace in traces.prefix(1000) {
          _ = try await store.trace(trace.id)
          _ = try await store.spans(of: trace.id)
        }
      }
      try await measure("search 100 of 20,000 traces", 100) {
        for _ in 0..<100 { _ = try await store.searchTraces(maxResults: 100) }
      }
      try await measure("search 100 of an experiment's 20,000 traces", 100) {
        for _ in 0..<100 { _ = try await store.searchTraces(experimentIDs: ["0"], maxResults: 100) }
      }
      try await measure("scan 20,000 traces by text", 1) {
        _ = try await store.searchTraces(filter: "trace.text LIKE '%zzz%'")
      }
    }
  }

  @Test func `Recording`() async throws {
    try await withStore { store async throws in
      let traces = (0..<40_000).map {
        typicalTrace($0, shared: demoMessages, runID: "0123456789abcdef0123456789abcdef")
      }
      for trace in traces { await store.record(trace) }
      await store.flush()
    }
  }

  @Test func `Answers`() async throws {
    try await withStore { store async throws in
      let keys = (0..<20_000).map { ContentDigest.of("\($0)") }
      let answer = StoredAnswer(
        reply: ModelReply(
          texts: [String(repeating: "word ", count: 100)], usage: TokenUsage(inputTokens: 5, outputTokens: 5)),
        model: "openai/m", role: .task, runID: "r", cost: 0.1, seconds: 1)
      try await measure("keep an answer, alone", 2000) {
        for key in keys.prefix(2000) { try await store.keep(answer, for: key) }
      }
      await measure("keep an answer, 64 at once", 18_000) {
        await withTaskGroup(of: Void.self) { group in
          for lane in 0..<64 {
            group.addTask {
              for index in stride(from: 2000 + lane, to: 20_000, by: 64) {
                try? await store.keep(answer, for: keys[index])
              }
            }
          }
        }
      }
      try await measure("look an answer up", keys.count) {
        for key in keys { _ = try store.answer(for: key) }
      }
      try await measure("miss an answer", 20_000) {
        for index in 0..<20_000 { _ = try store.answer(for: .of("no \(index)")) }
      }
    }
  }

  @Test func `Runs`() async throws {
    try await withStore { store async throws in
      try await measure("create a run", 1000) {
        for _ in 0..<1000 {
          let run = try await store.createRun(NewRun())
          try await store.log(
            run: run.id, params: (0..<8).map { KeyValue("param.\($0)", String(repeating: "v", count: 50)) },
            metrics: (0..<4).map { MetricPoint("m\($0)", Double($0)) })
        }
      }
      try await measure("search 1000 runs", 10) { for _ in 0..<10 { _ = try await store.searchRuns() } }
      try await measure("open a store", 20) {
        for _ in 0..<20 { await (try TrackingStore.open(home: store.home)).close() }
      }
    }
  }
}

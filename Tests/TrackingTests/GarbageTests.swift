import Basics
import Failures
import Foundation
import GRDB
import JSON
import LanguageModels
import Messages
import Testing
import Traces

@testable import Tracking

@Suite struct GarbageTests {
  private func answer(_ run: String?, cost: Double = 0.25) -> StoredAnswer {
    StoredAnswer(
      reply: ModelReply(texts: ["an answer"], usage: TokenUsage(inputTokens: 3, outputTokens: 4)), model: "openai/m",
      role: .task, runID: run, cost: cost, seconds: 1)
  }

  /// A run with everything that a run may have.
  private func fullRun(_ store: TrackingStore, _ number: Int, parent: String? = nil) async throws -> String {
    let run = try await store.createRun(NewRun(parentID: parent)).id
    try await store.log(
      run: run, params: [KeyValue("p", "\(number)")], metrics: [MetricPoint("m", Double(number))],
      tags: [KeyValue("t", "\(number)")])
    try await store.logInputs(
      run: run,
      [DatasetInput(name: "set \(number)", digest: "d\(number)", sourceType: "local", source: "{}", context: "eval")])
    try await store.writeArtifact(run: run, path: "model/deep/file.json", text: String(repeating: "x", count: 1000))
    let shared = SharedMessages([
      ChatMessage(.system, "The beginning of \(number). " + String(repeating: "w ", count: 99))
    ])
    for trace in 0..<5 { await store.record(typicalTrace(number * 10 + trace, shared: shared, runID: run)) }
    await store.flush()
    return run
  }

  private func counts(_ store: TrackingStore) async throws -> [String: Int] {
    try await store.read { db in
      let tables = [
        "runs", "params", "metrics", "run_tags", "datasets", "inputs", "traces", "span_chunks", "span_filters", "texts",
        "removals", "doubtful_texts", "assessments", "answers",
      ]
      return try Dictionary(
        uniqueKeysWithValues: tables.map { ($0, try Int.fetchOne(db, sql: "SELECT count(*) FROM \($0)") ?? -1) })
    }
  }

  private func isSound(_ store: TrackingStore) async throws -> Bool {
    try await store.read { db in
      try String.fetchOne(db, sql: "PRAGMA integrity_check") == "ok"
        && Row.fetchOne(db, sql: "PRAGMA foreign_key_check") == nil
    }
  }

  @Test func `A deleted run goes with all that it alone has, and nothing else`() async throws {
    try await withStore { store async throws in
      let kept = try await fullRun(store, 1)
      let alone = try await counts(store)
      let gone = try await fullRun(store, 2)
      try await store.deleteRun(gone)
      let plan = try await store.garbage()
      #expect((plan.runs, plan.traces, plan.datasets, plan.files, plan.fileBytes) == (1, 5, 1, 1, 1000))
      #expect(plan.isDryRun && plan.databaseBytes > 0)
      #expect(try await counts(store)["runs"] == 2)
      let done = try await store.collectGarbage()
      #expect((done.runs, done.traces, done.datasets, done.texts, done.files) == (1, 5, 1, 1, 1))
      #expect(done.fileBytes == 1000 && !done.isDryRun)
      #expect(try await counts(store) == alone)
      #expect(try await isSound(store))
      #expect(try await store.searchTraces(runID: kept).items.count == 5)
      for trace in try await store.searchTraces(runID: kept).items { _ = try await store.spans(of: trace.id) }
      #expect(try await store.readArtifact(run: kept, path: "model/deep/file.json").totalSize == 1000)
      #expect(!FileManager.default.fileExists(atPath: store.home + "/artifacts/0/\(gone)"))
      #expect(await failure { _ = try await store.run(gone) }?.kind == .notFound)
      #expect(try await store.garbage().isEmpty)
    }
  }

  @Test func `What a run refers to that is not deleted stays, and so does work under way`() async throws {
    try await withStore { store async throws in
      let parent = try await fullRun(store, 1)
      let child = try await fullRun(store, 2, parent: parent)
      let best = try await fullRun(store, 3, parent: parent)
      let working = try await store.beginRun(NewRun(), method: "evaluate", params: [:]).id
      try await store.log(run: child, tags: [KeyValue("hone.bestRun", best)])
      for run in [parent, best, working] { try await store.deleteRun(run) }
      #expect(try await store.garbage().keptRuns == 3)
      let done = try await store.collectGarbage()
      #expect((done.runs, done.keptRuns, done.traces) == (0, 3, 0))
      try await store.deleteRun(child)
      #expect(try await store.collectGarbage().runs == 3)
      #expect(try await counts(store)["runs"] == 1)
      store.giveUp(run: working)
      #expect(try await store.collectGarbage().runs == 1)
    }
  }

  @Test func `Old answers go, except those of runs that can be resumed, and bills stay as they are`() async throws {
    try await withStore { store async throws in
      let finished = try await store.beginRun(NewRun(), method: "evaluate", params: [:]).id
      let stopped = try await store.beginRun(NewRun(), method: "evaluate", params: [:]).id
      for (index, run) in [finished, finished, stopped, nil].enumerated() {
        try await store.keep(answer(run), for: .of("old \(index)"))
      }
      try await store.endRun(finished, status: .finished, seconds: 1, metrics: [], tags: [], result: [:])
      try await store.endRun(stopped, status: .killed, seconds: 1, metrics: [], tags: [], result: nil)
      let bill = try await store.bill(run: finished)
      let payments = try await store.payments(of: finished)
      try await store.write { db in try db.execute(sql: "UPDATE answers SET created_ms = created_ms - 86400000 * 10") }
      try await store.keep(answer(finished), for: .of("new"))
      let whole = try await store.bill(run: finished)
      #expect(whole[0].calls == bill[0].calls + 1)
      let terms = CollectionTerms(answersOlderThan: 5)
      #expect(try await store.collectGarbage().answers == 0)
      #expect(try await store.garbage(terms).answers == 3)
      #expect(try await store.collectGarbage(terms).answers == 3)
      #expect(try store.answer(for: .of("old 0")) == nil)
      #expect(try store.answer(for: .of("old 2")) != nil)
      #expect(try store.answer(for: .of("new")) != nil)
      #expect(try await store.bill(run: finished) == whole)
      #expect(try await store.payments(of: finished)[0].calls == payments[0].calls + 1)
      #expect(try await store.answerKeys(run: stopped).count == 1)
    }
  }

  @Test func `A collection that was cut off anywhere leaves a store that is right, and the next one goes on`()
    async throws
  {
    try await withStore { store async throws in
      let kept = try await fullRun(store, 0)
      let alone = try await counts(store)
      var steps = 0
      for round in 1...12 {
        var gone: [String] = []
        for number in 0..<3 { gone.append(try await fullRun(store, round * 10 + number)) }
        for run in gone { try await store.deleteRun(run) }
        let heard = Mutexed(0)
        let limit = round
        let task = Task {
          try await store.collectGarbage { _ in
            // Stops at the step of this number.
            if heard.increased() == limit { withUnsafeCurrentTask { $0?.cancel() } }
          }
        }
        if await failure({ _ = try await task.value })?.kind == .cancelled { steps += 1 }
        #expect(try await isSound(store))
        #expect(try await store.searchTraces(runID: kept).items.count == 5)
        for trace in try await store.searchTraces(runID: kept).items { _ = try await store.spans(of: trace.id) }
      }
      #expect(steps > 0)
      _ = try await store.collectGarbage()
      #expect(try await counts(store) == alone)
      let left = try FileManager.default.contentsOfDirectory(atPath: store.home + "/artifacts/0")
      #expect(left == [kept])
    }
  }

  @Test func `A shared text that is written again while it is doubted stays`() async throws {
    try await withStore { store async throws in
      let shared = SharedMessages([ChatMessage(.system, String(repeating: "shared words ", count: 20))])
      await store.record(typicalTrace(1, shared: shared))
      await store.flush()
      // Where another process has removed it, this one's memory of it is wrong.
      try await store.write { db in try db.execute(sql: "DELETE FROM texts") }
      await store.record(typicalTrace(2, shared: shared))
      await store.flush()
      #expect(try await counts(store)["texts"] == 1)
      try await store.write { db in try db.execute(sql: "INSERT INTO doubtful_texts SELECT id FROM texts") }
      await store.record(typicalTrace(3, shared: shared))
      await store.flush()
      #expect(try await counts(store)["doubtful_texts"] == 0)
    }
  }

  @Test func `A run that is imported again under its id keeps what is still there`() async throws {
    try await withStore { store async throws in
      let run = try await fullRun(store, 1)
      try await store.deleteRun(run)
      var collection = GarbageCollection(store: store, progress: { _ in })
      try await collection.removeRuns()
      _ = try await store.createRun(NewRun(id: run))
      _ = try await store.collectGarbage()
      #expect(try await store.searchTraces(runID: run).items.count == 5)
      #expect(try await store.listArtifacts(run: run).count == 1)
    }
  }

  @Test func `Numbers of traces are never given twice`() async throws {
    try await withStore { store async throws in
      let run = try await fullRun(store, 1)
      let last = try await store.lastTraceSequence()
      try await store.deleteRun(run)
      _ = try await store.collectGarbage()
      await store.record(typicalTrace(9, shared: demoMessages))
      await store.flush()
      #expect(try await store.traces(after: last, limit: 10).count == 1)
    }
  }

  @Test func `The database becomes smaller in steps, and one of an older Hone once it is written anew`() async throws {
    for isOld in [false, true] {
      try await withHome { home async throws in
        if isOld {
          try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
          let queue = try DatabaseQueue(path: home + "/hone.sqlite")
          try await queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA page_size = 8192; CREATE TABLE x (y)")
          }
          try await queue.write { db in try db.execute(sql: "DROP TABLE x") }
          try queue.close()
        }
        let store = try TrackingStore.open(home: home)
        let mode = { try await store.read { db in try Int.fetchOne(db, sql: "PRAGMA auto_vacuum") } }
        #expect(try await mode() == (isOld ? 0 : 2))
        let run = try await store.createRun(NewRun()).id
        for number in 0..<1500 {
          await store.record(typicalTrace(number, shared: demoMessages, runID: run))
        }
        await store.flush()
        try await store.deleteRun(run)
        let size = store.databaseSize
        let working = try await store.beginRun(NewRun(), method: "evaluate", params: [:]).id
        var done = try await store.collectGarbage()
        if isOld {
          // Nobody else could write while it is written anew.
          #expect(done.warnings.count == 1)
          #expect(try await mode() == 0)
          try await store.endRun(working, status: .finished, seconds: 0, metrics: [], tags: [], result: nil)
          done = try await store.collectGarbage()
        }
        #expect(done.warnings == [])
        #expect(done.databaseBytes > 1 << 20)
        #expect(store.databaseSize < size / 4)
        #expect(try await mode() == 2)
        #expect(try await isSound(store))
        await store.close()
      }
    }
  }

  @Test func `An empty store stands in for one that is not there`() async throws {
    try await withHome { home async throws in
      #expect(!TrackingStore.isThere(in: home))
      let store = try TrackingStore.standIn(for: home)
      #expect(try await store.searchRuns().items.isEmpty)
      #expect(try await store.experiments().items.map(\.name) == ["Default"])
      #expect(try store.answer(for: .of("x")) == nil)
      #expect(try await store.searchTraces(filter: "trace.text LIKE '%anything%'").items.isEmpty)
      let error = await failure { _ = try await store.run(String(repeating: "a", count: 32)) }
      #expect(error?.kind == .notFound && error?.message.contains("There is no store at \(home) yet.") == true)
      #expect(await failure { _ = try await store.createRun(NewRun()) }?.message.contains(home) == true)
      #expect(!FileManager.default.fileExists(atPath: home))
      await store.close()
      let real = try TrackingStore.open(home: home)
      let other = await failure { _ = try await real.run(String(repeating: "a", count: 32)) }
      #expect(other?.remedy?.contains(home) == true)
      await real.close()
    }
  }
}

/// A number that several tasks count up.
private final class Mutexed: @unchecked Sendable {
  private let lock = NSLock()
  private var value: Int

  init(_ value: Int) { self.value = value }

  func increased() -> Int {
    lock.withLock {
      value += 1
      return value
    }
  }
}

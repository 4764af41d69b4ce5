import Basics
import Failures
import Foundation
import JSON
import Messages
import Testing
import Traces

@testable import RunFiles
@testable import Tracking

@Suite("Runs as files") struct RunFileTests {
  private let directory = FileManager.default.temporaryDirectory.appendingPathComponent("hone-\(UUID().uuidString)")
    .path

  /// A store with one search: a parent with a child, each with everything a run can have.
  private func filledStore() async throws -> (store: TrackingStore, parent: String, child: String, trace: TraceID) {
    let store = try TrackingStore.open(home: directory + "/from")
    let experiment = try await store.experiment(named: "sums")
    let parent = try await store.createRun(NewRun(experimentID: experiment.id, name: "search", startTime: 1_000)).id
    let child = try await store.createRun(
      NewRun(experimentID: experiment.id, name: "eval_full_0", parentID: parent, startTime: 1_500)
    ).id
    try await store.log(
      run: parent, params: [KeyValue("seed", "0")],
      metrics: [
        MetricPoint("eval_full", 50, step: 0, timestamp: 10), MetricPoint("eval_full", .nan, step: 1, timestamp: 11),
        MetricPoint("eval_full", 75, step: 2, timestamp: 12),
      ], tags: [KeyValue("note", "ünïcode\n")])
    try await store.logInputs(run: parent, [DatasetInput(name: "train", digest: "1234abcd", context: "training")])
    try await store.writeArtifact(run: parent, path: "best_model.json", text: "{}")
    try await store.writeArtifact(run: child, path: "deep/er/bytes.bin", [0, 255, 10, 13])
    let root = Span(
      id: .random(), parent: nil, name: "Predict.forward", kind: .llm, start: 2_000, end: 3_000,
      inputs: .json(["question": "1+1"]), outputs: .json(["answer": "2"]),
      attributes: ["signature": "question -> answer"],
      events: [SpanEvent(name: "exception", time: 2_500, attributes: ["exception.type": "x"])], status: .error("odd"))
    let trace = Trace(
      id: .random(), name: "Predict.forward", experimentID: experiment.id, runID: child, spans: [root],
      status: .error("odd"), usage: TokenUsage(inputTokens: 5, outputTokens: 2), cost: 0.25,
      assessments: [Assessment(name: "exact_match", value: true)], metadata: ["row": 3])
    await store.record(trace)
    try await store.logResults(
      run: child,
      [EvaluationRow(index: 3, score: 1, traceID: trace.id, exampleDigest: .of("row"))])
    await store.flush()
    try await store.addAssessment(
      Assessment(name: "helpful", value: "yes", source: .human), to: trace.id, sourceID: "ann")
    try await store.updateRun(child, status: .finished, endTime: 1_900)
    try await store.updateRun(parent, status: .finished, endTime: 2_000)
    return (store, parent, child, trace.id)
  }

  private func export(_ store: TrackingStore, _ ids: [String]) async throws -> [UInt8] {
    let box = Box()
    var export = RunExport(store, includesTraces: true) { bytes throws(HoneError) in box.bytes += bytes }
    _ = try await export.export(ids)
    return box.bytes
  }

  private final class Box { var bytes: [UInt8] = [] }

  private func write(_ bytes: [UInt8], _ name: String) throws -> String {
    let path = "\(directory)/\(name)"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test("An imported search is what was exported") func roundTrip() async throws {
    let (store, parent, child, traceID) = try await filledStore()
    // A child brings its parent.
    let bytes = try await export(store, [child])
    let file = try write(bytes, "runs.jsonl")
    let other = try TrackingStore.open(home: directory + "/to")
    _ = try await other.experiment(named: "in the way, so that ids differ")
    var runs = RunImport(other)
    let summary = try await runs.read(file)
    #expect((summary.runs, summary.skipped, summary.artifacts, summary.traces) == (2, 0, 2, 1))

    for id in [parent, child] {
      let (before, after) = (try await store.run(id), try await other.run(id))
      #expect(after.params == before.params)
      #expect(after.tags.filter { $0.key != ImportMark.tag } == before.tags)
      #expect(after.inputs == before.inputs)
      #expect(after.info.status == before.info.status)
      #expect(after.info.parentID == before.info.parentID)
      #expect((after.info.startTime, after.info.endTime ?? 0) == (before.info.startTime, before.info.endTime ?? 0))
    }
    let history = try await other.metricHistory(run: parent, key: "eval_full").items
    #expect(history.map(\.step) == [0, 1, 2])
    #expect(history[1].value.isNaN)
    #expect(try await other.results(run: child).items == store.results(run: child).items)
    #expect(try await other.readArtifact(run: child, path: "deep/er/bytes.bin").bytes == [0, 255, 10, 13])
    let (was, now) = (try await store.trace(traceID), try await other.trace(traceID))
    #expect(now.runID == child)
    #expect(now.cost == 0.25)
    #expect(now.metadata == was.metadata)
    #expect(now.assessments.map(\.assessment) == was.assessments.map(\.assessment))
    #expect(now.assessments.map(\.sourceID) == [nil, "ann"])
    let spans = try await other.spans(of: traceID).items
    let before = try await store.spans(of: traceID).items
    #expect(spans.map { SpanRecord($0).jsonValue } == before.map { SpanRecord($0).jsonValue })

    // The same file again changes nothing, and what is exported from there is the same.
    var again = RunImport(other)
    #expect(try await again.read(file).skipped == 2)
    #expect(try await other.assessments(of: traceID).count == 2)
  }

  @Test("Exported again from where it was imported, a search is the same, ids and times of assessments included")
  func secondExport() async throws {
    let (store, parent, child, traceID) = try await filledStore()
    let first = try #require(try await store.assessments(of: traceID).first)
    try await store.addAssessment(
      Assessment(name: "exact_match", value: false, source: .human), to: traceID, sourceID: "bo", overrides: first.id,
      created: 1_234_567_890, details: ["error_code": "x"])
    let helpful = try #require(try await store.assessments(of: traceID).dropFirst().first)
    try await store.updateAssessment(helpful.id, of: traceID) { $0.assessment.value = "no" }
    let bytes = try await export(store, [parent])
    let other = try TrackingStore.open(home: directory + "/to")
    var runs = RunImport(other)
    _ = try await runs.read(try write(bytes, "runs.jsonl"))
    #expect(try await String(decoding: export(other, [child]), as: UTF8.self) == String(decoding: bytes, as: UTF8.self))
    #expect(try await other.assessments(of: traceID) == store.assessments(of: traceID))
    #expect(try await other.run(parent).tags.value(of: ImportMark.tag) != nil)
    // Another assessment has the id already: this one gets another id, and nothing is lost.
    let third = try TrackingStore.open(home: directory + "/third")
    let elsewhere = TraceID.random()
    var copy = RunImport(third)
    let changed = String(decoding: bytes, as: UTF8.self)
      .replacingOccurrences(of: parent, with: String(parent.reversed()))
      .replacingOccurrences(of: child, with: String(child.reversed()))
      .replacingOccurrences(of: traceID.description, with: elsewhere.description)
    _ = try await copy.read(try write(Array(changed.utf8), "changed.jsonl"))
    var again = RunImport(third)
    _ = try await again.read(directory + "/runs.jsonl")
    let (mine, theirs) = (try await third.assessments(of: traceID), try await third.assessments(of: elsewhere))
    #expect(Set(mine.map(\.id)).isDisjoint(with: theirs.map(\.id)))
    #expect(mine.map(\.assessment) == theirs.map(\.assessment))
    #expect(mine.last?.overrides == mine.first?.id)
  }

  /// All that a store has, but when it was looked at.
  private func contents(_ store: TrackingStore) async throws -> [String] {
    var all: [String] = []
    for experiment in try await store.experiments(view: .all).items {
      all.append("experiment \(experiment.id) \(experiment.name) \(experiment.tags)")
    }
    for run in try await store.searchRuns(view: .all).items {
      all.append("run \(run)")
      for entry in try await store.listArtifacts(run: run.id) {
        let content = entry.isDirectory ? [] : try await store.readArtifact(run: run.id, path: entry.path).bytes
        all.append("artifact \(run.id) \(entry) \(content)")
      }
      for trace in try await store.traces(run: run.id).items { all.append("trace \(trace)") }
      all.append("results \(try await store.results(run: run.id).items)")
    }
    let files = FileManager.default.enumerator(atPath: store.home + "/artifacts")?.compactMap { $0 as? String } ?? []
    return (all + files).sorted()
  }

  @Test("A file that fails at any line leaves nothing") func leavesNothing() async throws {
    let (store, parent, _, _) = try await filledStore()
    let lines = try await export(store, [parent]).split(separator: UInt8(ascii: "\n"))
    let other = try TrackingStore.open(home: directory + "/to")
    let before = try await contents(other)
    for count in 1..<lines.count {
      for ending in ["", "\n{\"surprise\":1}\n", "\n{\"end\":{\"runs\":99}}\n"] {
        let text = Array(lines.prefix(count).joined(separator: [UInt8(ascii: "\n")])) + Array(ending.utf8)
        var runs = RunImport(other)
        let file = try write(text, "cut.jsonl")
        await #expect(throws: HoneError.self) { _ = try await runs.read(file) }
        #expect(try await contents(other) == before, "\(count) lines and \(ending)")
      }
    }
    // The whole one is imported afterwards.
    var whole = RunImport(other)
    _ = try await whole.read(try write(try await export(store, [parent]), "whole.jsonl"))
    #expect(try await other.run(parent).info.status == .finished)
  }

  @Test("What an import left that was killed goes before the next one") func killedImport() async throws {
    let (store, parent, child, traceID) = try await filledStore()
    let other = try TrackingStore.open(home: directory + "/to")
    let before = try await contents(other)
    let file = try write(try await export(store, [parent]), "runs.jsonl")
    // As a process leaves it that began this import and is no more.
    let mark = ImportMark(value: ImportMark().value.replacing("\t\(getpid())\t", with: "\t999999999\t"))
    let experiment = try await other.importExperiment(named: "sums", tags: [], mark)
    try await other.importRun(NewRun(id: parent, experimentID: experiment.id, name: "half"), mark)
    try await other.writeArtifact(run: parent, path: "best_model.json", text: "half")
    try await other.discardBrokenImports()
    #expect(try await contents(other) == before)
    // One that is under way is left alone.
    let living = ImportMark()
    try await other.importRun(NewRun(id: parent, name: "elsewhere"), living)
    var runs = RunImport(other)
    #expect(try await runs.read(file).skipped == 2)
    try await other.discardImport(living)
    var next = RunImport(other)
    #expect(try await next.read(file).runs == 2)
    #expect(try await other.trace(traceID).runID == child)
  }

  @Test("A file changes nothing that is there already") func changesNothing() async throws {
    let (store, parent, child, traceID) = try await filledStore()
    let own = try await store.createRun(NewRun(name: "mine")).id
    try await store.writeArtifact(run: own, path: "best_model.json", text: "mine")
    let before = try await contents(store)
    let head =
      "{\"hone\":\"runs\",\"version\":1}\n{\"experiment\":{\"id\":\"7\",\"name\":\"sums\",\"tags\":{\"a\":\"b\"}}}\n"
    let (new, other) = (String(repeating: "a", count: 32), String(repeating: "b", count: 32))
    func run(_ id: String, _ more: String = "\"parent\":null") -> String {
      "{\"run\":{\"id\":\"\(id)\",\"experiment\":\"7\",\"name\":\"n\",\"status\":\"FINISHED\",\(more)}}\n"
    }
    func artifact(_ id: String) -> String {
      "{\"artifact\":{\"run\":\"\(id)\",\"path\":\"best_model.json\",\"base64\":\"e30=\"}}\n"
    }
    func trace(_ id: String, _ run: String, _ assessments: String = "[]") -> String {
      "{\"trace\":{\"info\":{\"traceId\":\"\(id)\",\"name\":\"t\",\"runId\":\"\(run)\",\"status\":\"OK\","
        + "\"assessments\":\(assessments)},\"spans\":[]}}\n"
    }
    let refused: [String] = [
      artifact(own), artifact(parent), trace(TraceID.random().description, own), trace(traceID.description, own),
      run(new) + trace(traceID.description, new), run(new) + artifact(own),
      run(new, "\"parent\":\"\(own)\""), run(new, "\"tags\":{\"mlflow.parentRunId\":\"\(own)\"}"),
      run(new, "\"parent\":\"\(other)\""),
      run(other) + run(new, "\"parent\":\"\(other)\",\"tags\":{\"mlflow.parentRunId\":\"\(own)\"}"),
      run(new) + run(new), run(new, "\"tags\":{\"a\":1}"), run(new, "\"metrics\":[[\"a\",1]]"),
      run(new) + trace("tr-" + new, new, "[{\"name\":\"a\"}]"),
    ]
    for lines in refused {
      var runs = RunImport(store)
      let file = try write(Array((head + lines + "{\"end\":{\"runs\":1}}\n").utf8), "bad.jsonl")
      let error = await #expect(throws: HoneError.self) { _ = try await runs.read(file) }
      #expect(error?.kind == .invalidParams, "\(lines)")
      #expect(try await contents(store) == before, "\(lines)")
    }
    // What names a run that is there is passed over with all that belongs to it.
    let passed = [
      run(own) + artifact(own) + trace(TraceID.random().description, own),
      run(own, "\"params\":{\"p\":\"q\"},\"tags\":{\"hone.import\":\"under way\"}"),
      run(child) + trace(traceID.description, child, "[{\"name\":\"a\",\"createTime\":\"2026-01-01T00:00:00Z\"}]"),
    ]
    for lines in passed {
      var runs = RunImport(store)
      let file = try write(Array((head + lines + "{\"end\":{\"runs\":1}}\n").utf8), "present.jsonl")
      #expect(try await runs.read(file).skipped == 1)
      #expect(try await contents(store) == before, "\(lines)")
    }
    var runs = RunImport(store)
    let under = run(own) + run(new, "\"parent\":\"\(own)\"") + artifact(new) + "{\"end\":{\"runs\":2}}\n"
    #expect(try await runs.read(try write(Array((head + under).utf8), "under.jsonl")).skipped == 2)
    #expect(try await contents(store) == before)
  }

  @Test(
    "What is no such file is refused",
    arguments: [
      "", "{", "\n{\"experiment\":{\"id\":\"1\",\"name\":\"n\"}}\n{\"end\":{\"runs\":0}}\n",
      "{\"hone\":\"runs\",\"version\":99}\n", "{\"hone\":\"runs\",\"version\":1}\n{\"surprise\":1}\n",
      "{\"hone\":\"runs\",\"version\":1}\n{\"run\":{\"id\":\"../../x\",\"name\":\"n\",\"experiment\":\"1\",\"status\":\"FINISHED\"}}\n",
    ]) func refusesOthers(_ text: String) async throws
  {
    let store = try TrackingStore.open(home: directory + "/to")
    let file = try write(Array(text.utf8), "bad.jsonl")
    var runs = RunImport(store)
    await #expect(throws: HoneError.self) { _ = try await runs.read(file) }
  }

  @Test("A path that leads out of the run is refused") func refusesPaths() async throws {
    let (store, parent, _, _) = try await filledStore()
    var text = String(decoding: try await export(store, [parent]), as: UTF8.self)
    text = text.replacingOccurrences(of: "best_model.json", with: "../../../../x")
    let other = try TrackingStore.open(home: directory + "/to")
    var runs = RunImport(other)
    let file = try write(Array(text.utf8), "bad.jsonl")
    await #expect(throws: HoneError.self) { _ = try await runs.read(file) }
  }
}

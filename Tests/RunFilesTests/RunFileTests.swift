import Basics
import Failures
import Foundation
import JSON
import Messages
import Testing
import Traces
import Tracking

@testable import RunFiles

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
      #expect(after.tags == before.tags)
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

  @Test("A file that was cut off says so, and the whole one completes it") func completesWhatWasCutOff() async throws {
    let (store, parent, child, _) = try await filledStore()
    let bytes = try await export(store, [parent])
    let lines = bytes.split(separator: UInt8(ascii: "\n"))
    let other = try TrackingStore.open(home: directory + "/to")
    let cut = try write(Array(lines.dropLast(3).joined(separator: [UInt8(ascii: "\n")])), "cut.jsonl")
    var first = RunImport(other)
    await #expect(throws: HoneError.self) { _ = try await first.read(cut) }
    let whole = try write(bytes, "whole.jsonl")
    var second = RunImport(other)
    _ = try await second.read(whole)
    #expect(try await other.run(child).info.status == .finished)
    #expect(try await other.run(parent).info.status == .finished)
  }

  @Test(
    "What is no such file is refused",
    arguments: [
      "", "{", "{\"hone\":\"runs\",\"version\":99}\n", "{\"hone\":\"runs\",\"version\":1}\n{\"surprise\":1}\n",
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

import Basics
import Evaluation
import Failures
import JSON
import RowStorage
import Synchronization
import Traces
import Tracking

/// The listener that tracks how the examples of an evaluation come out, as they come, so that none of them has to stay in
/// memory.
final class ResultRecorder: EventSink {
  private struct Pending {
    var rows: [EvaluationRow] = []
    var written = ContinuousClock.now
  }

  private let run: TrackedRun
  private let notes: JobNotes
  private let pending = Mutex(Pending())

  /// How many examples are written at once, unless as much time has passed.
  private static let group = 256
  private static let patience = Duration.seconds(1)

  /// - Parameter notes: hears what cannot be written.
  init(_ run: TrackedRun, _ notes: JobNotes) {
    self.run = run
    self.notes = notes
  }

  func emit(_ event: EngineEvent) async {
    switch event {
    case .exampleFinished(_, let result): await add([EvaluationRow(result)])
    case .evaluationFinished: await add([], isLast: true)
    case .evaluationStopped(_, let partial, _):
      await add(partial?.unsettled.map { EvaluationRow($0) } ?? [], isLast: true)
    default: break
    }
  }

  private func add(_ rows: [EvaluationRow], isLast: Bool = false) async {
    let group = pending.withLock { pending -> [EvaluationRow] in
      pending.rows += rows
      guard isLast || pending.rows.count >= Self.group || ContinuousClock.now - pending.written > Self.patience else {
        return []
      }
      defer { pending = Pending() }
      return pending.rows
    }
    guard !group.isEmpty else { return }
    do throws(HoneError) {
      try await run.store.logResults(run: run.id, group)
    } catch {
      notes.lose(error)
    }
  }
}

extension EvaluationRow {
  /// How one example came out, without the example.
  init(_ result: ExampleResult) {
    let isPlain = result.score.map { result.raw == .double($0) } ?? true
    self.init(
      index: result.row, score: result.score, failed: result.error != nil, errorKind: result.error?.kind.rawValue,
      errorMessage: result.error?.messageWithCause, traceID: result.traceID,
      exampleDigest: ContentDigest.of(JSONValue.object(result.example).encoded()),
      raw: isPlain ? Optional.none : result.raw,
      outputs: result.outputs, feedback: result.feedback)
  }

  /// The row of MLflow's table of results: `score, example_<field>…, pred_<field>…`, then what MLflow lacks.
  func tableRow(_ example: JSONObject) -> JSONObject {
    var row: JSONObject = ["score": raw ?? JSONValue(score)]
    for (key, value) in example { row["example_\(key)"] = value }
    for (key, value) in outputs ?? [:] { row["pred_\(key)"] = value }
    row["row"] = .int(index)
    if let errorMessage { row["error"] = .string(errorMessage) }
    if let traceID { row["trace_id"] = .string(traceID.description) }
    return row
  }
}

extension TrackingStore {
  /// Where a run keeps the table of its results.
  private static let resultTable = "result_table.json"

  /// Keeps how each example of an evaluation came out: as rows to compare runs by, and as the table that MLflow's clients
  /// read.
  func keep(_ result: EvaluationResult, run id: String) async throws(HoneError) {
    try await logResults(run: id, result.examples.map { EvaluationRow($0) })
    let rows = result.examples.map { EvaluationRow($0).tableRow($0.example) }
    try await writeTable(run: id, path: Self.resultTable, TableRows(Rows(rows)))
  }

  /// Keeps that table of results which are kept already.
  ///
  /// - Parameter examples: the rows of the data set.
  func keepResultTable(run id: String, of examples: Rows) async throws(HoneError) {
    let page = 1000
    let rows = TableRows { last throws(HoneError) in
      let rows = try await self.results(run: id, after: last, limit: page)
      let table = rows.map { row in
        row.tableRow(examples.indices.contains(row.index) ? examples[row.index] : [:])
      }
      return (table, rows.count == page ? rows.last?.index : nil)
    }
    try await writeTable(run: id, path: Self.resultTable, rows)
  }
}

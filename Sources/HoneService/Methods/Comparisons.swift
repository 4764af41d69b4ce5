package import Evaluation
import Failures
import JSON
import Jobs
package import Schema
package import Statistics
import Traces
import Tracking

extension Method {
  static let listResults = Method(
    "listResults",
    "How the examples of evaluations came out, a page at a time: one score a row, for one run or many side by side; with `details` also what the program answered.",
    takes: ListResultsRequest.self, gives: ListResultsResult.self,
    example: ["parentRunId": "0123456789abcdef0123456789abcdef"], isReading: true, isForPages: true
  ) { service, request, _ throws(HoneError) in
    let store = try await service.store()
    var ids = request.runIds ?? []
    if let parent = request.parentRunId { ids = try await store.children(of: parent).map(\.id) }
    var result = ListResultsResult()
    var left = request.limit
    var (index, after) = request.place
    var places = ContentPlaces()
    // Rows without numbers go by where their content first stands.
    if index > 0 { _ = try await store.evaluationRows(of: ids[0], after: -1, limit: 10_000, &places) }
    while index < ids.count, left > 0 {
      let run = try await store.run(ids[index])
      let (rows, next) = try await store.evaluationRows(of: run.id, after: after, limit: left, &places)
      left -= rows.count
      result.runs.append(ListResultsResult.RunScores(run, rows, withDetails: request.details))
      if let next {
        result.nextPageToken = "\(index).\(next)"
        return result
      }
      (index, after) = (index + 1, -1)
    }
    if index < ids.count { result.nextPageToken = String(index) }
    return result
  }

  static let compareRuns = Method(
    "compareRuns",
    "Compares evaluations with the first of them, example by example (the first 100,000 of each): what each fixed and broke, and whether the difference is clear, corrected for how many are compared.",
    takes: CompareRunsRequest.self, gives: CompareRunsResult.self,
    example: ["runIds": ["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"]], isReading: true,
    isForPages: true
  ) { service, request, _ throws(HoneError) in
    let ids = request.runIds
    let store = try await service.store()
    var places = ContentPlaces()
    let baseline = try await store.evaluationRows(of: ids[0], after: -1, limit: 100_000, &places).rows
    var result = CompareRunsResult()
    result.baseline = ids[0]
    for id in ids.dropFirst() {
      let rows = try await store.evaluationRows(of: id, after: -1, limit: 100_000, &places).rows
      result.comparisons.append(CompareRunsResult.Entry(id, RowPairs(baseline: baseline, candidate: rows)))
    }
    let corrected = PairedComparison.holm(result.comparisons.map(\.comparison))
    for (index, comparison) in corrected.enumerated() { result.comparisons[index].comparison = comparison }
    return result
  }
}

/// How the examples of evaluations came out.
package struct ListResultsResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member(
      "runs", \.runs, isAlwaysWritten: true,
      "The evaluations, in the order asked for. One with many examples goes on in the next page."),
    Member("nextPageToken", \.nextPageToken, isAlwaysWritten: true, "Asks for the next page; null on the last."),
  ]

  /// One evaluation, row by row.
  package struct RunScores: ResultObject {
    package static let members: [Member<Self>] = [
      Member("runId", \.runID, isAlwaysWritten: true, "The run."),
      Member("name", \.name, isAlwaysWritten: true, "The run's name."),
      Member("rows", \.rows, isAlwaysWritten: true, "The rows' numbers in the data set."),
      Member("scores", \.scores, isAlwaysWritten: true, "The score of each; null where something failed."),
      Member("traceIds", \.traceIDs, isAlwaysWritten: true, "The trace of each."),
      Member("errors", \.errors, isAlwaysWritten: true, "What failed, by the row's number."),
      Member(
        "results", \.results, as: Schema(.array(Schema(.named("ExampleResult")))),
        "With details: the same rows as evaluate lists them. Evaluations that other programs logged have no outputs here."
      ),
    ]

    package struct Failure: ResultObject {
      package static let members: [Member<Self>] = [
        Member("kind", \.kind, isAlwaysWritten: true, "What kind of failure it is."),
        Member("message", \.message, isAlwaysWritten: true, "What happened."),
      ]
      package var kind: String?
      package var message: String?

      package init() {}
    }

    package var runID = ""
    package var name = ""
    package var rows: [Int] = []
    package var scores: [Double?] = []
    package var traceIDs: [String?] = []
    package var errors: [String: Failure] = [:]
    package var results: [ExampleResult]?

    package init() {}

    init(_ run: Run, _ rows: [EvaluationRow], withDetails: Bool) {
      runID = run.id
      name = run.info.name
      self.rows = rows.map(\.index)
      scores = rows.map(\.score)
      traceIDs = rows.map { $0.traceID?.description }
      for row in rows where row.failed {
        var failure = Failure()
        failure.kind = row.errorKind
        failure.message = row.errorMessage
        errors[String(row.index)] = failure
      }
      if withDetails { results = rows.map { ExampleResult($0) } }
    }
  }

  package var runs: [RunScores] = []
  package var nextPageToken: String?

  package init() {}
}

/// Evaluations beside a baseline.
package struct CompareRunsResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member("baseline", \.baseline, isAlwaysWritten: true, "The run that the others are compared with."),
    Member("comparisons", \.comparisons, isAlwaysWritten: true, "The others, in the order asked for."),
  ]

  /// One evaluation beside the baseline.
  package struct Entry: ResultObject {
    package static let members: [Member<Self>] = [
      Member("runId", \.runID, isAlwaysWritten: true, "The run."),
      Member("common", \.common, isAlwaysWritten: true, "Examples that both have."),
      Member("fixed", \.fixed, isAlwaysWritten: true, "Rows that it scores higher on."),
      Member("broken", \.broken, isAlwaysWritten: true, "Rows that it scores lower on."),
      Member("comparison", \.comparison, as: Schema(.named("Comparison")), "Whether it is better, and how surely."),
    ]
    package var runID = ""
    package var common = 0
    package var fixed: [Int] = []
    package var broken: [Int] = []
    package var comparison: PairedComparison?

    package init() {}

    init(_ id: String, _ pairs: RowPairs) {
      runID = id
      common = pairs.rows.count
      fixed = pairs.fixed
      broken = pairs.broken
      comparison = PairedComparison(baseline: pairs.before, candidate: pairs.after)
    }
  }

  package var baseline = ""
  package var comparisons: [Entry] = []

  package init() {}
}

struct ListResultsRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("runIds", \.runIds, "The evaluations' runs."),
    Member("parentRunId", \.parentRunId, "In place of runIds: all evaluations under this run, in their order."),
    Member("details", \.details, "Whether to list what the program answered, too, as evaluate does."),
    Member(
      "maxResults", \.maxResults, in: 1...100_000, "How many examples a page has at most: 20000, or 1000 with details."),
    .pageToken(\.pageToken),
  ]
  var runIds: [String]?
  var parentRunId: String?
  var details = false
  var maxResults: Int?
  var pageToken: String?

  /// How many examples the page may have.
  var limit: Int { maxResults ?? (details ? 1000 : 20_000) }

  /// Where the page begins: the run's place, and the row behind which it goes on.
  var place: (run: Int, after: Int) {
    let parts = (pageToken ?? "0").split(separator: ".", maxSplits: 1).map { Int($0) ?? -1 }
    return (parts.first ?? -1, parts.count == 2 ? parts[1] : -1)
  }

  mutating func settle(_ fields: FieldReader) {
    if (runIds == nil) == (parentRunId == nil) {
      fields.problems.add("runIds", "Give either runIds or parentRunId.")
    }
    if let runIds, runIds.count > 1000 { fields.problems.add("runIds", "At most 1000 runs are asked for at once.") }
    if place.run < 0 || place.after < -1 { fields.problems.add("pageToken", "This is not a page token.") }
  }
}

struct CompareRunsRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("runIds", \.runIds, isRequired: true, "The baseline's run, then the others' (50 at most).")
  ]
  var runIds: [String] = []

  mutating func settle(_ fields: FieldReader) {
    if fields.gives("runIds"), !(2...51).contains(runIds.count) {
      fields.problems.add("runIds", "A baseline's run and 1 to 50 others are needed.")
    }
  }
}

/// The examples that two evaluations share, by content, in the order of the candidate's rows.
struct RowPairs {
  private(set) var rows: [Int] = []
  private(set) var before: [Double] = []
  private(set) var after: [Double] = []
  private(set) var fixed: [Int] = []
  private(set) var broken: [Int] = []

  init(baseline: [EvaluationRow], candidate: [EvaluationRow]) {
    let byIndex = Dictionary(baseline.map { ($0.index, $0) }, uniquingKeysWith: { first, _ in first })
    let byContent = Dictionary(
      baseline.compactMap { row in row.exampleDigest.map { ($0, row) } }, uniquingKeysWith: { first, _ in first })
    for row in candidate {
      // The same content may stand in several rows: that at the same place comes first.
      var other = byIndex[row.index]
      if other?.exampleDigest != row.exampleDigest { other = row.exampleDigest.flatMap { byContent[$0] } }
      guard let other, let old = other.judged, let new = row.judged else { continue }
      rows.append(row.index)
      before.append(old)
      after.append(new)
      if new > old { fixed.append(row.index) }
      if new < old { broken.append(row.index) }
    }
  }
}

extension EvaluationRow {
  /// The score by which the example counts; nil where the model could not be asked.
  fileprivate var judged: Double? {
    if let score { return score }
    let kind = errorKind.map(FailureKind.init(rawValue:))
    return ExampleResult.isOutage(kind) || kind?.isRefusal == true ? nil : 0
  }
}

extension ExampleResult {
  /// As `evaluate` lists it.
  fileprivate init(_ row: EvaluationRow) {
    self.init(
      row: row.index, score: row.score, raw: row.raw ?? JSONValue(row.score), feedback: row.feedback, example: [:],
      outputs: row.outputs ?? [:],
      error: row.failed
        ? HoneError(FailureKind(rawValue: row.errorKind ?? FailureKind.programFailed.rawValue), row.errorMessage ?? "")
        : nil,
      traceID: row.traceID)
  }
}

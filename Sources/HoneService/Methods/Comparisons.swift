import Evaluation
import Failures
import JSON
import Schema
import Traces
import Tracking

extension Method {
  static let listResults = Method(
    "listResults", "How the examples of evaluations came out: one score a row, for one run or many side by side.",
    takes: ListResultsRequest.self,
    result: Shape.object([
      "runs": Shape.array(
        Shape.object([
          "runId": Shape.string, "name": Shape.string, "rows": Shape.array(Shape.integer),
          "scores": Shape.array(Shape.optionalNumber), "traceIds": Shape.array(Shape.optionalString),
          "errors": Shape.anyObject,
        ])),
      "nextPageToken": Shape.optionalString,
    ]),
    example: ["parentRunId": "0123456789abcdef0123456789abcdef"], isForPages: true
  ) { service, request, _ throws(HoneError) in
    let store = try await service.store()
    var ids = request.runIds ?? []
    if let parent = request.parentRunId { ids = try await store.children(of: parent).map(\.id) }
    let first = request.first
    var runs: [JSONValue] = []
    var cells = 0
    var index = first
    var places = ContentPlaces()
    if first > 0 { _ = try await store.evaluationRows(of: ids[0], limit: 10_000, &places) }
    while index < ids.count, runs.isEmpty || cells < cellsOfPage {
      let run = try await store.run(ids[index])
      let rows = try await store.evaluationRows(of: run.id, limit: 10_000, &places)
      cells += rows.count
      runs.append(.object(resultsJSON(run, rows)))
      index += 1
    }
    return ["runs": .array(runs), "nextPageToken": index < ids.count ? .string(String(index)) : .null]
  }

  static let compareRuns = Method(
    "compareRuns",
    "Compares evaluations with the first of them, example by example: what each fixed and broke, and whether the difference is clear.",
    takes: CompareRunsRequest.self,
    result: Shape.object([
      "baseline": Shape.string,
      "comparisons": Shape.array(
        Shape.object([
          "runId": Shape.string, "common": Shape.integer, "comparison": Shape.anyObject,
          "fixed": Shape.array(Shape.integer), "broken": Shape.array(Shape.integer),
        ])),
    ]),
    example: ["runIds": ["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"]], isForPages: true
  ) { service, request, _ throws(HoneError) in
    let ids = request.runIds
    let store = try await service.store()
    var places = ContentPlaces()
    let baseline = try await store.evaluationRows(of: ids[0], limit: 100_000, &places)
    var comparisons: [JSONValue] = []
    for id in ids.dropFirst() {
      let rows = try await store.evaluationRows(of: id, limit: 100_000, &places)
      let pairs = RowPairs(baseline: baseline, candidate: rows)
      var object: JSONObject = [
        "runId": .string(id), "common": .int(pairs.rows.count),
        "fixed": .array(pairs.fixed.map(JSONValue.int)), "broken": .array(pairs.broken.map(JSONValue.int)),
      ]
      if let comparison = PairedComparison(baseline: pairs.before, candidate: pairs.after) {
        object["comparison"] = .object(comparison.json)
      }
      comparisons.append(.object(object))
    }
    return ["baseline": .string(ids[0]), "comparisons": .array(comparisons)]
  }
}

struct ListResultsRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("runIds", \.runIds, "The evaluations' runs."),
    Member("parentRunId", \.parentRunId, "In place of runIds: all evaluations under this run, in their order."),
    .pageToken(\.pageToken),
  ]
  var runIds: [String]?
  var parentRunId: String?
  var pageToken: String?

  /// The place of the first run of the page.
  var first: Int { pageToken.map { Int($0) ?? -1 } ?? 0 }

  mutating func settle(_ fields: FieldReader) {
    if (runIds == nil) == (parentRunId == nil) {
      fields.problems.add("runIds", "Give either runIds or parentRunId.")
    }
    if let runIds, runIds.count > 1000 { fields.problems.add("runIds", "At most 1000 runs are asked for at once.") }
    if first < 0 { fields.problems.add("pageToken", "This is no page token.") }
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

/// About how many examples a page of `listResults` has.
private let cellsOfPage = 20_000

private func resultsJSON(_ run: Run, _ rows: [EvaluationRow]) -> JSONObject {
  var errors = JSONObject()
  for row in rows where row.failed {
    errors[String(row.index)] = ["kind": JSONValue(row.errorKind), "message": JSONValue(row.errorMessage)]
  }
  return [
    "runId": .string(run.id), "name": .string(run.info.name), "rows": .array(rows.map { .int($0.index) }),
    "scores": .array(rows.map { JSONValue($0.score) }),
    "traceIds": .array(rows.map { JSONValue($0.traceID?.description) }), "errors": .object(errors),
  ]
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
    return ExampleResult.isOutage(errorKind.map(FailureKind.init(rawValue:))) ? nil : 0
  }
}

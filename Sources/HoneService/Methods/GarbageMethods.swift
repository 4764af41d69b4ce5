import Failures
import JSON
import Jobs
import Schema
import Tracking

extension Method {
  static let collectGarbage = Method(
    "collectGarbage",
    "Removes deleted runs for good, with everything that only they refer to, and old answers where asked; gives the space back.",
    takes: CollectGarbageRequest.self, gives: GarbageRecord.self, example: ["dryRun": true, "answersOlderThan": 90],
    isLong: true
  ) { service, request, environment throws(HoneError) in
    let terms = CollectionTerms(answersOlderThan: request.answersOlderThan)
    let store = try await service.store()
    if request.dryRun { return try await store.garbage(terms) }
    let progress = environment.progress
    return try await store.collectGarbage(terms) { message in
      var report = ProgressReport()
      report.phase = message
      report.message = message
      progress?.report(report)
    }
  }
}

struct CollectGarbageRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("dryRun", \.dryRun, "Whether to count only, and remove nothing."),
    Member(
      "answersOlderThan", \.answersOlderThan, in: 0...36_500,
      "Days: models' answers that were kept longer ago go, too, except those of runs that can be resumed; none by default."
    ),
  ]
  var dryRun = false
  var answersOlderThan: Double?
}

package import Evaluation
import JSON
package import Schema

/// The `value` of a `$/progress` notification: LSP's begin, report and end, or a part of the result.
package struct ProgressNotice: ResultObject {
  package static let members: [Member<Self>] = [
    Member("kind", \.kind, "Which stage of the work it reports; absent for a part of the result."),
    Member("title", \.title, "What has begun."),
    Member("message", \.message, "The progress, for a person."),
    Member("percentage", \.percentage, "The progress from 0 to 100; it never falls."),
    Member("cancellable", \.isCancellable, "Whether it can be cancelled."),
    Member("data", \.data, "The progress in figures."),
    Member("example", \.example, as: Schema(.named("ExampleResult")), "An example that has ended."),
    Member("trial", \.trial, as: Schema(.named("Trial")), "An evaluation of a search that has ended."),
  ]

  package enum Kind: String, SchemaChoice { case begin, report, end }

  package var kind: Kind?
  package var title: String?
  package var message: String?
  package var percentage: Int?
  package var isCancellable: Bool?
  package var data: ProgressReport?
  package var example: ExampleResult?
  package var trial: TrialResult?

  package init() {}

  package static func begin(_ title: String) -> ProgressNotice {
    var notice = ProgressNotice()
    notice.kind = .begin
    notice.title = title
    notice.isCancellable = true
    return notice
  }

  package static func report(_ report: ProgressReport) -> ProgressNotice {
    var notice = ProgressNotice()
    notice.kind = .report
    notice.message = report.message
    notice.percentage = report.percentage
    notice.data = report.given.isEmpty ? nil : report
    return notice
  }

  package static func end(_ message: String) -> ProgressNotice {
    var notice = ProgressNotice()
    notice.kind = .end
    notice.message = message
    return notice
  }

  package static func finished(_ example: ExampleResult) -> ProgressNotice {
    var notice = ProgressNotice()
    notice.example = example
    return notice
  }

  package static func finished(_ trial: TrialResult) -> ProgressNotice {
    var notice = ProgressNotice()
    notice.trial = trial
    return notice
  }

  /// What a report told, with its figures.
  package var report: ProgressReport {
    var report = data ?? ProgressReport()
    report.message = message ?? ""
    report.percentage = percentage
    return report
  }
}

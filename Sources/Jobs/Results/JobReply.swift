package import JSON
package import Schema

/// What a request of `compile` or `evaluate` is answered with.
package enum JobReply<Result: JobResult>: SchemaValue {
  case started(RunStarted)
  case ended(Result)
  case estimated(CompileEstimate.Report)

  package static var schema: Schema {
    Schema(.either([Result.schema] + Result.otherReplies + [RunStarted.schema]))
  }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> JobReply? {
    switch value["status"]?.stringValue {
    case "RUNNING": RunStarted.read(value, at: place, problems).map(JobReply.started)
    case "ESTIMATED": CompileEstimate.Report.read(value, at: place, problems).map(JobReply.estimated)
    default: Result.read(value, at: place, problems).map(JobReply.ended)
    }
  }

  package var jsonValue: JSONValue {
    switch self {
    case .started(let start): start.jsonValue
    case .ended(let result): result.jsonValue
    case .estimated(let figures): figures.jsonValue
    }
  }
}

import Failures
import JSON
import Jobs
import Platform
import Programs
import Schema

/// One call of the library: the request that it makes, in the form in which it is kept with its run, and the functions of
/// this process that it may call back.
struct Call {
  private let workspace: Workspace
  private(set) var environment: CallEnvironment

  init(
    _ workspace: Workspace, _ program: Program?, _ metric: Metric?, _ models: [Model?],
    _ onEvent: (@Sendable (RunEvent) -> Void)?
  ) {
    self.workspace = workspace
    var functions = Functions(executions: workspace.inner.executions)
    program.map { functions.add($0) }
    metric.map { functions.add($0) }
    for model in models.compactMap(\.self) { functions.add(model) }
    environment = CallEnvironment(
      progress: onEvent.map { EventSink($0) }, baseDirectory: Environment.currentDirectory, peer: functions)
    environment.served = ServedCallbacks(given: functions.names)
  }

  func resolver(_ method: String, _ members: [String: JSONValue?], _ options: RunOptions?) -> RequestResolver {
    var params = options?.json ?? [:]
    for (name, value) in members.sorted(by: { $0.key < $1.key }) { if let value { params[name] = value } }
    return RequestResolver(workspace.inner, method, FieldReader(params, problems: ProblemList()), environment)
  }
}

/// Hands progress on as events.
struct EventSink: ProgressSink {
  private let send: @Sendable (RunEvent) -> Void

  init(_ send: @escaping @Sendable (RunEvent) -> Void) { self.send = send }

  func report(_ report: ProgressReport) { send(.progress(report)) }
  func finished(_ trial: TrialResult) { send(.trial(trial)) }
  func finished(_ example: ExampleResult) { send(.example(example)) }
}

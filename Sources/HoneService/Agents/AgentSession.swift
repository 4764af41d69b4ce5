import Failures
import JSON
package import JSONRPC
import Jobs
import LanguageModels
import Schema
import Synchronization

/// A coding agent at the other end of a connection: the service's methods as tools of the Model Context Protocol.
///
/// Both eras are served: the handshake of `initialize` up to 2025-11-25, and the stateless form of 2026-07-28, in which
/// every request says its version and `server/discover` tells what there is. The service keeps nothing between requests
/// in either.
package final class AgentSession: RequestHandler {
  /// The newest of those that begin with a handshake is the last.
  private static let handshakeVersions = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
  private static let statelessVersions = ["2026-07-28"]

  private static let instructions = """
    Hone optimizes language-model programs (instructions and demos) against your data and metric, and tracks every run. \
    evaluate scores a program, compile searches a better one, listRuns and getTrace show what happened. Begin with \
    {"lm": "simulated"} to try a request without cost; compile with {"estimate": true} tells calls and cost without \
    asking a model. The operator bounds what all calls of a session may spend together; each answer says what is left. \
    Files are named relative to the operator's directory. A data set may be a plain text: the rows themselves as CSV or \
    JSON Lines, a file's path, "word-problems:test", or the name under which a run logged one. Long calls: set detach and follow the run \
    with watchRun, or look at it now and then with getRun.
    """

  private let work: AgentWork
  private let onEnd: @Sendable () -> Void

  /// - Parameter onEnd: is told that the agent has gone: in this protocol the end of the input means that.
  package init(_ work: AgentWork, onEnd: @escaping @Sendable () -> Void = {}) {
    self.work = work
    self.onEnd = onEnd
  }

  package func inputEnded(_ connection: Connection) { onEnd() }

  package func plan(_ request: IncomingRequest) -> RequestPlan {
    let params = AgentParams(.object(request.params))
    let version = params.meta.protocolVersion
    if let version, !Self.statelessVersions.contains(version) {
      return .failure(
        RPCError(
          .init(rawValue: -32022), "The version \(version.prefix(40)) of the protocol is not served.",
          data: [
            "supported": .array((Self.statelessVersions + Self.handshakeVersions.reversed()).map(JSONValue.string)),
            "requested": .string(version),
          ]))
    }
    let isStateless = version != nil
    switch request.method {
    case "initialize": return .answer(initialized(params.protocolVersion))
    case "ping": return .answer([:])
    case "server/discover":
      var object: JSONObject = [
        "supportedVersions": .array((Self.statelessVersions + Self.handshakeVersions.reversed()).map(JSONValue.string)),
        "capabilities": ["tools": [:]], "serverInfo": Self.serverInfo, "instructions": .string(Self.instructions),
      ]
      Self.addCaching(&object)
      return .answer(.object(object))
    case "tools/list":
      var object: JSONObject = ["tools": AgentTools.list(work.terms.ceiling.budget.limits)]
      if isStateless { Self.addCaching(&object) }
      return .answer(.object(object))
    case "tools/call": return toolCall(params, request.connection, isStateless: isStateless)
    default:
      return .failure(
        .methodNotFound(request.method, known: ["initialize", "ping", "server/discover", "tools/list", "tools/call"]))
    }
  }

  package func receive(_ notification: IncomingNotification) {
    guard notification.method == "notifications/cancelled",
      let id = AgentParams(.object(notification.params)).requestID.flatMap({ RequestID($0) })
    else { return }
    notification.connection.cancelSilently(id)
  }

  // MARK: Answers

  private static let serverInfo: JSONValue = ["name": "hone", "title": "Hone", "version": .string(Service.version)]

  /// The client's own version where it is one with a handshake, else the newest of those.
  private func initialized(_ asked: String) -> JSONValue {
    let version = Self.handshakeVersions.contains(asked) ? asked : Self.handshakeVersions.last ?? asked
    return [
      "protocolVersion": .string(version), "capabilities": ["tools": [:]], "serverInfo": Self.serverInfo,
      "instructions": .string(Self.instructions),
    ]
  }

  /// What the stateless form wants of results that a client may keep: the tools do not change while the service runs.
  private static func addCaching(_ object: inout JSONObject) {
    object.set(["resultType": "complete", "ttlMs": 3_600_000, "cacheScope": "public"])
  }

  private func toolCall(_ asked: AgentParams, _ connection: Connection, isStateless: Bool) -> RequestPlan {
    let name = asked.name
    guard let method = AgentTools.method(named: name) else {
      let suggestion = nearest(to: name, among: AgentTools.methods.map(\.name)).map { " Did you mean \"\($0)\"?" } ?? ""
      return .failure(RPCError(.invalidParams, "There is no tool \"\(name.prefix(100))\".\(suggestion)"))
    }
    let given = asked.arguments
    guard given.isNull || given.objectValue != nil else {
      return .failure(RPCError(.invalidParams, "The arguments of a tool are an object, not \(given.kindName)."))
    }
    var params = given.objectValue ?? [:]
    // An agent's context is small; all results are in the run.
    if method.name == Method.evaluate.name, ToolArguments(given).maxResults == nil { params.set(["maxResults": 20]) }
    let progress = asked.meta.progressToken.map { AgentProgress(connection, token: $0.jsonValue) }
    let (arguments, work) = (params, work)
    return .work {
      let result: Result<JSONValue, HoneError>
      do throws(HoneError) {
        result = .success(try await work.perform(method, arguments, progress: progress))
      } catch {
        result = .failure(error)
      }
      let left = AgentTerms.spends(method) ? work.terms.ceiling.left : nil
      var answer =
        switch result {
        case .success(let value): AgentResult.success(value, left: left)
        case .failure(let error): AgentResult.failure(error, left: left)
        }
      if isStateless { answer.set(["resultType": "complete"]) }
      return .object(answer)
    }
  }
}

/// Progress as the Model Context Protocol tells it: a number that rises with each notification.
private final class AgentProgress: ProgressSink {
  private let connection: Connection
  private let token: JSONValue
  private let last = Mutex(-1.0)

  init(_ connection: Connection, token: JSONValue) {
    self.connection = connection
    self.token = token
  }

  func report(_ report: ProgressReport) {
    let done = Double(report.executions ?? report.percentage ?? 0)
    last.withLock { last in
      // Nothing new in figures is told only by a small step, so that the words still come.
      let progress = done > last ? done : last + 0.001
      last = progress
      var params: JSONObject = [
        "progressToken": token, "progress": .double(progress), "message": .string(report.message),
      ]
      if let planned = report.planned, planned > 0 {
        params.set(["total": .double(max(Double(planned), progress))])
      }
      connection.notify("notifications/progress", params, delivery: .latest(key: token.text()))
    }
  }
}

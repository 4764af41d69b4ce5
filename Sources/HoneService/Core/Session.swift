package import Evaluation
import Failures
import HTTPModels
package import JSON
package import JSONRPC
package import Jobs
import Platform
import Programs
import Schema
import Synchronization

/// One connection's conversation: LSP's life cycle where the client wants it, and the service's methods.
///
/// Nothing needs a handshake. A client that sends `initialize` gets LSP's rules from then on: once only, and nothing but
/// `exit` after `shutdown`.
package final class Session: RequestHandler {
  private struct State {
    var isInitialized = false
    var isShutDown = false
    var baseDirectory: String
    var served = ServedCallbacks()
  }

  private let service: Service
  private let requests = CancellableRequests()
  private let extensions: [any SessionExtension]
  private let watchesClient: Bool
  private let onExit: @Sendable (Int32) -> Void
  private let state: Mutex<State>

  /// - Parameters:
  ///   - extensions: what the session understands beside the service's methods.
  ///   - baseDirectory: from where relative paths count, unless `initialize` or a request says otherwise.
  ///   - watchesClient: whether the session ends when the process that the client named is gone, as LSP asks; a
  ///     connection that ends with its client needs no such watch.
  ///   - onExit: is told the exit status when the client sends `exit`, or is gone.
  package init(
    service: Service, extensions: [any SessionExtension.Type] = [], baseDirectory: String, watchesClient: Bool = true,
    onExit: @escaping @Sendable (Int32) -> Void = { _ in }
  ) {
    self.service = service
    self.watchesClient = watchesClient
    self.extensions = extensions.map { [requests] in $0.init(service: service, requests: requests) }
    state = Mutex(State(baseDirectory: baseDirectory))
    self.onExit = onExit
  }

  private var baseDirectory: String { state.withLock { $0.baseDirectory } }

  package func lane(of method: String, _ params: JSONObject) -> RequestLane { service.lane(of: method, params) }

  package func plan(_ request: IncomingRequest) -> RequestPlan {
    let introduction = request.method == "initialize" ? InitializeRequest(.object(request.params)) : nil
    let refusal: RPCError? = state.withLock { state in
      if state.isShutDown { return RPCError(.invalidRequest, "The session was shut down; only exit may follow.") }
      switch request.method {
      case "initialize":
        if state.isInitialized { return RPCError(.invalidRequest, "The session is initialized already.") }
        if let directory = introduction?.baseDirectory {
          guard let path = Self.directory(directory) else { return Self.noDirectory }
          state.baseDirectory = path
        }
        state.isInitialized = true
        state.served = ServedCallbacks(introduction?.callbacks ?? CallbackList())
      case "shutdown": state.isShutDown = true
      default: break
      }
      return nil
    }
    if let refusal { return .failure(refusal) }
    switch request.method {
    case "initialize":
      watch(introduction?.processID)
      for part in extensions { part.begin(request.params) }
      return .answer(InitializeResult(extensions.map { type(of: $0) }).jsonValue)
    case "shutdown": return .answer(.null)
    default: break
    }
    guard let method = service.catalog.method(named: request.method) else {
      for part in extensions {
        if let plan = part.plan(request, baseDirectory: baseDirectory) { return plan }
      }
      return .failure(.methodNotFound(request.method, known: service.catalog.methods.map(\.name)))
    }
    let frame = RequestFrame(.object(request.params))
    let params = RequestFrame.stripped(request.params)
    let progress = ConnectionProgress(request.connection, frame)
    var environment = CallEnvironment(
      progress: progress, baseDirectory: baseDirectory, peer: ConnectionPeer(connection: request.connection))
    environment.served = state.withLock { $0.served }
    if let directory = frame.baseDirectory {
      guard let path = Self.directory(directory) else { return .failure(Self.noDirectory) }
      environment.baseDirectory = path
    }
    environment.asker.isTrustedOnLoopback = frame.restrictsKeys != true
    if let root = frame.root {
      guard let enclosure = Enclosure(root) else { return .failure(Self.noRoot) }
      environment.enclosure = enclosure
    }
    environment.ceiling = frame.ceiling.map { SpendingCeiling($0) }
    environment.place = service.place(request.method, request.params)
    let (service, requests, name, token) = (service, requests, method.name, progress?.workDone)
    let (request, surroundings) = (params, environment)
    guard let progress else { return .work { try await service.call(name, request, in: surroundings) } }
    return .work {
      progress.begin(name)
      do {
        let result = try await requests.run(token: token) { try await service.call(name, request, in: surroundings) }
        progress.end("done")
        return result
      } catch {
        progress.end(HoneError(wrapping: error).kind == .cancelled ? "cancelled" : "failed")
        throw error
      }
    }
  }

  package func receive(_ notification: IncomingNotification) {
    if notification.method == "exit" {
      onExit(state.withLock { $0.isShutDown } ? 0 : 1)
    } else {
      _ = extensions.contains { $0.receive(notification, baseDirectory: baseDirectory) }
    }
  }

  package func connectionClosed(_ connection: Connection) { for part in extensions { part.end() } }

  /// An absolute path that a client states as its `baseDirectory`.
  private static func directory(_ value: JSONValue) -> String? {
    value.stringValue.flatMap { $0.hasPrefix("/") && !$0.utf8.contains(0) ? $0 : nil }
  }

  private static let noRoot = RPCError(
    HoneError(
      .invalidParams, "root should be a directory.",
      problems: [Problem(path: "root", message: "Expected the absolute path of a directory.")]))

  private static let noDirectory = RPCError(
    HoneError(
      .invalidParams, "baseDirectory should be an absolute path.",
      problems: [Problem(path: "baseDirectory", message: "Expected an absolute path.")]))

  /// Ends the service when the client's process is gone, as LSP asks.
  private func watch(_ processID: Int?) {
    guard watchesClient, let processID, let pid = pid_t(exactly: processID), pid > 0 else { return }
    let onExit = onExit
    Task.detached {
      while kill(pid, 0) == 0 || errno == EPERM {
        try? await Task.sleep(for: .seconds(3))
      }
      onExit(1)
    }
  }
}

/// Progress as LSP's `$/progress` notifications.
package final class ConnectionProgress: ProgressSink {
  private let connection: Connection
  let workDone: ProgressToken?
  private let partial: ProgressToken?

  package init(_ connection: Connection, workDone: ProgressToken?, partial: ProgressToken? = nil) {
    self.connection = connection
    self.workDone = workDone
    self.partial = partial
  }

  /// Nil for a request that wants to hear of nothing.
  convenience init?(_ connection: Connection, _ frame: RequestFrame) {
    guard frame.workDoneToken != nil || frame.partialResultToken != nil else { return nil }
    self.init(connection, workDone: frame.workDoneToken, partial: frame.partialResultToken)
  }

  package func begin(_ title: String) { send(.begin(title), to: workDone, .always) }
  package func report(_ report: ProgressReport) {
    send(.report(report), to: workDone, .latest(key: workDone?.jsonValue.text() ?? ""))
  }
  package func finished(_ trial: TrialResult) { send(.finished(trial), to: partial, .droppable) }
  package func finished(_ example: ExampleResult) { send(.finished(example), to: partial, .droppable) }
  package func end(_ message: String) { send(.end(message), to: workDone, .always) }

  private func send(_ notice: ProgressNotice, to token: ProgressToken?, _ delivery: Delivery) {
    guard let token else { return }
    var params = ProgressParams()
    params.token = token
    params.value = notice
    connection.notify("$/progress", params.jsonObject, delivery: delivery)
  }
}

import ArgumentParser
import Evaluation
import Failures
import Foundation
import HoneService
import HTTPModels
import Jobs
import JSON
import JSONRPC
import Logging
import Schema
import Synchronization
import Terminal
import Tracking

/// Options that every subcommand takes.
struct CommonOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The directory of the store.", discussion: "Else $HONE_HOME, else .hone here."))
  var home: String?

  @Option(help: "Ask the service at this socket instead of doing the work here.", completion: .file())
  var socket: String?

  @Flag(help: "Ask the user's shared service for this store; start it if there is none.")
  var attach = false

  @Flag(help: "Print the whole result as JSON.")
  var json = false

  @OptionGroup var keys: KeyOptions
  @OptionGroup var durable: DurabilityOption

  func validate() throws {
    if !keys.allowKey.isEmpty, socket != nil || attach {
      throw ValidationError("--allow-key is for work that is done here; for a service use hone keys allow.")
    }
  }

  var homeDirectory: String { Self.homeDirectory(home) }

  /// The store's directory where an option names it, or nothing does.
  static func homeDirectory(_ home: String?) -> String {
    home ?? ProcessInfo.processInfo.environment["HONE_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? ".hone"
  }
}

/// Who does the work of a command: this process, or a service at a socket.
struct Caller {
  private enum Place {
    case here(Service)
    case there(Connection, EventLoop, ForwardedProgress)
  }

  private let place: Place
  /// The run under way, as soon as progress has named it.
  private let run = NamedRun()

  /// - Parameter keyRules: which keys may go where, for work that is done here.
  init(_ options: CommonOptions, keyRules: KeyRules? = nil) async throws(HoneError) {
    guard options.socket != nil || options.attach else {
      let rules = keyRules ?? KeyRules(grants: options.keys.allowKey)
      place = .here(
        Service(
          home: options.homeDirectory, logger: standardErrorLogger(level: .error), keyRules: rules,
          durability: options.durable.durability))
      return
    }
    let loop = try EventLoop()
    let stream: SocketStream
    if let socket = options.socket {
      stream = try UnixSocketClient.connect(to: socket, loop: loop)
    } else {
      stream = SocketStream(
        try SharedService.connect(home: options.homeDirectory, durability: options.durable.durability),
        peer: "the shared service", loop: loop)
    }
    let progress = ForwardedProgress()
    let connection = Connection(stream, handler: progress, framing: .lines)
    connection.start()
    place = .there(connection, loop, progress)
  }

  /// The only call of a command. Ends with the error's message and a status that says its kind if it fails.
  ///
  /// - Parameters:
  ///   - directory: from where relative paths in the params count; the working directory unless given.
  ///   - inStore: whether it is about what a store has: where there is none here, that is what is wrong.
  func call(
    _ method: String, _ params: JSONObject, from directory: String? = nil, inStore: Bool = false,
    progress: (any ProgressSink)? = nil
  ) async throws -> JSONValue {
    if inStore, case .here(let service) = place, !TrackingStore.isThere(in: service.home) {
      throw TrackingStore.missing(in: service.home)
    }
    let result = await send(method, params, from: directory, progress: progress)
    await close()
    return try result.mapError(Failed.init).get()
  }

  /// One call of several; the last is followed by `close`.
  func ask(_ method: String, _ params: JSONObject) async -> Result<JSONValue, RPCError> {
    switch place {
    case .here:
      guard MethodTable.method(named: method) != nil else {
        return .failure(.methodNotFound(method, known: MethodTable.names))
      }
      return await send(method, params).mapError { RPCError($0) }
    case .there(let connection, _, _):
      do throws(CallFailure) {
        return .success(try await connection.request(method, Self.located(params)))
      } catch {
        // What the service said, unchanged.
        if case .refused(let error) = error { return .failure(error) }
        return .failure(RPCError(error.honeError(method: method)))
      }
    }
  }

  private func send(
    _ method: String, _ params: JSONObject, from directory: String? = nil, progress: (any ProgressSink)? = nil
  ) async -> Result<JSONValue, HoneError> {
    // Whatever has begun can be interrupted: it begins when the keys are watched.
    let (start, begin) = AsyncStream<Never>.makeStream()
    switch place {
    case .here(let service):
      let environment = CallEnvironment(
        progress: progress, baseDirectory: directory ?? FileManager.default.currentDirectoryPath)
      let call = Task { () -> Result<JSONValue, HoneError> in
        for await _ in start {}
        do throws(HoneError) {
          return .success(try await service.call(method, params, in: environment))
        } catch {
          return .failure(error)
        }
      }
      let interrupts = Interrupts {
        // A work tells what it has; what is none, or has not become one yet, just ends.
        if service.workspace.isIdle { call.cancel() } else { Task { await service.workspace.stopJobs() } }
      }
      defer { withExtendedLifetime(interrupts) {} }
      begin.finish()
      let result = await call.value
      progress?.end("")
      return result
    case .there(let connection, _, let forwarded):
      var params = Self.located(params, directory)
      if let progress {
        var frame = RequestFrame()
        frame.workDoneToken = ProgressToken(jsonValue: "cli")
        frame.partialResultToken = ProgressToken(jsonValue: "cli")
        params = params.merging(frame.jsonObject)
        forwarded.sink.withLock { $0 = run.noting(progress) }
      }
      let call = params
      let request = Task { () async throws(CallFailure) in
        for await _ in start {}
        return try await connection.request(method, call)
      }
      let interrupts = Interrupts { [run] in
        // Where a run is known, its best so far comes back as the result; else the request is just cancelled.
        guard method != "watchRun", let id = run.id else { return request.cancel() }
        Task { _ = try? await connection.request("cancelRun", ["runId": .string(id)]) }
      }
      defer { withExtendedLifetime(interrupts) {} }
      begin.finish()
      do {
        return .success(try await request.value)
      } catch {
        return .failure((error as? CallFailure)?.asHoneError(method) ?? HoneError(wrapping: error))
      }
    }
  }

  /// The params with the directory from which their relative paths count, which the service cannot know.
  static func located(_ params: JSONObject, _ directory: String? = nil) -> JSONObject {
    var frame = RequestFrame(.object(params))
    guard frame.baseDirectory == nil else { return params }
    frame.baseDirectory = .string(directory ?? FileManager.default.currentDirectoryPath)
    return params.merging(frame.jsonObject)
  }

  /// Ends what the calls have opened.
  func close() async {
    switch place {
    case .here(let service): await service.close()
    case .there(let connection, let loop, _):
      connection.close()
      await connection.waitUntilFinished()
      loop.stop()
    }
  }
}

extension CallFailure {
  /// What a service said of a call that failed, as the error that it was there.
  func asHoneError(_ method: String) -> HoneError {
    switch self {
    case .cancelled: return HoneError(.cancelled, "The request was cancelled.")
    case .connectionClosed:
      return HoneError(
        .clientGone, "The service went away before it answered \(method).",
        remedy: "hone runs shows what it has tracked; a run that was cut off goes on with hone resume.")
    case .refused, .timedOut: break
    }
    guard case .refused(let error) = self, let data = error.data.flatMap({ ErrorData(json: $0) }) else {
      return honeError(method: method)
    }
    return data.error(error.message)
  }
}

/// Learns from progress which run is under way.
private final class NamedRun: Sendable {
  private let name = Mutex<String?>(nil)
  var id: String? { name.withLock { $0 } }

  func noting(_ sink: any ProgressSink) -> any ProgressSink { Listener(run: self, sink: sink) }

  private struct Listener: ProgressSink {
    let run: NamedRun
    let sink: any ProgressSink

    func begin(_ title: String) { sink.begin(title) }
    func report(_ report: ProgressReport) {
      if let id = report.runID { run.name.withLock { $0 = id } }
      sink.report(report)
    }
    func finished(_ trial: TrialResult) { sink.finished(trial) }
    func finished(_ example: ExampleResult) { sink.finished(example) }
    func end(_ message: String) { sink.end(message) }
  }
}

/// Hands a service's `$/progress` to the command's own display.
final class ForwardedProgress: RequestHandler {
  let sink = Mutex<(any ProgressSink)?>(nil)

  func plan(_ request: IncomingRequest) -> RequestPlan { .failure(.methodNotFound(request.method)) }

  func receive(_ notification: IncomingNotification) {
    guard notification.method == "$/progress", let sink = sink.withLock({ $0 }),
      let notice = ProgressParams(.object(notification.params)).value
    else { return }
    if let trial = notice.trial { sink.finished(trial) }
    switch notice.kind {
    case .begin: sink.begin(notice.title ?? "")
    case .report: sink.report(notice.report)
    case .end: sink.end(notice.message ?? "")
    case nil: break
    }
  }
}

/// A failure that ends the command: the message goes to standard error, the kind decides the status.
struct Failed: Error, CustomStringConvertible {
  let error: HoneError
  init(_ error: HoneError) { self.error = error }
  var description: String { error.description }

  /// 2: the request was wrong. 3: the model could not be used. 4: a budget was spent. 130: interrupted. 1: the rest.
  var status: Int32 {
    switch error.kind {
    case .invalidParams, .datasetInvalid, .programInvalid, .notFound: 2
    case .authentication, .languageModelUnavailable, .languageModelRejected, .rateLimited, .timeout, .malformedReply,
      .contextWindowExceeded, .tooManyErrors, .insufficientCredit, .quotaExhausted, .waitTooLong, .contentRefused,
      .inputRejected, .replyCut, .replyEmpty, .replyToolCall:
      3
    case .budgetExhausted: 4
    case .cancelled: 130
    default: 1
    }
  }
}

/// Runs a command's body; prints a failure and ends with its status.
func reporting(_ body: () async throws -> Void) async throws {
  do {
    try await body()
  } catch let failed as Failed {
    TerminalOutput.errors.paragraph("hone: \(failed)")
    throw ExitCode(failed.status)
  } catch let error as HoneError {
    TerminalOutput.errors.paragraph("hone: \(error)")
    throw ExitCode(Failed(error).status)
  }
}

/// A logger that writes to standard error.
func standardErrorLogger(level: Logger.Level) -> Logger {
  var logger = Logger(label: "hone", factory: TerminalLog.init)
  logger.logLevel = level
  return logger
}

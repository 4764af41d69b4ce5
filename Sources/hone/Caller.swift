import ArgumentParser
import Failures
import Foundation
import HoneService
import JSON
import JSONRPC
import Logging
import Synchronization

/// Options that every subcommand takes.
struct CommonOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The directory of the store.", discussion: "Else $HONE_HOME, else .hone here."))
  var home: String?

  @Option(help: "Ask the service at this socket, in place of doing the work here.")
  var socket: String?

  @Flag(help: "Print the whole result as JSON.")
  var json = false

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

  init(_ options: CommonOptions) throws(HoneError) {
    guard let socket = options.socket else {
      place = .here(Service(home: options.homeDirectory, logger: standardErrorLogger(level: .error)))
      return
    }
    let loop = try EventLoop()
    let progress = ForwardedProgress()
    let connection = Connection(
      try UnixSocketClient.connect(to: socket, loop: loop), handler: progress, framing: .lines)
    connection.start()
    place = .there(connection, loop, progress)
  }

  /// One call. Ends with the error's message and a status that says its kind if it fails.
  func call(_ method: String, _ params: JSONObject, progress: (any ProgressSink)? = nil) async throws -> JSONValue {
    do {
      switch place {
      case .here(let service):
        let environment = CallEnvironment(
          progress: progress, baseDirectory: FileManager.default.currentDirectoryPath)
        let interrupts = Interrupts { Task { await service.stopWorks() } }
        defer { withExtendedLifetime(interrupts) {} }
        let result = try await service.call(method, params, in: environment)
        await service.close()
        return result
      case .there(let connection, let loop, let forwarded):
        var params = params
        if let progress {
          params["workDoneToken"] = "cli"
          forwarded.sink.withLock { $0 = run.noting(progress) }
        }
        let call = params
        let request = Task { () async throws(CallFailure) in try await connection.request(method, call) }
        let interrupts = Interrupts { [run] in
          // Where a run is known, its best so far comes back as the result; else the request is just cancelled.
          guard method != "watchRun", let id = run.id else { return request.cancel() }
          Task { _ = try? await connection.request("cancelRun", ["runId": .string(id)]) }
        }
        defer { withExtendedLifetime(interrupts) {} }
        let answer = try await request.value
        connection.close()
        await connection.waitUntilFinished()
        loop.stop()
        return answer
      }
    } catch let error as CallFailure {
      throw Failed(error.honeError(method: method))
    } catch let error as HoneError {
      if case .here(let service) = place { await service.close() }
      throw Failed(error)
    }
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
    func report(_ message: String, percentage: Int?, data: JSONObject) {
      if let id = data["runId"]?.stringValue { run.name.withLock { $0 = id } }
      sink.report(message, percentage: percentage, data: data)
    }
    func partial(_ value: JSONObject) { sink.partial(value) }
    func end(_ message: String) { sink.end(message) }
  }
}

/// Hands a service's `$/progress` to the command's own display.
final class ForwardedProgress: RequestHandler {
  let sink = Mutex<(any ProgressSink)?>(nil)

  func plan(_ request: IncomingRequest) -> RequestPlan { .failure(.methodNotFound(request.method)) }

  func receive(_ notification: IncomingNotification) {
    guard notification.method == "$/progress", let value = notification.params["value"],
      let sink = sink.withLock({ $0 })
    else { return }
    switch value["kind"]?.stringValue {
    case "begin": sink.begin(value["title"]?.stringValue ?? "")
    case "report":
      sink.report(
        value["message"]?.stringValue ?? "", percentage: value["percentage"]?.intValue,
        data: value["data"]?.objectValue ?? [:])
    case "end": sink.end(value["message"]?.stringValue ?? "")
    default: break
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
      .contextWindowExceeded, .tooManyErrors: 3
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
    printError("hone: \(failed)")
    throw ExitCode(failed.status)
  } catch let error as HoneError {
    printError("hone: \(error)")
    throw ExitCode(Failed(error).status)
  }
}

func printError(_ text: String) {
  FileHandle.standardError.write(Data((text + "\n").utf8))
}

/// A logger that writes to standard error.
func standardErrorLogger(level: Logger.Level) -> Logger {
  var logger = Logger(label: "hone") { StreamLogHandler.standardError(label: $0) }
  logger.logLevel = level
  return logger
}

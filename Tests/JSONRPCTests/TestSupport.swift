import Failures
import Platform
import JSON
import Synchronization
import Testing

@testable import JSONRPC

/// How a test's client reaches the connection: the same test body runs over each.
enum Wire: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case inProcess, unixSocket, pipes
  var testDescription: String { rawValue }
}

/// Runs blocking code on a thread of its own, so that it keeps no task from running.
func blocking<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    do {
      try startThread { continuation.resume(with: Swift.Result { try body() }) }
    } catch {
      continuation.resume(throwing: error)
    }
  }
}

struct TimedOut: Error {}
struct SystemCallFailed: Error, CustomStringConvertible {
  let description: String
  init(_ call: String) { description = "\(call): \(systemErrorText())" }
}

/// The bare end of a wire: what a client in another language would have.
final class RawClient: Sendable {
  private let input: Int32
  private let output: Int32
  private let buffered = Mutex<[UInt8]>([])
  private let openOutput = Mutex(true)

  init(input: Int32, output: Int32) {
    self.input = input
    self.output = output
    ignoreBrokenPipes()
  }

  deinit {
    endOutput()
    System.close(input)
  }

  static func connect(to path: String) throws -> RawClient {
    let descriptor = try UnixSocketClient.open(path)
    return RawClient(input: descriptor, output: descriptor)
  }

  /// Ends what we send; answers can still come.
  func endOutput() {
    openOutput.withLock { isOpen in
      guard isOpen else { return }
      isOpen = false
      if input == output { _ = shutdown(output, Int32(SHUT_WR)) } else { System.close(output) }
    }
  }

  /// Closes both directions at once.
  func vanish() {
    openOutput.withLock { isOpen in
      if isOpen, input != output { System.close(output) }
      isOpen = false
    }
    // The descriptor's number stays taken, so that `deinit` closes nothing of anybody else's.
    let null = open("/dev/null", O_RDWR)
    _ = dup2(null, input)
    System.close(null)
  }

  func send(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { System.write(output, $0.baseAddress, min($0.count, 1 << 16)) }
      guard count > 0 else { throw SystemCallFailed("write") }
      rest = rest.dropFirst(count)
    }
  }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  /// Reads some more, at most for `seconds`; false at the end of input.
  private func readMore(_ seconds: Int32) throws -> Bool {
    var descriptor = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
    guard poll(&descriptor, 1, seconds * 1000) > 0 else { throw TimedOut() }
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    let count = System.read(input, &chunk, chunk.count)
    guard count > 0 else { return false }
    buffered.withLock { $0.append(contentsOf: chunk[..<count]) }
    return true
  }

  /// The next line, or nil at the end of input.
  func line(within seconds: Int32 = 20) throws -> String? {
    while true {
      let line: String? = buffered.withLock { bytes in
        guard let end = bytes.firstIndex(of: 0x0A) else { return nil }
        defer { bytes.removeFirst(end + 1) }
        return String(decoding: bytes[..<end], as: UTF8.self)
      }
      if let line { return line }
      guard try readMore(seconds) else { return nil }
    }
  }

  /// Everything up to the end of input.
  func rest(within seconds: Int32 = 20) throws -> String {
    while try readMore(seconds) {}
    return buffered.withLock { bytes in
      defer { bytes = [] }
      return String(decoding: bytes, as: UTF8.self)
    }
  }
}

/// A connection that serves a `TestHandler`, and the bare end of its wire.
final class Served: Sendable {
  let client: RawClient
  let connection: Connection
  let handler: TestHandler
  private let cleanUp: @Sendable () -> Void

  private init(
    _ client: RawClient, _ connection: Connection, _ handler: TestHandler, cleanUp: @escaping @Sendable () -> Void
  ) {
    self.client = client
    self.connection = connection
    self.handler = handler
    self.cleanUp = cleanUp
  }

  deinit { cleanUp() }

  static func make(
    _ wire: Wire, limits: ConnectionLimits = ConnectionLimits(), framing: Framing? = nil
  ) async throws
    -> Served
  {
    let handler = TestHandler()
    switch wire {
    case .inProcess:
      let loop = try EventLoop()
      var ends: [Int32] = [-1, -1]
      guard socketpair(AF_UNIX, streamSocketType, 0, &ends) == 0 else { throw SystemCallFailed("socketpair") }
      let stream = SocketStream(ends[0], peer: "test", loop: loop)
      let connection = Connection(stream, handler: handler, limits: limits, framing: framing)
      connection.start()
      return Served(RawClient(input: ends[1], output: ends[1]), connection, handler) { loop.stop() }
    case .unixSocket:
      let loop = try EventLoop()
      let directory = try TemporaryDirectory()
      let made = Mutex<Connection?>(nil)
      let server = try UnixSocketServer(path: directory.path + "/s", loop: loop) { stream in
        let connection = Connection(stream, handler: handler, limits: limits, framing: framing)
        made.withLock { $0 = connection }
        connection.start()
      }
      let client = try RawClient.connect(to: server.path)
      let connection = try await eventually { made.withLock { $0 } }
      return Served(client, connection, handler) {
        server.close()
        loop.stop()
        directory.remove()
      }
    case .pipes:
      var forth: [Int32] = [-1, -1]
      var back: [Int32] = [-1, -1]
      guard pipe(&forth) == 0, pipe(&back) == 0 else { throw SystemCallFailed("pipe") }
      // The stream leaves its descriptors open; its end of the back pipe is closed when the connection is.
      let (input, output) = (forth[0], back[1])
      let connection = Connection(
        try StandardStreams(input: input, output: output), handler: handler, limits: limits, framing: framing)
      connection.start()
      Task {
        await connection.waitUntilFinished()
        System.close(output)
        System.close(input)
      }
      return Served(RawClient(input: back[0], output: forth[1]), connection, handler) {}
    }
  }

  /// Sends all, ends the input, and answers everything that comes back until the connection closes.
  func exchange(_ text: String) async throws -> String {
    try await exchange(Array(text.utf8))
  }

  func exchange(_ bytes: [UInt8]) async throws -> String {
    let client = client
    async let answer = blocking { try client.rest() }
    try await blocking {
      // A connection that has been closed in the meantime takes no more; what it said is what counts.
      try? client.send(bytes)
      client.endOutput()
    }
    return try await answer
  }

  func send(_ text: String) async throws {
    let client = client
    try await blocking { try client.send(text) }
  }

  func line() async throws -> String? {
    let client = client
    return try await blocking { try client.line() }
  }

  /// The next line as JSON.
  func message() async throws -> JSONValue {
    try JSONReader.read(try #require(try await line()))
  }
}

/// Waits, without a fixed delay, until `value` is there.
func eventually<Value: Sendable>(_ value: @Sendable () -> Value?) async throws -> Value {
  let start = ContinuousClock.now
  while ContinuousClock.now - start < .seconds(20) {
    if let value = value() { return value }
    try await Task.sleep(for: .milliseconds(1))
  }
  throw TimedOut()
}

func eventually(_ condition: @Sendable () -> Bool) async throws {
  _ = try await eventually { condition() ? true : nil } as Bool
}

/// A door that works wait at; it opens once.
final class Gate: Sendable {
  private let state = Mutex<(isOpen: Bool, waiting: [Int: CheckedContinuation<Void, Never>], next: Int)>(
    (false, [:], 0))

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [:] }
      return state.waiting
    }
    for waiter in waiting.values { waiter.resume() }
  }

  /// - Throws: `CancellationError`.
  func pass() async throws {
    let number = state.withLock { state in
      state.next += 1
      return state.next
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let passes = state.withLock { state in
          if state.isOpen || Task.isCancelled { return true }
          state.waiting[number] = continuation
          return false
        }
        if passes { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiting.removeValue(forKey: number) }?.resume()
    }
    try Task.checkCancellation()
  }
}

/// Methods that show what a connection does.
final class TestHandler: RequestHandler {
  let gate = Gate()
  /// The methods and notifications, in the order of `plan` and `receive`.
  let log = Mutex<[String]>([])
  let cancelled = Mutex(0)
  let running = Mutex((now: 0, most: 0))
  let closed = Mutex(0)

  func lane(of method: String, _ params: JSONObject) -> RequestLane {
    switch params["lane"]?.stringValue {
    case "work": .work
    case "part": .part
    default: .call
    }
  }

  func plan(_ request: IncomingRequest) -> RequestPlan {
    log.withLock { $0.append("\(request.method) \(request.id)") }
    let params = request.params
    let connection = request.connection
    switch request.method {
    case "echo": return .answer(.object(params))
    case "work": return .work { .object(params) }
    case "gate":
      return .work { [self] in
        running.withLock { running in
          running.now += 1
          running.most = max(running.most, running.now)
        }
        defer { running.withLock { $0.now -= 1 } }
        do {
          try await gate.pass()
        } catch {
          cancelled.withLock { $0 += 1 }
          throw HoneError(.cancelled, "Stopped.", details: ["runId": "r1"])
        }
        return "passed"
      }
    case "stubborn":
      return .work { [self] in
        try? await gate.pass()
        return "done all the same"
      }
    case "big":
      let count = params["bytes"]?.intValue ?? 0
      return .work { .string(String(repeating: "x", count: count)) }
    case "fail": return .work { throw HoneError(.datasetInvalid, "Bad data.", remedy: "Mend it.") }
    case "ask":
      return .work {
        do throws(CallFailure) {
          return try await connection.request("client/add", params, timeout: .seconds(20))
        } catch {
          throw error.honeError(method: "client/add")
        }
      }
    default: return .failure(.methodNotFound(request.method, known: ["echo", "work"]))
    }
  }

  func receive(_ notification: IncomingNotification) {
    log.withLock { $0.append(notification.method) }
    if notification.method == "open" { gate.open() }
  }

  func connectionClosed(_ connection: Connection) { closed.withLock { $0 += 1 } }
}

/// A directory of a test's own, with a short path and mode 0700.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/hone-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemCallFailed("mkdtemp") }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  func remove() {
    guard let directory = opendir(path) else { return }
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { _ = unlink(path + "/" + name) }
    }
    closedir(directory)
    rmdir(path)
  }
}

func request(_ id: String, _ method: String, _ params: String = "{}") -> String {
  #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(params)}"#
}

func notification(_ method: String, _ params: String = "{}") -> String {
  #"{"jsonrpc":"2.0","method":"\#(method)","params":\#(params)}"#
}

func framed(_ text: String) -> String { "Content-Length: \(text.utf8.count)\r\n\r\n\(text)" }

/// Serves nothing: for a peer that only asks.
struct NoRequests: RequestHandler {
  func plan(_ request: IncomingRequest) -> RequestPlan { .failure(.methodNotFound(request.method)) }
}

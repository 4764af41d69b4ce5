import Failures
import Platform
import JSON
import Synchronization
import Testing

@testable import JSONRPC

/// Deals with connections that a test opens on purpose without talking.
private func serve(
  _ path: String, loop: EventLoop, maximumConnections: Int = 4096
) throws(HoneError)
  -> UnixSocketServer
{
  try UnixSocketServer(path: path, loop: loop, maximumConnections: maximumConnections) { stream in
    Connection(stream, handler: TestHandler()).start()
  }
}

private func mode(_ path: String) -> UInt32 {
  var status = stat()
  return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
}

private func exists(_ path: String) -> Bool {
  var status = stat()
  return lstat(path, &status) == 0
}

@Suite("A Unix socket", .timeLimit(.minutes(2)))
struct UnixSocketTests {
  private let loop: EventLoop
  private let directory: TemporaryDirectory

  init() throws {
    loop = try EventLoop()
    directory = try TemporaryDirectory()
  }

  private func cleanUp() {
    loop.stop()
    directory.remove()
  }

  @Test("is for this user only, in a directory made for this user only")
  func modes() throws {
    defer { cleanUp() }
    let inner = directory.path + "/a/b"
    let server = try serve(inner + "/s", loop: loop)
    #expect(mode(inner + "/s") == 0o600)
    #expect(mode(inner) == 0o700)
    #expect(mode(directory.path + "/a") == 0o700)
    #expect(mode(inner + "/s.lock") == 0o600)
    server.close()
    #expect(!exists(inner + "/s"))
    unlink(inner + "/s.lock")
    rmdir(inner)
    rmdir(directory.path + "/a")
  }

  @Test("that is alive is not taken over; the error names the process")
  func live() throws {
    defer { cleanUp() }
    let path = directory.path + "/s"
    let server = try serve(path, loop: loop)
    let error = #expect(throws: HoneError.self) { try serve(path, loop: loop) }
    #expect(error?.kind == .storeUnavailable)
    #expect(error?.details["processId"] == "\(getpid())")
    #expect(error?.message.contains("process \(getpid())") == true)
    // The first one still serves, and the path is free once it has gone.
    _ = try RawClient.connect(to: path)
    server.close()
    try serve(path, loop: loop).close()
  }

  @Test("that somebody else serves without a lock file is not taken over either")
  func liveWithoutLock() throws {
    defer { cleanUp() }
    let path = directory.path + "/s"
    let descriptor = try UnixSocketAddress.makeSocket()
    defer { close(descriptor) }
    #expect(try UnixSocketAddress.with(path) { bind(descriptor, $0, $1) } == 0)
    #expect(listen(descriptor, 5) == 0)
    let error = #expect(throws: HoneError.self) { try serve(path, loop: loop) }
    #expect(error?.message.contains("process \(getpid())") == true)
    #expect(exists(path))
  }

  @Test("left over by a dead server is replaced")
  func stale() async throws {
    defer { cleanUp() }
    let path = directory.path + "/s"
    let descriptor = try UnixSocketAddress.makeSocket()
    #expect(try UnixSocketAddress.with(path) { bind(descriptor, $0, $1) } == 0)
    close(descriptor)
    #expect(exists(path))
    let server = try serve(path, loop: loop)
    let client = try RawClient.connect(to: path)
    let line = try await blocking {
      try client.send(request("1", "echo") + "\n")
      return try client.line()
    }
    #expect(line == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
    server.close()
  }

  @Test("does not replace a file that is no socket")
  func otherFile() throws {
    defer { cleanUp() }
    let path = directory.path + "/s"
    close(open(path, O_CREAT | O_WRONLY, 0o600))
    let error = #expect(throws: HoneError.self) { try serve(path, loop: loop) }
    #expect(error?.message.contains("not a socket") == true)
    #expect(exists(path))
  }

  @Test("of a server that was replaced is not removed by it")
  func keepsOthers() throws {
    defer { cleanUp() }
    let path = directory.path + "/s"
    let server = try serve(path, loop: loop)
    unlink(path)
    close(open(path, O_CREAT | O_WRONLY, 0o600))
    server.close()
    #expect(exists(path))
  }

  @Test("with too long a path says so, with the length and the limit")
  func longPath() {
    defer { cleanUp() }
    let path = directory.path + "/" + String(repeating: "x", count: 200)
    let error = #expect(throws: HoneError.self) { try serve(path, loop: loop) }
    #expect(error?.kind == .invalidParams)
    #expect(error?.message.contains("\(path.utf8.count) bytes") == true)
    #expect(error?.message.contains("at most 107") == true)
    #expect(throws: HoneError.self) { try UnixSocketClient.connect(to: path, loop: loop) }
    #expect(throws: HoneError.self) { try UnixSocketClient.connect(to: "", loop: loop) }
    #expect(throws: HoneError.self) { try UnixSocketClient.connect(to: "a\u{0}b", loop: loop) }
    let exact = directory.path + "/" + String(repeating: "x", count: 107 - directory.path.utf8.count - 1)
    #expect(throws: Never.self) { try UnixSocketAddress.with(exact) { _, _ in } }
  }

  @Test("that is not there, or that nobody serves, is told apart for the client")
  func clientErrors() throws {
    defer { cleanUp() }
    let path = directory.path + "/s"
    let absent = #expect(throws: HoneError.self) { try UnixSocketClient.connect(to: path, loop: loop) }
    #expect(absent?.kind == .notFound)
    #expect(absent?.message.contains("no socket at") == true)
    let descriptor = try UnixSocketAddress.makeSocket()
    #expect(try UnixSocketAddress.with(path) { bind(descriptor, $0, $1) } == 0)
    close(descriptor)
    let dead = #expect(throws: HoneError.self) { try UnixSocketClient.connect(to: path, loop: loop) }
    #expect(dead?.message.contains("Nobody listens") == true)
  }

  @Test("knows its peer's process and user")
  func credentials() throws {
    defer { cleanUp() }
    let server = try serve(directory.path + "/s", loop: loop)
    defer { server.close() }
    let descriptor = try UnixSocketClient.open(server.path)
    defer { close(descriptor) }
    let credentials = try #require(PeerCredentials(descriptor))
    #expect(credentials.processID == getpid())
    #expect(credentials.userID == geteuid())
  }

  @Test("serves many connections at once")
  func many() async throws {
    defer { cleanUp() }
    let server = try serve(directory.path + "/s", loop: loop)
    defer { server.close() }
    let answered = try await blocking {
      let clients = try (0..<400).map { _ in try RawClient.connect(to: server.path) }
      for (number, client) in clients.enumerated() { try client.send(request("\(number)", "work") + "\n") }
      var answered = 0
      for (number, client) in clients.enumerated() {
        if try client.line() == #"{"jsonrpc":"2.0","id":\#(number),"result":{}}"# { answered += 1 }
      }
      return answered
    }
    #expect(answered == 400)
  }

  @Test("takes further connections once there is room")
  func full() async throws {
    defer { cleanUp() }
    let server = try serve(directory.path + "/s", loop: loop, maximumConnections: 2)
    defer { server.close() }
    let answers = try await blocking {
      var clients = try (0..<4).map { _ in try RawClient.connect(to: server.path) }
      for client in clients { try client.send(request("1", "echo") + "\n") }
      var answers = [try clients[0].line(), try clients[1].line()]
      clients.removeFirst(2)
      answers += [try clients[0].line(), try clients[1].line()]
      return answers
    }
    #expect(answers == Array(repeating: #"{"jsonrpc":"2.0","id":1,"result":{}}"#, count: 4))
  }

  @Test("stops with its loop: connections close and the file goes")
  func loopStops() async throws {
    let server = try serve(directory.path + "/s", loop: loop)
    let client = try RawClient.connect(to: server.path)
    let first = try await blocking {
      try client.send(request("1", "echo") + "\n")
      return try client.line()
    }
    #expect(first != nil)
    loop.stop()
    #expect(try await blocking { try client.line() } == nil)
    let path = server.path
    try await eventually { !exists(path) }
    directory.remove()
  }
}

/// The servers that a test's starters have started.
private final class Started: Sendable {
  let servers = Mutex<[UnixSocketServer]>([])
}

@Suite("The socket of a shared service")
struct SharedServiceTests {
  @Test("lies in the first directory that will do, one for each home, and the directory is the user's alone")
  func paths() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let long = directory.path + "/" + String(repeating: "x", count: 100)
    let first = try SharedSocket(home: "/a", directories: [long, directory.path + "/new"])
    #expect(first.path.hasPrefix(directory.path + "/new/"))
    #expect(try SharedSocket(home: "/a", directories: [directory.path + "/new"]).path == first.path)
    #expect(try SharedSocket(home: "/b", directories: [directory.path + "/new"]).path != first.path)
    chmod(directory.path + "/new", 0o755)
    #expect(throws: HoneError.self) { try SharedSocket(home: "/a", directories: [directory.path + "/new"]) }
    #expect(throws: HoneError.self) { try SharedSocket(home: "/a", directories: [long]) }
  }

  @Test("is started by one of many that want it, and not left while somebody comes")
  func turns() async throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let shared = try SharedSocket(home: "/a", directories: [directory.path])
    let started = Started()
    let loop = try EventLoop()
    let descriptors = try await withThrowingTaskGroup(of: Int32.self) { group in
      for _ in 0..<8 {
        group.addTask {
          try await blocking {
            try shared.connect { () throws(HoneError) in
              // Nobody may leave while one is starting.
              #expect(shared.closeTheDoor() == nil)
              let new = try UnixSocketServer(path: shared.path, loop: loop) { $0.abort() }
              started.servers.withLock { $0.append(new) }
              return -1
            }
          }
        }
      }
      var descriptors: [Int32] = []
      for try await descriptor in group { descriptors.append(descriptor) }
      return descriptors
    }
    #expect(started.servers.withLock { $0.count } == 1)
    for descriptor in descriptors { close(descriptor) }
    try await eventually { started.servers.withLock { $0.first?.isUnused } == true }
    let door = try #require(shared.closeTheDoor())
    #expect(throws: HoneError.self) { _ = try shared.connect(seconds: 0) { () throws(HoneError) in -1 } }
    door.open()
    close(try shared.connect { () throws(HoneError) in -1 })
    for server in started.servers.withLock({ $0 }) { server.close() }
    loop.stop()
  }
}

@Suite("The directory of a socket")
struct SocketPathTests {
  @Test("under /tmp is refused if others may touch it, or it is a link")
  func unsafe() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    #expect(throws: Never.self) { try SocketPath.prepareDirectory(of: directory.path + "/s") }
    chmod(directory.path, 0o777)
    #expect(throws: HoneError.self) { try SocketPath.prepareDirectory(of: directory.path + "/s") }
    chmod(directory.path, 0o700)
    let link = directory.path + "-link"
    symlink(directory.path, link)
    defer { unlink(link) }
    #expect(throws: HoneError.self) { try SocketPath.prepareDirectory(of: link + "/s") }
  }
}

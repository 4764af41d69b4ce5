import Platform
import JSON
import Synchronization
import Testing

@testable import JSONRPC

@Suite("Standard streams", .timeLimit(.minutes(1)))
struct StandardStreamsTests {
  /// Runs a connection from one descriptor to another until it is over.
  private func run(input: Int32, output: Int32, handler: TestHandler = TestHandler()) async throws {
    let connection = Connection(try StandardStreams(input: input, output: output), handler: handler)
    connection.start()
    await connection.waitUntilFinished()
    close(input)
    close(output)
  }

  private func contents(_ path: String) -> String {
    let descriptor = open(path, O_RDONLY)
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = read(descriptor, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  @Test("read a file and write a file")
  func files() async throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let input = open(directory.path + "/in", O_CREAT | O_RDWR, 0o600)
    let text = (0..<500).map { request("\($0)", "work") }.joined(separator: "\n")
    #expect(write(input, text, text.utf8.count) == text.utf8.count)
    lseek(input, 0, SEEK_SET)
    try await run(input: input, output: open(directory.path + "/out", O_CREAT | O_WRONLY, 0o600))
    let lines = contents(directory.path + "/out").split(separator: "\n")
    #expect(lines.count == 500)
    #expect(try Set(lines.map { try JSONReader.read(String($0))["id"]?.intValue }).count == 500)
  }

  @Test("read nothing from /dev/null, and end")
  func emptyInput() async throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try await run(
      input: open("/dev/null", O_RDONLY), output: open(directory.path + "/out", O_CREAT | O_WRONLY, 0o600))
    #expect(contents(directory.path + "/out") == "")
  }

  @Test("write to /dev/null")
  func nullOutput() async throws {
    var ends: [Int32] = [-1, -1]
    #expect(pipe(&ends) == 0)
    let text = request("1", "echo")
    _ = write(ends[1], text, text.utf8.count)
    close(ends[1])
    let handler = TestHandler()
    try await run(input: ends[0], output: open("/dev/null", O_WRONLY), handler: handler)
    #expect(handler.log.withLock { $0 } == ["echo 1"])
  }

  @Test("serve a terminal")
  func terminal() async throws {
    // What posix_openpt, unlockpt and ptsname do, which Glibc's module does not show.
    let controller = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    var (lock, number): (Int32, Int32) = (0, -1)
    let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
    try #require(
      controller >= 0 && ioctl(controller, setLock, &lock) == 0 && ioctl(controller, getNumber, &number) == 0)
    let terminal = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    var settings = termios()
    tcgetattr(terminal, &settings)
    cfmakeraw(&settings)
    tcsetattr(terminal, TCSANOW, &settings)
    let connection = Connection(
      try StandardStreams(input: terminal, output: dup(terminal)), handler: TestHandler())
    connection.start()
    let client = RawClient(input: controller, output: controller)
    let line = try await blocking {
      try client.send(request("1", "echo") + "\n")
      return try client.line()
    }
    #expect(line == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
    connection.abort()
    await connection.waitUntilFinished()
  }

  @Test("whose reader has gone cancel their works and end")
  func brokenOutput() async throws {
    var forth: [Int32] = [-1, -1]
    var back: [Int32] = [-1, -1]
    #expect(pipe(&forth) == 0 && pipe(&back) == 0)
    let handler = TestHandler()
    let connection = Connection(try StandardStreams(input: forth[0], output: back[1]), handler: handler)
    connection.start()
    let text = request("1", "gate") + "\n" + request("2", "gate") + "\n"
    _ = write(forth[1], text, text.utf8.count)
    try await eventually { handler.running.withLock { $0.now } == 2 }
    close(back[0])
    connection.notify("x", [:])
    await connection.waitUntilFinished()
    #expect(handler.cancelled.withLock { $0 } == 2)
    for descriptor in [forth[0], forth[1], back[1]] { close(descriptor) }
  }

  @Test("that are not open at all end the connection")
  func closedInput() async throws {
    let connection = Connection(try StandardStreams(input: 900, output: 901), handler: TestHandler())
    connection.start()
    await connection.waitUntilFinished()
    #expect(connection.isClosed)
  }
}

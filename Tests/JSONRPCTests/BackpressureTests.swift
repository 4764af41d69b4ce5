import Failures
import Platform
import JSON
import Synchronization
import Testing

@testable import JSONRPC

@Suite("A peer that is slow", .timeLimit(.minutes(2)))
struct BackpressureTests {
  private static var smallLimits: ConnectionLimits {
    var limits = ConnectionLimits()
    limits.outgoing = 64 << 10
    limits.backlog = 64 << 10
    limits.requestsInFlight = 16
    return limits
  }

  @Test("one that never reads is stopped, and the server stays small while another is served")
  func neverReads() async throws {
    let loop = try EventLoop()
    let directory = try TemporaryDirectory()
    defer {
      loop.stop()
      directory.remove()
    }
    let handler = TestHandler()
    let limits = Self.smallLimits
    let server = try UnixSocketServer(path: directory.path + "/s", loop: loop) { stream in
      Connection(stream, handler: handler, limits: limits).start()
    }
    defer { server.close() }
    let deaf = try RawClient.connect(to: server.path)
    let polite = try RawClient.connect(to: server.path)
    let sent = Mutex(0)
    // Writes until the socket takes no more, and then stays in `write`.
    try startThread {
      let chunk = (0..<100).map { _ in request("null", "big", #"{"bytes":1000}"#) + "\n" }.joined()
      while (try? deaf.send(chunk)) != nil { sent.withLock { $0 += chunk.utf8.count } }
    }
    var last = -1
    while sent.withLock({ $0 }) != last {
      last = sent.withLock { $0 }
      try await Task.sleep(for: .milliseconds(200))
    }
    // Out-queue, backlog and the sockets' own buffers: some hundred KiB each.
    #expect(last < 4 << 20)
    for number in 0..<100 {
      let line = try await blocking {
        try polite.send(request("\(number)", "work") + "\n")
        return try polite.line(within: 5)
      }
      #expect(line == #"{"jsonrpc":"2.0","id":\#(number),"result":{}}"#)
    }
  }

  @Test("of all that do not read, those that hold most are ended when together they hold too much")
  func sum() async throws {
    let loop = try EventLoop()
    let directory = try TemporaryDirectory()
    defer {
      loop.stop()
      directory.remove()
    }
    let handler = TestHandler()
    let unsent = UnsentOutput(limit: 8 << 20, patience: .zero)
    let server = try UnixSocketServer(path: directory.path + "/s", loop: loop) { stream in
      Connection(stream, handler: handler, unsent: unsent).start()
    }
    defer { server.close() }
    let polite = try RawClient.connect(to: server.path)
    let deaf = try (0..<10).map { _ in try RawClient.connect(to: server.path) }
    for client in deaf { try client.send(request("1", "big", #"{"bytes":2000000}"#) + "\n") }
    try await eventually {
      handler.log.withLock { $0.count } == 10 && handler.closed.withLock { $0 } > 0 && unsent.bytes <= 8 << 20
    }
    // The rest is within the bound: four answers are.
    #expect(handler.closed.withLock { $0 } <= 6)
    let line = try await blocking {
      try polite.send(request("1", "work") + "\n")
      return try polite.line()
    }
    #expect(line == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
    withExtendedLifetime(deaf) {}
  }

  @Test("who is ended: whoever reads nothing for a while and holds most, or far above the bound whoever holds most")
  func choosing() {
    let now = ContinuousClock.now
    func chosen(_ holdings: (bytes: Int, seconds: Int)...) -> Int? {
      UnsentOutput.chosen(
        among: holdings.map { .init(bytes: $0.bytes, lastTaken: now - .seconds($0.seconds)) }, limit: 100,
        patience: .seconds(1), now: now)
    }
    #expect(chosen((50, 9), (50, 9)) == nil)
    #expect(chosen((90, 0), (20, 5), (30, 5)) == 2)
    #expect(chosen((30, 5), (30, 7), (60, 0)) == 1)
    #expect(chosen((60, 0), (60, 0)) == nil)
    #expect(chosen((120, 0), (90, 9)) == 0)
    #expect(chosen() == nil)
  }

  @Test("one that reads at last gets every answer", arguments: Wire.allCases)
  func readsLate(_ wire: Wire) async throws {
    let served = try await Served.make(wire, limits: Self.smallLimits)
    let client = served.client
    let count = 2000
    async let sending: Void = blocking {
      for number in 0..<count { try client.send(request("\(number)", "big", #"{"bytes":2000}"#) + "\n") }
      client.endOutput()
    }
    let handler = served.handler
    try await eventually { handler.log.withLock { $0.count } > 50 }
    let output = try await blocking { try client.rest() }
    try await sending
    let ids = try output.split(separator: "\n").map { try JSONReader.read(String($0))["id"]?.intValue ?? -1 }
    #expect(ids.sorted() == Array(0..<count))
  }

  @Test("progress that cannot be written is merged by its key or dropped, never piled up")
  func progress() async throws {
    let served = try await Served.make(.inProcess, limits: Self.smallLimits, framing: .lines)
    let padding = JSONValue.string(String(repeating: "p", count: 1000))
    var dropped = 0
    for number in 0..<5000 {
      let sent = served.connection.notify("$/progress", ["n": .int(number), "p": padding], coalesceKey: "token")
      if !sent { dropped += 1 }
    }
    while served.connection.notify("log", ["p": padding], delivery: .droppable) {}
    #expect(!served.connection.notify("log", [:], delivery: .droppable))
    #expect(served.connection.notify("end", [:]))
    let client = served.client
    let lines = try await blocking {
      var lines: [String] = []
      while let line = try client.line() {
        lines.append(line)
        if line.contains("\"end\"") { break }
      }
      return lines
    }
    let progress = try lines.map { try JSONReader.read($0) }.filter { $0["method"] == "$/progress" }
    #expect(progress.count < 2000)
    // The newest is never lost.
    #expect(dropped == 0)
    #expect(progress.last?["params"]?["n"] == 4999)
    let numbers = progress.compactMap { $0["params"]?["n"]?.intValue }
    #expect(numbers == numbers.sorted())
  }

  @Test("notifications that must not be lost have a hard limit as well")
  func hardLimit() async throws {
    let served = try await Served.make(.inProcess, limits: Self.smallLimits)
    var count = 0
    while served.connection.notify("x", ["p": .string(String(repeating: "p", count: 1000))]) { count += 1 }
    #expect(count > 100 && count < 200)
  }
}

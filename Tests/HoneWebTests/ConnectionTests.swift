import Foundation
import HTTPResponses
import NIOCore
import Synchronization
import Testing

@testable import HoneWeb
@testable import Platform

/// How long clients may take, and how many there may be.
struct ConnectionTests {
  private let start = NIODeadline.now()
  private let times = RequestTimes()

  private func after(_ seconds: Int64) -> NIODeadline { start + .seconds(seconds) }

  @Test func `A request's headers have their time from its first byte on`() {
    var clock = RequestClock(times, now: start)
    #expect(clock.deadline == start + times.headers)
    clock.bytesCame(after(3))
    clock.bytesCame(after(9))
    #expect(clock.deadline == after(3) + times.headers)
    clock.headersEnded()
    clock.requestEnded()
    #expect(clock.deadline == nil)
    let isWaiting = clock.answerEnded(after(20))
    #expect(isWaiting)
    #expect(clock.deadline == after(20) + times.idle)
    clock.bytesCame(after(50))
    #expect(clock.deadline == after(50) + times.headers)
  }

  @Test func `A request that came while another one was worked on has its whole time`() {
    var clock = RequestClock(times, now: start)
    clock.bytesCame(start)
    clock.headersEnded()
    clock.requestEnded()
    clock.bytesCame(after(1))
    #expect(clock.deadline == nil)
    _ = clock.answerEnded(after(100))
    #expect(clock.deadline == after(100) + times.headers)
  }

  @Test func `A body has time for each byte that came, and the server's own time is not counted`() {
    var clock = RequestClock(times, now: start)
    clock.bytesCame(start)
    clock.headersEnded()
    #expect(clock.deadline == nil)
    clock.asksForBytes(start)
    #expect(clock.deadline == start + times.body)
    clock.bytesCame(after(20))
    clock.bodyCame(1)
    // For a minute nothing is read.
    #expect(clock.deadline == nil)
    clock.asksForBytes(after(80))
    #expect(clock.deadline.map { $0 - after(90) < .seconds(1) } == true)
    clock.bytesCame(after(81))
    clock.bodyCame(times.bodyRate * 60)
    clock.asksForBytes(after(81))
    #expect(clock.deadline.map { $0 > after(81) + .seconds(60) } == true)
  }

  @Test func `The rest of a body that was answered already has little time`() {
    var clock = RequestClock(times, now: start)
    clock.bytesCame(start)
    clock.headersEnded()
    clock.asksForBytes(start)
    _ = clock.answerEnded(after(1))
    #expect(clock.deadline == after(1) + times.rest)
  }

  @Test func `Half a body is answered with 408, and half of the headers or an idle connection closed`() async throws {
    var configuration = WebConfiguration(port: 0)
    configuration.times.headers = .milliseconds(200)
    configuration.times.body = .milliseconds(200)
    configuration.times.idle = .milliseconds(200)
    configuration.times.rest = .milliseconds(200)
    try await withServer(configuration) { server, _ in
      let host = "Host: localhost\r\n"
      let json = "Content-Type: application/json\r\nContent-Length: 9\r\n\r\n"
      #expect(try await exchange(server, "POST /rpc HTTP/1.1\r\n\(host)\(json)[1").hasPrefix("HTTP/1.1 408 "))
      #expect(try await exchange(server, "GET / HTTP/1.1\r\n").isEmpty)
      let whole = try await exchange(server, "GET /health HTTP/1.1\r\n\(host)\r\n")
      #expect(whole.hasPrefix("HTTP/1.1 200 OK") && !whole.contains("408"))
      // Refused before the body was there; what follows is not waited for.
      #expect(try await exchange(server, "POST /rpc HTTP/1.1\r\n\(host)Content-Length: 9\r\n\r\n").contains(" 415 "))
      #expect(try await exchange(server, "").isEmpty)
    }
  }

  @Test func `When the last place is taken, the connection that waits longest goes`() async throws {
    var configuration = WebConfiguration(port: 0)
    configuration.maximumConnections = 3
    try await withServer(configuration) { server, _ in
      let clients = try (0..<8).map { _ in try Client(server) }
      defer { for client in clients { client.close() } }
      // The first ones are told so, the last one is served.
      for client in clients.prefix(5) { #expect(await client.rest() == "") }
      let last = try #require(clients.last)
      last.send("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
      #expect(await last.rest().hasPrefix("HTTP/1.1 200 OK"))
    }
  }

  @Test func `Others are answered while long bodies are worked on`() async throws {
    let began = Atomic(0)
    let isOver = Atomic(false)
    let gaveUp = Atomic(false)
    let end = ContinuousClock.now + .seconds(30)
    try await withServer(call: { bytes in
      // As reading a long text does, this never pauses.
      began.add(1, ordering: .relaxed)
      while bytes.count > 1000, !isOver.load(ordering: .relaxed) {
        guard .now < end else {
          gaveUp.store(true, ordering: .relaxed)
          break
        }
      }
      return Array("{}".utf8)
    }) { server, _ in
      let json = [("Content-Type", "application/json")]
      try await withThrowingTaskGroup(of: UInt.self) { group in
        defer { isOver.store(true, ordering: .relaxed) }
        // More than there are threads that requests share.
        for _ in 0..<32 {
          group.addTask {
            try await send(server.url + "/rpc", "POST", headers: json, body: Array(repeating: 0x20, count: 300_000))
              .status
          }
        }
        while began.load(ordering: .relaxed) < 2 { try await Task.sleep(for: .milliseconds(1)) }
        for _ in 0..<20 {
          #expect(try await send(server.url + "/rpc", "POST", headers: json, body: Array("{}".utf8)).status == 200)
        }
        isOver.store(true, ordering: .relaxed)
        for try await status in group { #expect(status == 200) }
      }
    }
    let waitedForThem = gaveUp.load(ordering: .relaxed)
    #expect(!waitedForThem)
  }

  @Test func `Only so many large bodies are worked on at once, and none is lost`() async throws {
    let bodies = LargeBodies(places: 2)
    let working = Working()
    let works = (0..<10).map { _ in
      Task {
        try await bodies.serving {
          await LargeBodies.takePlace()
          await LargeBodies.takePlace()
          working.begin()
          try await Task.sleep(for: .milliseconds(5))
          working.end()
        }
      }
    }
    for work in works { try await work.value }
    #expect(working.most == 2)
  }

  @Test(.enabled(if: SocketOwners.areKnown), arguments: ["127.0.0.1", "::1"])
  func `The system tells whose a connection is, in both ways`(host: String) async throws {
    try await withServer(WebConfiguration(host: host, port: 0)) { server, _ in
      let client = try Client(server)
      let (local, remote) = try (#require(client.local), #require(SocketEnd(host, port: client.port)))
      #expect(SocketOwners().owner(of: local, connectedTo: remote) == geteuid())
      #expect(SocketTable.owner(of: local, connectedTo: remote) == geteuid())
      // The one who listens there is not meant.
      let nobody = try #require(SocketEnd(host, port: 1))
      #expect(SocketOwners().owner(of: remote, connectedTo: nobody) == nil)
      #expect(SocketTable.owner(of: remote, connectedTo: nobody) == nil)
      client.close()
      #expect(SocketTable.owner(of: local, connectedTo: remote) == nil)
      #expect(SocketOwners().owner(of: local, connectedTo: remote) == nil)
    }
  }

  /// Sends a text and gives all that comes until the server closes.
  private func exchange(_ server: WebServer, _ text: String) async throws -> String {
    let client = try Client(server)
    defer { client.close() }
    client.send(text)
    return await client.rest()
  }
}

/// How many work, and how many did at most.
private final class Working: Sendable {
  private let counts = Mutex((now: 0, most: 0))
  var most: Int { counts.withLock { $0.most } }
  func begin() { counts.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) } }
  func end() { counts.withLock { $0.now -= 1 } }
}

/// A bare socket.
private struct Client {
  let descriptor: Int32
  let port: UInt16

  init(_ server: WebServer) throws {
    let url = try #require(URL(string: server.url))
    port = try UInt16(#require(url.port))
    let isSix = server.url.contains("[")
    descriptor = socket(isSix ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var status: Int32
    if isSix {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      address.sin6_addr = in6addr_loopback
      status = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
      }
    } else {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      status = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    }
    try #require(status == 0)
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  /// Its own end of the connection.
  var local: SocketEnd? {
    // The port is the second word in both families.
    var address = (UInt16(0), UInt16(0), UInt64(0), UInt64(0), UInt64(0))
    var length = socklen_t(28)
    let status = withUnsafeMutableBytes(of: &address) { bytes in
      bytes.withMemoryRebound(to: sockaddr.self) { getsockname(descriptor, $0.baseAddress, &length) }
    }
    guard status == 0 else { return nil }
    return SocketEnd(length == 28 ? "::1" : "127.0.0.1", port: UInt16(bigEndian: address.1))
  }

  func send(_ text: String) { _ = System.send(descriptor, Array(text.utf8), text.utf8.count, Int32(MSG_NOSIGNAL)) }

  /// What comes until the other side closes.
  func rest() async -> String {
    let descriptor = descriptor
    return await Task.detached {
      var bytes: [UInt8] = []
      var part = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = recv(descriptor, &part, part.count, 0)
        guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
        bytes += part[..<count]
      }
    }.value
  }

  func close() { System.close(descriptor) }
}

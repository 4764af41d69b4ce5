import Failures
import JSON
import Synchronization
import Testing

@testable import JSONRPC

@Suite("Asking the peer", .timeLimit(.minutes(2)))
struct AskingTests {
  @Test("requests go both ways over one connection", arguments: Wire.allCases)
  func bothWays(_ wire: Wire) async throws {
    let served = try await Served.make(wire)
    try await served.send(request("1", "ask", #"{"a":2}"#) + "\n")
    let question = try await served.message()
    #expect(question["method"] == "client/add")
    #expect(question["params"] == ["a": 2])
    #expect(question["id"] == 1_000_000_000)
    try await served.send(#"{"jsonrpc":"2.0","id":1000000000,"result":{"sum":3}}"# + "\n")
    let answer = try await served.message()
    #expect(answer["id"] == 1)
    #expect(answer["result"] == ["sum": 3])
  }

  @Test("a peer's error, and its silence at the end of input, fail the one request", arguments: Wire.allCases)
  func failures(_ wire: Wire) async throws {
    let served = try await Served.make(wire)
    try await served.send(request("1", "ask") + "\n")
    _ = try await served.message()
    try await served.send(#"{"jsonrpc":"2.0","id":1000000000,"error":{"code":-32601,"message":"what?"}}"# + "\n")
    let refused = try await served.message()
    #expect(refused["error"]?["code"] == -32803)
    #expect(refused["error"]?["data"]?["kind"] == "clientError")
    #expect(refused["error"]?["data"]?["code"] == "-32601")
    try await served.send(request("2", "ask") + "\n")
    #expect(try await served.message()["id"] == 1_000_000_001)
    served.client.endOutput()
    #expect(try await served.message()["error"]?["data"]?["kind"] == "clientGone")
    #expect(try await served.line() == nil)
  }

  @Test("answers nobody waits for are passed over: late, twice, unknown, with an id of another kind")
  func strayAnswers() async throws {
    let served = try await Served.make(.inProcess)
    try await served.send(request("1", "ask") + "\n")
    _ = try await served.message()
    for id in ["\"1000000000\"", "999999999", "1000000001", "null", "1.5"] {
      try await served.send(#"{"jsonrpc":"2.0","id":\#(id),"result":"wrong"}"# + "\n")
    }
    for result in ["right", "late"] {
      try await served.send(#"{"jsonrpc":"2.0","id":1000000000,"result":"\#(result)"}"# + "\n")
    }
    #expect(try await served.message()["result"] == "right")
    try await served.send(request("2", "echo") + "\n")
    #expect(try await served.message()["id"] == 2)
  }

  @Test("a request that times out or is cancelled tells the peer so")
  func givesUp() async throws {
    let served = try await Served.make(.inProcess, framing: .lines)
    let failure = await #expect(throws: CallFailure.self) {
      try await served.connection.request("slow", timeout: .milliseconds(5))
    }
    #expect(failure == .timedOut(.milliseconds(5)))
    #expect(try await served.message()["method"] == "slow")
    #expect(try await served.line() == #"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1000000000}}"#)

    let connection = served.connection
    let task = Task { () -> CallFailure? in
      do throws(CallFailure) {
        _ = try await connection.request("slow")
        return nil
      } catch {
        return error
      }
    }
    #expect(try await served.message()["id"] == 1_000_000_001)
    task.cancel()
    #expect(await task.value == .cancelled)
    #expect(try await served.line() == #"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1000000001}}"#)
  }

  @Test("cancelling a request cancels what it asks of the peer")
  func cancelsThrough() async throws {
    let served = try await Served.make(.inProcess)
    try await served.send(request("1", "ask") + "\n")
    #expect(try await served.message()["method"] == "client/add")
    try await served.send(notification("$/cancelRequest", #"{"id":1}"#) + "\n")
    #expect(try await served.message()["method"] == "$/cancelRequest")
    #expect(try await served.message()["error"]?["code"] == -32800)
  }

  @Test("a closed connection refuses to ask and to tell")
  func closed() async throws {
    let served = try await Served.make(.inProcess, framing: .lines)
    served.connection.close()
    await served.connection.waitUntilFinished()
    let failure = await #expect(throws: CallFailure.self) { try await served.connection.request("x") }
    #expect(failure == .connectionClosed)
    #expect(!served.connection.notify("x", [:]))
    let error = await #expect(throws: HoneError.self) { try await served.connection.notifyWhenRoom("x", [:]) }
    #expect(error?.kind == .clientGone)
  }

  @Test("two connections of ours understand each other, many questions at once")
  func pair() async throws {
    let loop = try EventLoop()
    defer { loop.stop() }
    let (near, far) = try SocketStream.pair(loop: loop)
    let server = Connection(far, handler: TestHandler())
    let client = Connection(near, handler: NoRequests(), framing: .headers)
    server.start()
    client.start()
    let sum = await withTaskGroup(of: Int.self) { group in
      for number in 0..<2000 {
        group.addTask {
          let answer = try? await client.request("work", ["n": .int(number)])
          return answer?["n"]?.intValue ?? -1_000_000
        }
      }
      return await group.reduce(0, +)
    }
    #expect(sum == 1999 * 1000)
    client.close()
    await client.waitUntilFinished()
    await server.waitUntilFinished()
  }

  @Test("waiting for the peer does not stop requests of the peer's behind a full house")
  func noDeadlock() async throws {
    var limits = ConnectionLimits()
    limits.requestsInFlight = 4
    let served = try await Served.make(.inProcess, limits: limits)
    try await served.send((0..<20).map { request("\($0)", "ask") + "\n" }.joined())
    var answered = 0
    while answered < 20 {
      let message = try await served.message()
      if message["method"] == nil {
        answered += 1
      } else {
        let id = try #require(message["id"]?.intValue)
        try await served.send(#"{"jsonrpc":"2.0","id":\#(id),"result":1}"# + "\n")
      }
    }
  }
}

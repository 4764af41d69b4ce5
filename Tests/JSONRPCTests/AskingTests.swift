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

  @Test("what the peer asks before it can answer never queues behind those that wait for the answer")
  func lanes() async throws {
    var limits = ConnectionLimits()
    limits.requestsInFlight = 2
    let served = try await Served.make(.inProcess, limits: limits)
    // More of each lane than have a place, all of which wait for the peer.
    try await served.send((0..<6).map { request("\($0)", "ask", #"{"lane":"work"}"#) + "\n" }.joined())
    try await served.send((6..<12).map { request("\($0)", "ask") + "\n" }.joined())
    let questions = try await messages(4, served)
    #expect(questions.allSatisfy { $0["method"] == "client/add" })
    try await served.send(request("12", "echo", #"{"lane":"part"}"#) + "\n")
    #expect(try await served.message()["id"] == 12)
    // Those of one lane begin in the order in which they came, also where all come at once.
    #expect(served.handler.log.withLock { $0 } == ["ask 0", "ask 1", "ask 6", "ask 7", "echo 12"])
    try await answer(questions, served)
    var answered = 0
    while answered < 12 {
      let message = try await served.message()
      if message["method"] == nil { answered += 1 } else { try await answer([message], served) }
    }
    let begun = served.handler.log.withLock { $0 }.filter { $0.hasPrefix("ask") }.compactMap { Int($0.dropFirst(4)) }
    #expect(begun.filter { $0 < 6 } == Array(0..<6) && begun.filter { $0 >= 6 } == Array(6..<12))
  }

  @Test("a batch's requests of several lanes are begun in their order")
  func batchOrder() async throws {
    let served = try await Served.make(.inProcess)
    let entries = ["call", "work", "part", "call", "part", "work"].enumerated()
      .map { request("\($0)", "echo", #"{"lane":"\#($1)"}"#) }
    _ = try await served.exchange("[\(entries.joined(separator: ","))]\n")
    #expect(served.handler.log.withLock { $0 } == (0..<6).map { "echo \($0)" })
  }

  @Test("a peer that owes answers is read from though its requests fill the backlog, and is refused more at last")
  func readsOn() async throws {
    var limits = ConnectionLimits()
    limits.requestsInFlight = 1
    limits.backlog = 10_000
    limits.backlogWhileAsking = 30_000
    let served = try await Served.make(.inProcess, limits: limits)
    let padding = String(repeating: "p", count: 1000)
    try await served.send(request("0", "ask") + "\n")
    let question = try await served.message()
    try await served.send((1...40).map { request("\($0)", "echo", #"{"p":"\#(padding)"}"#) + "\n" }.joined())
    let refused = try await served.message()
    #expect(refused["error"]?["code"] == -32803)
    let first = try #require(refused["id"]?.intValue)
    #expect(first > 20 && first < 30)
    #expect(try await messages(40 - first, served).allSatisfy { $0["error"] != nil })
    try await answer([question], served)
    let rest = try await messages(first, served)
    #expect(rest.map { $0["id"]?.intValue } == Array(0..<first))
    #expect(rest.allSatisfy { $0["result"] != nil })
  }

  @Test("one that fills the backlog before it is asked anything is read from as soon as it is")
  func readsAgain() async throws {
    var limits = ConnectionLimits()
    limits.requestsInFlight = 1
    limits.backlog = 1000
    let served = try await Served.make(.inProcess, limits: limits)
    try await served.send(request("0", "gate") + "\n")
    try await eventually { served.handler.running.withLock { $0.now } == 1 }
    try await served.send((1...20).map { request("\($0)", "echo", #"{"p":"\#($0)"}"#) + "\n" }.joined())
    try await eventually { served.connection.openRequests > 5 }
    #expect(served.connection.openRequests < 15)
    let connection = served.connection
    async let asked = connection.request("client/add")
    try await eventually { served.connection.openRequests == 21 }
    let question = try await served.message()
    try await answer([question], served)
    #expect(try await asked == 1)
    served.handler.gate.open()
    #expect(try await messages(21, served).map { $0["id"]?.intValue } == Array(0...20))
  }

  private func messages(_ count: Int, _ served: Served) async throws -> [JSONValue] {
    var messages: [JSONValue] = []
    while messages.count < count { messages.append(try await served.message()) }
    return messages
  }

  private func answer(_ questions: [JSONValue], _ served: Served) async throws {
    for question in questions {
      let id = try #require(question["id"]?.intValue)
      try await served.send(#"{"jsonrpc":"2.0","id":\#(id),"result":1}"# + "\n")
    }
  }
}

import Failures
import JSON
import Synchronization
import Testing

@testable import JSONRPC

@Suite("A connection", .timeLimit(.minutes(2)))
struct ConnectionTests {
  @Test("answers in the framing of the question", arguments: Wire.allCases)
  func framings(_ wire: Wire) async throws {
    let answer = #"{"jsonrpc":"2.0","id":1,"result":{"x":"é"}}"#
    let lines = try await Served.make(wire)
    #expect(try await lines.exchange(request("1", "echo", #"{"x":"é"}"#)) == answer + "\n")
    let headers = try await Served.make(wire)
    #expect(try await headers.exchange(framed(request("1", "work", #"{"x":"é"}"#))) == framed(answer))
  }

  @Test("a client that says nothing gets nothing", arguments: Wire.allCases)
  func silence(_ wire: Wire) async throws {
    let served = try await Served.make(wire)
    served.connection.notify("log", [:])
    #expect(try await served.exchange("\n \n") == "")
    #expect(try await Served.make(wire).exchange("") == "")
  }

  @Test("nothing is written before the framing is known; then what waited comes first", arguments: Wire.allCases)
  func waitsForFraming(_ wire: Wire) async throws {
    let served = try await Served.make(wire)
    #expect(served.connection.notify("hello", ["n": 1]))
    let output = try await served.exchange(framed(request("1", "echo")))
    #expect(
      output == framed(#"{"jsonrpc":"2.0","method":"hello","params":{"n":1}}"#)
        + framed(#"{"jsonrpc":"2.0","id":1,"result":{}}"#))
    let forced = try await Served.make(wire, framing: .lines)
    #expect(forced.connection.notify("hello", [:]))
    #expect(try await forced.line() == #"{"jsonrpc":"2.0","method":"hello","params":{}}"#)
  }

  /// Input and exact output, over one connection; works are told apart by their order being kept here.
  static let table: [(String, String)] = [
    (request("1.50", "echo"), #"{"jsonrpc":"2.0","id":1.50,"result":{}}"#),
    (request("null", "echo"), #"{"jsonrpc":"2.0","id":null,"result":{}}"#),
    (request(#""\u0041""#, "work"), #"{"jsonrpc":"2.0","id":"A","result":{}}"#),
    (notification("echo"), ""),
    (notification("unknown"), ""), (notification("$/unknown"), ""),
    (#"{"jsonrpc":"2.0","id":123,"result":1}"#, ""), (#"{"jsonrpc":"2.0","id":1000000000,"result":1}"#, ""),
    (
      request("1", "nope"),
      #"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"There is no method \"nope\"."}}"#
    ),
    (
      request("1", "fail"),
      #"{"jsonrpc":"2.0","id":1,"error":{"code":-32803,"message":"Bad data.","#
        + #""data":{"kind":"datasetInvalid","remedy":"Mend it."}}}"#
    ),
    // Batches.
    ("[\(request("1", "echo"))]", #"[{"jsonrpc":"2.0","id":1,"result":{}}]"#),
    (
      "[\(request("1", "work")),\(notification("x")),\(request("2", "echo"))]",
      #"[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":2,"result":{}}]"#
    ),
    ("[\(notification("x")),\(notification("y"))]", ""),
    (#"[{"jsonrpc":"2.0","id":5,"result":1},\#(notification("x"))]"#, ""),
  ]

  @Test("answers each kind of message as JSON-RPC says", arguments: Wire.allCases)
  func answers(_ wire: Wire) async throws {
    for (input, output) in Self.table {
      let expected = output.isEmpty ? "" : output + "\n"
      #expect(try await Served.make(wire).exchange(input + "\n") == expected, "\(input)")
      let expectedFrame = output.isEmpty ? "" : framed(output)
      #expect(try await Served.make(wire).exchange(framed(input)) == expectedFrame, "\(input)")
    }
  }

  @Test("an empty batch is one error; each entry that is no message is one error inside the array")
  func badBatches() async throws {
    let served = try await Served.make(.inProcess)
    let output = try await served.exchange("[]\n[1,2,3]\n[[],\(request("7", "echo"))]\n")
    let answers = try output.split(separator: "\n").map { try JSONReader.read(String($0)) }
    #expect(answers[0]["error"]?["code"] == -32600)
    #expect(answers[0]["id"] == .null)
    #expect(answers[1].arrayValue?.map { $0["error"]?["code"] } == [-32600, -32600, -32600])
    #expect(answers[2][0]?["error"]?["code"] == -32600)
    #expect(answers[2][1]?["id"] == 7)
    #expect(answers.count == 3)
  }

  @Test("a batch of 1,000 requests is answered with one array; 1,001 with one error")
  func longBatches() async throws {
    func batch(_ count: Int) -> String {
      "[" + (0..<count).map { request("\($0)", "work") }.joined(separator: ",") + "]\n"
    }
    let output = try await Served.make(.inProcess).exchange(batch(1000) + batch(1001))
    let answers = try output.split(separator: "\n").map { try JSONReader.read(String($0)) }
    #expect(answers.count == 2)
    let ids = answers.compactMap(\.arrayValue).first?.compactMap { $0["id"]?.intValue }
    #expect(ids == Array(0..<1000))
    #expect(answers.contains { $0["error"]?["code"] == -32600 && $0["id"] == .null })
  }

  @Test("the requests of a batch run concurrently, and the answer waits for the last", arguments: Wire.allCases)
  func batchConcurrency(_ wire: Wire) async throws {
    let served = try await Served.make(wire)
    try await served.send("[\(request("1", "gate")),\(request("2", "gate"))]\n\(request("3", "echo"))\n")
    #expect(try await served.message()["id"] == 3)
    try await eventually { served.handler.running.withLock { $0.now } == 2 }
    try await served.send(notification("open") + "\n")
    #expect(try await served.message().arrayValue?.map { $0["id"] } == [1, 2])
  }

  @Test("the answer to a batch has its limit; entries beyond it are errors")
  func batchAnswerLimit() async throws {
    var limits = ConnectionLimits()
    limits.batchAnswer = 1000
    let served = try await Served.make(.inProcess, limits: limits)
    let big = (0..<3).map { request("\($0)", "big", #"{"bytes":600}"#) }.joined(separator: ",")
    let answer = try JSONReader.read(try await served.exchange("[\(big)]"))
    #expect(answer.arrayValue?.filter { $0["result"] != nil }.count == 1)
    #expect(answer.arrayValue?.filter { $0["error"]?["code"] == -32803 }.count == 2)
  }

  @Test("messages reach the handler in the order in which they came", arguments: Wire.allCases)
  func order(_ wire: Wire) async throws {
    var input = ""
    var expected: [String] = []
    for number in 0..<3000 {
      switch number % 3 {
      case 0:
        input += request("\(number)", "work") + "\n"
        expected.append("work \(number)")
      case 1:
        input += request("\(number)", "echo") + "\n"
        expected.append("echo \(number)")
      default:
        input += notification("n\(number)") + "\n"
        expected.append("n\(number)")
      }
    }
    let served = try await Served.make(wire)
    let output = try await served.exchange(input)
    #expect(served.handler.log.withLock { $0 } == expected)
    let ids = try output.split(separator: "\n").map { try JSONReader.read(String($0))["id"]?.intValue ?? -1 }
    #expect(ids.sorted() == (0..<3000).filter { $0 % 3 != 2 })
  }

  @Test(
    "after the end of input everything outstanding is answered, then the connection closes", arguments: Wire.allCases)
  func halfClose(_ wire: Wire) async throws {
    let served = try await Served.make(wire)
    let requests = (0..<50).map { request("\($0)", "gate") + "\n" }.joined()
    let handler = served.handler
    async let output = served.exchange(requests)
    try await eventually { handler.running.withLock { $0.now } == 50 }
    #expect(!served.connection.isClosed)
    handler.gate.open()
    #expect(try await output.split(separator: "\n").count == 50)
    await served.connection.waitUntilFinished()
    #expect(handler.closed.withLock { $0 } == 1)
  }

  // MARK: Cancelling

  @Test("a cancelled request is answered with -32800 and keeps its data", arguments: Wire.allCases)
  func cancels(_ wire: Wire) async throws {
    let served = try await Served.make(wire)
    try await served.send(request("\"a\"", "gate") + "\n" + request("1", "gate") + "\n")
    try await served.send(notification("$/cancelRequest", #"{"id":"\u0061"}"#) + "\n")
    let answer = try await served.message()
    #expect(answer["id"] == "a")
    #expect(answer["error"]?["code"] == -32800)
    #expect(answer["error"]?["data"]?["runId"] == "r1")
    #expect(served.handler.cancelled.withLock { $0 } == 1)
    try await served.send(notification("open") + "\n")
    #expect(try await served.message()["result"] == "passed")
  }

  @Test("a work that takes no notice of its cancelling is answered with -32800 all the same")
  func stubborn() async throws {
    let served = try await Served.make(.inProcess)
    try await served.send(request("1", "stubborn") + "\n" + notification("$/cancelRequest", #"{"id":1}"#) + "\n")
    #expect(try await served.message()["error"]?["code"] == -32800)
  }

  @Test(
    "a request that is cancelled silently is never answered, and the connection goes on and ends",
    arguments: Wire.allCases)
  func cancelsSilently(_ wire: Wire) async throws {
    let served = try await Served.make(wire)
    try await served.send(request("1", "gate") + "\n" + request("2", "echo") + "\n")
    #expect(try await served.line() == #"{"jsonrpc":"2.0","id":2,"result":{}}"#)
    try await eventually { served.connection.openRequests == 1 }
    served.connection.cancelSilently(RequestID(1))
    served.connection.cancelSilently(RequestID(7))
    try await eventually { served.handler.cancelled.withLock { $0 } == 1 }
    // Its id is free again.
    #expect(try await served.exchange(request("1", "echo") + "\n") == #"{"jsonrpc":"2.0","id":1,"result":{}}"# + "\n")
  }

  @Test("cancelling what is unknown, done or no id does nothing")
  func cancelsNothing() async throws {
    let cancels = [#"{"id":1}"#, #"{"id":null}"#, #"{"id":[1]}"#, "{}", "null", "[1]"]
    let input = request("1", "echo") + "\n" + cancels.map { notification("$/cancelRequest", $0) + "\n" }.joined()
    let output = try await Served.make(.inProcess).exchange(input + request("2", "echo") + "\n")
    #expect(output.split(separator: "\n").count == 2)
  }

  @Test("cancelling overtakes requests that wait their turn, and answers those that have not begun")
  func cancelOvertakes() async throws {
    var limits = ConnectionLimits()
    limits.requestsInFlight = 2
    let served = try await Served.make(.inProcess, limits: limits)
    try await served.send((1...5).map { request("\($0)", "gate") + "\n" }.joined())
    try await served.send(notification("$/cancelRequest", #"{"id":4}"#) + "\n")
    #expect(try await served.message()["id"] == 4)
    #expect(served.handler.log.withLock { $0 } == ["gate 1", "gate 2"])
    served.handler.gate.open()
    var ids: [Int] = []
    for _ in 0..<4 { ids.append(try #require(try await served.message()["id"]?.intValue)) }
    #expect(ids.sorted() == [1, 2, 3, 5])
    #expect(served.handler.running.withLock { $0.most } <= 2)
  }

  @Test("a second request with an id in flight is refused and leaves the first alone", arguments: Wire.allCases)
  func duplicateIDs(_ wire: Wire) async throws {
    let served = try await Served.make(wire)
    try await served.send(request("1", "gate") + "\n" + request("1.0", "echo") + "\n")
    let refusal = try await served.message()
    #expect(refusal["error"]?["code"] == -32600)
    #expect(refusal["id"]?.text() == "1.0")
    try await served.send(notification("open") + "\n")
    #expect(try await served.message()["result"] == "passed")
    try await served.send(request("1", "echo") + "\n")
    #expect(try await served.message()["result"] == [:])
    // Null names nothing, so it may stand twice.
    #expect(
      try await served.exchange(
        "[\(request("null", "work")),\(request("null", "work")),\(request("2", "work")),\(request("2", "work"))]"
      )
      .contains("-32600"))
  }

  @Test("a client that goes away cancels its requests", arguments: [Wire.inProcess, .unixSocket])
  func vanishes(_ wire: Wire) async throws {
    let served = try await Served.make(wire)
    try await served.send(request("1", "gate") + "\n" + request("2", "gate") + "\n")
    try await eventually { served.handler.running.withLock { $0.now } == 2 }
    served.client.vanish()
    try await eventually { served.handler.cancelled.withLock { $0 } == 2 }
    await served.connection.waitUntilFinished()
    #expect(served.handler.closed.withLock { $0 } == 1)
  }

  @Test("closing with cancelling answers -32802; without, it awaits the works", arguments: Wire.allCases)
  func closes(_ wire: Wire) async throws {
    let served = try await Served.make(wire)
    try await served.send(request("1", "gate") + "\n")
    try await eventually { served.handler.running.withLock { $0.now } == 1 }
    served.connection.close(cancelling: true)
    #expect(try await served.message()["error"]?["code"] == -32802)
    #expect(try await served.line() == nil)

    let patient = try await Served.make(wire)
    try await patient.send(request("1", "gate") + "\n")
    try await eventually { patient.handler.running.withLock { $0.now } == 1 }
    patient.connection.close()
    patient.handler.gate.open()
    #expect(try await patient.message()["result"] == "passed")
    #expect(try await patient.line() == nil)
  }

  @Test(
    "a service that is ending refuses what has not begun and what comes, and ends what has", arguments: Wire.allCases)
  func refusesFurther(_ wire: Wire) async throws {
    var limits = ConnectionLimits()
    limits.requestsInFlight = 1
    let served = try await Served.make(wire, limits: limits)
    try await served.send(["gate", "work", "work"].enumerated().map { request("\($0)", $1) + "\n" }.joined())
    try await eventually { served.handler.running.withLock { $0.now } == 1 && served.connection.openRequests == 3 }
    served.connection.refuseFurther()
    try await served.send(request("3", "work") + "\n")
    for id in 1...3 {
      let answer = try await served.message()
      #expect(answer["id"]?.intValue == id && answer["error"]?["code"] == -32802)
    }
    served.handler.gate.open()
    #expect(try await served.message()["result"] == "passed")
    #expect(served.handler.log.withLock { $0 } == ["gate 0"])
  }

  // MARK: Broken input

  @Test("a message that is no JSON is answered with -32700, and the conversation goes on", arguments: Wire.allCases)
  func parseErrors(_ wire: Wire) async throws {
    for bad in ["{\"a\":", "[1,]", "{\"x\":\"\\ud800\"}", "{}\u{FEFF}"] {
      let lines = try await Served.make(wire).exchange("\(bad)\n\(request("1", "echo"))\n")
      let answers = try lines.split(separator: "\n").map { try JSONReader.read(String($0)) }
      #expect(answers.map { $0["error"]?["code"] } == [-32700, nil], "\(bad)")
      #expect(answers.map { $0["id"] } == [.null, 1])
      let frames = try await Served.make(wire).exchange(framed(bad) + framed(request("1", "echo")))
      #expect(frames.contains("-32700") && frames.hasSuffix(#""id":1,"result":{}}"#))
    }
  }

  @Test("a broken frame is answered, what is outstanding too, then the connection closes", arguments: Wire.allCases)
  func fatal(_ wire: Wire) async throws {
    let http = try await Served.make(wire).exchange("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n{}")
    #expect(http.hasPrefix("Content-Length: ") && http.contains("-32700"))
    let served = try await Served.make(wire)
    let output = try await served.exchange(
      framed(request("1", "work")) + "Content-Length: 9999999999999999999999999\r\n\r\n" + framed(request("2", "work")))
    #expect(output.contains(#""id":1,"result""#))
    #expect(output.contains(#""id":null,"error":{"code":-32700"#))
    #expect(!output.contains(#""id":2"#))
  }

  @Test("an answer that is longer than a message may be becomes an error")
  func longAnswer() async throws {
    var limits = ConnectionLimits()
    limits.message = 10_000
    let output = try await Served.make(.inProcess, limits: limits).exchange(request("1", "big", #"{"bytes":20000}"#))
    #expect(try JSONReader.read(output)["error"]?["code"] == -32803)
  }

  @Test("a long message is taken, and the order is kept around it", arguments: Wire.allCases)
  func longMessage(_ wire: Wire) async throws {
    let text = String(repeating: "é", count: 2_000_000)
    let input =
      request("1", "echo") + "\n" + request("2", "echo", #"{"t":"\#(text)"}"#) + "\n" + request("3", "echo") + "\n"
    let served = try await Served.make(wire)
    let lines = try await served.exchange(input).split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[1].utf8.count > 4_000_000)
    #expect(served.handler.log.withLock { $0 } == ["echo 1", "echo 2", "echo 3"])
  }
}

import Failures
import JSON
import Testing

@testable import JSONRPC

private func parse(_ text: String) -> Incoming { Incoming(parsing: Array(text.utf8), maximumBatch: 1000) }

/// The id and code with which a text is refused, if it is.
private func refusal(_ text: String) -> (id: String, code: Int)? {
  guard case .single(.refused(let id, let error)) = parse(text) else { return nil }
  return (id.description, error.code.rawValue)
}

@Suite("Messages")
struct MessageTests {
  @Test("requests, notifications and responses are told apart")
  func kinds() {
    #expect(
      parse(#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"x":1}}"#)
        == .single(.request(id: RequestID(1), method: "a", params: ["x": 1])))
    #expect(parse(#"{"method":"a","jsonrpc":"2.0"}"#) == .single(.notification(method: "a", params: [:])))
    #expect(parse(#"{"jsonrpc":"2.0","id":1,"result":null}"#) == .single(.result(id: RequestID(1), .null)))
    #expect(parse(#"{"id":1,"result":false,"error":null}"#) == .single(.result(id: RequestID(1), false)))
    #expect(
      parse(#"{"jsonrpc":"2.0","id":1,"error":{"code":-5,"message":"no","data":[1]}}"#)
        == .single(.failure(id: RequestID(1), RPCError(.init(rawValue: -5), "no", data: [1]))))
    #expect(parse(#"{"jsonrpc":"2.0","id":[],"result":1}"#) == .single(.ignored))
    #expect(parse(#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"x"},"id":null}"#) != .single(.ignored))
  }

  @Test(
    "params that are null, absent or empty are none",
    arguments: ["", #","params":null"#, #","params":[]"#, #","params":{}"#])
  func noParams(_ params: String) {
    #expect(
      parse(#"{"jsonrpc":"2.0","id":1,"method":"a"\#(params)}"#)
        == .single(.request(id: RequestID(1), method: "a", params: [:])))
  }

  @Test(
    "what is no request is refused with the id it has",
    arguments: [
      (#"{"jsonrpc":"2.0","id":7,"method":"a","params":[1]}"#, "7", -32602),
      (#"{"jsonrpc":"2.0","id":7,"method":"a","params":5}"#, "7", -32600),
      (#"{"jsonrpc":"2.0","id":7,"method":5}"#, "7", -32600), (#"{"jsonrpc":"2.0","id":7}"#, "7", -32600),
      (#"{"id":7,"method":"a"}"#, "7", -32600), (#"{"jsonrpc":2.0,"id":7,"method":"a"}"#, "7", -32600),
      (#"{"jsonrpc":"1.0","id":"x","method":"a"}"#, #""x""#, -32600),
      (#"{"jsonrpc":"2.0","id":{},"method":"a"}"#, "null", -32600),
      (#"{"jsonrpc":"2.0","id":true,"method":"a"}"#, "null", -32600), (#"{"foo":"boo"}"#, "null", -32600),
      (#"{"jsonrpc":"2.0","method":1,"params":"bar"}"#, "null", -32600), ("1", "null", -32600),
      ("\"x\"", "null", -32600), ("null", "null", -32600), ("[]", "null", -32600), ("", "null", -32700),
      ("{", "null", -32700), ("[1,]", "null", -32700), ("\u{FEFF}{}", "null", -32700),
      (#"{"jsonrpc":"2.0","id":1,"method":"\ud800"}"#, "null", -32700),
    ])
  func refuses(_ text: String, id: String, code: Int) {
    #expect(refusal(text)?.id == id)
    #expect(refusal(text)?.code == code)
  }

  @Test("a notification with positional params is neither handled nor answered")
  func positionalNotification() {
    #expect(parse(#"{"jsonrpc":"2.0","method":"a","params":[1]}"#) == .single(.ignored))
  }

  @Test("bytes that are not UTF-8 or too deep are a parse error")
  func hostileText() {
    let text: [UInt8] = Array(#"{"jsonrpc":"2.0","id":1,"method":""#.utf8) + [0xFF] + Array("\"}".utf8)
    guard case .single(.refused(_, let error)) = Incoming(parsing: text, maximumBatch: 10) else {
      Issue.record("taken")
      return
    }
    #expect(error.code == .parseError)
    let deep = String(repeating: "[", count: 100_000)
    #expect(refusal(deep)?.code == -32700)
    let inner = #"{"jsonrpc":"2.0","id":1,"method":"a","params":{"x":"#
    #expect(
      refusal(inner + String(repeating: "[", count: 127) + String(repeating: "]", count: 127) + "}}")?.code == -32700)
  }

  @Test(
    "an id comes back as it came: a number digit by digit, a text by what it says",
    arguments: [
      "0", "-1", "-0", "1", "9007199254740993", "18446744073709551616", "1.5", "1.50", "1e3", "1E30", "null", #""""#,
      #""a""#,
      #""\u0041""#, #""a\/b""#, #""\ud83d\ude00""#, #""é""#, #""\"id\":\\""#, "-1.0e-7",
    ])
  func echo(_ token: String) {
    for text in [
      #"{"jsonrpc":"2.0","id":\#(token),"method":"a","params":{"id":"\n","x":["{\"id\":5}"]}}"#,
      #"{ "method" : "\u0061" , "params":{"id":7, "y":[{"id":8}]}, "jsonrpc":"2.0", "\u0069d" : \#(token) }"#,
    ] {
      guard case .single(.request(let id, "a", _)) = parse(text) else {
        Issue.record("not taken: \(text)")
        continue
      }
      #expect(id.value == (try? JSONReader.read(token)))
      if !token.hasPrefix("\"") { #expect(id.value.text() == token) }
    }
    let batch =
      #"[5,{"jsonrpc":"2.0","id":"\n","method":"a"},[{"id":1}],{"jsonrpc":"2.0","id":\#(token),"method":"b"}]"#
    guard case .batch(let messages) = parse(batch), messages.count == 4, case .request(let id, "b", _) = messages[3]
    else {
      Issue.record("not taken: \(batch)")
      return
    }
    #expect(id.value == (try? JSONReader.read(token)))
  }

  @Test("two ids are the same if they mean the same")
  func identity() throws {
    func id(_ token: String) throws -> RequestID { try #require(RequestID(try JSONReader.read(token))) }
    let same = [("1", "1.0"), ("1000", "1e3"), (#""A""#, #""\u0041""#), ("0", "-0")]
    for (x, y) in same {
      #expect(try id(x) == id(y))
      #expect(try id(x).hashValue == id(y).hashValue)
    }
    for (x, y) in [("1", "\"1\""), ("1.5", "1"), ("null", "0"), ("\"\u{E9}\"", "\"e\u{301}\""), ("1e400", "2e400")] {
      #expect(try id(x) != id(y))
    }
  }

  @Test("an id has at most 1 KiB")
  func idLength() {
    #expect(RequestID(.string(String(repeating: "x", count: 1024))) != nil)
    #expect(RequestID(.string(String(repeating: "x", count: 1025))) == nil)
    #expect(RequestID(.number(String(repeating: "1", count: 1025))) == nil)
  }

  @Test("a batch has at most as many entries as allowed")
  func batchLimit() {
    let entry = #"{"jsonrpc":"2.0","method":"a"}"#
    func batch(_ count: Int) -> Incoming {
      parse("[" + Array(repeating: entry, count: count).joined(separator: ",") + "]")
    }
    guard case .batch(let messages) = batch(1000) else {
      Issue.record("refused")
      return
    }
    #expect(messages.count == 1000)
    guard case .single(.refused(id: .null, let error)) = batch(1001) else {
      Issue.record("taken")
      return
    }
    #expect(error.code == .invalidRequest)
  }

  @Test("messages are written with the members that JSON-RPC names, in its order")
  func writes() {
    #expect(
      Message.request(id: RequestID(5), method: "m", params: ["a": 1]).json.text()
        == #"{"jsonrpc":"2.0","id":5,"method":"m","params":{"a":1}}"#)
    #expect(
      Message.notification(method: "m", params: [:]).json.text() == #"{"jsonrpc":"2.0","method":"m","params":{}}"#)
    #expect(Message.result(id: RequestID("x"), .null).json.text() == #"{"jsonrpc":"2.0","id":"x","result":null}"#)
    #expect(
      Message.failure(id: .null, RPCError(.parseError, "no")).json.text()
        == #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}"#)
  }
}

@Suite("Errors on the wire")
struct RPCErrorTests {
  @Test(
    "each kind of failure has its code",
    arguments: [
      (FailureKind.invalidParams, -32602), (.cancelled, -32800), (.internalError, -32603), (.rateLimited, -32803),
      (.notFound, -32803), (FailureKind(rawValue: "new"), -32803),
    ])
  func codes(_ kind: FailureKind, _ code: Int) {
    let error = RPCError(HoneError(kind, "No."))
    #expect(error.code.rawValue == code)
    #expect(error.data?["kind"] == .string(kind.rawValue))
    #expect(error.message == "No.")
  }

  @Test("data says what is wrong where, what to do, and why")
  func data() {
    let error = RPCError(
      HoneError(
        .invalidParams, "compile: bad.", remedy: "Mend it.",
        problems: [
          Problem(path: "optimizer", message: "Unknown.", got: "\"X\"", allowed: ["A", "B"], suggestion: "A"),
          Problem(path: "seed", message: "Missing."),
        ], details: ["runId": "r", "attempts": "3", "kind": "fake"], cause: "why"))
    let expected =
      #"{"kind":"invalidParams","problems":[{"path":"optimizer","message":"Unknown.","got":"\"X\"","#
      + #""allowed":["A","B"],"suggestion":"A"},{"path":"seed","message":"Missing."}],"#
      + #""remedy":"Mend it.","cause":"why","attempts":"3","runId":"r"}"#
    #expect(error.data?.text() == expected)
  }

  @Test("other errors become internal ones; RPC errors stay; a cancelled task is a cancelled request")
  func others() {
    struct Strange: Error {}
    #expect(RPCError(Strange()).code == .internalError)
    #expect(RPCError(RPCError(.serverNotInitialized, "x") as any Error).code == .serverNotInitialized)
    #expect(RPCError(CancellationError()).code == .requestCancelled)
  }

  @Test("a peer's error is read whatever it lacks")
  func lenient() {
    #expect(RPCError(reading: ["code": 5, "message": "m"]) == RPCError(.init(rawValue: 5), "m"))
    #expect(RPCError(reading: "no").code == .internalError)
    #expect(RPCError(reading: [:]).message.isEmpty == false)
  }

  @Test("an unknown method names the nearest known one")
  func unknownMethod() {
    let error = RPCError.methodNotFound("evalute", known: ["compile", "evaluate"])
    #expect(error.code == .methodNotFound)
    #expect(error.data?["suggestion"] == "evaluate")
    #expect(RPCError.methodNotFound(String(repeating: "x", count: 10_000)).message.utf8.count < 200)
  }
}

@Suite("The outbox")
struct OutboxTests {
  private func take(_ outbox: inout Outbox, about size: Int = .max) -> String {
    String(decoding: outbox.take(about: size, framing: .lines), as: UTF8.self)
  }

  @Test("gives entries in order and counts their bytes")
  func order() {
    var outbox = Outbox()
    for text in ["one", "two", "three"] { outbox.put(Array(text.utf8)) }
    #expect(outbox.bytes == 11)
    #expect(take(&outbox, about: 4) == "one\n")
    #expect(take(&outbox) == "two\nthree\n")
    #expect(outbox.isEmpty)
    #expect(outbox.bytes == 0)
  }

  @Test("a later entry of a key takes the waiting one's place; a taken one is not brought back")
  func keys() {
    var outbox = Outbox()
    outbox.put(Array("first".utf8))
    outbox.put(Array("10%".utf8), key: "p")
    outbox.put(Array("last".utf8))
    outbox.put(Array("100%".utf8), key: "p")
    #expect(outbox.bytes == 13)
    #expect(take(&outbox, about: 6) == "first\n")
    outbox.put(Array("101%".utf8), key: "p")
    #expect(outbox.holds("p"))
    #expect(take(&outbox) == "101%\nlast\n")
    #expect(!outbox.holds("p"))
    outbox.put(Array("102%".utf8), key: "p")
    #expect(take(&outbox) == "102%\n")
  }

  @Test("stays consistent over many puts and takes")
  func many() {
    var random = SeededGenerator(seed: 3)
    var outbox = Outbox()
    var model: [(key: String?, text: String)] = []
    for step in 0..<3000 {
      if Bool.random(using: &random) || model.isEmpty {
        let key = Bool.random(using: &random) ? "k\(Int.random(in: 0..<5, using: &random))" : nil
        let text = "t\(step)"
        outbox.put(Array(text.utf8), key: key)
        if let key, let place = model.firstIndex(where: { $0.key == key }) {
          model[place].text = text
        } else {
          model.append((key, text))
        }
      } else {
        #expect(take(&outbox, about: 1) == model.removeFirst().text + "\n")
      }
      #expect(outbox.bytes == model.reduce(0) { $0 + $1.text.utf8.count })
    }
  }
}

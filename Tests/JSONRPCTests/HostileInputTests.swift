import JSON
import Testing

@testable import JSONRPC

@Suite("Hostile input", .timeLimit(.minutes(2)))
struct HostileInputTests {
  /// Ten thousand lines, none of which may keep the next one from being understood.
  @Test("10,000 hostile lines are answered or passed over, and a good request after them is answered")
  func lines() async throws {
    var random = SeededGenerator(seed: 2026)
    var input: [UInt8] = Array("{\n".utf8)
    for _ in 0..<10_000 {
      input += hostileText(using: &random).map { $0 == 0x0A ? 0x20 : $0 }
      input.append(0x0A)
    }
    input += Array(request("\"last\"", "echo").utf8)
    try await check(input, framing: .lines)
  }

  @Test("10,000 hostile bodies in frames are answered or passed over, and a good request after them is answered")
  func frames() async throws {
    var random = SeededGenerator(seed: 2027)
    var input: [UInt8] = []
    for _ in 0..<10_000 {
      let text = hostileText(using: &random)
      let name = ["Content-Length: ", "content-length:", "CONTENT-LENGTH: \t"].randomElement(using: &random) ?? ""
      input += Array("\(name)\(text.count)\r\n".utf8)
      if Int.random(in: 0..<5, using: &random) == 0 { input += Array("Content-Type: x; charset=latin1\r\n".utf8) }
      input += Array("\r\n".utf8) + text
    }
    input += Array(framed(request("\"last\"", "echo")).utf8)
    try await check(input, framing: .headers)
  }

  @Test("connections that send nothing but rubbish end or wait, and never take the process with them")
  func rubbish() async throws {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<100 {
      let served = try await Served.make(.inProcess)
      let bytes = (0..<Int.random(in: 1...400, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = try await served.exchange(bytes)
      await served.connection.waitUntilFinished()
    }
  }

  private func check(_ input: [UInt8], framing: Framing) async throws {
    let served = try await Served.make(.inProcess)
    let output = try await served.exchange(input)
    // Every byte that came back is a frame, and every frame an answer or a batch of answers.
    var decoder = MessageFraming()
    decoder.feed(output.utf8)
    var answers = 0
    var isLastAnswered = false
    while let event = decoder.next() {
      guard case .message(let text) = event else {
        Issue.record("\(event)")
        return
      }
      let value = try JSONReader.read(text)
      for answer in value.arrayValue ?? [value] {
        answers += 1
        let keys = answer.objectValue?.keys
        #expect(
          keys == ["jsonrpc", "id", "result"] || keys == ["jsonrpc", "id", "error"]
            || keys == ["jsonrpc", "method", "params"])
        if answer["id"] == "last" { isLastAnswered = answer["result"] == [:] }
      }
    }
    #expect(decoder.framing == framing)
    #expect(decoder.bufferedBytes == 0)
    #expect(isLastAnswered)
    #expect(answers > 5000)
  }

  /// Valid messages with something done to them, and things that were never messages.
  private func hostileText(using random: inout SeededGenerator) -> [UInt8] {
    let ids = [
      "1", "null", "\"x\"", "1.5", "-0", "1e400", "{}", "[]", "true", "99999999999999999999999", "\"\\ud800\"",
    ]
    let methods = [
      "\"echo\"", "\"work\"", "\"fail\"", "\"nope\"", "\"$/cancelRequest\"", "5", "null", "\"\\u0000\"", "\"rpc.x\"",
    ]
    let params = [
      "{}", "[]", "null", "[1]", "5", "\"x\"", "{\"id\":1}", "{\"id\":{\"id\":1}}", String(repeating: "[", count: 200),
    ]
    func pick(_ words: [String]) -> String { words.randomElement(using: &random) ?? "" }
    var members = [
      "\"jsonrpc\":\(pick(["\"2.0\"", "\"2.0\"", "\"2.0\"", "2.0", "\"1.0\"", "null"]))", "\"method\":\(pick(methods))",
      "\"params\":\(pick(params))", "\"id\":\(pick(ids))",
    ]
    members.shuffle(using: &random)
    if Int.random(in: 0..<4, using: &random) == 0 { members.removeLast() }
    if Int.random(in: 0..<8, using: &random) == 0 { members.append("\"result\":1") }
    if Int.random(in: 0..<8, using: &random) == 0 { members.append("\"error\":\(pick(params))") }
    var text = "{" + members.joined(separator: ",") + "}"
    switch Int.random(in: 0..<12, using: &random) {
    case 0: text = "[\(text),\(text)]"
    case 1: text = "[\(text),5,[],null,\(text)"
    case 2: text = "\u{FEFF}" + text
    case 3: text = String(text.prefix(Int.random(in: 0...text.count, using: &random)))
    case 4: text = String(repeating: "{\"a\":", count: 300)
    default: break
    }
    var bytes = Array(text.utf8)
    if Int.random(in: 0..<3, using: &random) == 0, !bytes.isEmpty {
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
    }
    return bytes
  }
}

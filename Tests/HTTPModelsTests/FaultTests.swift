import Failures
import HTTPModels
import JSON
import LanguageModels
import Messages
import Platform
import Testing

/// Replies as broken endpoints, proxies and gateways give them.
@Suite("Odd replies", .timeLimit(.minutes(1)))
struct OddReplyTests {
  private func model(
    _ server: FaultServer, _ change: (inout ModelConfiguration) -> Void = { _ in }
  ) throws -> OpenAICompatibleModel {
    var configuration = ModelConfiguration(model: "openai/tiny")
    configuration.apiBase = server.base
    change(&configuration)
    return try OpenAICompatibleModel(configuration)
  }

  private static func body(_ usage: String, _ content: String = "\"yes\"") -> String {
    #"{"choices":[{"message":{"role":"assistant","content":\#(content)}}],"usage":\#(usage)}"#
  }

  @Test(
    "odd figures for usage are estimated, and the answer is taken",
    arguments: [
      #"{"prompt_tokens": NaN, "completion_tokens": -Infinity}"#, #"{"prompt_tokens": -5, "completion_tokens": 1e300}"#,
      #"{"prompt_tokens": "7", "completion_tokens": 2.5}"#, "null", "[]", "\"none\"",
      #"{"prompt_tokens": 99999999999999999999999999}"#,
    ])
  func usage(usage: String) async throws {
    let server = try await FaultServer { _ in FaultServer.response("200 OK", Self.body(usage)) }
    let reply = try await model(server).complete(request())
    #expect(reply.texts == ["yes"])
    #expect((1..<1000).contains(reply.usage.inputTokens) && (1..<1000).contains(reply.usage.outputTokens))
    await server.stop()
  }

  @Test("NaN within a text is left alone where figures hold it too")
  func notANumber() async throws {
    let server = try await FaultServer { _ in
      FaultServer.response("200 OK", Self.body(#"{"prompt_tokens": NaN}"#, #""NaN \"NaN\" Infinity""#))
    }
    #expect(try await model(server).complete(request()).texts == [#"NaN "NaN" Infinity"#])
    await server.stop()
  }

  @Test(
    "what is no answer is told apart from an outage, and is worth another attempt",
    arguments: [
      ("200 OK", "<html><body>502 Bad Gateway</body></html>", "content-type: text/html\r\n"),
      ("200 OK", "data: {\"choices\": []}\n\n", "content-type: text/event-stream\r\n"),
      ("200 OK", "\u{FEFF}{}", ""), ("200 OK", "[]", ""), ("200 OK", "\"ok\"", ""),
      ("200 OK", #"{"choices": null}"#, ""), ("200 OK", #"{"choices": [{"message": null}]}"#, ""),
      ("204 No Content", "", ""), ("201 Created", "{}", ""),
    ])
  func malformed(status: String, body: String, headers: String) async throws {
    let server = try await FaultServer { _ in FaultServer.response(status, body, headers: headers) }
    let failure = try #require(await failure(of: model(server)))
    #expect(failure.error.kind == .malformedReply && failure.retry == .backOff && failure.fault == .malformed)
    await server.stop()
  }

  @Test(
    "an error within a 200 is an outage unless its code says otherwise",
    arguments: [
      (#"{"error": {"message": "x", "code": 1}}"#, FailureKind.languageModelUnavailable),
      (#"{"error": "x"}"#, .languageModelUnavailable), (#"{"error": {"code": 429}}"#, .rateLimited),
      (#"{"error": {"code": "429"}}"#, .languageModelUnavailable),
    ])
  func errorWithinSuccess(body: String, kind: FailureKind) async throws {
    let server = try await FaultServer { _ in FaultServer.response("200 OK", body) }
    #expect(await failure(of: try model(server))?.error.kind == kind)
    await server.stop()
  }

  @Test(
    "broken HTTP is an outage or a malformed reply, in either case worth another attempt",
    arguments: [
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nnonsense", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 \r\n\r\n",
      "HTTP/1.1 200 OK\r\ncontent-length: -4\r\n\r\n{}",
      "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 8\r\n\r\nnot gzip",
      "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"choices\": [", "",
    ])
  func brokenHTTP(bytes: String) async throws {
    let server = try await FaultServer { _ in [.send(Array(bytes.utf8)), .close] }
    let failure = try #require(await failure(of: model(server) { $0.timeout = 5 }))
    #expect([.languageModelUnavailable, .malformedReply].contains(failure.error.kind) && failure.retry == .backOff)
    await server.stop()
  }

  @Test("a compressed reply is read")
  func compressed() async throws {
    // {"choices":[{"message":{"content":"yes"}}]}, compressed with gzip.
    let bytes: [UInt8] = [
      31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 74, 206, 200, 207, 76, 78, 45, 86, 178, 138, 174, 86, 202, 77, 45,
      46, 78, 76, 79, 85, 178, 170, 86, 74, 206, 207, 43, 73, 205, 43, 81, 178, 82, 170, 4, 74, 214, 214, 198, 214,
      2, 0, 254, 113, 189, 87, 43, 0, 0, 0,
    ]
    let head = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: \(bytes.count)\r\n\r\n"
    let server = try await FaultServer { _ in [.send(Array(head.utf8) + bytes)] }
    #expect(try await model(server).complete(request()).texts == ["yes"])
    await server.stop()
  }

  @Test("a reply that trickles without end is left at the deadline")
  func trickle() async throws {
    let server = try await FaultServer { _ in
      [.send(Array("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{".utf8))]
        + (0..<2000).flatMap { _ in [FaultServer.Step.send([0x20]), .wait(0.01)] }
    }
    var configuration = ModelConfiguration(model: "openai/tiny")
    configuration.apiBase = server.base
    configuration.timeout = 0.3
    configuration.retries = 0
    let client = ModelClient(
      model: try ModelRegistry.make(configuration), configuration: configuration, answers: MemoryAnswerStore())
    await #expect {
      try await client.complete(Prompt([ChatMessage(.user, "x")]), context: CallContext(account: RunAccount()))
    } throws: { ($0 as? HoneError)?.kind == .timeout }
    #expect(await eventually { server.closed == 1 })
    await server.stop()
  }

  @Test("a request that hangs is made once more, and the late one's connection is closed")
  func hangs() async throws {
    let server = try await FaultServer { $0.number == 1 ? [] : FaultServer.answer("fine") }
    var configuration = ModelConfiguration(model: "openai/tiny")
    configuration.apiBase = server.base
    configuration.hedgeAfter = 0.05
    let client = ModelClient(
      model: try ModelRegistry.make(configuration), configuration: configuration, answers: MemoryAnswerStore())
    let account = RunAccount()
    let answer = try await client.complete(Prompt([ChatMessage(.user, "x")]), context: CallContext(account: account))
    #expect(answer.reply.texts == ["fine"])
    #expect(server.requests.count == 2 && account.usage.total.calls == 2)
    #expect(await eventually { server.closed == 1 })
    await server.stop()
  }

  @Test("headers come from the environment, are sent, and are shown nowhere")
  func headers() async throws {
    let server = try await FaultServer { request in
      FaultServer.answer("team \(request.header("x-team") ?? "") key \(request.header("authorization") ?? "")")
    }
    setenv("HONE_TEST_TEAM", "team-secret-4711", 1)
    setenv("HONE_TEST_KEY_C", "planted/key+0815==", 1)
    let model = try model(server) {
      $0.headers.variables = ["X-Team": "HONE_TEST_TEAM"]
      $0.apiKeyEnv = "HONE_TEST_KEY_C"
    }
    let reply = try await model.complete(request())
    #expect(server.requests.first?.header("x-team") == "team-secret-4711")
    #expect(server.requests.first?.header("authorization") == "Bearer planted/key+0815==")
    #expect(reply.texts == ["team [redacted] key Bearer [redacted]"])
    unsetenv("HONE_TEST_TEAM")
    #expect(await failure(of: model)?.error.message.contains("HONE_TEST_TEAM") == true)
    await server.stop()
  }
}

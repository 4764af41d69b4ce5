import Failures
import HTTPModels
import JSON
import LanguageModels
import Messages
import Networking
import Platform
import Testing

@Suite("OpenAICompatibleModel", .timeLimit(.minutes(1)))
struct OpenAICompatibleModelTests {
  @Test("a request is what the protocol asks for, and the reply is read whole")
  func success() async throws {
    let server = try await FaultServer { _ in FaultServer.answer("forty-two") }
    var configuration = ModelConfiguration(model: "openai/tiny")
    configuration.apiBase = server.base + "/"
    let model = try OpenAICompatibleModel(configuration)
    var options = SamplingOptions()
    options.temperature = 0.5
    options.maxTokens = 9
    options.extra = ["reasoning_effort": "low"]
    let shared = SharedMessages([ChatMessage(.system, "Be \"exact\".")])
    let reply = try await model.complete(
      ModelRequest(prompt: Prompt(shared: shared, own: [ChatMessage(.user, "6 × 7?")]), options: options, rollout: 3))
    #expect(
      reply
        == ModelReply(
          texts: ["forty-two"], finishReasons: ["stop"], usage: TokenUsage(inputTokens: 7, outputTokens: 3),
          model: "served"))
    let request = try #require(server.requests.first)
    #expect(request.head.hasPrefix("POST /v1/chat/completions HTTP/1.1"))
    #expect(request.header("content-type") == "application/json")
    #expect(request.header("authorization") == nil)
    #expect(
      try JSONReader.read(request.body) == [
        "model": "tiny",
        "messages": [["role": "system", "content": "Be \"exact\"."], ["role": "user", "content": "6 × 7?"]],
        "temperature": 0.5, "max_tokens": 9, "reasoning_effort": "low",
      ])
    await server.stop()
  }

  @Test("a base URL that lacks /v1 is asked once more with it, and from then on at once")
  func missingVersion() async throws {
    let server = try await FaultServer { request in
      request.head.hasPrefix("POST /v1/chat/completions ")
        ? FaultServer.answer("yes") : FaultServer.response("404 Not Found", "404 page not found")
    }
    let root = String(server.base.dropLast("/v1".count))
    let model = try model(server) { $0.apiBase = root }
    for _ in 0..<3 { #expect(try await model.complete(request()).texts == ["yes"]) }
    let paths = server.requests.map { $0.head.prefix { $0 != "\r\n" } }.map { $0.split(separator: " ")[1] }
    #expect(paths == ["/chat/completions"] + Array(repeating: "/v1/chat/completions", count: 3))
    await server.stop()
  }

  @Test("a path that is missing either way is told with both; a model that is missing, in its server's words")
  func missingPath() async throws {
    for (body, isPath) in [("404 page not found", true), (#"{"error":{"message":"model 'tiny' not found"}}"#, false)] {
      let server = try await FaultServer { request in
        FaultServer.response("404 Not Found", request.head.hasPrefix("POST /v1/") ? body : "404 page not found")
      }
      let root = String(server.base.dropLast("/v1".count))
      let failure = try #require(await failure(of: model(server) { $0.apiBase = root }))
      #expect(failure.retry == .never && server.requests.count == 2)
      #expect((failure.error.remedy ?? "").contains(root + "/v1") == isPath)
      #expect((failure.error.cause ?? "").contains("model 'tiny' not found") == !isPath)
      await server.stop()
    }
    // A base URL that names a version is asked there alone, and other failures are not the path's.
    for (status, base) in [("404 Not Found", "/v1"), ("500 Oops", "")] {
      let server = try await FaultServer { _ in FaultServer.response(status, "{}") }
      let root = String(server.base.dropLast("/v1".count)) + base
      _ = await failure(of: try model(server) { $0.apiBase = root })
      #expect(server.requests.count == 1)
      await server.stop()
    }
  }

  @Test("a data set is fetched through the proxy too, and an error says so")
  func documentThroughProxy() async throws {
    let proxy = try await FaultServer { _ in FaultServer.response("200 OK", "rows") }
    let address = proxy.base.dropLast("/v1".count)
    let variables = Variables(["http_proxy": String(address)])
    let body = try await HTTPDocument.fetch("http://data.example.invalid/a?b=1", maximumBytes: 100, variables)
    #expect(String(decoding: body, as: UTF8.self) == "rows")
    #expect(proxy.requests.first?.head.hasPrefix("GET http://data.example.invalid/a?b=1 HTTP/1.1\r\n") == true)
    await proxy.stop()
    let gone = Variables(["http_proxy": "http://127.0.0.1:1"])
    let error = await #expect(throws: HoneError.self) {
      try await HTTPDocument.fetch("http://data.example.invalid/", maximumBytes: 100, gone)
    }
    #expect(error?.message.contains("through the proxy 127.0.0.1:1 of http_proxy") == true)
    #expect(error?.message.contains("connection refused") == true)
  }

  @Test("connections are used again")
  func reuse() async throws {
    let server = try await FaultServer { _ in FaultServer.answer("yes") }
    let model = try model(server)
    for _ in 0..<10 { _ = try await model.complete(request()) }
    #expect(server.requests.count == 10 && server.connections == 1)
    await server.stop()
  }

  @Test("the key is read from the environment each time, sent, and shown nowhere")
  func key() async throws {
    let server = try await FaultServer { request in
      FaultServer.response(
        "401 Unauthorized",
        #"{"error":{"message":"Bad key \#(request.header("authorization") ?? "")","code":"invalid_api_key"}}"#)
    }
    let model = try model(server) { $0.apiKeyEnv = "HONE_TEST_KEY_A" }
    let missing = await failure(of: model)
    #expect(missing?.error.kind == .authentication && missing?.retry == .never)
    #expect(missing?.error.message.contains("HONE_TEST_KEY_A") == true && server.requests.isEmpty)
    setenv("HONE_TEST_KEY_A", "correct-horse-battery\n", 1)
    let refused = try #require(await failure(of: model))
    #expect(server.requests.first?.header("authorization") == "Bearer correct-horse-battery")
    #expect(refused.error.kind == .authentication && refused.retry == .never)
    #expect(refused.error.remedy?.contains("HONE_TEST_KEY_A") == true)
    #expect(!"\(refused.error)\(refused.error.details)".contains("correct-horse"))
    #expect(refused.error.cause?.contains("[redacted]") == true)
    await server.stop()
  }

  @Test("a provider's usual key is not sent to a base URL that a request names")
  func keyStaysHome() async throws {
    setenv("OPENAI_API_KEY", "this-must-not-travel", 1)
    defer { unsetenv("OPENAI_API_KEY") }
    let server = try await FaultServer { _ in FaultServer.answer("yes") }
    _ = try await model(server).complete(request())
    #expect(server.requests.first?.head.contains("this-must-not-travel") == false)
    await server.stop()
  }

  @Test(
    "each status has its kind and its retry advice",
    arguments: [
      Case("400 Bad", #"{"error":{"message":"Unknown parameter"}}"#, .languageModelRejected, .never),
      Case("400 Bad", #"{"error":{"message":"Say it otherwise."}}"#, .inputRejected, .never),
      Case("400 Bad", #"{"error":{"message":"x","code":"context_length_exceeded"}}"#, .contextWindowExceeded, .never),
      Case("413 Large", "too big", .contextWindowExceeded, .never),
      Case("403 Forbidden", "{}", .authentication, .never),
      Case("404 Not Found", "{}", .languageModelRejected, .never),
      Case("422 Unprocessable", "{}", .inputRejected, .never),
      Case("302 Found", "", .languageModelRejected, .never, headers: "location: http://127.0.0.1:1/\r\n"),
      Case("408 Timeout", "", .languageModelUnavailable, .backOff),
      Case("500 Oops", "<html>\u{7}no JSON</html>", .languageModelUnavailable, .backOff),
      Case("503 Busy", "{}", .languageModelUnavailable, .after(3), headers: "Retry-After: 3\r\n"),
      Case("429 Slow", "{}", .rateLimited, .backOff),
      Case("429 Slow", "{}", .rateLimited, .after(0.25), headers: "retry-after: 0.25\r\n"),
      Case("429 Slow", "{}", .rateLimited, .after(0.5), headers: "retry-after-ms: 500\r\n"),
      Case("429 Slow", "{}", .rateLimited, .after(0), headers: "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
      Case(
        "429 Slow", #"{"error":{"code":"insufficient_quota"}}"#, .insufficientCredit, .never,
        headers: "retry-after: 1\r\n"),
      Case("200 OK", #"{"error":{"message":"upstream is down","code":502}}"#, .languageModelUnavailable, .backOff),
      Case("200 OK", #"{"choices": [{"mess"#, .malformedReply, .backOff),
      Case("200 OK", #"{"choices": []}"#, .malformedReply, .backOff),
      Case("200 OK", #"{"choices": [7]}"#, .malformedReply, .backOff),
      Case("200 OK", "", .malformedReply, .backOff),
    ])
  func statuses(given: Case) async throws {
    let server = try await FaultServer { _ in FaultServer.response(given.status, given.body, headers: given.headers) }
    let failure = try #require(await failure(of: model(server)))
    #expect(failure.error.kind == given.kind)
    #expect(failure.retry == given.retry)
    #expect(failure.error.remedy != nil)
    #expect(!failure.error.description.utf8.contains(7))
    await server.stop()
  }

  @Test("a connection that closes within a reply, or is refused, is worth another attempt")
  func broken() async throws {
    let server = try await FaultServer { _ in
      [.send(Array("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"choices\": [".utf8)), .close]
    }
    let half = try #require(await failure(of: model(server)))
    #expect(half.error.kind == .languageModelUnavailable && half.retry == .backOff)
    let gone = try model(server)
    await server.stop()
    let refused = try #require(await failure(of: gone))
    #expect(refused.error.kind == .languageModelUnavailable && refused.retry == .backOff)
    #expect(refused.error.remedy?.contains(gone.endpoint) == true)
  }

  @Test("a reply beyond 16 MiB is refused")
  func huge() async throws {
    let server = try await FaultServer { _ in
      let chunk = [UInt8](repeating: 0x20, count: 1 << 20)
      return [.send(Array("HTTP/1.1 200 OK\r\ncontent-length: 41943040\r\n\r\n".utf8))]
        + (0..<40).map { _ in .send(chunk) }
    }
    let failure = try #require(await failure(of: model(server)))
    #expect(failure.error.kind == .malformedReply && failure.retry == .never)
    await server.stop()
  }

  @Test("an endpoint that hangs is left at the deadline")
  func hang() async throws {
    let server = try await FaultServer { _ in [] }
    let failure = try #require(await failure(of: model(server) { $0.timeout = 0.1 }))
    #expect(failure.error.kind == .timeout && failure.retry == .backOff)
    await server.stop()
  }

  @Test("cancelling closes the socket at once, before the reply and within it", arguments: [false, true])
  func cancel(withinBody: Bool) async throws {
    let server = try await FaultServer { _ in
      withinBody ? [.send(Array("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{".utf8))] : []
    }
    let model = try model(server)
    let task = Task { await failure(of: model) }
    #expect(await eventually { server.requests.count == 1 })
    try await Task.sleep(for: .milliseconds(30))
    task.cancel()
    #expect(await task.value?.error.kind == .cancelled)
    #expect(await eventually { server.closed == 1 })
    await server.stop()
  }

  @Test("a slow reply that arrives in pieces is read whole")
  func slow() async throws {
    let body = #"{"choices":[{"message":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}}]}"#
    let server = try await FaultServer { _ in
      [.send(Array("HTTP/1.1 200 OK\r\ncontent-length: \(body.utf8.count)\r\n\r\n".utf8))]
        + body.utf8.map { $0 }.chunks(of: 20).flatMap { [FaultServer.Step.send($0), .wait(0.005)] }
    }
    let reply = try await model(server).complete(request("four"))
    #expect(reply.texts == ["ab"])
    // The endpoint counted nothing: about four bytes a token.
    #expect(reply.usage.outputTokens == 1 && reply.usage.inputTokens > 0)
    await server.stop()
  }

  @Test("several completions are asked for at once where the provider can, else side by side")
  func several() async throws {
    let server = try await FaultServer { request in FaultServer.answer("answer \(request.number)") }
    var configuration = ModelConfiguration(model: "groq/x")
    configuration.apiBase = server.base
    configuration.sampling.n = 3
    configuration.sampling.seed = 5
    let store = MemoryAnswerStore()
    let groq = ModelClient(
      model: try ModelRegistry.make(configuration), configuration: configuration, answers: store)
    let account = RunAccount()
    let prompt = Prompt([ChatMessage(.user, "hello")])
    let answer = try await groq.complete(prompt, context: CallContext(account: account))
    #expect(Set(answer.reply.texts) == ["answer 1", "answer 2", "answer 3"] && answer.source == .model)
    #expect(answer.reply.usage == TokenUsage(inputTokens: 21, outputTokens: 9))
    #expect(account.usage.total.calls == 3 && store.count == 3)
    let seeds = try server.requests.map { try JSONReader.read($0.body)["seed"]?.intValue }
    #expect(Set(seeds) == [5, 6, 7])
    let again = try await groq.complete(prompt, context: CallContext(account: account))
    #expect(again.reply.texts == answer.reply.texts && again.source == .cache)
    let openAI = try model(server)
    var request = request()
    request.options.n = 3
    _ = try await openAI.complete(request)
    #expect(!openAI.splitsChoices)
    #expect(try JSONReader.read(server.requests[3].body)["n"] == 3)
    await server.stop()
  }

  @Test("through the client, faults on the way are mended and cost no answer")
  func throughClient() async throws {
    let server = try await FaultServer { request in
      switch request.number {
      case 1: FaultServer.response("429 Slow", "{}", headers: "retry-after: 0.05\r\n")
      case 2: FaultServer.response("500 Oops", "{}", headers: "retry-after: 0\r\n")
      case 3: [.close]
      default: FaultServer.answer("fine")
      }
    }
    var configuration = ModelConfiguration(model: "openai/tiny")
    configuration.apiBase = server.base
    let client = ModelClient(
      model: try ModelRegistry.make(configuration), configuration: configuration, answers: MemoryAnswerStore())
    let account = RunAccount()
    let answer = try await client.complete(
      Prompt([ChatMessage(.user, "hello")]), context: CallContext(account: account))
    #expect(answer.reply.texts == ["fine"])
    #expect(account.usage.total.calls == 4 && account.usage.total.failed == 3)
    await server.stop()
  }

  private func model(
    _ server: FaultServer, _ change: (inout ModelConfiguration) -> Void = { _ in }
  ) throws -> OpenAICompatibleModel {
    var configuration = ModelConfiguration(model: "openai/tiny")
    configuration.apiBase = server.base
    change(&configuration)
    return try OpenAICompatibleModel(configuration)
  }
}

struct Case: Sendable, CustomTestStringConvertible {
  var status: String
  var body: String
  var kind: FailureKind
  var retry: RetryAdvice
  var headers: String

  init(_ status: String, _ body: String, _ kind: FailureKind, _ retry: RetryAdvice, headers: String = "") {
    self.status = status
    self.body = body
    self.kind = kind
    self.retry = retry
    self.headers = headers
  }

  var testDescription: String { "\(status) \(headers.dropLast(2)) \(body.prefix(40))" }
}

func request(_ text: String = "hello") -> ModelRequest { ModelRequest(prompt: Prompt([ChatMessage(.user, text)])) }

func failure(of model: OpenAICompatibleModel) async -> ModelFailure? {
  do throws(ModelFailure) {
    _ = try await model.complete(request())
    return nil
  } catch {
    return error
  }
}

func eventually(_ condition: () -> Bool) async -> Bool {
  for _ in 0..<20_000 {
    if condition() { return true }
    try? await Task.sleep(for: .milliseconds(1))
  }
  return condition()
}

extension Array {
  fileprivate func chunks(of size: Int) -> [[Element]] {
    stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
  }
}

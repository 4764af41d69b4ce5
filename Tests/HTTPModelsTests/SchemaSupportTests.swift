import Basics
import Failures
import HTTPModels
import JSON
import LanguageModels
import Messages
import Synchronization
import Testing

@Suite("Schemas and thoughts of endpoints", .timeLimit(.minutes(1)))
struct SchemaSupportTests {
  private static let schema: JSONValue = ["type": "object", "properties": ["answer": ["type": "integer"]]]

  private func request() -> ModelRequest {
    var options = SamplingOptions()
    options.schema = Self.schema
    return ModelRequest(prompt: Prompt([ChatMessage(.user, "JSON, please")]), options: options)
  }

  private func client(_ server: FaultServer, _ answers: any AnswerStore) throws -> ModelClient {
    var configuration = ModelConfiguration(model: "openai/schema-\(UInt64.random(in: .min ... .max))")
    configuration.apiBase = server.base
    return try client(configuration, answers)
  }

  private func client(_ configuration: ModelConfiguration, _ answers: any AnswerStore) throws -> ModelClient {
    ModelClient(model: try OpenAICompatibleModel(configuration), configuration: configuration, answers: answers)
  }

  private static func format(_ body: String) -> JSONValue? { (try? JSONReader.read(body))?["response_format"] }

  @Test("an endpoint that takes schemas gets a strict one")
  func strict() async throws {
    let server = try await FaultServer { _ in FaultServer.answer("{}") }
    _ = try await client(server, MemoryAnswerStore()).complete(
      request().prompt, options: request().options, context: CallContext(account: RunAccount()))
    #expect(
      Self.format(server.requests[0].body) == [
        "type": "json_schema", "json_schema": ["name": "outputs", "strict": true, "schema": Self.schema],
      ])
    await server.stop()
  }

  @Test(
    "one that refuses them is asked for any object, then with the prompt alone; all later calls know, and the store does",
    arguments: [("json_object", 2), ("none", 3)])
  func stepsDown(takes: String, requests: Int) async throws {
    let server = try await FaultServer { request in
      switch Self.format(request.body)?["type"]?.stringValue {
      case "json_schema"?:
        FaultServer.response(
          "400 Bad Request", #"{"error":{"message":"json_schema is not supported","param":"response_format"}}"#)
      case "json_object"? where takes == "none":
        FaultServer.response("422 Unprocessable", #"{"detail":"unknown member response_format"}"#)
      default: FaultServer.answer("{}")
      }
    }
    let store = CapabilityStore()
    let account = RunAccount()
    let client = try client(server, store)
    let answer = try await client.complete(
      request().prompt, options: request().options, context: CallContext(account: account, rollout: 1))
    #expect(answer.reply.texts == ["{}"])
    #expect(server.requests.count == requests)
    // What was refused is on the bill as failed requests.
    #expect(account.usage.total.calls == requests && account.usage.total.failed == requests - 1)
    _ = try await client.complete(
      request().prompt, options: request().options, context: CallContext(account: account, rollout: 2))
    #expect(server.requests.count == requests + 1)
    #expect(store.kept == [takes])
    await server.stop()
  }

  @Test("what the store knows spares the refusals")
  func known() async throws {
    let server = try await FaultServer { _ in FaultServer.answer("{}") }
    let store = CapabilityStore("json_object")
    _ = try await client(server, store).complete(
      request().prompt, options: request().options, context: CallContext(account: RunAccount()))
    #expect(Self.format(server.requests[0].body) == ["type": "json_object"])
    await server.stop()
  }

  @Test("another refusal is one, whatever was asked for")
  func otherRefusals() async throws {
    let server = try await FaultServer { _ in
      FaultServer.response("400 Bad Request", #"{"error":{"message":"no such model"}}"#)
    }
    let client = try client(server, MemoryAnswerStore())
    let error = await #expect(throws: HoneError.self) {
      try await client.complete(
        self.request().prompt, options: self.request().options, context: CallContext(account: RunAccount()))
    }
    #expect(error?.kind == .languageModelRejected)
    #expect(server.requests.count == 1)
    await server.stop()
  }

  // MARK: Thoughts

  private func reply(_ message: String, _ reason: String = "stop") async throws -> ModelReply {
    let server = try await FaultServer { _ in
      FaultServer.response("200 OK", "{\"choices\":[{\"message\":\(message),\"finish_reason\":\"\(reason)\"}]}")
    }
    var configuration = ModelConfiguration(model: "openai/thinker")
    configuration.apiBase = server.base
    let reply = try await OpenAICompatibleModel(configuration).complete(request())
    await server.stop()
    return reply
  }

  @Test("thoughts come beside the text", arguments: ["reasoning_content", "reasoning"])
  func thoughts(member: String) async throws {
    let reply = try await reply("{\"content\":\"42\",\"\(member)\":\"six times seven\"}")
    #expect(reply.texts == ["42"] && reply.reasoning == ["six times seven"])
    #expect(try await self.reply("{\"content\":\"42\"}").reasoning.isEmpty)
  }

  @Test("a reply that a server took for thoughts is the text where the model ended by itself")
  func misplaced() async throws {
    #expect(try await reply("{\"content\":null,\"reasoning_content\":\"42\"}").texts == ["42"])
    let cut = try await reply("{\"content\":\"\",\"reasoning_content\":\"well, six\"}", "length")
    #expect(cut.texts == [""] && cut.reasoning == ["well, six"])
  }
}

/// Keeps what was learned, and no answers.
private final class CapabilityStore: AnswerStore {
  private let values: Mutex<(known: String?, kept: [String])>

  init(_ known: String? = nil) { values = Mutex((known, [])) }

  /// What was kept last, as a list of none or one.
  var kept: [String] { values.withLock { Array($0.kept.suffix(1)) } }

  func answer(for key: ContentDigest) throws(HoneError) -> StoredAnswer? { nil }
  func keep(_ answer: StoredAnswer, for key: ContentDigest) async throws(HoneError) {}
  func capability(_ name: String, of identity: String) throws(HoneError) -> String? { values.withLock { $0.known } }
  func keepCapability(_ name: String, _ value: String, of identity: String) async throws(HoneError) {
    values.withLock { $0.kept.append(value) }
  }
}

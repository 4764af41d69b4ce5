package import Failures
import JSON
package import LanguageModels
package import Messages
import NIOCore
import NIOHTTP1
package import Networking
import Platform

/// A model behind an endpoint that speaks OpenAI's protocol of chat completions, or of embeddings: then a reply is the
/// vector of the prompt's text, 32-bit numbers in base 64.
///
/// The key is read from the environment for each request and kept nowhere, so that it can be replaced
/// while a run goes on.
package struct OpenAICompatibleModel: LanguageModel {
  package let identity: String
  package let endpoint: String
  package let target: Endpoint
  private let support: LearnedSchemaSupport
  private let tokenLimit: LearnedTokenLimit
  private let timeout: Double
  private let headers: [(name: String, variable: String)]

  /// Seconds after which a request ends even if nobody aborts it.
  private static let longestRequest = 900.0

  /// - Throws: `invalidParams` where the configuration names no endpoint.
  package init(
    _ configuration: ModelConfiguration, _ variables: Variables = .process, service: Endpoint.Service = .chat
  ) throws(HoneError) {
    target = try Endpoint(configuration, variables, service: service)
    endpoint = target.base
    identity = "\(target.url) \(target.model)"
    support = .shared(for: identity)
    tokenLimit = .shared(for: identity, usual: target.tokenLimit)
    timeout = configuration.timeout ?? Self.longestRequest
    headers = configuration.headers.variables.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  package var isElastic: Bool { target.provider.isElastic }
  package var schemaSupport: LearnedSchemaSupport? { support }

  package var splitsChoices: Bool { !target.provider.supportsN }

  package func complete(_ request: ModelRequest) async throws(ModelFailure) -> ModelReply {
    let key = try key()
    var headers: [(String, String)] = []
    for (name, variable) in self.headers { headers.append((name, try Self.value(of: variable, header: name))) }
    // What this request tells the endpoint must not come back in what the endpoint says.
    let secrets = headers.map(\.1) + (key.map { [$0] } ?? []) + target.route.secrets
    let redactor = Redactor(secrets: secrets).merged(with: .process)
    let reader = ReplyReader(endpoint: target, redactor: redactor)
    let asked = support.support
    let limit = tokenLimit.value
    let body = body(of: request, asking: asked, limit: limit)
    var fields = [("content-type", "application/json"), ("accept", "application/json")]
    if let key {
      switch target.provider.keyHeader {
      case .bearer: fields.append(("authorization", "Bearer \(key)"))
      case .apiKey: fields.append(("api-key", key))
      }
    }
    let length = body.count
    let sending = SendingBody(body)
    do {
      let amount = TimeAmount.nanoseconds(Int64(min(timeout, 1e9) * 1e9))
      let asking = Asking(
        target: target, headers: HTTPHeaders(fields), further: headers, body: sending, deadline: .now() + amount)
      let response = try await asking.response()
      guard response.status == .ok else {
        let pause = pause(response.headers)
        let status = Int(response.status.code)
        let said = response.said
        if request.options.schema != nil, request.options.extra["response_format"] == nil, asked != .none,
          reader.refusesResponseFormat(status: status, body: said)
        {
          support.note(refused: asked)
          throw ModelFailure(
            reader.failure(status: status, body: said, pause: pause).error, retry: .adapted, spent: .nothing)
        }
        if status == 407, let proxy = target.route.proxy {
          throw ModelFailure(
            HoneError(
              .authentication,
              "\(target.base) could not be reached: \(proxy) wants a user name and password. (status 407)",
              remedy: "Write them into the proxy's URL: http://USER:PASSWORD@HOST:PORT."),
            retry: .never, spent: .nothing)
        }
        var failure = reader.failure(status: status, body: said, pause: pause)
        if response.isPathMissing {
          failure.error.remedy =
            "There is no \(target.service.rawValue) at \(target.base), nor at \(target.base)/v1: check the base URL."
        }
        if request.options.maxTokens != nil, failure.error.details["fault"] != Fault.account.rawValue,
          (400..<500).contains(status), tokenLimit.learn(from: reader.words(said), refused: limit)
        {
          failure.retry = .adapted
        }
        throw failure
      }
      let received = try await response.body.collect(upTo: SharedHTTPClient.maximumReplySize)
      var reply = try await apart(where: received.readableBytes > ComputationThreads.longText) {
        switch target.service {
        case .chat: try reader.reply(received.readableBytesView, promptBytes: length)
        case .embeddings: try reader.vector(received.readableBytesView, promptBytes: length)
        }
      }
      // LiteLLM's proxy tells the cost beside the reply.
      let told = response.headers.first(name: "x-litellm-response-cost").flatMap(Double.init)
      reply.cost = reply.cost ?? told.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
      return reply
    } catch let failure as ModelFailure {
      throw failure
    } catch {
      var failure = await TransportFailure(endpoint: target, redactor: reader.redactor, timeout: timeout).failure(error)
      failure.spent = sending.hasBegun ? .unknown : .nothing
      throw failure
    }
  }

  private func key() throws(ModelFailure) -> String? {
    guard let variable = target.keyVariable else { return nil }
    let key = Self.environment(variable)
    if key.isEmpty, !target.requiresKey { return nil }
    guard !key.isEmpty else {
      throw ModelFailure(
        HoneError(
          .authentication,
          "The environment variable \(variable), that holds the key for \(target.base), is not set.",
          remedy: "Set \(variable) in the service's environment, or name another variable in the model's apiKeyEnv.",
          details: ["variable": variable]),
        retry: .never, spent: .nothing)
    }
    guard key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw ModelFailure(
        HoneError(
          .authentication, "The key in the environment variable \(variable) holds characters that cannot be in a key.",
          remedy: "Set \(variable) to the key alone.", details: ["variable": variable]),
        retry: .never, spent: .nothing)
    }
    return key
  }

  private static func environment(_ variable: String) -> String {
    let value = getenv(variable).map { String(cString: $0) } ?? ""
    return String(value.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }

  private static func value(of variable: String, header: String) throws(ModelFailure) -> String {
    let value = environment(variable)
    guard !value.isEmpty, value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
      let what = value.isEmpty ? "is not set" : "holds characters that cannot be in a header"
      throw ModelFailure(
        HoneError(
          .authentication, "The environment variable \(variable), that holds the header \(header), \(what).",
          remedy: "Set \(variable) in the service's environment, or name another variable in the model's headers.",
          details: ["variable": variable]),
        retry: .never, spent: .nothing)
    }
    return value
  }

  /// The request's JSON, a schema in it as far as the endpoint supports that.
  func body(
    of request: ModelRequest, asking support: SchemaSupport = .schema, limit: Provider.TokenLimit? = nil
  )
    -> [UInt8]
  {
    var object = JSONObject()
    object.append("model", .string(target.model))
    if target.service == .embeddings {
      object.append("input", .array(request.prompt.messages.map { .string($0.content) }))
      return JSONValue.object(object.merging(request.options.extra)).encoded()
    }
    object.append("messages", request.prompt.json)
    var options = request.options
    if options.schema != nil, support != .schema {
      options.schema = nil
      if support == .object {
        let anyObject: JSONObject = ["response_format": ["type": "json_object"]]
        options.extra = anyObject.merging(options.extra)
      }
    }
    for (name, value) in options.json {
      object[name == "max_tokens" ? (limit ?? target.tokenLimit).rawValue : name] = value
    }
    return JSONValue.object(object).encoded()
  }

  private func pause(_ headers: HTTPHeaders) -> Double? {
    if let value = headers.first(name: "retry-after-ms"), let milliseconds = Double(value), milliseconds >= 0 {
      return milliseconds / 1000
    }
    return headers.first(name: "retry-after").flatMap { RetryAfter.seconds($0, now: Double(time(nil))) }
  }
}

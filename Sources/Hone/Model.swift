public import JSON
import LanguageModels
import Schema

/// The language model that is asked.
///
///     let model: Model = "openai/gpt-4o-mini"
///     let local = Model("ollama/llama3", temperature: 0.7, apiBase: "http://127.0.0.1:11434/v1")
public struct Model: Sendable, ExpressibleByStringLiteral {
  /// One message of a chat.
  public struct Message: Sendable, Hashable {
    /// `system`, `user` or `assistant`.
    public let role: String
    public let content: String

    init(_ message: ChatMessageRecord) {
      role = message.role.rawValue
      content = message.content
    }
  }

  /// As `provider/model`, or the function's name.
  public let name: String
  let json: JSONValue
  let function: (@Sendable ([Message]) async throws -> String)?

  /// A model behind an endpoint.
  ///
  /// - Parameters:
  ///   - name: `provider/model`; any name where `apiBase` is given.
  ///   - temperature: how freely the model chooses its words.
  ///   - maxTokens: how many tokens a reply may have.
  ///   - apiBase: the endpoint's base URL, without `/chat/completions`.
  ///   - apiKeyEnv: the environment variable that holds the key; the provider's usual one unless given.
  ///   - cache: whether an equal request is answered from the store.
  ///   - options: further settings; `hone models` lists them.
  public init(
    _ name: String, temperature: Double? = nil, maxTokens: Int? = nil, apiBase: String? = nil, apiKeyEnv: String? = nil,
    cache: Bool = true, options: JSONObject = [:]
  ) {
    self.name = name
    var configuration = ModelConfiguration(model: name)
    configuration.sampling.temperature = temperature
    configuration.sampling.maxTokens = maxTokens
    configuration.apiBase = apiBase
    configuration.apiKeyEnv = apiKeyEnv
    configuration.cache = cache
    json = .object(configuration.json.merging(options))
    function = nil
  }

  /// A function of your own in place of an endpoint.
  ///
  /// - Parameters:
  ///   - name: what tracking calls it. A run is resumed with a model of the same name.
  ///   - complete: answers a chat with a text.
  public init(
    function name: String, complete: @escaping @Sendable (_ messages: [Message]) async throws -> String
  ) {
    self.name = name
    json = ["client": .string(name)]
    function = complete
  }

  public init(stringLiteral name: String) { self.init(name) }

  /// The embedded simulation, to try things offline. Its scores show how a search works, not what a model can do.
  public static let simulated = Model("simulated")
}

package import Failures
package import LanguageModels
package import Networking

/// Where a configuration's requests go and how they are made: its provider, base URL, model name and
/// the *name* of the variable that holds its key.
package struct Endpoint: Sendable, Hashable {
  package let provider: Provider
  /// The base URL without a closing slash.
  package let base: String
  /// What stands behind `?` in the base URL, such as Azure's `api-version`.
  package let query: String
  /// The model's name as the endpoint knows it.
  package let model: String
  package let keyVariable: String?
  package let requiresKey: Bool
  package let tokenLimit: Provider.TokenLimit
  /// The environment variable that names the base URL; nil where the request or the provider does.
  package let baseVariable: String?
  /// How it is reached.
  package let route: Route
  /// Whether its path may lack a `/v1`, as it names no version.
  let mayLackVersion: Bool

  /// What it is asked for.
  package let service: Service

  /// What endpoints do, by the path behind the base URL.
  package enum Service: String, Sendable {
    case chat = "chat/completions"
    case embeddings
  }

  /// Where requests are posted.
  package var url: String { url(at: base) }

  /// The same with the usual path behind the base URL.
  var versionedURL: String { url(at: base + "/v1") }

  private func url(at base: String) -> String { "\(base)/\(service.rawValue)" + (query.isEmpty ? "" : "?" + query) }

  /// Works out the endpoint of a configuration.
  /// - Throws: `invalidParams`, with the known providers and the nearest one, where it cannot be told.
  package init(
    _ configuration: ModelConfiguration, _ variables: Variables = .process, service: Service = .chat
  ) throws(HoneError) {
    self.service = service
    let name = configuration.model
    let slash = name.firstIndex(of: "/")
    let prefix = slash.map { String(name[..<$0]) } ?? ""
    let known = Provider.named(prefix)
    guard known != nil || configuration.apiBase != nil else { throw Endpoint.unknown(name, prefix: prefix) }

    let provider = known ?? Provider("openai-compatible", nil, supportsN: true)
    self.provider = provider
    // Without a known prefix the whole name is the model's ("meta-llama/Llama-3.1-8B" on one's own server).
    model = if known != nil, let slash { String(name[name.index(after: slash)...]) } else { name }
    guard !model.isEmpty else {
      throw Endpoint.invalid("model", "The name \(name) names a provider and no model.", got: name)
    }
    let stated = configuration.apiBase == nil ? provider.statedBase(variables) : nil
    baseVariable = stated?.variable
    guard let given = configuration.apiBase ?? stated?.base ?? provider.base else {
      let names = provider.baseVariables.joined(separator: " or ")
      throw Endpoint.invalid(
        "apiBase",
        "The provider \(provider.name) has no URL of its own: state the endpoint's base URL"
          + (names.isEmpty ? "." : ", here or in the environment variable \(names)."), got: nil)
    }
    var address = try Endpoint.checked(given, variable: stated?.variable)
    switch provider.name {
    case "azure":
      address = Azure.address(base: address.base, query: address.query, deployment: model, variables)
    case "ollama":
      // Its own API is beside the one that is asked.
      for ending in ["/api", "/api/chat", "/api/generate"] where address.base.hasSuffix(ending) {
        address.base = address.base.dropLast(ending.count) + "/v1"
      }
    default: break
    }
    (base, query) = address
    mayLackVersion =
      (configuration.apiBase != nil || stated != nil) && provider.name != "azure" && !Endpoint.namesVersion(base)
    route = try Route(to: base, variables)

    if let variable = configuration.apiKeyEnv {
      guard ModelConfiguration.isVariableName(variable) else {
        throw Endpoint.invalid("apiKeyEnv", "This is not the name of an environment variable.", got: nil)
      }
      keyVariable = variable
      requiresKey = true
    } else {
      // A provider's usual key goes to the provider only, never to a base URL that a request names. Whoever starts Hone may
      // say in a variable that the provider is elsewhere.
      let isOwnBase = configuration.apiBase == nil || (provider.base == nil && provider.requiresKey)
      keyVariable = isOwnBase ? variables.first(of: provider.keyVariables)?.name ?? provider.keyVariable : nil
      requiresKey = isOwnBase && provider.requiresKey && (stated == nil || provider.base == nil)
    }
    // Other servers behind openai/ know the older member; OpenAI's reasoning models refuse it.
    tokenLimit =
      (configuration.apiBase == nil && stated == nil) || provider.base == nil || Endpoint.isReasoningModel(model)
      ? provider.tokenLimit : .maxTokens
  }

  /// Whether a part of a base URL's path is a version: `v1`, `v1beta`, `v4`.
  private static func namesVersion(_ base: String) -> Bool {
    base.split(separator: "/").dropFirst(2).contains { part in
      part.wholeMatch(of: /v[0-9]+([a-z]+[0-9]*)?/) != nil
    }
  }

  private static func isReasoningModel(_ model: String) -> Bool {
    ["o1", "o3", "o4", "gpt-5"].contains { model == $0 || model.hasPrefix($0 + "-") || model.hasPrefix($0 + ".") }
  }

  /// A base URL without closing slashes and without the path of one of its services, and its query.
  ///
  /// - Parameter variable: the environment variable that names it, where it is not the request.
  static func checked(_ url: String, variable: String? = nil) throws(HoneError) -> (base: String, query: String) {
    func invalid(_ message: String, got: String?) -> HoneError {
      guard let variable else { return Endpoint.invalid("apiBase", message, got: got) }
      return Endpoint.invalid("apiBase", "In the environment variable \(variable): \(message)", got: got)
    }
    let rest: Substring
    if url.hasPrefix("http://") { rest = url.dropFirst(7) } else { rest = url.dropFirst(8) }
    guard url.hasPrefix("http://") || url.hasPrefix("https://"), let first = rest.first, first != "/", first != "?",
      !url.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F })
    else {
      throw invalid(
        "Expected a URL that begins with http:// or https:// and a host.", got: url.contains("@") ? Optional.none : url)
    }
    guard !rest.prefix(while: { $0 != "/" && $0 != "?" }).contains("@") else {
      throw invalid(
        "A base URL must not contain a user name or password; name the key's variable in apiKeyEnv.",
        got: nil)
    }
    let parts = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let names = parts.dropFirst().joined().split(separator: "&").map { String($0.prefix { $0 != "=" }) }
    guard !names.contains(where: ModelConfiguration.namesSecret) else {
      throw invalid("A base URL must not contain a key; name the key's variable in apiKeyEnv.", got: nil)
    }
    var base = parts[0]
    while base.last == "/" { base.removeLast() }
    for ending in ["/chat/completions", "/completions", "/responses", "/embeddings", "/v1/models"]
    where base.hasSuffix(ending) {
      base.removeLast(ending == "/v1/models" ? "/models".count : ending.count)
      break
    }
    while base.hasSuffix("/v1/v1") { base.removeLast("/v1".count) }
    return (String(base), parts.count > 1 ? String(parts[1]) : "")
  }

  private static func invalid(_ path: String, _ message: String, got: String?) -> HoneError {
    HoneError(
      .invalidParams, "lm.\(path): \(message)", problems: [Problem(path: "lm.\(path)", message: message, got: got)])
  }

  private static func unknown(_ name: String, prefix: String) -> HoneError {
    let names = Provider.all.map(\.name) + ["simulated"]
    if let instead = Provider.foreign[prefix] {
      let message =
        "The provider \(prefix) (in the model's name \(name)) does not speak the protocol of chat completions."
      return HoneError(
        .invalidParams, message, remedy: "Write \(instead).",
        problems: [Problem(path: "lm.model", message: message, got: name)])
    }
    let wanted = prefix.isEmpty ? name : prefix
    let nearest =
      nearest(to: wanted, among: names)
      ?? nearest(to: wanted, among: Provider.all.flatMap(\.otherNames)).flatMap { Provider.named($0)?.name }
    let message =
      prefix.isEmpty
      ? "The model \(name) names no provider." : "There is no provider \(prefix) (in the model's name \(name))."
    return HoneError(
      .invalidParams, message + (nearest.map { " Did you mean \($0)?" } ?? ""),
      remedy: "Write provider/model with one of \(names.joined(separator: ", ")), or give the endpoint's apiBase.",
      problems: [
        Problem(path: "lm.model", message: message, got: name, allowed: names, suggestion: nearest)
      ])
  }
}

extension Provider {
  /// Where the environment says that it is: the base URL, and the variable.
  func statedBase(_ variables: Variables) -> (base: String, variable: String)? {
    variables.first(of: baseVariables).map { name, value in
      (name == Ollama.hostVariable ? Ollama.base(of: value) : value, name)
    }
  }
}

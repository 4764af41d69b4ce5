package import Failures
package import LanguageModels

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

  /// Where completions are posted.
  package var url: String { base + "/chat/completions" + (query.isEmpty ? "" : "?" + query) }

  /// Works out the endpoint of a configuration.
  /// - Throws: `invalidParams`, with the known providers and the nearest one, where it cannot be told.
  package init(_ configuration: ModelConfiguration) throws(HoneError) {
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
    guard let base = configuration.apiBase ?? provider.base else {
      throw Endpoint.invalid(
        "apiBase", "The provider \(provider.name) has no URL of its own: state the endpoint's base URL.", got: nil)
    }
    (self.base, query) = try Endpoint.checked(base)

    if let variable = configuration.apiKeyEnv {
      guard ModelConfiguration.isVariableName(variable) else {
        throw Endpoint.invalid("apiKeyEnv", "This is not the name of an environment variable.", got: nil)
      }
      keyVariable = variable
      requiresKey = true
    } else {
      // A provider's usual key goes to the provider only, never to a base URL that a request names.
      let isOwnBase = configuration.apiBase == nil || provider.base == nil
      keyVariable = isOwnBase ? provider.keyVariable : nil
      requiresKey = isOwnBase && provider.requiresKey
    }
    // Other servers behind openai/ know the older member; OpenAI's reasoning models refuse it.
    tokenLimit =
      configuration.apiBase == nil || provider.base == nil || Endpoint.isReasoningModel(model)
      ? provider.tokenLimit : .maxTokens
  }

  private static func isReasoningModel(_ model: String) -> Bool {
    ["o1", "o3", "o4", "gpt-5"].contains { model == $0 || model.hasPrefix($0 + "-") || model.hasPrefix($0 + ".") }
  }

  /// A base URL without closing slashes and without `/chat/completions`, and its query.
  private static func checked(_ url: String) throws(HoneError) -> (base: String, query: String) {
    let rest: Substring
    if url.hasPrefix("http://") { rest = url.dropFirst(7) } else { rest = url.dropFirst(8) }
    guard url.hasPrefix("http://") || url.hasPrefix("https://"), let first = rest.first, first != "/", first != "?",
      !url.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F })
    else { throw invalid("apiBase", "Expected a URL that begins with http:// or https:// and a host.", got: url) }
    guard !rest.prefix(while: { $0 != "/" && $0 != "?" }).contains("@") else {
      throw invalid(
        "apiBase", "A base URL must not contain a user name or password; name the key's variable in apiKeyEnv.",
        got: nil)
    }
    let parts = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let names = parts.dropFirst().joined().split(separator: "&").map { String($0.prefix { $0 != "=" }) }
    guard !names.contains(where: ModelConfiguration.namesSecret) else {
      throw invalid("apiBase", "A base URL must not contain a key; name the key's variable in apiKeyEnv.", got: nil)
    }
    var base = parts[0]
    while base.last == "/" { base.removeLast() }
    if base.hasSuffix("/chat/completions") { base.removeLast("/chat/completions".count) }
    return (String(base), parts.count > 1 ? String(parts[1]) : "")
  }

  private static func invalid(_ path: String, _ message: String, got: String?) -> HoneError {
    HoneError(
      .invalidParams, "lm.\(path): \(message)", problems: [Problem(path: "lm.\(path)", message: message, got: got)])
  }

  private static func unknown(_ name: String, prefix: String) -> HoneError {
    let names = Provider.all.map(\.name) + ["simulated"]
    let nearest = prefix.isEmpty ? nearest(to: name, among: names) : nearest(to: prefix, among: names)
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

package import Schema

/// That an environment variable of the service may be sent to a host.
package struct KeyGrant: SchemaObject, Hashable {
  package static let members: [Member<Self>] = [
    Member("variable", \.variable, isRequired: true, "The environment variable."),
    Member("host", \.host, isRequired: true, "The host that it may be sent to; with a port only that port's."),
    Member("file", \.file, "The program file for which an editor was allowed to; any request where it is missing."),
  ]
  package var variable = ""
  /// In lower case: `llm.example.org`, `llm.example.org:8000`.
  package var host = ""
  package var file: String?

  package init() {}

  package init(_ variable: String, _ host: String, file: String? = nil) {
    self.variable = variable
    self.host = host.lowercased()
    self.file = file
  }

  /// From `NAME=HOST`; nil where it is not of that form.
  package init?(option: String) {
    let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { return nil }
    self.init(checking: parts[0], parts[1])
  }

  /// Nil where one is no name of a variable or no host.
  package init?(checking variable: String, _ host: String, file: String? = nil) {
    guard variable.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]{0,127}/) != nil, host.count <= 260,
      host.wholeMatch(of: /(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/) != nil
    else { return nil }
    self.init(variable, host, file: file)
  }

  /// Whether it covers that variable, host and port, asked for by that program file or by none.
  func covers(_ variable: String, _ address: KeyAddress, file: String?) -> Bool {
    self.variable == variable && (host == address.host || host == address.hostAndPort)
      && (self.file == nil || self.file == file)
  }
}

/// Where a key would go: the scheme, host and port of a base URL.
struct KeyAddress: Hashable {
  let scheme: String
  /// In lower case, an IPv6 address in brackets.
  let host: String
  let port: Int

  var hostAndPort: String { "\(host):\(port)" }

  /// - Parameter base: a URL that begins with http:// or https://.
  init(_ base: String) {
    scheme = base.hasPrefix("https:") ? "https" : "http"
    let authority = base.dropFirst(scheme.count + 3).prefix { !"/?#".contains($0) }
    // An IPv6 address has colons of its own.
    let end = authority.lastIndex(of: "]") ?? authority.startIndex
    let colon = authority[end...].lastIndex(of: ":")
    host = String(authority[..<(colon ?? authority.endIndex)]).lowercased()
    port = colon.flatMap { Int(authority[authority.index(after: $0)...]) } ?? (scheme == "https" ? 443 : 80)
  }

  /// Whether it is this machine, whatever the name service says.
  var isLoopback: Bool {
    let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    return host == "localhost" || host == "[::1]" || parts.count == 4 && !parts.contains(nil) && parts[0] == 127
  }
}

import Platform

/// The scheme, host and port of a URL, as far as choosing the way there needs them.
package struct WebAddress: Sendable, Hashable {
  package let scheme: String
  /// In lower case, an IPv6 address without brackets.
  package let host: String
  package let port: Int

  /// - Parameter url: a URL that begins with http:// or https://.
  package init(_ url: String) {
    scheme = url.lowercased().hasPrefix("https:") ? "https" : "http"
    let authority = url.dropFirst(scheme.count + 3).prefix { !"/?#".contains($0) }
    let place = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
    let parts = Self.split(place)
    host = parts.host.lowercased()
    port = parts.port.flatMap { Int($0) } ?? (scheme == "https" ? 443 : 80)
  }

  /// A host and, where there is one, a port: `a:1`, `[::1]:1`, `::1`.
  static func split(_ text: some StringProtocol) -> (host: String, port: String?) {
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
      let rest = text[text.index(after: end)...]
      return (String(text[..<end].dropFirst()), rest.hasPrefix(":") ? String(rest.dropFirst()) : nil)
    }
    // Several colons without brackets are an IPv6 address.
    guard let colon = text.firstIndex(of: ":"), !text[text.index(after: colon)...].contains(":") else {
      return (String(text), nil)
    }
    return (String(text[..<colon]), String(text[text.index(after: colon)...]))
  }

  /// Whether it is this machine, whatever the name service says.
  package var isLoopback: Bool {
    if host == "localhost" || host.hasSuffix(".localhost") { return true }
    guard let bytes = Self.bytes(ofIP: host) else { return false }
    if bytes.count == 4 { return bytes[0] == 127 || bytes.allSatisfy { $0 == 0 } }
    return bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] <= 1
  }

  /// The bytes of an IP address, 4 or 16 of them; nil for a name.
  static func bytes(ofIP text: String) -> [UInt8]? {
    var four = in_addr()
    if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: &four) { Array($0) } }
    var sixteen = in6_addr()
    if inet_pton(AF_INET6, text, &sixteen) == 1 { return withUnsafeBytes(of: &sixteen) { Array($0) } }
    return nil
  }
}

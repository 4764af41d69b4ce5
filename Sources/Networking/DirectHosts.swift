/// Which hosts are reached without a proxy: the rules of `NO_PROXY` as curl and Go read them.
///
/// Entries are separated by commas or spaces. `example.org` and `.example.org` stand for the host and all below it,
/// `host:8080` for that port alone, `10.0.0.0/8` for a range of addresses, `*` for all. This machine's own addresses
/// are always reached directly, as in Go: no proxy can reach them, and a model of one's own is usually there.
struct DirectHosts: Sendable {
  private let entries: [String]

  init(_ list: String?) {
    entries = (list ?? "").split { $0 == "," || $0.isWhitespace }.map { $0.lowercased() }
  }

  func contains(_ address: WebAddress) -> Bool {
    address.isLoopback || entries.contains { Self.matches($0, address) }
  }

  private static func matches(_ entry: String, _ address: WebAddress) -> Bool {
    if entry == "*" { return true }
    if let slash = entry.firstIndex(of: "/") {
      return isInRange(address.host, String(entry[..<slash]), length: Int(entry[entry.index(after: slash)...]))
    }
    let (host, port) = WebAddress.split(entry)
    if let port, port != "*", Int(port) != address.port { return false }
    if let wanted = WebAddress.bytes(ofIP: host) { return WebAddress.bytes(ofIP: address.host) == wanted }
    let domain = host.hasPrefix("*.") ? host.dropFirst(2) : host.hasPrefix(".") ? host.dropFirst() : host[...]
    let own = address.host.hasSuffix(".") ? address.host.dropLast() : address.host[...]
    return !domain.isEmpty && (own == domain || own.hasSuffix("." + domain))
  }

  private static func isInRange(_ host: String, _ range: String, length: Int?) -> Bool {
    guard let length, let bytes = WebAddress.bytes(ofIP: host), let start = WebAddress.bytes(ofIP: range),
      bytes.count == start.count, (0...bytes.count * 8).contains(length)
    else { return false }
    return zip(bytes, start).enumerated().allSatisfy { index, pair in
      let bits = min(max(length - index * 8, 0), 8)
      let mask = UInt8(truncatingIfNeeded: 0xFF00 >> bits)
      return pair.0 & mask == pair.1 & mask
    }
  }
}

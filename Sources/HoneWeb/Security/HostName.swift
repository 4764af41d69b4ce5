import Platform

/// The name part of an address, as a `Host` or `Origin` header states it.
enum HostName {
  /// The name in `name`, `name:port` or `[address]:port`, in lower case; nil for anything else.
  static func name(of authority: String) -> String? {
    let text = authority.lowercased()
    guard !text.isEmpty, text.utf8.count <= 300,
      text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "@") && $0 != UInt8(ascii: "/") })
    else { return nil }
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]"), isPort(text[text.index(after: close)...]) else { return nil }
      let inner = String(text[text.index(after: text.startIndex)..<close])
      return isAddress(inner) ? inner : nil
    }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 1 || isPort(":" + parts[1]) else { return nil }
    return String(parts[0])
  }

  private static func isPort(_ text: some StringProtocol) -> Bool {
    text.isEmpty || (text.hasPrefix(":") && UInt16(text.dropFirst()) != nil)
  }

  /// Whether the text is an IP address, and not a name that merely begins like one.
  static func isAddress(_ text: String) -> Bool {
    var four = in_addr()
    var six = in6_addr()
    return inet_pton(AF_INET, text, &four) == 1 || inet_pton(AF_INET6, text, &six) == 1
  }

  /// Whether only this machine can reach the address.
  static func isLoopback(_ name: String) -> Bool {
    let name = name.lowercased()
    if name == "localhost" { return true }
    var four = in_addr()
    if inet_pton(AF_INET, name, &four) == 1 { return UInt32(bigEndian: four.s_addr) >> 24 == 127 }
    var six = in6_addr()
    guard inet_pton(AF_INET6, name, &six) == 1 else { return false }
    return withUnsafeBytes(of: &six) { bytes in bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1 }
  }
}

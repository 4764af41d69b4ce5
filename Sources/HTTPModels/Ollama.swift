/// What Ollama's own variable says.
enum Ollama {
  static let hostVariable = "OLLAMA_HOST"

  /// The base URL that `OLLAMA_HOST` means, as Ollama's own client reads it (envconfig/config.go): host, host:port or a
  /// URL; the port is 11434 unless there is one or a scheme; where a server listens on all addresses, it is asked at this
  /// machine's own.
  static func base(of host: String) -> String {
    var rest = host[...].trimming { "\"' ".contains($0) }
    var (scheme, usual) = ("http", "11434")
    if let mark = rest.firstRange(of: "://") {
      scheme = rest[..<mark.lowerBound].lowercased()
      usual = scheme == "https" ? "443" : "80"
      rest = rest[mark.upperBound...]
    }
    let authority = rest.prefix { $0 != "/" }
    var path = rest.dropFirst(authority.count)
    while path.last == "/" { path.removeLast() }
    var name = authority
    var port = usual[...]
    let end = authority.lastIndex(of: "]") ?? authority.startIndex
    if let colon = authority[end...].lastIndex(of: ":"),
      authority.hasPrefix("[") || authority.count(where: { $0 == ":" }) == 1
    {
      name = authority[..<colon]
      port = authority[authority.index(after: colon)...]
    }
    if !name.hasPrefix("["), name.contains(":") { name = "[\(name)]" }
    let isEverywhere = name.isEmpty || name == "0.0.0.0"
    return
      "\(scheme)://\(isEverywhere ? "127.0.0.1" : name == "[::]" ? "[::1]" : name):\(port.isEmpty ? usual[...] : port)\(path)/v1"
  }
}

extension Substring {
  fileprivate func trimming(_ isOuter: (Character) -> Bool) -> Substring {
    var text = self
    while let first = text.first, isOuter(first) { text.removeFirst() }
    while let last = text.last, isOuter(last) { text.removeLast() }
    return text
  }
}

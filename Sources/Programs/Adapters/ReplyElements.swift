/// The texts between tags of the outputs' names: of several of one name the first counts.
///
/// No XML is asked for beyond the tags: what stands between them may hold `<` and `&` as they are. A tag that is not
/// closed reaches to the next output's tag, or to the end.
enum ReplyElements {
  /// - Returns: for each name the text, trimmed, and whether its tag was closed; nil where there is no such tag.
  static func texts(in reply: String, names: [String]) -> [(text: String, isClosed: Bool)?] {
    let openings = names.map { reply.firstRange(of: "<\($0)>") }
    return zip(names, openings).map { name, opening in
      guard let start = opening?.upperBound else { return nil }
      if let end = reply[start...].firstRange(of: "</\(name)>") {
        return (unescaped(reply[start..<end.lowerBound]), true)
      }
      let next = openings.compactMap { $0?.lowerBound }.filter { $0 > start }.min() ?? reply.endIndex
      return (unescaped(reply[start..<next]), false)
    }
  }

  private static let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]

  private static func unescaped(_ text: Substring) -> String {
    let text = String(text).trimmed
    guard text.utf8.contains(UInt8(ascii: "&")) else { return text }
    return entities.reduce(text) { $0.replacing($1.0, with: $1.1) }
  }
}

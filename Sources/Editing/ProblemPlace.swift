import Failures
import JSON

extension JSONTree {
  /// The bytes that a problem is about: the member's name, the value, or the part of a text that is wrong.
  ///
  /// A problem's path may lead further than the document does (into a data file's rows, or to a member that is
  /// missing); it is then about the last value on the way.
  func range(of problem: Problem, in source: SourceText) -> Range<Int> {
    guard let root else { return 0..<min(1, source.bytes.count) }
    var node = root
    var name: Range<Int>?
    var rest = problem.path[...]
    while let (next, keyRange, remaining) = step(from: node, along: rest) {
      if remaining.isEmpty, problem.isAboutName, let keyRange { return keyRange }
      node = next
      name = keyRange ?? name
      rest = remaining
    }
    // What is wrong with the rows of a file stands in the file: the document names it.
    if !rest.isEmpty, let file = node.members?.last(where: { $0.key == "path" })?.value { return file.range }
    if !rest.isEmpty, node.members != nil {
      // Something is missing here: the object's name says where, or its brace.
      return name ?? node.range.lowerBound..<(node.range.lowerBound + 1)
    }
    return part(of: node, named: problem.got, in: source) ?? node.range
  }

  /// One step along a path such as `steps[2].inputs.question`. Names may hold dots, so the longest that fits is taken.
  private func step(
    from node: Node, along path: Substring
  ) -> (node: Node, keyRange: Range<Int>?, rest: Substring)? {
    let path = path.first == "." ? path.dropFirst() : path
    switch node.content {
    case .object(let members):
      let fitting = members.filter { member in
        guard !member.key.isEmpty, path.hasPrefix(member.key) else { return false }
        let next = path.dropFirst(member.key.count).first
        return next == nil || next == "." || next == "["
      }
      guard let member = fitting.max(by: { $0.key.utf8.count <= $1.key.utf8.count }) else { return nil }
      let place = member.value ?? Node(range: member.keyRange, content: .other)
      return (place, member.keyRange, path.dropFirst(member.key.count))
    case .array(let elements):
      guard path.first == "[", let close = path.firstIndex(of: "]"),
        let index = Int(path[path.index(after: path.startIndex)..<close]), elements.indices.contains(index)
      else { return nil }
      return (elements[index], nil, path[path.index(after: close)...])
    default: return nil
    }
  }

  /// Where `got` stands in a text, if it is a part of it that is found at once.
  private func part(of node: Node, named got: String?, in source: SourceText) -> Range<Int>? {
    guard case .string(let text) = node.content, let got, !got.isEmpty, got != text else { return nil }
    let token = source.bytes[node.range]
    // With escapes in it, bytes of the token are not those of the text.
    guard !token.contains(UInt8(ascii: "\\")), let place = text.ranges(of: got).last else { return nil }
    let start = node.range.lowerBound + 1 + text.utf8.distance(from: text.startIndex, to: place.lowerBound)
    return start..<(start + got.utf8.count)
  }
}

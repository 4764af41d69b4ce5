import JSON

/// Where everything in a JSON text stands, also in one that is being typed and is not JSON yet.
///
/// `JSONReader` alone decides what is JSON and what values are; this says which bytes they came from. It never fails: a
/// missing comma, value or bracket leaves a gap and reading goes on behind it.
struct JSONTree: Sendable {
  /// A value, or the place of a broken one.
  struct Node: Sendable {
    var range: Range<Int>
    var content: Content

    var members: [Member]? {
      if case .object(let members) = content { members } else { nil }
    }
  }

  enum Content: Sendable {
    case object([Member])
    case array([Node])
    /// The text that the token stands for.
    case string(String)
    case other
  }

  /// A member of an object; without a value where none has been typed.
  struct Member: Sendable {
    var key: String
    var keyRange: Range<Int>
    /// Between the colon, if there is one, and the value or where it would stand.
    var gap: ClosedRange<Int>?
    var value: Node?
  }

  /// A step from a value to one within it.
  enum Step: Sendable, Hashable {
    case member(String)
    case element(Int)
  }

  let root: Node?

  init(_ bytes: [UInt8]) {
    var parser = Parser(bytes: bytes)
    parser.skipSpace()
    root = parser.value(depth: 0)
  }

  /// The value at the end of a way from the root, as far as it leads.
  func node(at path: [Step]) -> Node? {
    var node = root
    for step in path {
      switch (step, node?.content) {
      case (.member(let key), .object(let members)?): node = members.last { $0.key == key }?.value
      case (.element(let index), .array(let elements)?) where elements.indices.contains(index):
        node = elements[index]
      default: return nil
      }
    }
    return node
  }

  /// The value as JSON, what is missing as null.
  func value(of node: Node?, in source: SourceText) -> JSONValue {
    switch node?.content {
    case nil: return .null
    case .object(let members)?:
      return .object(JSONObject(members.map { ($0.key, value(of: $0.value, in: source)) }))
    case .array(let elements)?: return .array(elements.map { value(of: $0, in: source) })
    case .string(let text)?: return .string(text)
    case .other?: return (node?.range).flatMap { try? JSONReader.read(source.bytes[$0]) } ?? .null
    }
  }
}

extension JSONTree {
  /// What stands at a place.
  struct Spot: Sendable {
    enum Role: Sendable {
      /// In or at a member's name, or where one could begin (`range` is empty then).
      case key
      /// In or at a value, or where one belongs.
      case value
    }

    var role: Role
    /// To the object that the name belongs to, or to the value.
    var path: [Step]
    /// What a completion replaces.
    var range: Range<Int>
    /// Whether a colon follows the name already.
    var hasColon = false
  }

  /// What stands at a byte; nil outside the root.
  func spot(at offset: Int) -> Spot? {
    guard let root, root.range.lowerBound <= offset, offset <= root.range.upperBound else { return nil }
    return spot(at: offset, in: root, path: [])
  }

  private func spot(at offset: Int, in node: Node, path: [Step]) -> Spot {
    func holds(_ range: Range<Int>) -> Bool { range.lowerBound <= offset && offset <= range.upperBound }
    switch node.content {
    case .object(let members) where node.range.lowerBound < offset:
      for member in members {
        if holds(member.keyRange) {
          return Spot(role: .key, path: path, range: member.keyRange, hasColon: member.gap != nil)
        }
        let inner = path + [.member(member.key)]
        if let value = member.value, holds(value.range) { return spot(at: offset, in: value, path: inner) }
        if member.gap?.contains(offset) == true { return Spot(role: .value, path: inner, range: offset..<offset) }
      }
      return Spot(role: .key, path: path, range: offset..<offset)
    case .array(let elements) where node.range.lowerBound < offset:
      for (index, element) in elements.enumerated() where holds(element.range) {
        return spot(at: offset, in: element, path: path + [.element(index)])
      }
      return Spot(role: .value, path: path + [.element(elements.count)], range: offset..<offset)
    default: return Spot(role: .value, path: path, range: node.range)
    }
  }
}

/// Reads as much structure as there is.
private struct Parser {
  let bytes: [UInt8]
  private var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  /// The value that begins here; nil where none does.
  mutating func value(depth: Int) -> JSONTree.Node? {
    guard depth < JSONReader.defaultMaximumDepth, let byte = current else { return nil }
    let start = position
    switch byte {
    case UInt8(ascii: "{"):
      let members = self.members(depth: depth)
      return JSONTree.Node(range: start..<position, content: .object(members))
    case UInt8(ascii: "["):
      let elements = self.elements(depth: depth)
      return JSONTree.Node(range: start..<position, content: .array(elements))
    case UInt8(ascii: "\""):
      let text = string()
      return JSONTree.Node(range: start..<position, content: .string(text))
    case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ","), UInt8(ascii: ":"): return nil
    default:
      while let byte = current, !" \t\r\n{}[],:\"".utf8.contains(byte) { position += 1 }
      return JSONTree.Node(range: start..<position, content: .other)
    }
  }

  private mutating func members(depth: Int) -> [JSONTree.Member] {
    var members: [JSONTree.Member] = []
    position += 1
    while true {
      skipSpace()
      switch current {
      case nil: return members
      case UInt8(ascii: "}")?:
        position += 1
        return members
      case UInt8(ascii: "]")?:
        // Closes what lies around this object, whose own bracket is missing.
        return members
      case UInt8(ascii: "\"")?: members.append(member(depth: depth))
      case UInt8(ascii: ",")?, UInt8(ascii: ":")?: position += 1
      default: _ = value(depth: depth + 1)
      }
    }
  }

  private mutating func member(depth: Int) -> JSONTree.Member {
    let start = position
    let key = string()
    var member = JSONTree.Member(key: key, keyRange: start..<position)
    let end = position
    skipSpace()
    guard current == UInt8(ascii: ":") else {
      position = end
      return member
    }
    position += 1
    let colon = position
    skipSpace()
    let place = position
    let isOnLaterLine = bytes[colon..<place].contains(0x0A)
    member.gap = colon...place
    let value = self.value(depth: depth + 1)
    if isOnLaterLine, case .string? = value?.content {
      // A text with a colon behind it is the next member's name: this one has no value yet.
      let after = position
      skipSpace()
      let isName = current == UInt8(ascii: ":")
      position = after
      if isName {
        position = place
        member.gap = colon...(place - 1)
        return member
      }
    }
    member.value = value
    return member
  }

  private mutating func elements(depth: Int) -> [JSONTree.Node] {
    var elements: [JSONTree.Node] = []
    position += 1
    while true {
      skipSpace()
      switch current {
      case nil: return elements
      case UInt8(ascii: "]")?:
        position += 1
        return elements
      case UInt8(ascii: "}")?: return elements
      case UInt8(ascii: ",")?, UInt8(ascii: ":")?: position += 1
      default:
        guard let element = value(depth: depth + 1) else {
          position += 1
          continue
        }
        elements.append(element)
      }
    }
  }

  /// The text of the token that begins here; one that is not closed ends with its line.
  private mutating func string() -> String {
    let start = position
    position += 1
    while let byte = current, byte != UInt8(ascii: "\""), byte != 0x0A, byte != 0x0D {
      position += byte == UInt8(ascii: "\\") && position + 1 < bytes.count ? 2 : 1
    }
    let end = position
    if current == UInt8(ascii: "\"") { position += 1 }
    if let text = try? JSONReader.read(bytes[start..<position]).stringValue { return text }
    return String(decoding: bytes[(start + 1)..<max(start + 1, end)], as: UTF8.self)
  }
}

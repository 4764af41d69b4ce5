import Basics

/// A parsed regular expression.
indirect enum RegularExpressionNode: Sendable {
  case empty
  case one(ScalarSet)
  case assertion(RegularExpression.Assertion)
  case sequence([RegularExpressionNode])
  case alternation([RegularExpressionNode])
  case group(RegularExpressionNode, number: Int)
  case repetition(RegularExpressionNode, minimum: Int, maximum: Int?, isLazy: Bool)
}

/// A set of Unicode scalars: ranges and classes, perhaps all others instead, perhaps in either case.
struct ScalarSet: Sendable, Hashable {
  enum Class: Sendable, Hashable {
    case digit, word, space
    case noDigit, noWord, noSpace

    func contains(_ scalar: Unicode.Scalar) -> Bool {
      switch self {
      case .digit: scalar.properties.numericType == .decimal
      case .noDigit: scalar.properties.numericType != .decimal
      case .word: ScalarSet.isWord(scalar)
      case .noWord: !ScalarSet.isWord(scalar)
      case .space: PythonText.isSpace(scalar)
      case .noSpace: !PythonText.isSpace(scalar)
      }
    }
  }

  var ranges: [ClosedRange<Unicode.Scalar>] = []
  var classes: [Class] = []
  var isInverted = false
  var ignoresCase = false

  static func isWord(_ scalar: Unicode.Scalar) -> Bool { scalar == "_" || PythonText.isAlphanumeric(scalar) }

  func contains(_ scalar: Unicode.Scalar) -> Bool {
    var isIn = includes(scalar)
    if !isIn && ignoresCase {
      for other in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping] {
        let scalars = other.unicodeScalars
        if scalars.count == 1, let only = scalars.first, includes(only) { isIn = true }
      }
    }
    return isIn != isInverted
  }

  private func includes(_ scalar: Unicode.Scalar) -> Bool {
    ranges.contains { $0.contains(scalar) } || classes.contains { $0.contains(scalar) }
  }
}

/// Parses the text of a regular expression (see `RegularExpression` for what is understood).
struct RegularExpressionParser {
  typealias Node = RegularExpressionNode
  typealias SyntaxError = RegularExpression.SyntaxError

  private let scalars: [Unicode.Scalar]
  private let options: RegularExpression.Options
  private var position = 0
  private var depth = 0
  private(set) var groupCount = 0

  init(_ pattern: String, options: RegularExpression.Options) {
    scalars = Array(pattern.unicodeScalars)
    self.options = options
  }

  private var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }
  private func error(_ message: String) -> SyntaxError { SyntaxError(message: message, offset: position) }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard current == scalar else { return false }
    position += 1
    return true
  }

  mutating func parse() throws(SyntaxError) -> Node {
    guard scalars.count <= RegularExpression.maximumPatternLength else {
      throw error("The pattern is longer than \(RegularExpression.maximumPatternLength) characters")
    }
    let node = try parseAlternation()
    guard position == scalars.count else { throw error("A ) has no (") }
    return node
  }

  private mutating func parseAlternation() throws(SyntaxError) -> Node {
    var branches = [try parseSequence()]
    while take("|") { branches.append(try parseSequence()) }
    return branches.count == 1 ? branches[0] : .alternation(branches)
  }

  private mutating func parseSequence() throws(SyntaxError) -> Node {
    var nodes: [Node] = []
    while let scalar = current, scalar != "|", scalar != ")" {
      let start = position
      let atom = try parseAtom()
      nodes.append(try parseQuantifiers(of: atom, from: start))
    }
    return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
  }

  private mutating func parseQuantifiers(of atom: Node, from start: Int) throws(SyntaxError) -> Node {
    guard let (minimum, maximum) = try parseCount() else { return atom }
    if case .assertion = atom { throw SyntaxError(message: "An assertion cannot be repeated", offset: start) }
    let isLazy = take("?")
    if current == "*" || current == "+" || current == "?" { throw error("A quantifier follows a quantifier") }
    if current == "{" {
      let before = position
      if try parseCount() != nil {
        throw SyntaxError(message: "A quantifier follows a quantifier", offset: before)
      }
    }
    return .repetition(atom, minimum: minimum, maximum: maximum, isLazy: isLazy)
  }

  /// A quantifier, if one stands here. A brace that begins none is a literal.
  private mutating func parseCount() throws(SyntaxError) -> (Int, Int?)? {
    if take("*") { return (0, nil) }
    if take("+") { return (1, nil) }
    if take("?") { return (0, 1) }
    let start = position
    guard take("{") else { return nil }
    let minimum = parseNumber()
    var maximum = minimum
    if take(",") { maximum = parseNumber() }
    guard let minimum, take("}") else {
      position = start
      return nil
    }
    guard minimum <= 1_000, maximum ?? 0 <= 1_000 else { throw error("A count is greater than 1000") }
    if let maximum, maximum < minimum { throw error("A count ends below its start") }
    return (minimum, maximum)
  }

  private mutating func parseNumber() -> Int? {
    var number: Int?
    while let scalar = current, ("0"..."9").contains(scalar) {
      number = min((number ?? 0) * 10 + Int(scalar.value - 48), 1_000_000)
      position += 1
    }
    return number
  }

  private mutating func parseAtom() throws(SyntaxError) -> Node {
    guard let scalar = current else { return .empty }
    switch scalar {
    case "(": return try parseGroup()
    case "[": return .one(try parseSet())
    case "*", "+", "?": throw error("A quantifier has nothing to repeat")
    case "\\": return try parseEscape()
    case "{":
      let start = position
      if try parseCount() != nil {
        throw SyntaxError(message: "A quantifier has nothing to repeat", offset: start)
      }
    default: break
    }
    position += 1
    switch scalar {
    case ".":
      return .one(
        options.contains(.dotAll)
          ? ScalarSet(isInverted: true) : ScalarSet(ranges: ["\n"..."\n"], isInverted: true))
    case "^": return .assertion(options.contains(.multiline) ? .lineStart : .textStart)
    case "$": return .assertion(options.contains(.multiline) ? .lineEnd : .lastLineEnd)
    default: return .one(set(scalar))
    }
  }

  private func set(_ scalar: Unicode.Scalar) -> ScalarSet {
    ScalarSet(ranges: [scalar...scalar], ignoresCase: options.contains(.ignoreCase))
  }

  private mutating func parseGroup() throws(SyntaxError) -> Node {
    let start = position
    position += 1
    depth += 1
    guard depth <= 50 else { throw error("Groups are nested deeper than 50") }
    defer { depth -= 1 }
    var number: Int?
    if take("?") {
      if take(":") {
        // A group that only groups.
      } else if take("P") || current == "<" {
        try parseGroupName()
        groupCount += 1
        number = groupCount
      } else {
        throw error("Only (?:...) and (?<name>...) are understood behind (?")
      }
    } else {
      groupCount += 1
      number = groupCount
    }
    guard groupCount <= 99 else { throw error("There are more than 99 groups") }
    let node = try parseAlternation()
    guard take(")") else { throw SyntaxError(message: "A ( has no )", offset: start) }
    return number.map { .group(node, number: $0) } ?? node
  }

  private mutating func parseGroupName() throws(SyntaxError) {
    guard take("<") else { throw error("Expected < and a group's name") }
    let start = position
    while let scalar = current, ScalarSet.isWord(scalar) { position += 1 }
    guard position > start, take(">") else { throw error("Expected a group's name and >") }
  }

  private mutating func parseEscape() throws(SyntaxError) -> Node {
    if position + 1 < scalars.count {
      let assertion: RegularExpression.Assertion? =
        switch scalars[position + 1] {
        case "b": .wordBoundary
        case "B": .noWordBoundary
        case "A": .textStart
        case "z", "Z": .textEnd
        default: nil
        }
      if let assertion {
        position += 2
        return .assertion(assertion)
      }
    }
    switch try parseEscaped() {
    case .class(let kind): return .one(ScalarSet(classes: [kind]))
    case .scalar(let scalar): return .one(set(scalar))
    }
  }

  private enum Escaped {
    case `class`(ScalarSet.Class)
    case scalar(Unicode.Scalar)
  }

  /// What a backslash and the text behind it stand for, inside and outside of brackets.
  private mutating func parseEscaped() throws(SyntaxError) -> Escaped {
    position += 1
    guard let scalar = current else { throw error("A backslash ends the pattern") }
    position += 1
    switch scalar {
    case "d": return .class(.digit)
    case "D": return .class(.noDigit)
    case "w": return .class(.word)
    case "W": return .class(.noWord)
    case "s": return .class(.space)
    case "S": return .class(.noSpace)
    case "n": return .scalar("\n")
    case "r": return .scalar("\r")
    case "t": return .scalar("\t")
    case "f": return .scalar("\u{C}")
    case "v": return .scalar("\u{B}")
    case "0": return .scalar("\0")
    case "x": return .scalar(try parseHex(digits: 2...2))
    case "u":
      guard take("{") else { return .scalar(try parseHex(digits: 4...4)) }
      let value = try parseHex(digits: 1...6)
      guard take("}") else { throw error("Expected }") }
      return .scalar(value)
    case "1"..."9": throw error("Back-references are not understood")
    case "a"..."z", "A"..."Z": throw error("The escape \\\(scalar) is not understood")
    default: return .scalar(scalar)
    }
  }

  private mutating func parseHex(digits: ClosedRange<Int>) throws(SyntaxError) -> Unicode.Scalar {
    var value: UInt32 = 0
    var count = 0
    while count < digits.upperBound, let digit = current.flatMap({ Character($0).hexDigitValue }) {
      value = value << 4 | UInt32(digit)
      position += 1
      count += 1
    }
    guard count >= digits.lowerBound, let scalar = Unicode.Scalar(value) else {
      throw error("Expected the hexadecimal number of a character")
    }
    return scalar
  }

  private mutating func parseSet() throws(SyntaxError) -> ScalarSet {
    let start = position
    position += 1
    var set = ScalarSet(isInverted: take("^"), ignoresCase: options.contains(.ignoreCase))
    var isFirst = true
    while let scalar = current, scalar != "]" || isFirst {
      isFirst = false
      guard case .scalar(let low) = try parseSetMember(scalar, in: &set) else { continue }
      guard current == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
        set.ranges.append(low...low)
        continue
      }
      position += 1
      guard case .scalar(let high) = try parseSetMember(scalars[position], in: &set), high >= low else {
        throw error("A range in [...] needs a character at each end, the lower first")
      }
      set.ranges.append(low...high)
    }
    guard take("]") else { throw SyntaxError(message: "A [ has no ]", offset: start) }
    return set
  }

  /// One member; a class is added at once.
  private mutating func parseSetMember(
    _ scalar: Unicode.Scalar, in set: inout ScalarSet
  ) throws(SyntaxError) -> Escaped {
    guard scalar == "\\" else {
      position += 1
      return .scalar(scalar)
    }
    if position + 1 < scalars.count, scalars[position + 1] == "b" {
      position += 2
      return .scalar("\u{8}")
    }
    let escaped = try parseEscaped()
    if case .class(let kind) = escaped { set.classes.append(kind) }
    return escaped
  }
}

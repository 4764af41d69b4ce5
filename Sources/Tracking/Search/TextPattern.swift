import Synchronization

/// Why a regular expression was refused.
struct PatternError: Error, Sendable {
  var message: String
}

/// A regular expression (or a LIKE pattern) that takes time proportional to pattern times text, whatever
/// either is: patterns come from clients, and backtracking would let one of 30 characters stop the service.
///
/// The usual core of the language: literals, `.`, classes `[a-z]` `[^…]`, `\d \w \s \D \W \S \b`-free escapes,
/// groups (`(…)`, `(?:…)`), `|`, `* + ? {m,n}`, `^`, `$`, and `(?i)` in front for ASCII case folding. It
/// searches: a match may begin anywhere.
///
/// K. Thompson, "Regular Expression Search Algorithm", CACM 11(6), 1968, as a set of states walked in step.
struct TextPattern: Sendable {
  private enum Instruction: Sendable {
    case any
    case scalar(UInt32)
    /// Ranges of scalars; true where a match lies outside all of them.
    case set([ClosedRange<UInt32>], Bool)
    case split(Int, Int)
    case jump(Int)
    case atStart
    case atEnd
    case match
  }

  private static let mostInstructions = 5000
  private var program: [Instruction] = []
  private var foldsCase = false

  /// - Throws: for a malformed pattern, or one that unfolds to more than 5000 states.
  init(regularExpression text: String) throws(PatternError) {
    var source = Substring(text)
    if source.hasPrefix("(?i)") {
      foldsCase = true
      source = source.dropFirst(4)
    }
    var parser = Parser(scalars: Array(source.unicodeScalars))
    let tree = try parser.alternatives(depth: 0)
    guard parser.isAtEnd else { throw PatternError(message: "a ) has no (") }
    try emit(tree)
    try append(.match)
  }

  func matches(_ text: String) -> Bool {
    let scalars = text.unicodeScalars
    var current = StateList(program.count)
    var next = StateList(program.count)
    var index = scalars.startIndex
    var isStart = true
    while true {
      let isEnd = index == scalars.endIndex
      if add(0, to: &current, isStart: isStart, isEnd: isEnd) { return true }
      if isEnd { return false }
      var value = scalars[index].value
      if foldsCase, (65...90).contains(value) { value += 32 }
      scalars.formIndex(after: &index)
      let isLast = index == scalars.endIndex
      next.clear()
      for state in current.states where accepts(program[state], value) {
        if add(state + 1, to: &next, isStart: false, isEnd: isLast) { return true }
      }
      swap(&current, &next)
      isStart = false
    }
  }

  private struct StateList {
    var states: [Int] = []
    private var isMember: [Bool]
    init(_ count: Int) { isMember = Array(repeating: false, count: count) }

    mutating func insert(_ state: Int) -> Bool {
      if isMember[state] { return false }
      isMember[state] = true
      visited.append(state)
      return true
    }

    private var visited: [Int] = []

    mutating func clear() {
      for state in visited { isMember[state] = false }
      visited.removeAll(keepingCapacity: true)
      states.removeAll(keepingCapacity: true)
    }
  }

  /// Adds a state and what is reached from it without a character; true if that is a match.
  private func add(_ state: Int, to list: inout StateList, isStart: Bool, isEnd: Bool) -> Bool {
    var pending = [state]
    while let state = pending.popLast() {
      guard list.insert(state) else { continue }
      switch program[state] {
      case .match: return true
      case .jump(let target): pending.append(target)
      case .split(let first, let second):
        pending.append(second)
        pending.append(first)
      case .atStart: if isStart { pending.append(state + 1) }
      case .atEnd: if isEnd { pending.append(state + 1) }
      case .any, .scalar, .set: list.states.append(state)
      }
    }
    return false
  }

  private func accepts(_ instruction: Instruction, _ value: UInt32) -> Bool {
    switch instruction {
    case .any: return value != 10
    case .scalar(let wanted): return fold(wanted) == value
    case .set(let ranges, let isNegated):
      var isInside = ranges.contains { $0.contains(value) }
      if foldsCase, !isInside, (97...122).contains(value) { isInside = ranges.contains { $0.contains(value - 32) } }
      return isInside != isNegated
    default: return false
    }
  }

  private func fold(_ value: UInt32) -> UInt32 { foldsCase && (65...90).contains(value) ? value + 32 : value }

  // MARK: Compiling

  private indirect enum Node {
    case empty
    case leaf(Instruction)
    case sequence([Node])
    case alternatives([Node])
    /// Between `least` and `most` times; `most` nil means without end.
    case repeated(Node, least: Int, most: Int?)
  }

  private mutating func append(_ instruction: Instruction) throws(PatternError) {
    guard program.count < Self.mostInstructions else { throw PatternError(message: "it is too large") }
    program.append(instruction)
  }

  private mutating func emit(_ node: Node) throws(PatternError) {
    switch node {
    case .empty: return
    case .leaf(let instruction): try append(instruction)
    case .sequence(let parts): for part in parts { try emit(part) }
    case .alternatives(let parts):
      var jumps: [Int] = []
      for (index, part) in parts.enumerated() {
        guard index < parts.count - 1 else {
          try emit(part)
          break
        }
        let split = program.count
        try append(.split(split + 1, 0))
        try emit(part)
        jumps.append(program.count)
        try append(.jump(0))
        program[split] = .split(split + 1, program.count)
      }
      for jump in jumps { program[jump] = .jump(program.count) }
    case .repeated(let part, let least, let most):
      for _ in 0..<least { try emit(part) }
      if let most {
        var splits: [Int] = []
        for _ in least..<max(least, most) {
          splits.append(program.count)
          try append(.split(program.count + 1, 0))
          try emit(part)
        }
        for split in splits { program[split] = .split(split + 1, program.count) }
      } else {
        let split = program.count
        try append(.split(split + 1, 0))
        try emit(part)
        try append(.jump(split))
        program[split] = .split(split + 1, program.count)
      }
    }
  }

  private struct Parser {
    let scalars: [Unicode.Scalar]
    private var index = 0

    init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    var isAtEnd: Bool { index == scalars.count }
    private var current: Unicode.Scalar? { isAtEnd ? nil : scalars[index] }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
      guard current == scalar else { return false }
      index += 1
      return true
    }

    mutating func alternatives(depth: Int) throws(PatternError) -> Node {
      guard depth <= 50 else { throw PatternError(message: "it is nested too deep") }
      var parts = [try sequence(depth: depth)]
      while take("|") { parts.append(try sequence(depth: depth)) }
      return parts.count == 1 ? parts[0] : .alternatives(parts)
    }

    private mutating func sequence(depth: Int) throws(PatternError) -> Node {
      var parts: [Node] = []
      while let scalar = current, scalar != "|", scalar != ")" { parts.append(try repetition(depth: depth)) }
      return parts.isEmpty ? .empty : .sequence(parts)
    }

    private mutating func repetition(depth: Int) throws(PatternError) -> Node {
      var node = try atom(depth: depth)
      while let scalar = current {
        switch scalar {
        case "*": node = .repeated(node, least: 0, most: nil)
        case "+": node = .repeated(node, least: 1, most: nil)
        case "?": node = .repeated(node, least: 0, most: 1)
        case "{":
          guard let (least, most, end) = bounds() else { return node }
          guard least <= 1000, most ?? 0 <= 1000, most.map({ $0 >= least }) ?? true else {
            throw PatternError(message: "the bounds of a repetition are out of range")
          }
          node = .repeated(node, least: least, most: most)
          index = end - 1
        default: return node
        }
        index += 1
        // Laziness changes what a match is, not whether there is one.
        _ = take("?")
      }
      return node
    }

    /// `{m}`, `{m,}` or `{m,n}` here, and where it ends; nil where the brace is a plain character.
    private func bounds() -> (least: Int, most: Int?, end: Int)? {
      guard let close = scalars[index...].firstIndex(of: "}"), close - index <= 12 else { return nil }
      let text = String(String.UnicodeScalarView(scalars[(index + 1)..<close]))
      let parts = text.split(separator: ",", omittingEmptySubsequences: false)
      guard let least = parts.first.flatMap({ Int($0) }), least >= 0, parts.count <= 2 else { return nil }
      if parts.count == 1 { return (least, least, close + 1) }
      if parts[1].isEmpty { return (least, nil, close + 1) }
      guard let most = Int(parts[1]), most >= 0 else { return nil }
      return (least, most, close + 1)
    }

    private mutating func atom(depth: Int) throws(PatternError) -> Node {
      guard let scalar = current else { return .empty }
      index += 1
      switch scalar {
      case ".": return .leaf(.any)
      case "^": return .leaf(.atStart)
      case "$": return .leaf(.atEnd)
      case "*", "+", "?": throw PatternError(message: "there is nothing for \(scalar) to repeat")
      case "(":
        if take("?"), !take(":") { throw PatternError(message: "of the (?…) groups only (?:…) is known") }
        let inner = try alternatives(depth: depth + 1)
        guard take(")") else { throw PatternError(message: "a ( is not closed") }
        return inner
      case "[": return .leaf(try set())
      case "\\":
        guard let escaped = current else { throw PatternError(message: "it ends in a backslash") }
        index += 1
        return .leaf(try Self.escape(escaped))
      default: return .leaf(.scalar(scalar.value))
      }
    }

    private static let digits: [ClosedRange<UInt32>] = [48...57]
    private static let words: [ClosedRange<UInt32>] = [48...57, 65...90, 95...95, 97...122]
    private static let spaces: [ClosedRange<UInt32>] = [9...13, 32...32]

    private static func escape(_ scalar: Unicode.Scalar) throws(PatternError) -> Instruction {
      switch scalar {
      case "d": return .set(digits, false)
      case "D": return .set(digits, true)
      case "w": return .set(words, false)
      case "W": return .set(words, true)
      case "s": return .set(spaces, false)
      case "S": return .set(spaces, true)
      case "n": return .scalar(10)
      case "r": return .scalar(13)
      case "t": return .scalar(9)
      case "a"..."z", "A"..."Z", "0"..."9": throw PatternError(message: "the escape \\\(scalar) is not known")
      default: return .scalar(scalar.value)
      }
    }

    private mutating func set() throws(PatternError) -> Instruction {
      let isNegated = take("^")
      var ranges: [ClosedRange<UInt32>] = []
      var isFirst = true
      while let scalar = current, scalar != "]" || isFirst {
        isFirst = false
        index += 1
        var low = scalar.value
        if scalar == "\\" {
          guard let escaped = current else { break }
          index += 1
          switch try Self.escape(escaped) {
          case .set(let inner, false):
            ranges += inner
            continue
          case .scalar(let value): low = value
          default: throw PatternError(message: "\\\(escaped) cannot stand in a class")
          }
        }
        if current == "-", index + 1 < scalars.count, scalars[index + 1] != "]" {
          index += 1
          var high = scalars[index].value
          index += 1
          if high == 92, let escaped = current {
            index += 1
            guard case .scalar(let value) = try Self.escape(escaped) else {
              throw PatternError(message: "a range of a class ends in \\\(escaped)")
            }
            high = value
          }
          guard low <= high else { throw PatternError(message: "a range of a class runs backwards") }
          ranges.append(low...high)
        } else {
          ranges.append(low...low)
        }
      }
      guard take("]") else { throw PatternError(message: "a [ is not closed") }
      return .set(ranges, isNegated)
    }
  }
}

/// Patterns compiled lately, so that a query compiles its pattern once and not once a row.
final class PatternCache: Sendable {
  static let shared = PatternCache()
  private let patterns = Mutex<[String: TextPattern]>([:])

  func pattern(_ text: String) throws(PatternError) -> TextPattern {
    if let known = patterns.withLock({ $0[text] }) { return known }
    let pattern = try TextPattern(regularExpression: text)
    patterns.withLock { patterns in
      if patterns.count >= 64 { patterns.removeAll() }
      patterns[text] = pattern
    }
    return pattern
  }
}

/// Whether a text matches a LIKE pattern, `%` for any run of characters and `_` for one (a Unicode scalar, as
/// SQLite counts).
///
/// Greedy with one point of return, so at most pattern times text steps.
func matchesLike(_ text: String, _ pattern: String, foldingASCII: Bool) -> Bool {
  var (text, pattern) = (text, pattern)
  return text.withUTF8 { text in
    pattern.withUTF8 { pattern in matchesLike(text, pattern, foldingASCII: foldingASCII) }
  }
}

private func matchesLike(
  _ text: UnsafeBufferPointer<UInt8>, _ pattern: UnsafeBufferPointer<UInt8>, foldingASCII: Bool
) -> Bool {
  func fold(_ byte: UInt8) -> UInt8 { foldingASCII && (65...90).contains(byte) ? byte + 32 : byte }
  let (percent, underscore) = (UInt8(ascii: "%"), UInt8(ascii: "_"))
  var (position, place) = (0, 0)
  var retry: (position: Int, place: Int)?
  while position < text.count {
    if place < pattern.count, pattern[place] == percent {
      place += 1
      retry = (position, place)
    } else if place < pattern.count, pattern[place] == underscore {
      place += 1
      position += 1
      // The rest of a character of several bytes.
      while position < text.count, text[position] & 0xC0 == 0x80 { position += 1 }
    } else if place < pattern.count, fold(pattern[place]) == fold(text[position]) {
      position += 1
      place += 1
    } else if let last = retry {
      var next = last.position + 1
      while next < text.count, text[next] & 0xC0 == 0x80 { next += 1 }
      retry = (next, last.place)
      (position, place) = (next, last.place)
    } else {
      return false
    }
  }
  return pattern[place...].allSatisfy { $0 == percent }
}

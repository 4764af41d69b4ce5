/// A regular expression that is matched in time linear in the text, whatever the pattern: safe on text
/// from strangers, where backtracking engines can be made to run for ever.
///
/// Understood: literals, `.`, classes (`[a-z]`, `[^…]`), `\d \w \s` and their opposites, `\b \B`, `^ $ \A \z`,
/// groups `(…)`, `(?:…)` and `(?<name>…)`, alternation, the quantifiers `* + ? {m} {m,} {m,n}` and their lazy
/// forms, and the escapes `\n \r \t \f \v \0 \xHH \uHHHH \u{H…}`. There are no back-references and no
/// look-around: those are what linear time excludes. Matching is on Unicode scalars; of several matches
/// the leftmost counts, and of those the one a backtracking engine would find.
///
/// Source: R. Cox, "Regular Expression Matching: the Virtual Machine Approach", 2009, after K. Thompson,
/// "Regular Expression Search Algorithm", CACM 11(6), 1968, and R. Pike's matcher.
package struct RegularExpression: Sendable, Hashable {
  package struct Options: OptionSet, Sendable, Hashable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }
    package static let ignoreCase = Options(rawValue: 1)
    /// `^` and `$` also match at line ends.
    package static let multiline = Options(rawValue: 2)
    /// `.` also matches a line feed.
    package static let dotAll = Options(rawValue: 4)
  }

  package struct SyntaxError: Error, Equatable, CustomStringConvertible {
    package var message: String
    /// The place in Unicode scalars from the start.
    package var offset: Int
    package var description: String { "\(message) at character \(offset + 1)" }
  }

  /// Why a search was given up.
  package enum Abandoned: Error, Sendable {
    case tooManySteps
    case cancelled
  }

  /// The most steps of one search, those that take no character included: some seconds.
  package static let maximumWork = 30_000_000
  /// The most steps that a compiled expression may have; bounds `{m,n}` within `{m,n}`.
  static let maximumSize = 2_000
  static let maximumPatternLength = 1_000

  package let pattern: String
  /// The number of groups that catch text, without the whole match.
  package let groupCount: Int
  private let program: [Step]

  /// A step of the compiled expression.
  enum Step: Sendable, Hashable {
    case match
    case one(ScalarSet)
    case jump(Int)
    /// Two ways on, the first preferred.
    case split(Int, Int)
    /// Notes the current place as the start or end of a group.
    case save(Int)
    case assert(Assertion)
  }

  enum Assertion: Sendable, Hashable {
    case textStart, textEnd, lineStart, lineEnd, wordBoundary, noWordBoundary
    /// The end of the text or in front of a line feed that ends it.
    case lastLineEnd
  }

  package init(_ pattern: String, options: Options = []) throws(SyntaxError) {
    self.pattern = pattern
    var parser = RegularExpressionParser(pattern, options: options)
    let node = try parser.parse()
    groupCount = parser.groupCount
    var program: [Step] = [.save(0)]
    try Self.compile(node, into: &program)
    program.append(.save(1))
    program.append(.match)
    self.program = program
  }

  // MARK: Compiling

  private static func compile(_ node: RegularExpressionNode, into program: inout [Step]) throws(SyntaxError) {
    guard program.count < maximumSize else {
      throw SyntaxError(message: "The pattern is too large (more than \(maximumSize) steps)", offset: 0)
    }
    switch node {
    case .empty: break
    case .one(let set): program.append(.one(set))
    case .assertion(let assertion): program.append(.assert(assertion))
    case .sequence(let nodes): for node in nodes { try compile(node, into: &program) }
    case .group(let node, let number):
      program.append(.save(2 * number))
      try compile(node, into: &program)
      program.append(.save(2 * number + 1))
    case .alternation(let nodes):
      var ends: [Int] = []
      for node in nodes.dropLast() {
        let split = program.count
        program.append(.match)
        try compile(node, into: &program)
        ends.append(program.count)
        program.append(.match)
        program[split] = .split(split + 1, program.count)
      }
      if let last = nodes.last { try compile(last, into: &program) }
      for end in ends { program[end] = .jump(program.count) }
    case .repetition(let node, let minimum, let maximum, let isLazy):
      for _ in 0..<minimum {
        let before = program.count
        try compile(node, into: &program)
        // Nothing, however often, is nothing; nested counts of it would take for ever.
        if program.count == before { return }
      }
      if let maximum {
        var splits: [Int] = []
        for _ in minimum..<maximum {
          splits.append(program.count)
          program.append(.match)
          try compile(node, into: &program)
        }
        for split in splits { program[split] = way(split + 1, program.count, isLazy: isLazy) }
      } else {
        let split = program.count
        program.append(.match)
        try compile(node, into: &program)
        program.append(.jump(split))
        program[split] = way(split + 1, program.count, isLazy: isLazy)
      }
    }
  }

  private static func way(_ inside: Int, _ outside: Int, isLazy: Bool) -> Step {
    isLazy ? .split(outside, inside) : .split(inside, outside)
  }

  // MARK: Matching

  /// One way through the program that is still open, and where its groups began and ended.
  private struct Thread {
    var step: Int
    var places: [Int]
  }

  /// Threads in order of preference, each step at most once.
  private struct ThreadList {
    var threads: [Thread] = []
    var marks: [Int]
    var generation = 0

    init(size: Int) { marks = [Int](repeating: 0, count: size) }

    mutating func clear() {
      threads.removeAll(keepingCapacity: true)
      generation += 1
    }

    mutating func enter(_ step: Int) -> Bool {
      guard marks[step] != generation else { return false }
      marks[step] = generation
      return true
    }
  }

  /// The leftmost match: the range of the whole and of each group, nil for a group that caught nothing.
  ///
  /// - Parameters:
  ///   - isFull: whether only a match of the whole text counts.
  ///   - needsGroups: whether the groups' ranges are asked for; else only that of the whole is told.
  /// - Throws: `tooManySteps` after `maximumWork` steps, `cancelled` where the task is.
  package func firstMatch(
    in text: [Unicode.Scalar], isFull: Bool = false, needsGroups: Bool = true, maximumWork: Int = maximumWork
  ) throws(Abandoned) -> [Range<Int>?]? {
    var work = 0
    var check = 1 << 16
    let slots = needsGroups ? 2 * (groupCount + 1) : 2
    var current = ThreadList(size: program.count)
    var next = ThreadList(size: program.count)
    var best: [Int]?
    current.clear()
    for position in 0...text.count {
      if best == nil && (position == 0 || !isFull) {
        work += add(0, [Int](repeating: -1, count: slots), at: position, in: text, to: &current)
      }
      if current.threads.isEmpty && (best != nil || isFull) { break }
      work += current.threads.count + 1
      if work > check {
        if work > maximumWork { throw .tooManySteps }
        if Task.isCancelled { throw .cancelled }
        check += 1 << 16
      }
      next.clear()
      let scalar = position < text.count ? text[position] : nil
      for thread in current.threads {
        switch program[thread.step] {
        case .match:
          if isFull && position < text.count { continue }
          best = thread.places
        case .one(let set):
          if let scalar, set.contains(scalar) {
            work += add(thread.step + 1, thread.places, at: position + 1, in: text, to: &next)
          }
          continue
        default: continue
        }
        // What follows in the list is less preferred than this match.
        break
      }
      swap(&current, &next)
    }
    return best.map { places in
      (0..<slots / 2).map { group in
        let start = places[2 * group]
        let end = places[2 * group + 1]
        return start >= 0 && end >= start ? start..<end : nil
      }
    }
  }

  /// Whether there is a match anywhere in the text.
  package func matches(_ text: String) throws(Abandoned) -> Bool {
    try firstMatch(in: Array(text.unicodeScalars), needsGroups: false) != nil
  }

  /// Follows all steps that take no scalar, preferred ways first; gives how many they were.
  private func add(
    _ start: Int, _ places: [Int], at position: Int, in text: [Unicode.Scalar], to list: inout ThreadList
  ) -> Int {
    var steps = 0
    var open = [Thread(step: start, places: places)]
    while var thread = open.popLast() {
      while list.enter(thread.step) {
        steps += 1
        switch program[thread.step] {
        case .jump(let step): thread.step = step
        case .split(let first, let second):
          open.append(Thread(step: second, places: thread.places))
          thread.step = first
        case .save(let slot):
          if slot < thread.places.count { thread.places[slot] = position }
          thread.step += 1
        case .assert(let assertion):
          guard Self.holds(assertion, at: position, in: text) else { break }
          thread.step += 1
          continue
        case .one, .match:
          list.threads.append(thread)
        }
      }
    }
    return steps
  }

  private static func holds(_ assertion: Assertion, at position: Int, in text: [Unicode.Scalar]) -> Bool {
    switch assertion {
    case .textStart: return position == 0
    case .textEnd: return position == text.count
    case .lastLineEnd: return position == text.count || (position == text.count - 1 && text[position] == "\n")
    case .lineStart: return position == 0 || text[position - 1] == "\n"
    case .lineEnd: return position == text.count || text[position] == "\n"
    case .wordBoundary, .noWordBoundary:
      let before = position > 0 && ScalarSet.isWord(text[position - 1])
      let after = position < text.count && ScalarSet.isWord(text[position])
      return (before != after) == (assertion == .wordBoundary)
    }
  }
}

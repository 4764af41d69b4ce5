import RegularExpressions
import Synchronization

/// Patterns compiled lately, so that a query compiles its pattern once and not once a row.
final class PatternCache: Sendable {
  static let shared = PatternCache()
  private let patterns = Mutex<[String: RegularExpression]>([:])

  /// A pattern of RLIKE; `(?i)` in front makes it blind to case.
  static func compiled(_ text: String) throws(RegularExpression.SyntaxError) -> RegularExpression {
    let ignoresCase = text.hasPrefix("(?i)")
    return try RegularExpression(
      ignoresCase ? String(text.dropFirst(4)) : text, options: ignoresCase ? .ignoreCase : [])
  }

  func pattern(_ text: String) throws(RegularExpression.SyntaxError) -> RegularExpression {
    if let known = patterns.withLock({ $0[text] }) { return known }
    let pattern = try Self.compiled(text)
    patterns.withLock { patterns in
      if patterns.count >= 64 { patterns.removeAll() }
      patterns[text] = pattern
    }
    return pattern
  }

  /// Whether the text matches; false for a pattern that is none, and for a search that is given up.
  func matches(_ text: String, _ pattern: String) -> Bool {
    ((try? self.pattern(pattern)).flatMap { try? $0.matches(text) }) ?? false
  }
}

import Foundation
import GRDB
import JSON
import RegularExpressions
import Synchronization
import Traces

/// Which part of a span a filter asks for.
enum SpanPart: Sendable, Hashable {
  case name
  case type
  case status
  /// The whole span as JSON text.
  case content
  case attribute(String)

  var name: String {
    switch self {
    case .name: "name"
    case .type: "type"
    case .status: "status"
    case .content: "content"
    case .attribute: "attribute"
    }
  }

  var key: String? {
    if case .attribute(let key) = self { key } else { nil }
  }

  var isAttribute: Bool { key != nil }
}

/// A condition on one span, as it is handed to `hone_span` in JSON: `[part, key, operator, operand]`.
struct SpanTest: Sendable {
  private let part: SpanPart
  private let comparator: FilterOperator
  private let operand: JSONValue

  init?(_ text: String) {
    guard let value = try? JSONReader.read(text), let name = value[0]?.stringValue,
      let comparator = value[2]?.stringValue.flatMap(FilterOperator.init), let operand = value[3]
    else { return nil }
    self.comparator = comparator
    self.operand = operand
    switch name {
    case "name": part = .name
    case "type": part = .type
    case "status": part = .status
    case "content": part = .content
    default:
      guard let key = value[1]?.stringValue else { return nil }
      part = .attribute(key)
    }
  }

  /// Whether it asks for more than a span's outline: over many spans, decoding all of them is most of the work.
  var readsBody: Bool {
    switch part {
    case .name, .type, .status: false
    case .content, .attribute: true
    }
  }

  /// What a span must hold to pass.
  var needed: SearchedTexts {
    var needed = SearchedTexts()
    if case .attribute(let key) = part, comparator != .isNull { needed.need(Self.escaped(key)) }
    guard let wanted = operand.stringValue else { return needed }
    let pieces: [String] =
      switch comparator {
      // Swift takes texts for equal that Unicode does: some signs, three of them of ASCII, can be written in several ways.
      case .equal: wanted.split { !$0.isASCII || "K;`".contains($0) }.map(String.init)
      case .like, .ilike:
        wanted.utf8.split { [UInt8(ascii: "%"), UInt8(ascii: "_")].contains($0) }.map {
          String(decoding: $0, as: UTF8.self)
        }
      default: []
      }
    for piece in pieces {
      switch part {
      case .content: needed.need(piece.utf8)
      case .name, .type: needed.need(Self.escaped(piece))
      // What is no string is compared as JSON writes it: only what both write alike is sure to be there.
      case .attribute where Self.escaped(piece).elementsEqual(piece.utf8): needed.need(piece.utf8)
      case .attribute, .status: break
      }
    }
    return needed
  }

  /// A text as it stands between the quotation marks of a JSON string.
  private static func escaped(_ text: String) -> ArraySlice<UInt8> {
    JSONValue.string(text).encoded().dropFirst().dropLast()
  }

  func passes(_ span: Span) -> Bool {
    switch part {
    case .name: return passes(span.name)
    case .type: return passes(span.kind.rawValue)
    case .status: return passes(span.status.word)
    case .content: return passes(SpanRecord(span).jsonValue.text())
    case .attribute(let key):
      guard let value = span.attributes[key] else { return comparator == .isNull }
      switch operand {
      case .null: return comparator == .isNotNull
      case .bool:
        return comparator == .equal ? value == operand : comparator == .notEqual ? value != operand : false
      case .int, .double, .number:
        guard let wanted = operand.doubleValue, let number = value.doubleValue else { return false }
        return passes(number, wanted)
      default: return passes(value.stringValue ?? value.text())
      }
    }
  }

  private func passes(_ number: Double, _ wanted: Double) -> Bool {
    switch comparator {
    case .equal: number == wanted
    case .notEqual: number != wanted
    case .greater: number > wanted
    case .greaterOrEqual: number >= wanted
    case .less: number < wanted
    case .lessOrEqual: number <= wanted
    default: false
    }
  }

  private func passes(_ text: String) -> Bool {
    if case .array(let choices) = operand {
      return choices.contains(.string(text)) == (comparator == .isIn)
    }
    guard let wanted = operand.stringValue else { return false }
    switch comparator {
    case .equal: return text == wanted
    case .notEqual: return text != wanted
    case .like: return matchesLike(text, wanted, foldingASCII: false)
    case .notLike: return !matchesLike(text, wanted, foldingASCII: false)
    case .ilike: return matchesLike(text, wanted, foldingASCII: true)
    case .notIlike: return !matchesLike(text, wanted, foldingASCII: true)
    case .rlike: return PatternCache.shared.matches(text, wanted)
    case .notRlike: return !PatternCache.shared.matches(text, wanted)
    default: return false
    }
  }
}

/// Gives a connection the functions that filters use:
///
/// - `hone_rlike(text, pattern)`: whether a regular expression matches somewhere in the text;
/// - `hone_span(payload, test)`: whether one of the spans of a row of `span_chunks` passes a `SpanTest`;
/// - `hone_may(filter, test)`: whether that may be so, by the row's `SpanFilter`.
func addFunctions(to db: Database, texts: SharedTexts) {
  db.add(
    function: DatabaseFunction("hone_rlike", argumentCount: 2, pure: true) { values in
      guard let text = String.fromDatabaseValue(values[0]), let pattern = String.fromDatabaseValue(values[1]) else {
        return nil
      }
      return try PatternCache.shared.pattern(pattern).matches(text)
    })
  let lastTest = Mutex<(text: String, test: SpanTest?)>(("", nil))
  let lastNeed = Mutex(NeededTexts())
  db.add(
    function: DatabaseFunction("hone_may", argumentCount: 2, pure: true) { values in
      guard let filter = Data.fromDatabaseValue(values[0]), let question = String.fromDatabaseValue(values[1]) else {
        return nil
      }
      return try lastNeed.withLock { need in
        if need.question != question { need = NeededTexts(question) }
        return try need.mayStand(in: filter, texts)
      }
    })
  db.add(
    function: DatabaseFunction("hone_span", argumentCount: 2, pure: true) { values in
      guard let payload = Data.fromDatabaseValue(values[0]), let question = String.fromDatabaseValue(values[1]) else {
        return nil
      }
      let test = lastTest.withLock { last in
        if last.text != question { last = (question, SpanTest(question)) }
        return last.test
      }
      guard let test else { return nil }
      let decoder = try SpanDecoder(payload, origin: 0, shared: texts.messages)
      for index in 0..<decoder.count where test.passes(try decoder.span(index, body: test.readsBody)) { return true }
      return false
    })
}

/// What a `SpanTest` needs, and which shared texts are known to hold some of it.
private struct NeededTexts {
  var question = ""
  private var texts = SearchedTexts()
  private var known: [UInt64: UInt32] = [:]

  init() {}

  init(_ question: String) {
    self.question = question
    texts = SpanTest(question)?.needed ?? SearchedTexts()
  }

  mutating func mayStand(in filter: Data, _ shared: SharedTexts) throws -> Bool {
    try texts.mayStand(in: filter) { prefix in
      if let held = known[prefix] { return held }
      let held = try shared.contents(beginning: prefix).reduce(0) { $0 | texts.held(by: $1) }
      known[prefix] = held
      return held
    }
  }
}

import JSON
import Schema
import Tracking

/// Texts under keys, written as a list of `{"key", "value"}`. An object is read, too.
struct PairList: SchemaValue {
  var pairs: [KeyValue]
  init(_ pairs: [KeyValue] = []) { self.pairs = pairs }

  static let schema = Schema(.array(Pair.schema))
  var jsonValue: JSONValue { .array(pairs.map { ["key": .string($0.key), "value": .string($0.value)] }) }

  static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> PairList? {
    let before = problems.problems.count
    let pairs: [KeyValue]
    switch value {
    case .object(let members):
      pairs = members.map { key, value in KeyValue(key, text(value, "\(place).\(key)", problems)) }
    case .array(let elements):
      pairs = elements.enumerated().compactMap { index, element in
        let pair = Pair(element)
        guard let key = pair.key else {
          problems.add("\(place)[\(index)]", "Expected an object with a key and a value.")
          return nil
        }
        return KeyValue(key, text(pair.value, "\(place)[\(index)].value", problems))
      }
    default:
      problems.add(place, "Expected a list, got \(value.kindName).")
      return nil
    }
    return problems.problems.count == before ? PairList(pairs) : nil
  }

  private static func text(_ value: JSONValue, _ place: String, _ problems: ProblemList) -> String {
    switch value {
    case .string(let text): return text
    case .null: return ""
    case .array, .object:
      problems.add(place, "Expected a string, got \(value.kindName).")
      return ""
    default: return value.text()
    }
  }

  private struct Pair: ForeignRecord {
    static let members: [Member<Self>] = [Member("key", \.key), Member("value", \.value)]
    var key: String?
    var value = JSONValue.null
  }
}

/// Texts under keys, written as an object. A list of `{"key", "value"}` is read, too.
struct PairObject: SchemaValue {
  var pairs: [KeyValue]
  init(_ pairs: [KeyValue] = []) { self.pairs = pairs }

  /// Facts of any kind, those that are no texts as JSON text.
  init(_ facts: JSONObject) { pairs = facts.map { KeyValue($0.key, $0.value.stringValue ?? $0.value.text()) } }

  static let schema = Schema(.map(Schema(.string)))
  var jsonValue: JSONValue { .object(object) }
  var object: JSONObject { JSONObject(pairs.map { ($0.key, .string($0.value)) }) }

  static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> PairObject? {
    PairList.read(value, at: place, problems).map { PairObject($0.pairs) }
  }
}

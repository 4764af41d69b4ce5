import Basics
import Crypto
package import Failures
package import JSON
package import RowStorage

/// Examples to optimize on or to score with: rows of named values, and where they came from.
///
/// Every row is an object and there is at least one. A dataset is made by
/// `Dataset.load(_:path:…)` from what a request says, or from rows at hand.
package struct Dataset: Sendable {
  /// A name for people and for the store (`gsm8k/train`, `questions.jsonl`, `inline`).
  package var name: String
  package var rows: Rows
  /// The members of a row that a program is given; nil where the request leaves it to the program's signature.
  package var inputKeys: [String]?
  package var source: Source
  /// Members in which NaN or an infinity stood, which JSON does not have: null now.
  package var nonNumbers: Set<String> = []
  /// Eight hexadecimal digits that name the rows' content and order (see `contentDigest`).
  package let digest: String

  /// Where rows came from, in the words a tracking store keeps.
  package struct Source: Sendable, Hashable {
    /// `inline`, `local` (a file) or `builtin` (a data set Hone knows by name).
    package var type: String
    /// The file's path, or the data set's name and split; empty for inline rows.
    package var uri: String
    /// Further facts: `split`, `shuffleSeed`, `offset`, `limit`, `official`.
    package var details: JSONObject

    package init(type: String, uri: String = "", details: JSONObject = [:]) {
      self.type = type
      self.uri = uri
      self.details = details
    }

    /// `{"uri": …}` and the details.
    package var json: JSONObject { JSONObject([("uri", .string(uri))]).merging(details) }
  }

  package init(name: String, rows: Rows, inputKeys: [String]? = nil, source: Source = Source(type: "inline")) {
    self.name = name
    self.rows = rows
    self.inputKeys = inputKeys
    self.source = source
    digest = Self.contentDigest(of: rows)
  }

  package var count: Int { rows.count }

  /// The same data set with other rows.
  package func with(_ rows: Rows) -> Dataset {
    var dataset = Dataset(name: name, rows: rows, inputKeys: inputKeys, source: source)
    dataset.nonNumbers = nonNumbers
    return dataset
  }

  /// Why rows could not be read back from their temporary file, if that came about.
  package var unreadable: HoneError? {
    do throws(HoneError) {
      try rows.check()
      return nil
    } catch {
      return error
    }
  }

  /// `{"num_rows": …, "num_elements": …}`, as tracking stores keep it beside the schema.
  package var profile: JSONObject {
    ["num_rows": .int(rows.count), "num_elements": .int(rows.reduce(0) { $0 + $1.count })]
  }

  /// The first 8 hexadecimal digits of the SHA-256 of the rows as one compact JSON array, the members
  /// of every object sorted by the bytes of their names.
  package static func contentDigest(of rows: Rows) -> String {
    var hasher = SHA256()
    var isFirst = true
    for row in rows {
      hasher.update(data: [UInt8(ascii: isFirst ? "[" : ",")])
      hasher.update(data: canonical(.object(row)).encoded())
      isFirst = false
    }
    hasher.update(data: Array(isFirst ? "[]".utf8 : "]".utf8))
    return hexadecimal(hasher.finalize().prefix(4))
  }

  private static func canonical(_ value: JSONValue) -> JSONValue {
    switch value {
    case .array(let elements): return .array(elements.map(canonical))
    case .object(let object):
      let sorted = object.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      var result = JSONObject()
      for member in sorted { result.append(member.key, canonical(member.value)) }
      return .object(result)
    default: return value
    }
  }
}

package import JSON
import Randomness
package import Schema

/// Which of a source's rows to take: shuffled by a seed first, then from an offset on, then so many.
package struct RowSelection: Sendable, Hashable {
  package var offset: Int
  package var limit: Int?
  /// The seed of Python's generator that puts all rows into random order; nil keeps the source's order.
  package var shuffleSeed: Int?

  package init(offset: Int = 0, limit: Int? = nil, shuffleSeed: Int? = nil) {
    self.offset = offset
    self.limit = limit
    self.shuffleSeed = shuffleSeed
  }

  /// Reads `offset`, `limit` and `shuffleSeed` (`shuffle_seed`) and notes what is wrong with them.
  package init(_ reader: FieldReader) {
    offset = reader.int("offset", in: 0...Int.max) ?? 0
    limit = reader.int("limit", in: 1...Int.max)
    shuffleSeed = reader.int("shuffleSeed", "shuffle_seed")
  }

  package func apply<Row>(to rows: [Row]) -> [Row] {
    var ordered = rows
    if let shuffleSeed {
      var random = PythonRandom(seed: shuffleSeed)
      random.shuffle(&ordered)
    }
    guard offset > 0 || limit != nil else { return ordered }
    return Array(ordered.dropFirst(offset).prefix(limit ?? .max))
  }

  /// The members that were given.
  package var json: JSONObject {
    var result = JSONObject()
    if let shuffleSeed { result.append("shuffleSeed", .int(shuffleSeed)) }
    if offset > 0 { result.append("offset", .int(offset)) }
    if let limit { result.append("limit", .int(limit)) }
    return result
  }
}

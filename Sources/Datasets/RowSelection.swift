import JSON
import Randomness
package import RowStorage
package import Schema

/// Which of a source's rows to take: shuffled by a seed first, then from an offset on, then so many.
package struct RowSelection: SchemaObject, Hashable {
  package static let members: [Member<Self>] = [
    Member(
      "shuffleSeed", \.shuffleSeed, "Shuffles the rows before offset and limit, with this seed of Python's generator."),
    Member("offset", \.offset, in: 0...Int.max, "How many rows to skip."),
    Member("limit", \.limit, in: 1...Int.max, "How many rows to take."),
  ]

  package var offset = 0
  package var limit: Int?
  /// Nil keeps the source's order.
  package var shuffleSeed: Int?

  package init() {}

  package func apply(to rows: Rows) -> Rows {
    guard offset > 0 || limit != nil || shuffleSeed != nil else { return rows }
    // There are fewer than 2^32 rows (see RowReader).
    var places = Array(0..<UInt32(rows.count))
    if let shuffleSeed {
      var random = PythonRandom(seed: shuffleSeed)
      random.shuffle(&places)
    }
    return rows.choosing(Array(places.dropFirst(offset).prefix(limit ?? .max)))
  }
}

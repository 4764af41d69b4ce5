package import Failures
package import JSON
import Platform

/// The rows of a data set: in memory where they are few, else as JSON text in a file that only this process has, so that
/// they take some 4 bytes of memory each, however long they are.
///
/// A row that stands in the file is read anew at each access. Going through all rows in order reads them in blocks. One
/// that cannot be read back is empty, and from then on `check` throws: whoever makes something of rows calls it before
/// that counts.
package struct Rows: RandomAccessCollection, Sendable {
  enum Backing: Sendable {
    case held([JSONObject])
    case spilled(SpilledRows)
  }

  let backing: Backing
  /// Where the backing has each row; nil where that is the order.
  private let places: [UInt32]?
  /// What becomes of each row that is read from a file.
  private let change: (@Sendable (JSONObject) -> JSONObject)?

  init(
    _ backing: Backing, places: [UInt32]? = nil, change: (@Sendable (JSONObject) -> JSONObject)? = nil
  ) {
    self.backing = backing
    self.places = places
    self.change = change
  }

  /// The same rows, each changed; those in a file when they are read from it.
  package func changing(_ change: @escaping @Sendable (JSONObject) -> JSONObject) -> Rows {
    switch backing {
    case .held: return Rows(map(change))
    case .spilled:
      guard let earlier = self.change else { return Rows(backing, places: places, change: change) }
      return Rows(backing, places: places) { change(earlier($0)) }
    }
  }

  /// Rows that are in memory anyway.
  package init(_ rows: [JSONObject] = []) { self.init(.held(rows)) }

  /// Whether they stand in a file.
  package var isSpilled: Bool { if case .spilled = backing { true } else { false } }

  /// - Throws: `storeUnavailable` once a row could not be read back from the file.
  package func check() throws(HoneError) {
    guard case .spilled(let rows) = backing, let failure = rows.failure else { return }
    throw HoneError(
      .storeUnavailable,
      "The rows of a data set that were put into a temporary file cannot be read back: \(failure.reason).",
      remedy: "Look at the disk of that file, or name another directory in $TMPDIR; then resume the run.")
  }

  package var startIndex: Int { 0 }
  package var endIndex: Int {
    if let places { return places.count }
    switch backing {
    case .held(let rows): return rows.count
    case .spilled(let rows): return rows.count
    }
  }

  package subscript(index: Int) -> JSONObject {
    let place = places.map { Int($0[index]) } ?? index
    switch backing {
    case .held(let rows): return rows[place]
    case .spilled(let rows):
      let row = rows.row(place)
      return change?(row) ?? row
    }
  }

  /// Some of the rows, in another order.
  ///
  /// - Parameter chosen: their indices here; each below 2^32.
  package func choosing(_ chosen: some Collection<some BinaryInteger>) -> Rows {
    switch backing {
    case .held: Rows(chosen.map { self[Int($0)] })
    case .spilled: Rows(backing, places: chosen.map { places?[Int($0)] ?? UInt32($0) }, change: change)
    }
  }

  package func makeIterator() -> Iterator { Iterator(self) }

  package struct Iterator: IteratorProtocol {
    private let rows: Rows
    private var index = 0
    private var block = SpilledRows.Block()

    fileprivate init(_ rows: Rows) { self.rows = rows }

    package mutating func next() -> JSONObject? {
      guard index < rows.endIndex else { return nil }
      defer { index += 1 }
      guard case .spilled(let spilled) = rows.backing, rows.places == nil else { return rows[index] }
      let row = spilled.row(index, in: &block)
      return rows.change?(row) ?? row
    }
  }
}

extension Rows: Equatable {
  package static func == (one: Rows, other: Rows) -> Bool { one.count == other.count && one.elementsEqual(other) }
}

extension Rows: ExpressibleByArrayLiteral {
  package init(arrayLiteral elements: JSONObject...) { self.init(elements) }
}

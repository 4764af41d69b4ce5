package import JSON
package import Platform

/// Takes the rows of a data set one by one.
package struct RowsBuilder {
  /// About how many bytes of memory rows may take before they are put into a file. Tests do with fewer.
  @TaskLocal package static var heldBytes = 12 << 20

  private let bound: Int
  private var held: [JSONObject] = []
  private var bytes = 0
  private var spilled: SpilledRows.Writer?

  /// - Parameter bound: the bytes from which on a file is used.
  package init(bound: Int = heldBytes) { self.bound = bound }

  package var count: Int { spilled?.count ?? held.count }

  /// - Throws: where a file is needed and cannot be written.
  package mutating func append(_ row: JSONObject) throws(LocalFile.Failure) {
    if spilled != nil {
      try spilled?.append(row)
      return
    }
    held.append(row)
    bytes += JSONValue.object(row).footprint
    guard bytes > bound else { return }
    var writer = try SpilledRows.Writer()
    for row in held { try writer.append(row) }
    spilled = writer
    held = []
  }

  package mutating func finish() throws(LocalFile.Failure) -> Rows {
    guard var writer = spilled else { return Rows(held) }
    return Rows(.spilled(try writer.finish()))
  }
}

extension JSONValue {
  /// About how many bytes of memory a value takes.
  fileprivate var footprint: Int {
    switch self {
    case .null, .bool, .int, .double: 16
    case .number(let text), .string(let text): 16 + text.utf8.count
    case .array(let elements): elements.reduce(48) { $0 + $1.footprint }
    case .object(let object): object.reduce(64) { $0 + 24 + $1.key.utf8.count + $1.value.footprint }
    }
  }
}

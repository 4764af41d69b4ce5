/// Finds what parts the cells of a table.
enum Delimiter: UInt8, CaseIterable {
  case comma = 0x2C
  case semicolon = 0x3B
  case tab = 0x09
  case bar = 0x7C

  /// What a table with it is called.
  var text: String {
    switch self {
    case .comma: "comma-separated text"
    case .semicolon: "semicolon-separated text"
    case .tab: "tab-separated text"
    case .bar: "text separated by |"
    }
  }

  /// So many bytes and records are looked at.
  private static let (lookedBytes, lookedRecords) = (1 << 16, 20)

  /// - Parameter expected: what it is if the text allows it.
  /// - Returns: the delimiter, and whether the text is a table beyond doubt: several columns, the same number in every line.
  static func found(in window: inout ByteWindow, expected: Delimiter) -> (delimiter: Delimiter, isCertain: Bool) {
    window.hold(lookedBytes)
    let text = Array(window.bytes[window.position...].prefix(lookedBytes))
    let isWhole = window.isAtEnd && window.bytes.count - window.position <= lookedBytes
    let candidates = [expected] + allCases.filter { $0 != expected }
    let counts = candidates.map { (delimiter: $0, fields: fieldCounts(text, $0, isWhole: isWhole)) }
    let even = counts.filter { $0.fields.count > 1 && $0.fields[0] > 1 && Set($0.fields).count == 1 }
    if let found = even.first(where: { $0.delimiter == expected }) ?? widest(even) { return (found.delimiter, true) }
    let split = counts.filter { ($0.fields.first ?? 0) > 1 }
    return ((split.first { $0.delimiter == expected } ?? widest(split))?.delimiter ?? expected, false)
  }

  /// The first of those with the most fields.
  private static func widest(
    _ counts: [(delimiter: Delimiter, fields: [Int])]
  ) -> (delimiter: Delimiter, fields: [Int])? {
    counts.max { ($0.fields.first ?? 0) < ($1.fields.first ?? 0) }
  }

  /// The delimiter that Excel states in a line before the table, `sep=;`; the line is done with then.
  static func stated(in window: inout ByteWindow) -> Delimiter? {
    window.hold(8)
    let head = Array(window.bytes[window.position...].prefix(7))
    guard head.starts(with: "sep=".utf8), head.count > 5, let delimiter = Delimiter(rawValue: head[4]),
      head[5] == 0x0A || head[5] == 0x0D
    else { return nil }
    window.position += 5
    return delimiter
  }

  /// How many fields the first records have.
  private static func fieldCounts(_ text: [UInt8], _ delimiter: Delimiter, isWhole: Bool) -> [Int] {
    var window = ByteWindow(text)
    var reader = CSVReader(delimiter: delimiter.rawValue)
    var counts: [Int] = []
    while counts.count < lookedRecords, let record = try? reader.next(&window) {
      // The last one may be cut.
      if !isWhole, window.position >= window.bytes.count { break }
      counts.append(record.fields.count)
    }
    return counts
  }
}

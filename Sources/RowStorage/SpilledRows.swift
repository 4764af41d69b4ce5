import JSON
import Platform
import Synchronization

/// Rows as compact JSON, one behind the other, in a file without a name: it goes with the process.
final class SpilledRows: Sendable {
  let file: ScratchFile
  /// Why a row could not be read back, the first time.
  private let broken = Mutex<LocalFile.Failure?>(nil)
  private let ends: Ends

  fileprivate init(_ file: ScratchFile, _ ends: Ends) {
    self.file = file
    self.ends = ends
  }

  var count: Int { ends.count }

  func row(_ place: Int) -> JSONObject { parse(bytes(ends.range(place))[...]) }

  /// Where rows end in the file: four bytes each.
  fileprivate struct Ends {
    private static let group = 256
    /// Where each group of rows begins.
    private var starts = [0]
    /// How far from the group's beginning each row ends.
    private var ends: [UInt32] = []
    private(set) var last = 0

    var count: Int { ends.count }

    /// Adds a row of so many bytes; false where the group's rows are too long to be numbered.
    mutating func add(_ length: Int) -> Bool {
      if !ends.isEmpty, ends.count % Self.group == 0 { starts.append(last) }
      guard let end = UInt32(exactly: last + length - starts[starts.count - 1]) else { return false }
      last += length
      ends.append(end)
      return true
    }

    func range(_ place: Int) -> Range<Int> {
      let start = starts[place / Self.group]
      return (place % Self.group == 0 ? start : start + Int(ends[place - 1]))..<start + Int(ends[place])
    }
  }

  /// A part of the file that was read last.
  struct Block {
    fileprivate var bytes: [UInt8] = []
    fileprivate var start = 0
  }

  private static let blockBytes = 256 << 10

  /// The row by way of a block, which is read anew where it does not have the row.
  func row(_ place: Int, in block: inout Block) -> JSONObject {
    let range = ends.range(place)
    if range.lowerBound < block.start || range.upperBound > block.start + block.bytes.count {
      let end = min(ends.last, max(range.upperBound, range.lowerBound + Self.blockBytes))
      block = Block(bytes: bytes(range.lowerBound..<end), start: range.lowerBound)
    }
    guard range.upperBound <= block.start + block.bytes.count else { return parse([]) }
    return parse(block.bytes[range.lowerBound - block.start..<range.upperBound - block.start])
  }

  /// Why a row could not be read back; nil while all could.
  var failure: LocalFile.Failure? { broken.withLock { $0 } }

  private func bytes(_ range: Range<Int>) -> [UInt8] {
    do throws(LocalFile.Failure) {
      return try file.read(range)
    } catch {
      broken.withLock { $0 = $0 ?? error }
      return []
    }
  }

  private func parse(_ bytes: ArraySlice<UInt8>) -> JSONObject {
    if case .object(let row)? = try? JSONReader.read(bytes) { return row }
    broken.withLock { $0 = $0 ?? LocalFile.Failure(reason: "it has changed") }
    return [:]
  }

  struct Writer {
    private let file: ScratchFile
    private var ends = Ends()
    private var pending: [UInt8] = []

    init() throws(LocalFile.Failure) { file = try ScratchFile() }

    var count: Int { ends.count }

    mutating func append(_ row: JSONObject) throws(LocalFile.Failure) {
      let text = JSONValue.object(row).encoded()
      guard ends.add(text.count) else {
        throw LocalFile.Failure(reason: "256 rows are longer than 4 GiB together")
      }
      pending += text
      if pending.count >= SpilledRows.blockBytes { try flush() }
    }

    private mutating func flush() throws(LocalFile.Failure) {
      try file.append(pending)
      pending.removeAll(keepingCapacity: true)
    }

    mutating func finish() throws(LocalFile.Failure) -> SpilledRows {
      try flush()
      return SpilledRows(file, ends)
    }
  }
}

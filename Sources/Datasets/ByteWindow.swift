import Platform

/// Bytes that are read once from front to back: those before `position` are done with, and no more of the rest is in
/// memory than was asked for.
struct ByteWindow {
  /// What is in memory.
  private(set) var bytes: [UInt8]
  /// The place in `bytes` of the first that is not done with.
  var position = 0
  /// Whether nothing follows what is in memory.
  private(set) var isAtEnd = true
  /// What went wrong while reading.
  private(set) var failure: LocalFile.Failure?
  /// Whether reading stopped since nobody waits for it any more.
  private(set) var isCancelled = false
  private var source: (any ByteSource)?
  /// The fewest bytes that are read at once.
  private let chunk: Int

  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  /// All there is.
  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    chunk = 0
    skipByteOrderMark()
  }

  init(_ source: any ByteSource, chunk: Int) {
    self.source = source
    self.chunk = chunk
    bytes = []
    begin()
  }

  private mutating func begin() {
    bytes = []
    position = 0
    isAtEnd = false
    while bytes.count < Self.byteOrderMark.count, !isAtEnd { extend() }
    skipByteOrderMark()
  }

  private mutating func skipByteOrderMark() { if bytes.starts(with: Self.byteOrderMark) { position = 3 } }

  /// Reads on: at least as much as is in memory, so that what is looked at again each time stays a small part of it.
  mutating func extend() {
    guard source != nil, !isAtEnd else { return }
    if Task.isCancelled {
      isCancelled = true
      isAtEnd = true
      return
    }
    do throws(LocalFile.Failure) {
      let count = max(chunk, bytes.count - position)
      let more = try source?.read(count) ?? []
      bytes.removeFirst(position)
      position = 0
      bytes += more
      isAtEnd = more.count < count
    } catch {
      failure = error
      isAtEnd = true
    }
  }

  /// What is not done with: all of it, or more than `bound` bytes.
  mutating func rest(upTo bound: Int) -> ArraySlice<UInt8> {
    hold(bound + 1)
    return bytes[position...]
  }

  /// Sees to it that so many bytes are in memory that are not done with, if there are.
  mutating func hold(_ count: Int) { while !isAtEnd, bytes.count - position < count { extend() } }

  /// Goes back to the front of a file.
  mutating func rewind() {
    do throws(LocalFile.Failure) {
      try source?.rewind()
      begin()
    } catch {
      failure = error
      isAtEnd = true
    }
  }

  /// The place of the first byte from `start` on, counted from `position`, for which it holds; nil if there is none.
  mutating func firstOffset(from start: Int = 0, where matches: (UInt8) -> Bool) -> Int? {
    var offset = start
    while true {
      if let place = bytes[min(position + offset, bytes.count)...].firstIndex(where: matches) {
        return place - position
      }
      offset = bytes.count - position
      if isAtEnd { return nil }
      extend()
    }
  }
}

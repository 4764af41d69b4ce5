import Compression
import Failures
import Platform

/// Bytes that come from front to back, as often as wanted.
protocol ByteSource {
  /// The next bytes, `count` of them unless the source ends; none at its end.
  mutating func read(_ count: Int) throws(LocalFile.Failure) -> [UInt8]
  /// Goes back to the front.
  mutating func rewind() throws(LocalFile.Failure)
}

extension OpenedFile: ByteSource {}

/// Bytes that are in memory anyway.
struct HeldBytes: ByteSource {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func read(_ count: Int) -> [UInt8] {
    let part = bytes[position...].prefix(count)
    position += part.count
    return Array(part)
  }

  mutating func rewind() { position = 0 }
}

/// What packed bytes unpack to, never more than a data file may have.
struct UnpackedBytes: ByteSource {
  private static let part = 1 << 16

  private var source: any ByteSource
  private let packing: Packing
  private var unpacker: any Unpacker
  private var packed: ArraySlice<UInt8> = []
  private var total = 0

  init(_ source: any ByteSource, _ packing: Packing) throws(LocalFile.Failure) {
    self.source = source
    self.packing = packing
    unpacker = try Self.unpacker(packing)
  }

  private static func unpacker(_ packing: Packing) throws(LocalFile.Failure) -> any Unpacker {
    do throws(HoneError) {
      return try packing.unpacker()
    } catch {
      throw LocalFile.Failure(reason: Self.reason(error))
    }
  }

  /// An error in words that end a sentence.
  private static func reason(_ error: HoneError) -> String {
    let message = error.message.hasSuffix(".") ? String(error.message.dropLast()) : error.message
    let sentence = message.prefix(1).lowercased() + message.dropFirst()
    return error.remedy.map { "\(sentence). \($0)" } ?? sentence
  }

  mutating func read(_ count: Int) throws(LocalFile.Failure) -> [UInt8] {
    var result: [UInt8] = []
    while result.count < count {
      if packed.isEmpty { packed = try source.read(Self.part)[...] }
      let isAtEnd = packed.isEmpty
      let more: [UInt8]
      do throws(HoneError) {
        more = try unpacker.unpack(&packed, atMost: min(count - result.count, Self.part))
      } catch {
        throw LocalFile.Failure(reason: Self.reason(error))
      }
      result += more
      guard isAtEnd, more.isEmpty else { continue }
      guard unpacker.isWhole else { throw LocalFile.Failure(reason: "the packed content is not whole") }
      break
    }
    total += result.count
    guard total <= Dataset.maximumFileBytes else {
      throw LocalFile.Failure(reason: "it unpacks to more than the \(Dataset.maximumFileBytes) bytes allowed")
    }
    return result
  }

  mutating func rewind() throws(LocalFile.Failure) {
    try source.rewind()
    unpacker = try Self.unpacker(packing)
    packed = []
    total = 0
  }
}

/// Text in UTF-16 as UTF-8.
struct UTF16Bytes: ByteSource {
  private static let part = 1 << 16

  private var source: any ByteSource
  private let isLittleEndian: Bool
  /// What is read and not asked for yet.
  private var text: [UInt8] = []
  /// The first half of a pair, whose second has not come.
  private var pending: UInt16?

  init(_ source: any ByteSource, isLittleEndian: Bool) {
    self.source = source
    self.isLittleEndian = isLittleEndian
  }

  mutating func read(_ count: Int) throws(LocalFile.Failure) -> [UInt8] {
    while text.count < count {
      let bytes = try source.read(Self.part)
      if bytes.isEmpty {
        if pending != nil { throw Self.broken }
        break
      }
      guard bytes.count % 2 == 0 else { throw Self.broken }
      for index in stride(from: 0, to: bytes.count, by: 2) {
        let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
        try take(isLittleEndian ? second << 8 | first : first << 8 | second)
      }
    }
    let result = Array(text.prefix(count))
    text.removeFirst(result.count)
    return result
  }

  private mutating func take(_ unit: UInt16) throws(LocalFile.Failure) {
    let code: UInt32
    if let high = pending {
      guard UTF16.isTrailSurrogate(unit) else { throw Self.broken }
      code = 0x10000 + (UInt32(high) - 0xD800) << 10 + UInt32(unit) - 0xDC00
      pending = nil
    } else if UTF16.isLeadSurrogate(unit) {
      pending = unit
      return
    } else {
      code = UInt32(unit)
    }
    guard let scalar = Unicode.Scalar(code) else { throw Self.broken }
    text += UTF8.encode(scalar).map(Array.init) ?? []
  }

  private static var broken: LocalFile.Failure { LocalFile.Failure(reason: "it is not valid UTF-16") }

  mutating func rewind() throws(LocalFile.Failure) {
    try source.rewind()
    text = []
    pending = nil
  }
}

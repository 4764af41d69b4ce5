import Basics
import Foundation
import JSON
import Platform
import Schema

/// The groups of three bytes that a text has, as bits: what cannot be in the text is seen without reading it.
///
/// Letters of ASCII count in lower case, so that one set serves searches that heed case and searches that do not. Texts
/// count as JSON writes them, with escapes; no group contains a quotation mark.
struct TrigramSet {
  /// Bits, by a hash of 16 bits.
  private(set) var words = [UInt64](repeating: 0, count: 1 << 10)

  static func hash(_ trigram: UInt32) -> UInt32 { ((trigram & 0xFF_FFFF) &* 0x9E37_79B1) >> 16 }

  /// Adds a text that JSON writes as a string.
  mutating func add(_ text: String) {
    var copy = text
    copy.withUTF8 { add($0, isEscaped: false) }
  }

  /// Adds what already stands as JSON writes it: a number, an id.
  mutating func add(written bytes: ArraySlice<UInt8>) {
    bytes.withUnsafeBufferPointer { add($0, isEscaped: true) }
  }

  private mutating func add(_ utf8: UnsafeBufferPointer<UInt8>, isEscaped: Bool) {
    words.withUnsafeMutableBufferPointer { words in
      var window: UInt32 = 0
      var length = 0
      func feed(_ byte: UInt8) {
        let isCapital = byte &- 65 < 26
        window = window << 8 | UInt32(isCapital ? byte | 0x20 : byte)
        length += 1
        guard length >= 3 else { return }
        let hash = Int(Self.hash(window))
        words[hash >> 6] |= 1 << UInt64(hash & 63)
      }
      for byte in utf8 {
        if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") || isEscaped {
          feed(byte)
        } else if byte == UInt8(ascii: "\"") {
          feed(UInt8(ascii: "\\"))
          length = 0
        } else {
          for part in JSONValue.string(String(UnicodeScalar(byte))).encoded().dropFirst().dropLast() { feed(part) }
        }
      }
    }
  }

  var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
}

/// What a row of `span_chunks` may hold, in a row of `span_filters` beside it: a search reads the spans of those rows
/// alone whose filter does not rule the searched text out. It never rules out what is there.
///
///     [how many shared texts the spans refer to, 2 bytes] [the first 8 bytes of each one's digest] [bits]
///
/// The bits are a `TrigramSet` of the spans' own texts and numbers, folded to three bits for each group: of a text of eight
/// letters, one row in some hundreds is read in vain. Shared texts stand in many rows, so they are looked into themselves.
struct SpanFilter {
  static let prefixLength = 8
  private static let bitsPerTrigram = 3
  private static let mostBits = 1 << 16

  let bytes: [UInt8]

  /// - Parameter shared: what the spans refer to in the table `texts`.
  init(_ trigrams: TrigramSet, shared: [ContentDigest]) {
    let shared = shared.prefix(Int(UInt16.max))
    let count = min(Self.mostBits, max(64, (trigrams.count * Self.bitsPerTrigram + 63) & ~63))
    let start = 2 + shared.count * Self.prefixLength
    var bytes = [UInt8](repeating: 0, count: start + count / 8)
    bytes[0] = UInt8(truncatingIfNeeded: shared.count)
    bytes[1] = UInt8(truncatingIfNeeded: shared.count >> 8)
    for (index, digest) in shared.enumerated() {
      bytes.replaceSubrange(
        2 + index * Self.prefixLength..<2 + (index + 1) * Self.prefixLength,
        with: digest.bytes.prefix(Self.prefixLength))
    }
    bytes.withUnsafeMutableBufferPointer { bytes in
      trigrams.words.withUnsafeBufferPointer { words in
        for index in words.indices where words[index] != 0 {
          var rest = words[index]
          while rest != 0 {
            let bit =
              start << 3 + Self.bit(UInt32(truncatingIfNeeded: index << 6 | rest.trailingZeroBitCount), of: count)
            bytes[bit >> 3] |= 1 << UInt8(truncatingIfNeeded: bit & 7)
            rest &= rest &- 1
          }
        }
      }
    }
    self.bytes = bytes
  }

  fileprivate static func bit(_ hash: UInt32, of count: Int) -> Int { (Int(hash) &* count) >> 16 }

  /// The beginnings of the digests that a filter names; what is no filter names none.
  static func prefixes(_ filter: some Collection<UInt8>) -> [UInt64] {
    let bytes = Array(filter.prefix(2))
    guard bytes.count == 2 else { return [] }
    let count = Int(bytes[0]) | Int(bytes[1]) << 8
    let list = Array(filter.dropFirst(2).prefix(count * prefixLength))
    return stride(from: 0, to: list.count - prefixLength + 1, by: prefixLength).map { start in
      prefix(list[start..<start + prefixLength])
    }
  }

  /// The first and the last digest that begins so.
  static func digests(beginning prefix: UInt64) -> (first: Data, last: Data) {
    withUnsafeBytes(of: prefix.bigEndian) { (Data($0) + Data(count: 24), Data($0) + Data(repeating: 0xFF, count: 24)) }
  }

  /// The first bytes of a digest as one number.
  static func prefix(_ digest: some Sequence<UInt8>) -> UInt64 {
    digest.prefix(prefixLength).reduce(0) { $0 << 8 | UInt64($1) }
  }
}

/// Texts that must stand, whole, in a string or a number of a span for it to pass a test.
struct SearchedTexts: Sendable {
  struct Fragment: Sendable {
    /// In lower case.
    var bytes: [UInt8]
    fileprivate var hashes: [UInt32]
  }

  /// Empty where nothing is known to be needed.
  private(set) var fragments: [Fragment] = []
  /// More than these say hardly more.
  private static let most = 32

  /// Strings of `SpanRecord` that no filter holds because every span, or every prompt, has them.
  private static let constants: [[UInt8]] = {
    let words: [String] =
      SpanRecord.members.map(\.name) + SpanRecord.Event.members.map(\.name)
      + ["OK", "ERROR", "IN_PROGRESS", "role", "content", "system", "user", "assistant", "true", "false", "null"]
    return words.map { folded(Array($0.utf8)) }
  }()

  /// Notes that a piece of the text of a `SpanRecord` is needed.
  ///
  /// Quotation marks stand at the ends of strings or as part of an escape: what is between two of them lies in one string,
  /// or else in what is between two strings: punctuation and numbers, which lie between its signs.
  mutating func need(_ piece: some Sequence<UInt8>) {
    for part in Self.folded(Array(piece)).split(separator: UInt8(ascii: "\"")) {
      if part.allSatisfy(Self.standsBetweenStrings.contains) {
        for token in part.split(whereSeparator: Self.punctuation.contains) { add(Array(token)) }
      } else {
        add(Array(part))
      }
    }
  }

  private static let punctuation = Set("[]{}:,".utf8)
  private static let standsBetweenStrings = punctuation.union("+-.0123456789etrufalsn".utf8)

  private mutating func add(_ bytes: [UInt8]) {
    guard bytes.count >= 3, fragments.count < Self.most, !Self.constants.contains(where: { Self.has($0, bytes) }) else {
      return
    }
    let hashes = (2..<bytes.count).map { end in
      TrigramSet.hash(UInt32(bytes[end - 2]) << 16 | UInt32(bytes[end - 1]) << 8 | UInt32(bytes[end]))
    }
    fragments.append(Fragment(bytes: bytes, hashes: Array(Set(hashes))))
  }

  private static func folded(_ bytes: [UInt8]) -> [UInt8] { bytes.map { $0 &- 65 < 26 ? $0 | 0x20 : $0 } }

  fileprivate static func has(_ text: [UInt8], _ part: [UInt8]) -> Bool {
    text.withUnsafeBytes { text in
      part.withUnsafeBytes { part in
        guard let first = part.first, let base = text.baseAddress, let wanted = part.baseAddress else { return true }
        var position = 0
        while position + part.count <= text.count {
          let last = text.count - part.count
          guard let hit = memchr(base + position, Int32(first), last - position + 1) else { return false }
          position = UnsafeRawPointer(hit) - base
          if memcmp(base + position, wanted, part.count) == 0 { return true }
          position += 1
        }
        return false
      }
    }
  }

  /// Whether the spans of a filter may hold all that is needed. What is no filter rules nothing out.
  ///
  /// - Parameter shared: which of the fragments the shared text holds whose digest begins so, as bits.
  func mayStand(in filter: Data, shared: (UInt64) throws -> UInt32) rethrows -> Bool {
    guard filter.count >= 2 else { return true }
    let start = 2 + (Int(filter[filter.startIndex]) | Int(filter[filter.startIndex + 1]) << 8) * SpanFilter.prefixLength
    let count = (filter.count - start) * 8
    guard count > 0 else { return true }
    var missing: UInt32 = 0
    filter.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
      for (index, fragment) in fragments.enumerated() {
        for hash in fragment.hashes {
          let bit = SpanFilter.bit(hash, of: count)
          if bytes[start + bit >> 3] & 1 << UInt8(bit & 7) == 0 {
            missing |= 1 << UInt32(index)
            break
          }
        }
      }
    }
    guard missing != 0, start > 2 else { return missing == 0 }
    for prefix in SpanFilter.prefixes(filter) {
      missing &= ~(try shared(prefix))
      if missing == 0 { return true }
    }
    return false
  }

  /// Which of the fragments a text holds, as bits.
  func held(by text: Data) -> UInt32 {
    let text = Self.folded([UInt8](text))
    return fragments.enumerated().reduce(0) { Self.has(text, $1.element.bytes) ? $0 | 1 << UInt32($1.offset) : $0 }
  }
}

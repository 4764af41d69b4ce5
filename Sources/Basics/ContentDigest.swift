import Crypto

/// The SHA-256 digest of some content: its name wherever equal content is to be stored or asked for once.
package struct ContentDigest: Hashable, Sendable, CustomStringConvertible {
  private var words: (UInt64, UInt64, UInt64, UInt64)

  /// From the 32 bytes of a digest; nil for any other number of bytes.
  package init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 32 else { return nil }
    words = (0, 0, 0, 0)
    withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
  }

  package var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

  /// 64 lowercase hexadecimal digits.
  package var description: String { hexadecimal(bytes) }

  package static func == (a: Self, b: Self) -> Bool { a.words == b.words }
  package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

  package static func of(_ text: String) -> ContentDigest {
    var builder = Builder()
    builder.add(text)
    return builder.finish()
  }

  package static func of(_ bytes: some Sequence<UInt8>) -> ContentDigest {
    var builder = Builder()
    builder.add(Array(bytes))
    return builder.finish()
  }

  /// Takes content part by part; each part's length counts, so that no two lists of parts collide.
  package struct Builder {
    private var hasher = SHA256()

    package init() {}

    package mutating func add(_ text: String) {
      var copy = text
      copy.withUTF8 { utf8 in
        addLength(utf8.count)
        hasher.update(bufferPointer: UnsafeRawBufferPointer(utf8))
      }
    }

    package mutating func add(_ bytes: [UInt8]) {
      addLength(bytes.count)
      bytes.withUnsafeBytes { hasher.update(bufferPointer: $0) }
    }

    package mutating func add(_ digest: ContentDigest) {
      withUnsafeBytes(of: digest.words) { hasher.update(bufferPointer: $0) }
    }

    private mutating func addLength(_ count: Int) {
      withUnsafeBytes(of: UInt64(count).littleEndian) { hasher.update(bufferPointer: $0) }
    }

    package func finish() -> ContentDigest {
      var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
      hasher.finalize().withUnsafeBytes { source in withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: source) } }
      return ContentDigest(words: words)
    }
  }

  private init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }
}

/// Bytes as lowercase hexadecimal digits.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits: [UInt8] = Array("0123456789abcdef".utf8)
  var text: [UInt8] = []
  for byte in bytes {
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }
  return String(decoding: text, as: UTF8.self)
}

extension ContentDigest {
  /// From 64 hexadecimal digits.
  package init?(_ text: String) {
    let digits = Array(text.utf8)
    let bytes = stride(from: 0, to: digits.count - digits.count % 2, by: 2).compactMap { place in
      UInt8(String(decoding: digits[place..<place + 2], as: UTF8.self), radix: 16)
    }
    self.init(bytes: bytes)
  }
}

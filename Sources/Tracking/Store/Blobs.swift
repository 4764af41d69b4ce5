import Basics
import Foundation
import Traces

extension TraceID {
  /// The 16 bytes under which the store keeps it.
  var data: Data {
    var words = (high.bigEndian, low.bigEndian)
    return withUnsafeBytes(of: &words) { Data($0) }
  }

  init?(data: Data?) {
    guard let data, data.count == 16 else { return nil }
    let words = data.withUnsafeBytes { bytes in
      (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
    self.init(high: UInt64(bigEndian: words.0), low: UInt64(bigEndian: words.1))
  }
}

extension ContentDigest {
  var data: Data { Data(bytes) }

  init?(data: Data?) {
    guard let data else { return nil }
    self.init(bytes: data)
  }
}

/// Bytes as hexadecimal digits.
func hexText(_ data: Data) -> String { hexadecimal(data) }

/// Bytes from hexadecimal digits; nil for any other text.
func blob(_ text: String) -> Data? {
  let digits = Array(text.utf8)
  guard digits.count.isMultiple(of: 2) else { return nil }
  var data = Data(capacity: digits.count / 2)
  for index in stride(from: 0, to: digits.count, by: 2) {
    guard let byte = UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) else { return nil }
    data.append(byte)
  }
  return data
}

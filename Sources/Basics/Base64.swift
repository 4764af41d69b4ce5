/// Bytes as text of 64 letters (RFC 4648, section 4). Foundation's would cost its start-up time.
package enum Base64 {
  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  package static func text(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let part = bytes[start..<min(start + 3, bytes.count)]
      var bits: UInt32 = 0
      for place in 0..<3 { bits = bits << 8 | (place < part.count ? UInt32(part[start + place]) : 0) }
      for place in 0..<4 {
        text.append(place <= part.count ? letters[Int(bits >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes of a text; nil where it is none of this form.
  package static func bytes(_ text: String) -> [UInt8]? {
    var values: [UInt8?] = Array(repeating: nil, count: 256)
    for (value, letter) in letters.enumerated() { values[Int(letter)] = UInt8(value) }
    let text = Array(text.utf8)
    guard text.count.isMultiple(of: 4) else { return nil }
    let padding = text.suffix(2).count { $0 == UInt8(ascii: "=") }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    var bits: UInt32 = 0
    for (place, letter) in text.dropLast(padding).enumerated() {
      guard let value = values[Int(letter)] else { return nil }
      bits = bits << 6 | UInt32(value)
      if place % 4 == 3 { for shift: UInt32 in [16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) } }
    }
    if padding == 1 { for shift: UInt32 in [10, 2] { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) } }
    if padding == 2 { bytes.append(UInt8(truncatingIfNeeded: bits >> 4)) }
    return bytes
  }
}

extension Base64 {
  /// Numbers as the embeddings endpoints write them in this form: four bytes each, the lowest first.
  package static func text(_ numbers: [Float]) -> String {
    text(
      numbers.flatMap { number in
        [0, 8, 16, 24].map { (shift: UInt32) in UInt8(truncatingIfNeeded: number.bitPattern >> shift) }
      })
  }

  /// The numbers of a text; nil where it is none of this form, or one of them is not finite.
  package static func numbers(_ text: String) -> [Float]? {
    guard let bytes = bytes(text), bytes.count.isMultiple(of: 4) else { return nil }
    let numbers = stride(from: 0, to: bytes.count, by: 4).map { start in
      Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) })
    }
    return numbers.allSatisfy(\.isFinite) ? numbers : nil
  }
}

/// Whether a text matches a LIKE pattern, `%` for any run of characters and `_` for one (a Unicode scalar, as
/// SQLite counts).
///
/// Greedy with one point of return, so at most pattern times text steps.
func matchesLike(_ text: String, _ pattern: String, foldingASCII: Bool) -> Bool {
  var (text, pattern) = (text, pattern)
  return text.withUTF8 { text in
    pattern.withUTF8 { pattern in matchesLike(text, pattern, foldingASCII: foldingASCII) }
  }
}

private func matchesLike(
  _ text: UnsafeBufferPointer<UInt8>, _ pattern: UnsafeBufferPointer<UInt8>, foldingASCII: Bool
) -> Bool {
  func fold(_ byte: UInt8) -> UInt8 { foldingASCII && (65...90).contains(byte) ? byte + 32 : byte }
  let (percent, underscore) = (UInt8(ascii: "%"), UInt8(ascii: "_"))
  var (position, place) = (0, 0)
  var retry: (position: Int, place: Int)?
  while position < text.count {
    if place < pattern.count, pattern[place] == percent {
      place += 1
      retry = (position, place)
    } else if place < pattern.count, pattern[place] == underscore {
      place += 1
      position += 1
      // The rest of a character of several bytes.
      while position < text.count, text[position] & 0xC0 == 0x80 { position += 1 }
    } else if place < pattern.count, fold(pattern[place]) == fold(text[position]) {
      position += 1
      place += 1
    } else if let last = retry {
      var next = last.position + 1
      while next < text.count, text[next] & 0xC0 == 0x80 { next += 1 }
      retry = (next, last.place)
      (position, place) = (next, last.place)
    } else {
      return false
    }
  }
  return pattern[place...].allSatisfy { $0 == percent }
}

/// Cuts a JSON array into the texts of its elements without reading them: by strings, brackets and commas.
struct ArrayElements {
  /// Whether it is not an array, so far as that shows without reading the elements.
  var isBroken = false
  private var isDone = false
  private var isFirst = true

  /// - Parameter window: its first byte that is no white space opens the array.
  init(_ window: inout ByteWindow) {
    window.position += (window.firstOffset { !Self.isSpace($0) } ?? 0) + 1
  }

  /// The next element's text; nil behind the last one, and where the array is broken.
  mutating func next(_ window: inout ByteWindow) -> ArraySlice<UInt8>? {
    guard !isDone, !isBroken else { return nil }
    var scan = Scan()
    var offset = 0
    while true {
      let available = window.bytes.count - window.position
      while offset < available {
        let byte = window.bytes[window.position + offset]
        offset += 1
        guard scan.ends(at: byte) else { continue }
        let text = window.bytes[window.position..<window.position + offset - 1]
        window.position += offset
        isDone = byte == UInt8(ascii: "]")
        let isEmpty = text.allSatisfy(Self.isSpace)
        if isEmpty, isDone, isFirst { return finished(&window) }
        isFirst = false
        if isEmpty || (isDone && finished(&window) == nil && isBroken) {
          isBroken = true
          return nil
        }
        return text
      }
      guard !window.isAtEnd else {
        isBroken = true
        return nil
      }
      window.extend()
    }
  }

  /// Looks whether only white space follows the array.
  private mutating func finished(_ window: inout ByteWindow) -> ArraySlice<UInt8>? {
    if window.firstOffset(where: { !Self.isSpace($0) }) != nil { isBroken = true }
    return nil
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

  /// Where in an element a scan is.
  private struct Scan {
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    /// Whether the byte ends the element.
    mutating func ends(at byte: UInt8) -> Bool {
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
        return false
      }
      switch byte {
      case UInt8(ascii: "\""): isInString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return byte == UInt8(ascii: "]") }
        depth -= 1
      case UInt8(ascii: ","): return depth == 0
      default: break
      }
      return false
    }
  }
}

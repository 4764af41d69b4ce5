/// Reads the fields of one protobuf message, in the order they stand. Unknown fields are for the caller to pass over.
struct WireReader {
  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    case bytes(ArraySlice<UInt8>)
  }

  struct Failure: Error {
    var message: String
  }

  /// How many fields may still be read of a message and those within it.
  final class Allowance {
    private let maximum: Int
    private var left: Int

    init(_ maximum: Int) {
      self.maximum = maximum
      left = maximum
    }

    fileprivate func take() throws(Failure) {
      guard left > 0 else { throw Failure(message: "it has more than the \(maximum) fields allowed") }
      left -= 1
    }
  }

  private var rest: ArraySlice<UInt8>
  private let allowance: Allowance

  init(_ bytes: ArraySlice<UInt8>, _ allowance: Allowance) {
    rest = bytes
    self.allowance = allowance
  }

  /// A reader of a message within this one.
  func inner(_ bytes: ArraySlice<UInt8>) -> WireReader { WireReader(bytes, allowance) }

  /// The next field's number and value; nil at the end.
  mutating func next() throws(Failure) -> (field: Int, value: Value)? {
    guard !rest.isEmpty else { return nil }
    try allowance.take()
    let tag = try varint()
    let field = Int(truncatingIfNeeded: tag >> 3)
    guard field > 0, tag >> 3 < 1 << 29 else { throw Failure(message: "a field has no number") }
    switch tag & 7 {
    case 0: return (field, .varint(try varint()))
    case 1: return (field, .fixed64(try fixed(8)))
    case 5: return (field, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
    case 2:
      let length = try varint()
      guard length <= UInt64(rest.count) else { throw Failure(message: "a field is cut off") }
      let end = rest.startIndex + Int(length)
      defer { rest = rest[end...] }
      return (field, .bytes(rest[..<end]))
    default: throw Failure(message: "a field is of a kind that protobuf no longer has")
    }
  }

  private mutating func varint() throws(Failure) -> UInt64 {
    var result: UInt64 = 0
    var shift: UInt64 = 0
    while let byte = rest.popFirst() {
      result |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return result }
      shift += 7
      guard shift < 64 else { throw Failure(message: "a number is longer than ten bytes") }
    }
    throw Failure(message: "a number is cut off")
  }

  private mutating func fixed(_ count: Int) throws(Failure) -> UInt64 {
    guard rest.count >= count else { throw Failure(message: "a number is cut off") }
    var result: UInt64 = 0
    for (index, byte) in rest.prefix(count).enumerated() { result |= UInt64(byte) << UInt64(8 * index) }
    rest = rest.dropFirst(count)
    return result
  }
}

extension WireReader.Value {
  var bytes: ArraySlice<UInt8>? { if case .bytes(let bytes) = self { bytes } else { nil } }
  var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
  var number: UInt64? {
    switch self {
    case .varint(let number), .fixed64(let number): number
    case .fixed32(let number): UInt64(number)
    case .bytes: nil
    }
  }
}

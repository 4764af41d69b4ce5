import CZlib
package import Failures

/// How a packed stream begins.
package enum PackedFormat: Sendable {
  /// As `deflated` writes.
  case raw
  /// gzip or zlib, told apart by its first bytes: what HTTP calls `gzip` and `deflate`.
  case gzipOrZlib
}

/// Unpacks a deflate stream, and never more than `limit` bytes of it: a few bytes can stand for gigabytes.
///
/// - Throws: `invalidParams` for a damaged or truncated stream, or one that goes beyond the limit.
package func inflated(
  _ bytes: some Sequence<UInt8>, format: PackedFormat = .raw, dictionary: [UInt8] = [], limit: Int
) throws(HoneError) -> [UInt8] {
  var stream = z_stream()
  let window = format == .raw ? -MAX_WBITS : MAX_WBITS + 32
  guard inflateInit2_(&stream, window, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
    throw HoneError(.internalError, "zlib cannot begin to unpack.")
  }
  defer { inflateEnd(&stream) }
  if !dictionary.isEmpty {
    let status = dictionary.withUnsafeBufferPointer { inflateSetDictionary(&stream, $0.baseAddress, UInt32($0.count)) }
    guard status == Z_OK else { throw HoneError(.internalError, "zlib does not accept the dictionary.") }
  }
  var input = Array(bytes)
  var result: [UInt8] = []
  var part = [UInt8](repeating: 0, count: max(1024, min(limit + 1, min(input.count * 6, 256 << 10))))
  let status: Int32 = input.withUnsafeMutableBufferPointer { source in
    stream.next_in = source.baseAddress
    stream.avail_in = UInt32(source.count)
    while true {
      let (status, count) = part.withUnsafeMutableBufferPointer { target in
        stream.next_out = target.baseAddress
        stream.avail_out = UInt32(target.count)
        let status = inflate(&stream, Z_NO_FLUSH)
        return (status, target.count - Int(stream.avail_out))
      }
      result.append(contentsOf: part[..<count])
      if status != Z_OK || result.count > limit { return status }
      if count == 0, stream.avail_in == 0 { return Z_BUF_ERROR }
    }
  }
  guard result.count <= limit else {
    throw HoneError(.invalidParams, "The unpacked content is larger than the \(limit) bytes accepted here.")
  }
  guard status == Z_STREAM_END else {
    throw HoneError(.invalidParams, "The packed content is damaged or not whole.")
  }
  return result
}

import CZlib
package import Failures

/// Packs bytes as a raw deflate stream (RFC 1951).
///
/// - Parameters:
///   - dictionary: bytes that the content resembles, which are not packed but referred to; whoever unpacks needs them again.
///   - effort: from 1, quick, to 9, small.
package func deflated(_ bytes: [UInt8], dictionary: [UInt8] = [], effort: Int32 = 6) throws(HoneError) -> [UInt8] {
  var stream = z_stream()
  guard
    deflateInit2_(
      &stream, effort, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
      == Z_OK
  else { throw HoneError(.internalError, "zlib cannot begin to pack.") }
  defer { deflateEnd(&stream) }
  if !dictionary.isEmpty {
    let status = dictionary.withUnsafeBufferPointer { deflateSetDictionary(&stream, $0.baseAddress, UInt32($0.count)) }
    guard status == Z_OK else { throw HoneError(.internalError, "zlib does not accept the dictionary.") }
  }
  var input = bytes
  var packed = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))))
  let status = input.withUnsafeMutableBufferPointer { source in
    packed.withUnsafeMutableBufferPointer { target in
      stream.next_in = source.baseAddress
      stream.avail_in = UInt32(source.count)
      stream.next_out = target.baseAddress
      stream.avail_out = UInt32(target.count)
      return deflate(&stream, Z_FINISH)
    }
  }
  guard status == Z_STREAM_END else { throw HoneError(.internalError, "zlib cannot pack \(bytes.count) bytes.") }
  packed.removeLast(packed.count - Int(stream.total_out))
  return packed
}

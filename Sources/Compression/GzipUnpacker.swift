import CZlib
import Failures

/// Unpacks gzip (RFC 1952), also several files one behind the other; what follows them is passed over, as gzip does.
final class GzipUnpacker: Unpacker {
  /// zlib remembers where it is.
  private let stream: UnsafeMutablePointer<z_stream>
  private(set) var isWhole = false
  private var isDone = false

  init() throws(HoneError) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard inflateInit2_(stream, MAX_WBITS + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw HoneError(.internalError, "zlib cannot begin to unpack.")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  func unpack(_ packed: inout ArraySlice<UInt8>, atMost count: Int) throws(HoneError) -> [UInt8] {
    if isWhole, !packed.isEmpty {
      isDone = isDone || packed.first != Packing.gzip.magic[0]
      if isDone {
        packed = []
        return []
      }
      inflateReset(stream)
      isWhole = false
    }
    var input = Array(packed)
    var status = Z_OK
    let result = [UInt8](unsafeUninitializedCapacity: count) { target, filled in
      input.withUnsafeMutableBufferPointer { source in
        stream.pointee.next_in = source.baseAddress
        stream.pointee.avail_in = UInt32(source.count)
        stream.pointee.next_out = target.baseAddress
        stream.pointee.avail_out = UInt32(count)
        status = inflate(stream, Z_NO_FLUSH)
      }
      filled = count - Int(stream.pointee.avail_out)
    }
    packed = packed.suffix(Int(stream.pointee.avail_in))
    if status == Z_STREAM_END { isWhole = true }
    guard [Z_OK, Z_STREAM_END, Z_BUF_ERROR].contains(status) else {
      throw HoneError(.invalidParams, "The packed content is damaged.")
    }
    return result
  }
}

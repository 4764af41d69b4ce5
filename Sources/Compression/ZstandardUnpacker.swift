import Failures
import Platform

/// Unpacks Zstandard (RFC 8878) with the system's libzstd.
///
/// The library is looked for when it is needed: nearly every system has it, since packages are packed so, but few have what
/// is needed to build with it.
final class ZstandardUnpacker: Unpacker {
  /// `ZSTD_inBuffer` and `ZSTD_outBuffer`.
  private struct Buffer {
    var bytes: UnsafeMutableRawPointer?
    var size: Int
    var position = 0
  }

  private struct Library {
    typealias Create = @convention(c) () -> OpaquePointer?
    typealias Free = @convention(c) (OpaquePointer?) -> Int
    typealias Decompress = @convention(c) (OpaquePointer?, UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> Int
    typealias IsError = @convention(c) (Int) -> UInt32

    let create: Create
    let free: Free
    let decompress: Decompress
    let isError: IsError

    private static let names = [
      "libzstd.so.1", "libzstd.1.dylib", "/opt/homebrew/lib/libzstd.1.dylib", "/usr/local/lib/libzstd.1.dylib",
    ]

    static let shared: Library? = {
      guard let handle = names.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_LOCAL) }).first else { return nil }
      guard let create = dlsym(handle, "ZSTD_createDStream"), let free = dlsym(handle, "ZSTD_freeDStream"),
        let decompress = dlsym(handle, "ZSTD_decompressStream"), let isError = dlsym(handle, "ZSTD_isError")
      else { return nil }
      return Library(
        create: unsafeBitCast(create, to: Create.self), free: unsafeBitCast(free, to: Free.self),
        decompress: unsafeBitCast(decompress, to: Decompress.self), isError: unsafeBitCast(isError, to: IsError.self))
    }()
  }

  private let library: Library
  private let stream: OpaquePointer
  private(set) var isWhole = false

  init() throws(HoneError) {
    guard let library = Library.shared, let stream = library.create() else {
      throw HoneError(
        .invalidParams, "The system's library for Zstandard (libzstd) is not there.",
        remedy: "Install it (Debian: apt-get install libzstd1), or unpack the file: zstd -d FILE")
    }
    self.library = library
    self.stream = stream
  }

  deinit { _ = library.free(stream) }

  func unpack(_ packed: inout ArraySlice<UInt8>, atMost count: Int) throws(HoneError) -> [UInt8] {
    var bytes = Array(packed)
    var used = 0
    var status = 0
    let result = [UInt8](unsafeUninitializedCapacity: count) { target, filled in
      bytes.withUnsafeMutableBytes { source in
        var input = Buffer(bytes: source.baseAddress, size: source.count)
        var output = Buffer(bytes: UnsafeMutableRawPointer(target.baseAddress), size: count)
        status = library.decompress(stream, &output, &input)
        used = input.position
        filled = output.position
      }
    }
    guard library.isError(status) == 0 else { throw HoneError(.invalidParams, "The packed content is damaged.") }
    // With nothing to read there is nothing to say, either.
    if used > 0 || !result.isEmpty { isWhole = status == 0 }
    packed = packed.dropFirst(used)
    return result
  }
}

package import Failures

/// How a file is packed.
package enum Packing: CaseIterable, Sendable {
  case gzip
  case zstandard

  /// With which bytes such a file begins (RFC 1952; RFC 8878).
  package var magic: [UInt8] {
    switch self {
    case .gzip: [0x1F, 0x8B]
    case .zstandard: [0x28, 0xB5, 0x2F, 0xFD]
    }
  }

  /// - Throws: where the system has no library for it.
  package func unpacker() throws(HoneError) -> any Unpacker {
    switch self {
    case .gzip: try GzipUnpacker()
    case .zstandard: try ZstandardUnpacker()
    }
  }
}

/// Unpacks a stream part by part, so that neither it nor what it unpacks to need be in memory.
package protocol Unpacker: AnyObject {
  /// Whether nothing has begun that has not ended.
  var isWhole: Bool { get }

  /// What the packed bytes unpack to, at most `count` bytes of it; those that were used are taken from `packed`.
  ///
  /// - Throws: `invalidParams` where they are damaged.
  func unpack(_ packed: inout ArraySlice<UInt8>, atMost count: Int) throws(HoneError) -> [UInt8]
}

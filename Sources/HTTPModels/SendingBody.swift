import Synchronization

/// A request's body that tells whether any of it was asked for: as long as nothing was, no connection had come about, and
/// the endpoint cannot have worked on the request.
struct SendingBody: RandomAccessCollection, Sendable {
  private final class Mark: Sendable { let isSet = Atomic(false) }

  private let bytes: [UInt8]
  private let mark = Mark()

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var hasBegun: Bool { mark.isSet.load(ordering: .sequentiallyConsistent) }

  var startIndex: Int { 0 }
  var endIndex: Int { bytes.count }

  subscript(index: Int) -> UInt8 {
    begin()
    return bytes[index]
  }

  func withContiguousStorageIfAvailable<Result>(
    _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
  ) rethrows -> Result? {
    begin()
    return try bytes.withContiguousStorageIfAvailable(body)
  }

  private func begin() { mark.isSet.store(true, ordering: .sequentiallyConsistent) }
}

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

// System calls under names that no method of ours hides.

func closeDescriptor(_ descriptor: Int32) { _ = close(descriptor) }

func openDescriptor(_ path: String, _ flags: Int32, mode: mode_t = 0) -> Int32 { open(path, flags, mode) }

func readDescriptor(_ descriptor: Int32, into buffer: inout [UInt8]) -> Int { read(descriptor, &buffer, buffer.count) }

func writeDescriptor(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
  write(descriptor, bytes.baseAddress, bytes.count)
}

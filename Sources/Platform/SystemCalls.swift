// System calls under names that no method of ours hides.

package func closeDescriptor(_ descriptor: Int32) { _ = close(descriptor) }

package func openDescriptor(_ path: String, _ flags: Int32, mode: mode_t = 0) -> Int32 { open(path, flags, mode) }

package func readDescriptor(_ descriptor: Int32, into buffer: inout [UInt8]) -> Int {
  read(descriptor, &buffer, buffer.count)
}

package func writeDescriptor(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
  write(descriptor, bytes.baseAddress, bytes.count)
}

/// System calls under a name that no method of ours hides. Each answers as the C library's function does.
package enum System {
  @discardableResult
  package static func close(_ descriptor: Int32) -> Int32 { closeCall(descriptor) }

  package static func open(_ path: String, _ flags: Int32, mode: mode_t = 0) -> Int32 { openCall(path, flags, mode) }

  package static func read(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    readCall(descriptor, buffer, count)
  }

  package static func write(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    writeCall(descriptor, bytes, count)
  }

  package static func connect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    connectCall(descriptor, address, length)
  }

  package static func listen(_ descriptor: Int32, _ backlog: Int32) -> Int32 { listenCall(descriptor, backlog) }

  package static func send(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
    sendCall(descriptor, bytes, count, flags)
  }
}

private func closeCall(_ descriptor: Int32) -> Int32 { close(descriptor) }

private func openCall(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { open(path, flags, mode) }

private func readCall(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
  read(descriptor, buffer, count)
}

private func writeCall(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}

private func connectCall(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
  connect(descriptor, address, length)
}

private func listenCall(_ descriptor: Int32, _ backlog: Int32) -> Int32 { listen(descriptor, backlog) }

private func sendCall(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
  send(descriptor, bytes, count, flags)
}

import Synchronization

/// The process's memory.
package enum Memory {
  private static let isDue = Mutex(false)

  #if canImport(Glibc)
    // What Swift's module of the C library does not have.
    private static let trim: (@convention(c) @Sendable (Int) -> CInt)? = dlsym(nil, "malloc_trim").map {
      unsafeBitCast($0, to: (@convention(c) @Sendable (Int) -> CInt).self)
    }
    private static let tune: (@convention(c) @Sendable (CInt, CInt) -> CInt)? = dlsym(nil, "mallopt").map {
      unsafeBitCast($0, to: (@convention(c) @Sendable (CInt, CInt) -> CInt).self)
    }
  #endif

  /// Has large pieces returned as soon as they are freed: for a process that lives long. The C library would otherwise
  /// keep up to twice the largest piece that was ever freed, for each thread.
  package static func returnLargePieces() {
    #if canImport(Glibc)
      _ = tune?(-3, 1 << 20)  // M_MMAP_THRESHOLD
      _ = tune?(-1, 4 << 20)  // M_TRIM_THRESHOLD
    #endif
  }

  /// Returns what was freed to the system, where the C library keeps it for later: to be called after work that took
  /// much at once. It is done half a second later, once for all that ended until then, because it takes milliseconds; and
  /// again after some seconds, for what was still being ended.
  package static func giveBackSoon() {
    #if canImport(Glibc)
      let isNew = isDue.withLock { isDue in
        defer { isDue = true }
        return !isDue
      }
      guard isNew else { return }
      Task.detached(priority: .background) {
        try? await Task.sleep(for: .milliseconds(500))
        isDue.withLock { $0 = false }
        _ = trim?(0)
        try? await Task.sleep(for: .seconds(5))
        _ = trim?(0)
      }
    #endif
  }
}

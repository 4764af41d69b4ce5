import Platform

/// What the store's answers survive. A process that is killed loses nothing either way.
public enum Durability: String, Sendable, CaseIterable {
  /// A power cut: answers, bills and ends of runs are on the disk before anybody uses them.
  case power
  /// The end of the process, not of the machine: the system writes them to the disk when it likes.
  case process
}

/// Sees that a new directory entry is on the disk.
func synchronizeDirectory(_ path: String) {
  let descriptor = System.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  _ = fsync(descriptor)
  System.close(descriptor)
}

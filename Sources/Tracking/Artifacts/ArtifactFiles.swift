import Failures
import Platform

/// An open file or directory, closed with the value's last owner.
final class OpenFile: Sendable {
  let descriptor: Int32
  init(_ descriptor: Int32) { self.descriptor = descriptor }
  deinit { System.close(descriptor) }
}

/// The files below one directory, reached without ever following a symbolic link.
///
/// Each part of a path is opened relative to the directory above it with `O_NOFOLLOW`, so that a link
/// anywhere on the way is refused whoever puts it there and whenever.
struct ArtifactFiles {
  let root: String

  /// The directory of those names below the root; nil if it does not exist.
  func directory(_ names: [String], making: Bool) throws(HoneError) -> OpenFile? {
    if making, mkdir(root, 0o700) != 0, errno != EEXIST { throw systemFailure("make the directory \(root)") }
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    let top = open(root, flags)
    guard top >= 0 else {
      if errno == ENOENT { return nil }
      throw systemFailure("open the directory \(root)")
    }
    var current = OpenFile(top)
    for name in names {
      if making, mkdirat(current.descriptor, name, 0o700) != 0, errno != EEXIST {
        throw systemFailure("make the directory \"\(shortened(name))\" of an artifact")
      }
      let next = openat(current.descriptor, name, flags)
      guard next >= 0 else {
        if errno == ENOENT { return nil }
        if errno == ENOTDIR || errno == ELOOP { throw notDirectory(name) }
        throw systemFailure("open the directory \"\(shortened(name))\" of an artifact")
      }
      current = OpenFile(next)
    }
    return current
  }

  private func notDirectory(_ name: String) -> HoneError {
    invalid("path", "\"\(shortened(name))\" is a file or a link, not a directory.", got: name)
  }

  /// Writes a file beside its place, brings it to the disk and moves it there, so that a reader sees the old
  /// or the new content, whole.
  func write(_ bytes: [UInt8], directory names: [String], name: String) throws(HoneError) {
    guard let directory = try directory(names, making: true) else {
      throw HoneError(.storeUnavailable, "A directory of artifacts vanished while it was written to.")
    }
    let upload = try ArtifactUpload(directory: directory, name: name)
    try upload.append(bytes)
    try upload.finish()
  }

  /// Removes a file, or a directory and what is in it; false if there is none. Links are refused, not followed.
  func remove(_ name: String, from directory: OpenFile, depth: Int) throws(HoneError) -> Bool {
    guard depth < 100 else { throw invalid("path", "The directory is nested too deep to be removed.") }
    if unlinkat(directory.descriptor, name, 0) == 0 { return true }
    if errno == ENOENT { return false }
    let descriptor = openat(directory.descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemFailure("remove the artifact \"\(shortened(name))\"") }
    let inner = OpenFile(descriptor)
    for entry in try list(inner) { _ = try remove(entry.name, from: inner, depth: depth + 1) }
    guard unlinkat(directory.descriptor, name, AT_REMOVEDIR) == 0 else {
      throw systemFailure("remove the directory \"\(shortened(name))\" of artifacts")
    }
    return true
  }

  /// An open regular file and its size; nil if it does not exist.
  func file(directory names: [String], name: String) throws(HoneError) -> (file: OpenFile, size: Int)? {
    guard let directory = try directory(names, making: false) else { return nil }
    // Opening a named pipe must not wait for its writer.
    let descriptor = openat(directory.descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      if errno == ELOOP { throw invalid("path", "\"\(shortened(name))\" is a symbolic link.", got: name) }
      throw systemFailure("read the artifact \"\(shortened(name))\"")
    }
    let file = OpenFile(descriptor)
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw systemFailure("read the artifact \"\(shortened(name))\"") }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw invalid("path", "\"\(shortened(name))\" is a directory, not a file.", got: name)
    }
    return (file, Int(status.st_size))
  }

  /// Part of an open file; shorter than asked for where the file ends.
  func read(_ file: OpenFile, offset: Int, count: Int) throws(HoneError) -> [UInt8] {
    var failed = false
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let part = pread(file.descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, offset + filled)
        if part < 0 && errno == EINTR { continue }
        if part < 0 { failed = true }
        guard part > 0 else { return }
        filled += part
      }
    }
    if failed { throw systemFailure("read an artifact") }
    return bytes
  }

  /// The names in a directory with the sizes of files, nil for directories; links and parts left out.
  func list(_ directory: OpenFile) throws(HoneError) -> [(name: String, size: Int?)] {
    try entries(of: directory)
      .filter { !($0.name.hasPrefix(".") && $0.name.hasSuffix(".part")) && ($0.isDirectory || $0.isRegular) }
      .map { ($0.name, $0.isDirectory ? nil : $0.size) }.sorted { $0.name < $1.name }
  }

  struct Entry {
    var name: String
    /// In bytes.
    var size: Int
    var isDirectory: Bool
    var isRegular: Bool
  }

  /// All that is in a directory, in no order.
  func entries(of directory: OpenFile) throws(HoneError) -> [Entry] {
    let copy = openat(directory.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0, let stream = fdopendir(copy) else { throw systemFailure("list a directory of artifacts") }
    defer { closedir(stream) }
    var entries: [Entry] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      var status = stat()
      guard name != ".", name != "..", fstatat(directory.descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
        continue
      }
      let kind = status.st_mode & S_IFMT
      entries.append(
        Entry(name: name, size: Int(status.st_size), isDirectory: kind == S_IFDIR, isRegular: kind == S_IFREG))
    }
    return entries
  }
}

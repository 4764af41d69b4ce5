/// A directory outside of which nothing is opened, whatever a path says: `..`, absolute paths and symbolic links are
/// followed first and judged by where they lead.
package struct Enclosure: Sendable, Hashable {
  /// Absolute and free of links.
  package let root: String

  /// Nil where there is no such directory.
  package init?(_ directory: String) {
    var status = stat()
    guard let real = Self.real(directory), stat(real, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      return nil
    }
    root = real
  }

  /// Where an absolute path leads, free of links; nil if that is outside. What does not exist yet stands where it would
  /// be made.
  package func place(of path: String) -> String? {
    guard !path.utf8.contains(0) else { return nil }
    var missing: [Substring] = []
    var existing = path[...]
    while true {
      if let real = Self.real(String(existing)) {
        guard !missing.contains(".."), !missing.contains(".") else { return nil }
        guard real == root || real.hasPrefix(root == "/" ? "/" : root + "/") else { return nil }
        return missing.isEmpty
          ? real : ([real == "/" ? "" : real] + missing.reversed().map(String.init)).joined(separator: "/")
      }
      // A link that leads nowhere, or to what may not be looked at, is no place for a file.
      var status = stat()
      guard lstat(String(existing), &status) != 0, errno == ENOENT, let slash = existing.lastIndex(of: "/") else {
        return nil
      }
      let name = existing[existing.index(after: slash)...]
      if !name.isEmpty { missing.append(name) }
      existing = existing[..<slash]
      if existing.isEmpty { existing = "/" }
    }
  }

  /// Why a path is not opened, for messages.
  package func refusal(of path: String) -> String {
    "\(path.prefix(200)) is outside of \(root), the only directory whose files may be named here."
  }

  private static func real(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}

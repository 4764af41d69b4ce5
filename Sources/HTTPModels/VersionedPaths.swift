import Synchronization

/// Base URLs behind which a `/v1` belongs, as their servers turned out to want it: known for the process, so that it is
/// found out once. Servers print their root (`http://localhost:11434`), and their users pass that on.
enum VersionedPaths {
  private static let known = Mutex<Set<String>>([])
  private static let most = 1000

  static func contains(_ base: String) -> Bool { known.withLock { $0.contains(base) } }

  static func note(_ base: String) {
    known.withLock { known in
      if known.count >= most { known = [] }
      known.insert(base)
    }
  }

  /// Whether an answer says that nothing is at that path: by its status, or as LM Studio does.
  static func isMissing(status: Int, body: [UInt8]) -> Bool {
    status == 404 || status == 405 || String(decoding: body.prefix(1000), as: UTF8.self).contains("Unexpected endpoint")
  }

  /// Whether a 404 is about the model, so that the path is right.
  static func isAboutModel(_ body: [UInt8]) -> Bool {
    String(decoding: body.prefix(4000), as: UTF8.self).lowercased().contains("model")
  }
}

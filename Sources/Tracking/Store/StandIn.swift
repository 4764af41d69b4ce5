package import Failures
import Foundation
import GRDB
import Platform

/// Whether there is a store, and what stands in for one that is not there: looking for something makes no files.
extension TrackingStore {
  static func path(in home: String) -> String { home.hasSuffix("/") ? home + fileName : home + "/" + fileName }

  /// Whether there is a store in the directory `home`. One that is just being made counts when it has something in it; one
  /// that cannot be looked at counts, so that opening it says why.
  package static func isThere(in home: String) -> Bool {
    var status = stat()
    guard stat(path(in: home), &status) == 0 else { return errno != ENOENT }
    return status.st_size > 0
  }

  /// A directory's path as it is from everywhere.
  package static func place(of home: String) -> String {
    URL(filePath: home, directoryHint: .isDirectory).standardizedFileURL.path
  }

  /// The store's home directory as a path from everywhere, for messages.
  package var place: String { Self.place(of: home) }

  /// The path of the database.
  var path: String { Self.path(in: home) }

  static let missingRemedy = "A compile or an evaluate makes one; --home or $HONE_HOME names another."

  /// That there is no store in a directory.
  package static func missing(in home: String) -> HoneError {
    HoneError(
      .notFound, "There is no store at \(place(of: home)) yet.", remedy: missingRemedy,
      details: ["home": place(of: home)])
  }

  /// An empty store in memory, which has what a new one has and takes nothing.
  package static func standIn(for home: String) throws(HoneError) -> TrackingStore {
    do {
      let queue = try DatabaseQueue()
      let texts = SharedTexts(Lookups(queue: queue))
      try queue.write { db in addFunctions(to: db, texts: texts) }
      try StoreSchema.migrator.migrate(queue)
      return TrackingStore(
        home: home, isReadOnly: true, readOnlyReason: missing(in: home), durability: .process, pool: queue,
        lookups: Lookups(queue: queue), texts: texts, isStandIn: true)
    } catch {
      throw storeError(error)
    }
  }
}

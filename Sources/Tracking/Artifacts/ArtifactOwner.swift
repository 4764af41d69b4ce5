package import Failures
import GRDB
package import Traces

/// What artifacts belong to.
package enum ArtifactOwner: Hashable, Sendable {
  case run(String)
  case model(String)
  case trace(TraceID)

  /// The directories from the experiment's down to the artifacts.
  var directory: [String] {
    switch self {
    case .run(let id): [id, "artifacts"]
    case .model(let id): ["models", id, "artifacts"]
    case .trace(let id): ["traces", id.description, "artifacts"]
    }
  }
}

extension TrackingStore {
  /// The directory of an owner's artifacts, as names below the root of all artifacts.
  ///
  /// - Throws: `notFound` for an owner that does not exist; with `forWriting`, `invalidParams` for one that is deleted.
  func artifactDirectory(_ owner: ArtifactOwner, forWriting: Bool) async throws(HoneError) -> [String] {
    let experiment: Int = try await read { db in
      switch owner {
      case .run(let id):
        if forWriting { _ = try Self.activeRun(db, id) }
        let number = try Int.fetchOne(
          db.cachedStatement(sql: "SELECT experiment FROM runs WHERE id = ?"), arguments: [id])
        guard let number else { throw notFound("run", id) }
        return number
      case .model(let id):
        let number = try Int.fetchOne(
          db.cachedStatement(sql: "SELECT experiment FROM models WHERE id = ?"), arguments: [id])
        guard let number else { throw notFound("model", id) }
        return number
      case .trace(let id):
        let row = try Row.fetchOne(
          db.cachedStatement(sql: "SELECT experiment FROM traces WHERE id = ?"), arguments: [id.data])
        guard let row else { throw notFound("trace", id.description) }
        return row[0] as Int? ?? 0
      }
    }
    return [String(experiment)] + owner.directory
  }

  /// - Throws: `notFound` unless the owner's artifacts lie where the reference says.
  package func check(_ reference: ArtifactReference) async throws(HoneError) {
    let directory = try await artifactDirectory(reference.owner, forWriting: false)
    guard directory.first == reference.experimentID else {
      throw notFound("artifact", "\(reference.experimentID)/\(reference.owner.directory.joined(separator: "/"))")
    }
  }
}

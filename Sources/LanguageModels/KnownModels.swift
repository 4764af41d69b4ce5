import Synchronization

/// What the process has learned of models, one value for each identity, so that what one call learned all know.
package final class KnownModels<Knowledge: Sendable>: Sendable {
  /// Identities come from requests: their number must not grow without bound.
  private static var most: Int { 256 }

  private let known = Mutex<[String: Knowledge]>([:])

  package init() {}

  /// What is known of the model of that identity, to begin with what `make` gives.
  package func of(_ identity: String, _ make: () -> Knowledge) -> Knowledge {
    known.withLock { known in
      if let knowledge = known[identity] { return knowledge }
      if known.count >= Self.most { known.removeAll() }
      let knowledge = make()
      known[identity] = knowledge
      return knowledge
    }
  }
}

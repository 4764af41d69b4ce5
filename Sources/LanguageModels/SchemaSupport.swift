import Failures
import Messages
import Synchronization

/// How far an endpoint sees to it that a model's reply is JSON.
package enum SchemaSupport: String, Sendable, Hashable {
  /// The reply satisfies the request's schema.
  case schema = "json_schema"
  /// The reply is some JSON object.
  case object = "json_object"
  /// The prompt has to do.
  case none
}

/// What is known of a model's support for schemas: taken for granted, until the endpoint refuses a request for it.
///
/// One for each model in the process, so that what one call learned all know. The store keeps it beyond that.
package final class LearnedSchemaSupport: Sendable {
  private struct State {
    var support = SchemaSupport.schema
    var isLoaded = false
  }

  private static let models = KnownModels<LearnedSchemaSupport>()
  private let identity: String
  private let state = Mutex(State())

  package init(identity: String) { self.identity = identity }

  /// What the process knows of the model of that identity.
  package static func shared(for identity: String) -> LearnedSchemaSupport {
    models.of(identity) { LearnedSchemaSupport(identity: identity) }
  }

  package var support: SchemaSupport { state.withLock { $0.support } }

  /// Notes that a request for `refused` was refused for that.
  package func note(refused: SchemaSupport) {
    state.withLock { state in
      switch refused {
      case .schema: if state.support == .schema { state.support = .object }
      case .object, .none: state.support = .none
      }
    }
  }

  private static let name = "response_format"

  /// Takes over what the store knows, the first time.
  func load(from answers: any AnswerStore) throws(HoneError) {
    guard !state.withLock({ $0.isLoaded }) else { return }
    let kept = try answers.capability(Self.name, of: identity).flatMap(SchemaSupport.init)
    state.withLock { state in
      guard !state.isLoaded else { return }
      state.isLoaded = true
      if let kept, state.support == .schema { state.support = kept }
    }
  }

  func keep(in answers: any AnswerStore) async throws(HoneError) {
    try await answers.keepCapability(Self.name, support.rawValue, of: identity)
  }
}

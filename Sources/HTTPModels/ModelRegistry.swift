package import Failures
import JSON
package import LanguageModels
package import Simulation

/// Makes the model that a configuration names.
package enum ModelRegistry {
  /// - Parameters:
  ///   - knowledge: what the simulated model shall know: the rows of the caller's data sets.
  ///   - service: what it is asked for.
  /// - Throws: `invalidParams` where the configuration names no provider that is known, no usable URL, or
  ///   a client's callback, which only the connection to that client can serve.
  package static func make(
    _ configuration: ModelConfiguration, knowledge: KnownRows = KnownRows(), service: Endpoint.Service = .chat
  ) throws(HoneError) -> any LanguageModel {
    if let client = configuration.client {
      throw HoneError(
        .invalidParams, "The model \(client) is a client's function, and no client that serves it is connected.",
        remedy: "Ask over the connection of the client that serves it, or name an endpoint's model.")
    }
    if configuration.isSimulated { return SimulatedModel(knowledge: knowledge) }
    return try OpenAICompatibleModel(configuration, service: service)
  }
}

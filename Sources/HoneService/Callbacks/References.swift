import Evaluation
import Failures
import HTTPModels
import JSON
import LanguageModels
import Programs

/// References to a client's functions, checked before any work.
extension RequestParts {
  /// The client of this request, for a function of that name; nil, with the reason noted, if it cannot be asked for it.
  func peer(_ kind: CallbackKind, _ name: String, at path: String) -> (any CallbackPeer)? {
    guard let peer = environment.peer else {
      problems.add(
        path,
        "The \(kind.noun) \"\(name)\" is a client's, and there is no client here that could be asked: send the request "
          + "over a connection to hone serve.")
      return nil
    }
    guard let served = environment.served[kind], !served.contains(name) else { return peer }
    problems.add(
      Problem(
        path: path, message: "The client said in initialize that it serves no \(kind.noun) \"\(name)\".", got: name,
        allowed: served, suggestion: nearest(to: name, among: served)))
    return nil
  }

  /// A metric that the client computes; nil, with everything wrong noted, if it cannot be.
  func clientMetric(_ name: String, _ options: JSONObject, at path: String) async throws(HoneError) -> ClientMetric? {
    guard let peer = peer(.metrics, name, at: path + ".client") else { return nil }
    let reader = FieldReader(options, path: path, problems: problems)
    let before = problems.problems.count
    let metric = ClientMetric(name, reader, callbacks: Callbacks(peer: peer, store: try await service.store()))
    reader.finish()
    return problems.problems.count == before ? metric : nil
  }

  /// A model that the client answers for.
  func clientModel(
    _ name: String, _ configuration: ModelConfiguration, at path: String, answers: any AnswerStore
  ) -> ModelClient? {
    guard let peer = peer(.languageModels, name, at: path + ".client") else { return nil }
    // A limiter of its own: what one client's model takes says nothing about another's of the same name.
    return ModelClient(
      model: ClientModel(name: name, peer: peer), configuration: configuration, answers: answers,
      limiter: AdaptiveLimiter())
  }

  /// What a run asks its client with; nil where there is no client.
  func callbacks() async throws(HoneError) -> Callbacks? {
    guard let peer = environment.peer else { return nil }
    return Callbacks(peer: peer, store: try await service.store())
  }
}

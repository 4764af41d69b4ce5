import Evaluation
import Failures
import HTTPModels
import JSON
import LanguageModels
import Programs
import Schema

/// References to a client's functions, and to judges, checked before any work.
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

  /// A program as a metric: its own model, else the request's.
  func judgeMetric(_ judge: JSONObject, at path: String) async throws(HoneError) -> JudgeMetric? {
    let before = problems.problems.count
    let reader = FieldReader(judge, path: path, problems: problems)
    let parts = RequestParts(service, reader, environment)
    let name = reader.string("name") ?? "judge"
    var program: Program?
    if reader.object["program"] != nil {
      program = try await parts.program()?.program
    } else {
      program = Module.read(reader).map(Program.init)
    }
    let options = JudgeMetric.Options(reader)
    var configuration = parts.configuration("lm")
    if configuration == nil, reader.object["lm"] == nil {
      // What is wrong with the request's own model is noted where that is read.
      configuration =
        fields.object["lm"].flatMap { ModelConfiguration($0, path: "lm", problems: ProblemList()) }
        ?? Environment.value("HONE_LM").map { ModelConfiguration(model: $0) }
      if configuration == nil, fields.object["lm"] == nil {
        problems.add(reader.place("lm"), "The judge needs a model: here, or as the request's lm.")
      }
    }
    reader.finish()
    guard problems.problems.count == before, let program, let configuration else { return nil }
    guard let model = parts.client(configuration, "lm", knowledge: [], answers: try await answers()) else {
      return nil
    }
    return JudgeMetric(
      name: name, program: program, model: model, options: options, path: path, problems: problems)
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

  /// Notes which of a program's client functions cannot be asked for.
  func checkCallbacks(_ program: Program?, at path: String) {
    guard let program else { return }
    if let host = program.module.hostName { _ = peer(.programs, host, at: path) }
    for tool in program.module.toolNames { _ = peer(.tools, tool, at: path) }
  }

  /// The program with its inputs' names from the data set, where only that says them.
  func naming(_ resolved: ResolvedProgram?, inputs: [String]?) -> ResolvedProgram? {
    guard var resolved, let inputs, let module = resolved.program.module.naming(inputs: inputs) else { return resolved }
    var program = Program(module)
    program.states = resolved.program.states
    resolved.program = program
    return resolved
  }

  /// What a run asks its client with; nil where there is no client.
  func callbacks() async throws(HoneError) -> Callbacks? {
    guard let peer = environment.peer else { return nil }
    return Callbacks(peer: peer, store: try await service.store(), executions: service.executions)
  }
}

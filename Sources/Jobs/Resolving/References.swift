import Evaluation
import Failures
import HTTPModels
import JSON
import LanguageModels
import Messages
import Optimizers
import Platform
import Programs
import Schema

/// References to a client's functions, and to judges, checked before any work.
extension RequestResolver {
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
        path: path, message: "\(environment.served.lead) no \(kind.noun) \"\(name)\".", got: name,
        allowed: served, suggestion: nearest(to: name, among: served)))
    return nil
  }

  /// A metric that the client computes; nil, with everything wrong noted, if it cannot be.
  func clientMetric(_ stated: JSONObject, at path: String) async throws(HoneError) -> ClientMetric? {
    guard let request = ClientMetricRequest.read(.object(stated), at: path, problems),
      let peer = peer(.metrics, request.client, at: path + ".client")
    else { return nil }
    return ClientMetric(request, callbacks: Callbacks(peer: peer, store: try await workStore()))
  }

  /// A program as a metric: its own model, else the request's.
  func judgeMetric(_ judge: JSONObject, at path: String) async throws(HoneError) -> JudgeMetric? {
    let before = problems.problems.count
    let reader = FieldReader(judge, path: path, problems: problems)
    let request = JudgeRequest.taken(from: reader)
    let parts = part(reader)
    let program: Program?
    if let stated = request.program {
      program = try await parts.program(stated, module: request.structure.asked.module)?.program
    } else {
      program = Module.read(request.structure, at: reader).map(Program.init)
    }
    var configuration = request.lm
    if configuration == nil, reader.object["lm"] == nil {
      // What is wrong with the request's own model is noted where that is read.
      configuration =
        fields.object["lm"].flatMap { ModelConfiguration($0, path: "lm", problems: ProblemList()) }
        ?? Environment.value("HONE_LM").map { ModelConfiguration(model: $0) }
      if configuration == nil, fields.object["lm"] == nil {
        problems.add(reader.place("lm"), "The judge needs a model: here, or as the request's lm.")
      }
    }
    guard problems.problems.count == before, let program, let configuration else { return nil }
    guard let model = parts.client(configuration, "lm", knowledge: [], answers: try await answers()) else {
      return nil
    }
    return JudgeMetric(
      name: request.name, program: program, model: model, options: request.options, path: path, problems: problems)
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

  /// Notes which of an optimizer's proposers cannot be asked.
  func checkProposers(of optimizer: (any Optimizer)?) {
    for (place, proposer) in optimizer?.proposers ?? [] {
      _ = peer(.proposers, proposer.client, at: fields.place("optimizer") + ".\(place).client")
    }
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
    return Callbacks(peer: peer, store: try await workStore(), executions: workspace.executions)
  }
}

/// `{"client": NAME}` as a metric.
package struct ClientMetricRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("client", \.client, isRequired: true, "A metric of the client that asks, called back for each example."),
    Member("timeout", \.timeout, in: 0.001...86_400, "Seconds that one score may take."),
    Member("options", \.options, "What the metric is given beside example and prediction."),
  ]
  var client = ""
  var timeout = 120.0
  var options: JSONObject?
}

/// `{"judge": {…}}` as a metric.
package struct JudgeMetricRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member(
      "judge", \.judge, isRequired: true, as: Schema(.named("Judge"), "an object that describes a judge"),
      "A program that scores, asked with a model.")
  ]
  var judge: JSONObject = [:]
}

/// A program that scores, and how it is asked.
package struct JudgeRequest: SchemaObject {
  static let members: [Member<Self>] =
    [
      Member("name", \.name, "What the metric is called."),
      Member("program", \.program, "The program that judges; or its signature and module here."),
      Member("lm", \.lm, "The model that judges; by default the request's own."),
    ] + Member.of(\.structure).filter { !ownMembers.contains($0.name) } + Member.of(\.options)
  /// Members of programs whose names mean something else with a judge.
  private static let ownMembers = ["inputs", "field"]

  var name = "judge"
  var program: Stated<ProgramShape>?
  var lm: ModelConfiguration?
  var structure = ProgramMembers()
  var options = JudgeMetric.Options()

  mutating func settle(_ fields: FieldReader) { options.settle(fields) }
}

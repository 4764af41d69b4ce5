import Evaluation
import Failures
import HoneService
import JSON
import JSONRPC
import Jobs
import Schema
import Statistics
import Tracking

/// `hone.evaluate` and `hone.compile`: the work that a program file describes, with the editor's own progress display.
enum FileWork {
  static func run(_ method: Method, _ call: EditorCall, _ arguments: CommandArguments) async throws -> JSONValue {
    let document = try call.editor.document(try arguments.uri())
    let request = try request(method, document, arguments)
    try await KeyPermission.ask(for: request, of: document, call)
    if Passing(.object(request)).detach { return try await detach(method, request, document, call) }
    let token = await progressToken(call)
    let progress = token.map {
      ConnectionProgress(call.connection, workDone: $0, partial: call.params.partialResultToken)
    }
    var environment = CallEnvironment(
      progress: progress, baseDirectory: call.directory(of: document), peer: ConnectionPeer(connection: call.connection)
    )
    environment.asker = KeyPermission.asker(document)
    let surroundings = environment
    let verb = method.name == Method.compile.name ? "Compil" : "Evaluat"
    progress?.begin("\(verb)ing \(document.name)")
    do {
      let result = try await call.editor.requests.run(token: token, file: document.path ?? document.uri) {
        try await call.service.call(method.name, request, in: surroundings)
      }
      progress?.end(outcome(result))
      finish(call, "\(verb)ed \(document.name): \(outcome(result))", isError: false)
      return result
    } catch {
      let failure = HoneError(wrapping: error)
      progress?.end(failure.kind == .cancelled ? "cancelled" : "failed")
      let what = failure.kind == .cancelled ? "cancelled" : failure.description
      finish(call, "\(verb)ing \(document.name): \(what)", isError: failure.kind != .cancelled)
      throw failure
    }
  }

  /// Starts work that goes on when the editor has left: where that ends this service, in one that stays.
  private static func detach(
    _ method: Method, _ request: JSONObject, _ document: Document, _ call: EditorCall
  ) async throws -> JSONValue {
    let directory = call.directory(of: document)
    guard let staying = call.service.stayingService else {
      var environment = CallEnvironment(baseDirectory: directory)
      environment.asker = KeyPermission.asker(document)
      return try await call.service.call(method.name, request, in: environment)
    }
    var frame = RequestFrame()
    frame.restrictsKeys = true
    frame.baseDirectory = .string(directory)
    return try await staying(method.name, request.merging(frame.jsonObject))
  }

  /// `hone.estimate`: what compiling the file would ask for and cost, with lines to show.
  static func estimate(_ call: EditorCall, _ arguments: CommandArguments) async throws -> JSONValue {
    let document = try call.editor.document(try arguments.uri())
    let request = JSONObject([("estimate", true)]).merging(try request(.compile, document, arguments))
    let result = try await call.service.call(
      Method.compile.name, request, in: CallEnvironment(baseDirectory: call.directory(of: document)))
    var answer = result.objectValue ?? [:]
    if let figures = CompileEstimate.Report(json: result) {
      answer.append("lines", EstimateOutline.lines(of: figures, for: document.name))
    }
    return .object(answer)
  }

  /// `hone.watch`: a run under way, the one named or the file's latest, with progress; who is cancelled only leaves it.
  static func watch(_ call: EditorCall, _ arguments: CommandArguments) async throws -> JSONValue {
    let store = try await call.service.store()
    let run: Run
    if let id = arguments.run {
      run = try await store.run(id)
    } else {
      let document = try call.editor.document(try arguments.uri())
      guard let path = document.path, let found = try await FileRuns(store: store, path: path).underWay() else {
        throw HoneError(
          .notFound, "No run of \(document.name) is under way.", remedy: "Compile it, or name the run to watch.")
      }
      run = found
    }
    let token = await progressToken(call)
    let progress = token.map { ConnectionProgress(call.connection, workDone: $0) }
    progress?.begin("Watching \(run.info.name)")
    do {
      let result = try await call.editor.requests.run(token: token) {
        try await call.service.call(
          Method.watchRun.name, ["runId": .string(run.id)],
          in: CallEnvironment(progress: progress, baseDirectory: call.baseDirectory))
      }
      progress?.end(outcome(result))
      finish(call, "\(run.info.name): \(outcome(result))", isError: false)
      return result
    } catch {
      let failure = HoneError(wrapping: error)
      progress?.end(failure.kind == .cancelled ? "no longer watched" : "failed")
      throw failure
    }
  }

  /// `hone.cancel` of a run, whichever process it is under way in; answers when it has ended.
  static func cancel(_ run: String, _ call: EditorCall) async throws -> JSONValue {
    let isUnderWay = try await call.service.store().run(run).info.status == .running
    let result = try await call.service.call(
      Method.cancelRun.name, ["runId": .string(run)], in: CallEnvironment(baseDirectory: call.baseDirectory))
    let outcome = JobOutline(json: result)
    return [
      "cancelled": isUnderWay ? 1 : 0, "runId": .string(run), "status": JSONValue(outcome?.status),
      "score": JSONValue(outcome?.score),
    ]
  }

  /// The request that the document's text makes, the argument's other members in place of the file's.
  private static func request(
    _ method: Method, _ document: Document, _ arguments: CommandArguments
  ) throws(HoneError) -> JSONObject {
    let members = try document.members()
    let overrides = arguments.value.filter { $0 != "uri" && $0 != "run" }
    let known = ["uri"] + ProgramFile.passing + ProgramFile.members.map(\.name)
    for key in overrides.keys where !known.contains(key) {
      let message = "There is no such member here."
      throw HoneError(
        .invalidParams, "arguments[0].\(key): \(message)",
        problems: [
          Problem(
            path: "arguments[0].\(key)", message: message, allowed: known, suggestion: nearest(to: key, among: known),
            isAboutName: true)
        ])
    }
    let request = ProgramFile.request(method.name, of: members.merging(overrides), file: document.path)
    return request.merging(overrides.filter { ProgramFile.passing.contains($0) })
  }

  /// The token under which progress is reported: the request's own, else one that the editor lets us make.
  private static func progressToken(_ call: EditorCall) async -> ProgressToken? {
    if let token = call.params.workDoneToken { return token }
    guard call.editor.client.workDoneProgress else { return nil }
    let token = ProgressToken(jsonValue: .string("hone-\(UInt64.random(in: .min ... .max))"))
    let answer = try? await call.connection.request(
      "window/workDoneProgress/create", ["token": token.jsonValue], timeout: .seconds(5))
    return answer == nil ? nil : token
  }

  private static func outcome(_ result: JSONValue) -> String {
    guard let job = JobOutline(json: result) else { return "done" }
    var parts: [String] = []
    if let score = job.score { parts.append(scoreText(score, job.interval)) }
    if let count = job.count { parts.append("on \(count) examples") }
    if let baseline = job.baselineScore { parts.append("(baseline \(twoDecimals(baseline)))") }
    if let status = job.status, status != "FINISHED" { parts.append(status) }
    if job.isSimulated { parts.append("(simulated model)") }
    return parts.isEmpty ? "done" : parts.joined(separator: " ")
  }

  /// Says how it came out, also to clients that pass over results, and shows the new score where the old one stood.
  private static func finish(_ call: EditorCall, _ message: String, isError: Bool) {
    call.connection.notify("window/showMessage", ["type": isError ? 1 : 3, "message": .string(message)])
    call.editor.checkAll(call.connection, baseDirectory: call.baseDirectory)
    if call.editor.client.refreshesCodeLenses {
      Task { _ = try? await call.connection.request("workspace/codeLens/refresh", timeout: .seconds(5)) }
    }
  }
}

/// Parameters that are about one call and not about the program.
private struct Passing: ForeignRecord {
  static let members: [Member<Self>] = [Member("detach", \.detach)]
  var detach = false
}

extension Document {
  /// The members of the document's object.
  ///
  /// - Throws: `invalidParams` where the text is no JSON object.
  func members() throws(HoneError) -> JSONObject {
    do throws(JSONSyntaxError) {
      if case .object(let members) = try JSONReader.read(source.bytes) { return members }
    } catch {
      let place = source.position(of: error.offset)
      throw HoneError(
        .invalidParams, "\(name) is not JSON: \(error.message), line \(place.line + 1), column \(place.character + 1).")
    }
    throw HoneError(.invalidParams, "\(name) should hold one JSON object.")
  }
}

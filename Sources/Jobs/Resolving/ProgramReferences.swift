import Basics
package import Failures
import JSON
package import LanguageModels
package import Programs
package import Schema
import Synchronization
import Tracking

/// A program as a request gave it, and the model it was made with where that is known.
package struct ResolvedProgram {
  package var program: Program
  package var warnings: [String] = []
  package var configuration: ModelConfiguration?
}

extension RequestResolver {
  /// A program: stated in the request, or a reference `{"run"}`, `{"path"}`, `{"artifactUri"}`, `{"state"}` or
  /// `{"programId"}`, beside which `signature`, `module` or `steps` say the structure where a file does not.
  ///
  /// - Parameters:
  ///   - id: the id of a loaded program in place of it.
  ///   - module: the module for a signature's text.
  ///   - isRun: whether it is going to be run, and so needs its client.
  package func program(
    _ stated: Stated<ProgramShape>?, id: String? = nil, module: String?, isRun: Bool = true
  ) async throws(HoneError) -> ResolvedProgram? {
    let resolved: ResolvedProgram?
    if let id {
      if stated != nil { problems.add(fields.place("programId"), "Give program or programId, not both.") }
      resolved = try await resolve(FieldReader(["programId": .string(id)], problems: problems))
    } else {
      resolved = try await unchecked(stated, module)
    }
    if isRun { checkCallbacks(resolved?.program, at: fields.place(id == nil ? "program" : "programId")) }
    return resolved
  }

  private func unchecked(
    _ stated: Stated<ProgramShape>?, _ module: String?
  ) async throws(HoneError) -> ResolvedProgram? {
    let name = "program"
    guard let value = stated?.value else {
      if !problems.problems.contains(where: { $0.path == fields.place(name) }) {
        problems.add(fields.place(name), "This member is required (\(ProgramShape.phrase)).")
      }
      return nil
    }
    let path = fields.place(name)
    if let object = value.objectValue, Self.referenceKeys.contains(where: { object[$0] != nil }) {
      let reference = FieldReader(object, path: path, problems: problems)
      let resolved: ResolvedProgram?
      do throws(HoneError) {
        resolved = try await resolve(reference)
      } catch {
        // A check wants to hear of everything else too.
        guard environment.isCheck else { throw error }
        let key = Self.referenceKeys.first { object[$0] != nil } ?? ""
        problems.add(reference.place(key), error.message)
        return nil
      }
      reference.finish()
      return resolved
    }
    let read = Module.read(
      value, defaultModule: module ?? "ChainOfThought", path: path,
      modulePath: module.map { _ in fields.place("module") },
      problems: problems)
    return read.map { ResolvedProgram(program: Program($0)) }
  }

  static let referenceKeys = ["run", "path", "artifactUri", "state", "programId"]
  /// The members that say a program's structure, beside a reference to its state.
  static let structureKeys = ["signature", "steps", "host", "predictors"]

  /// The program that a reference's members name. Exactly one of them may stand.
  package func resolve(_ reference: FieldReader) async throws(HoneError) -> ResolvedProgram? {
    let given = Self.referenceKeys.filter { reference.object[$0] != nil && reference.object[$0] != .null }
    guard given.count == 1, let kind = given.first else {
      problems.add(
        Problem(
          path: reference.path, message: "Exactly one of \(Self.referenceKeys.joined(separator: ", ")) is needed.",
          allowed: Self.referenceKeys))
      return nil
    }
    var structure: Module?
    if Self.structureKeys.contains(where: { reference.object[$0] != nil }) {
      structure = Module.read(reference)
      guard structure != nil else { return nil }
    }
    switch kind {
    case "programId":
      guard let id = reference.string("programId") else { return nil }
      guard let program = workspace.program(id) else {
        throw HoneError(
          .notFound, "There is no loaded program \"\(id)\" in this workspace.",
          remedy: "Load it again with loadProgram; ids last as long as the workspace.")
      }
      return ResolvedProgram(program: program)
    case "run":
      guard let id = reference.string("run") else { return nil }
      return try await program(ofRun: id, structure)
    case "artifactUri":
      guard let uri = reference.string("artifactUri") else { return nil }
      let content = try await workspace.store().readArtifact(uri: uri)
      return try decode(content.bytes, structure, source: uri)
    case "path":
      guard let file = reference.string("path") else { return nil }
      guard environment.opensFiles else {
        problems.add(reference.place("path"), "Files are not opened for the web page; name a run or an artifact.")
        return nil
      }
      let path = file.hasPrefix("/") ? file : environment.baseDirectory + "/" + file
      guard let bytes = readFile(path) else {
        throw HoneError(
          .notFound, "The program file \(path) cannot be read.", remedy: "Check the path and its permissions.")
      }
      return try decode(bytes, structure, source: path)
    default:
      guard let state = reference.object("state") else { return nil }
      let (program, warnings) = try StateFile.decode(
        .object(state), module: structure, source: reference.place("state"))
      return ResolvedProgram(program: program, warnings: warnings)
    }
  }

  private func program(ofRun id: String, _ structure: Module?) async throws(HoneError) -> ResolvedProgram {
    let store = try await workspace.store()
    let run = try await store.run(id)
    let files = try await store.listArtifacts(run: id).map(\.path)
    guard let file = ["best_model.json", "model.json"].first(where: files.contains) else {
      throw HoneError(
        .notFound, "The run \(id) (\(run.info.name), \(run.info.status.rawValue)) holds no program.",
        remedy: "Name a run that compiled or evaluated a program; listRuns shows them.")
    }
    let content = try await store.readArtifact(run: id, path: file)
    var resolved = try decode(content.bytes, structure, source: "\(run.info.artifactURI)/\(file)")
    if let text = run.tags.value(of: HoneTag.languageModel), let value = try? JSONReader.read(text) {
      resolved.configuration = ModelConfiguration(value, path: "lm", problems: ProblemList())
    }
    return resolved
  }

  private func decode(_ bytes: [UInt8], _ structure: Module?, source: String) throws(HoneError) -> ResolvedProgram {
    let value: JSONValue
    do {
      value = try JSONReader.read(bytes)
    } catch {
      throw HoneError(.programInvalid, "\(source) is not JSON: \(error).")
    }
    let (program, warnings) = try StateFile.decode(value, module: structure, source: source)
    return ResolvedProgram(program: program, warnings: warnings)
  }
}

/// The id under which a service knows a program: the same for the same structure and state.
package func programID(_ program: Program) -> String {
  "p-" + ContentDigest.of(JSONValue.object(StateFile.encode(program)).encoded()).description.prefix(16)
}

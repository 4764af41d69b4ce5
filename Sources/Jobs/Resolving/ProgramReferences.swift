import Basics
package import Failures
package import JSON
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
      resolved = try await resolve(ProgramReference(programID: id), at: fields)
    } else {
      resolved = try await unchecked(stated?.value, module, at: fields.place("program"))
    }
    if isRun { checkCallbacks(resolved?.program, at: fields.place(id == nil ? "program" : "programId")) }
    return resolved
  }

  private func unchecked(
    _ value: JSONValue?, _ module: String?, at path: String
  ) async throws(HoneError) -> ResolvedProgram? {
    guard let value else {
      if !problems.problems.contains(where: { $0.path == path }) {
        problems.add(path, "This member is required (\(ProgramShape.phrase)).")
      }
      return nil
    }
    if let object = value.objectValue, ProgramReference.isOne(object) {
      let reader = FieldReader(object, path: path, problems: problems)
      let reference = ProgramReference.known(from: reader)
      let resolved: ResolvedProgram?
      do throws(HoneError) {
        resolved = try await resolve(reference, at: reader)
      } catch {
        // A check wants to hear of everything else too.
        guard environment.isCheck else { throw error }
        problems.add(reader.place(reference.kinds.first ?? ""), error.message)
        return nil
      }
      reader.finish()
      return resolved
    }
    if let object = value.objectValue, let programs = object["programs"]?.arrayValue {
      return try await ensemble(object, programs, module, at: path)
    }
    let read = Module.read(
      value, defaultModule: module ?? "ChainOfThought", path: path,
      modulePath: module.map { _ in fields.place("module") },
      problems: problems)
    return read.map { ResolvedProgram(program: Program($0)) }
  }

  /// An ensemble, each of whose programs may be stated or kept somewhere.
  private func ensemble(
    _ object: JSONObject, _ programs: [JSONValue], _ module: String?, at path: String
  ) async throws(HoneError) -> ResolvedProgram? {
    var members: [ResolvedProgram] = []
    for (index, value) in programs.enumerated() {
      // One that cannot be read is noted already.
      guard let member = try await unchecked(value, module, at: "\(path).programs[\(index)]") else { continue }
      members.append(member)
    }
    var object = object
    if members.count == programs.count { object["programs"] = .array(members.map { .object($0.program.module.json) }) }
    guard members.count == programs.count,
      let module = Module.read(.object(object), path: path, problems: problems)
    else { return nil }
    var resolved = ResolvedProgram(program: Program(module))
    resolved.program.states = members.flatMap(\.program.states)
    resolved.warnings = members.flatMap(\.warnings)
    let adapters = Set(members.compactMap(\.program.adapter))
    resolved.program.adapter = adapters.count == 1 ? adapters.first : nil
    if adapters.count > 1 {
      resolved.warnings.append(
        "The ensemble's programs were made for different adapters; all are asked in one: name it as adapter.")
    }
    let models = Set(members.map(\.configuration))
    if models.count == 1 { resolved.configuration = members[0].configuration }
    return resolved
  }

  /// The program that a reference names.
  ///
  /// - Parameter reader: the object that the reference was read from.
  package func resolve(
    _ reference: ProgramReference, at reader: FieldReader
  ) async throws(HoneError) -> ResolvedProgram? {
    guard reference.kinds.count == 1 else {
      // One that cannot be read is noted already.
      guard problems.problems.isEmpty || !reference.kinds.isEmpty else { return nil }
      problems.add(
        Problem(
          path: reader.path,
          message: "Exactly one of \(ProgramReference.kinds.joined(separator: ", ")) is needed.",
          allowed: ProgramReference.kinds))
      return nil
    }
    var structure: Module?
    if reference.structure.isStated {
      structure = Module.read(reference.structure, at: reader)
      guard structure != nil else { return nil }
    }
    if let id = reference.programID {
      guard let program = workspace.program(id) else {
        throw HoneError(
          .notFound, "There is no loaded program \"\(id)\" here.",
          remedy:
            "Load it again with loadProgram, or name it by run, path or state. The service keeps the programs it used last, "
            + "up to \(LoadedPrograms.mostPrograms) and \(LoadedPrograms.mostBytes >> 20) MiB, as long as it runs.")
      }
      return ResolvedProgram(program: program)
    }
    if let id = reference.run { return try await program(ofRun: id, structure) }
    if let uri = reference.artifactURI {
      return try decode(try await workspace.store().readArtifact(uri: uri).bytes, structure, source: uri)
    }
    if let file = reference.path {
      guard environment.opensFiles else {
        problems.add(reader.place("path"), "Files are not opened for the web page; name a run or an artifact.")
        return nil
      }
      guard let path = environment.place(ofFile: file) else {
        problems.add(reader.place("path"), environment.outside(file))
        return nil
      }
      guard let bytes = readFile(path) else {
        throw HoneError(
          .notFound, "The program file \(path) cannot be read.", remedy: "Check the path and its permissions.")
      }
      return try decode(bytes, structure, source: path)
    }
    let (program, warnings) = try StateFile.decode(
      .object(reference.state ?? [:]), module: structure, source: reader.place("state"))
    return ResolvedProgram(program: program, warnings: warnings)
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

/// A program that is kept somewhere, and its structure where the file does not say it.
package struct ProgramReference: SchemaObject {
  package static let members: [Member<Self>] =
    [
      Member("run", \.run, "The id of a run: its best program, or the one it evaluated."),
      Member("path", \.path, "A program file of Hone's or DSPy's."),
      Member("artifactUri", \.artifactURI, "mlflow-artifacts:/{experiment}/{run}/artifacts/{file}"),
      Member("programId", \.programID, "A program that compile or loadProgram named."),
      Member("state", \.state, as: Schema(.named(StateShape.name), StateShape.phrase), "The content of such a file."),
    ] + Member.of(\.structure)
  /// The members of which exactly one stands.
  static let kinds = members.prefix(5).map(\.name)

  package var run: String?
  package var path: String?
  package var artifactURI: String?
  package var programID: String?
  package var state: JSONObject?
  package var structure = ProgramMembers()

  package init() {}
  package init(run: String) { self.run = run }
  init(programID: String) { self.programID = programID }

  /// Those that this one has.
  var kinds: [String] { given.keys.filter(Self.kinds.contains) }

  /// Whether an object refers to a program rather than states one.
  static func isOne(_ object: JSONObject) -> Bool {
    let fields = FieldReader(object, problems: ProblemList())
    return kinds.contains(where: fields.gives)
  }
}

/// The id under which a service knows a program: the same for the same structure and state.
package func programID(_ program: Program) -> String { identity(of: program).id }

/// A program's id, and how many bytes its file has.
func identity(of program: Program) -> (id: String, size: Int) {
  let bytes = JSONValue.object(StateFile.encode(program)).encoded()
  return ("p-" + ContentDigest.of(bytes).description.prefix(16), bytes.count)
}

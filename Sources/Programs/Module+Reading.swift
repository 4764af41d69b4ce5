import Failures
package import JSON
package import Schema

extension Module {
  /// Reads a module from a request: a signature's text (run by `defaultModule`), `{"module", "signature",
  /// "instructions"?}`, `{"steps": […], "outputs"?}`, `{"programs": […], "field"?}` or `{"host", "predictors"}`. Notes every problem and then returns nil.
  ///
  /// - Parameter modulePath: where the default module was named, if the request names it.
  package static func read(
    _ value: JSONValue, defaultModule: String = "ChainOfThought", path: String, modulePath: String? = nil,
    problems: ProblemList
  ) -> Module? {
    if case .string = value {
      guard let signature = Signature.read(value, instructions: nil, path: path, problems: problems) else {
        return nil
      }
      return make(defaultModule, signature, path: modulePath ?? path, problems: problems)
    }
    guard let fields = FieldReader(value, path: path, problems: problems) else { return nil }
    let before = problems.problems.count
    let module = read(ProgramMembers.known(from: fields), at: fields, defaultModule: defaultModule)
    fields.finish()
    return problems.problems.count == before ? module : nil
  }

  /// Makes a module of its members.
  ///
  /// - Parameter fields: the object that they were read from; it may hold others, too.
  package static func read(
    _ members: ProgramMembers, at fields: FieldReader, defaultModule: String = "ChainOfThought"
  ) -> Module? {
    let problems = fields.problems
    if members.host != nil || members.predictors != nil {
      defer {
        note(
          members, beside: ["host", "predictors", "signature", "instructions", "inputs", "description", "timeout"],
          at: fields)
      }
      return HostProgram.read(members, at: fields).map(Module.host)
    }
    if members.programs != nil || members.asked.module.map(EnsembleProgram.isName) == true {
      defer { note(members, beside: ["module", "programs", "reduce", "field"], at: fields) }
      return EnsembleProgram.read(members, at: fields).map(Module.ensemble)
    }
    if let steps = members.steps {
      if let name = members.asked.module, name != "Pipeline" {
        problems.add(fields.place("module"), "Steps make a Pipeline; \(name) has none.")
        return nil
      }
      defer { note(members, beside: ["module", "steps", "outputs"], at: fields) }
      return readPipeline(steps, outputs: members.outputs, fields: fields)
    }
    defer { note(members, beside: AskingMembers.members.map(\.name), at: fields) }
    return read(members.asked, at: fields, defaultModule: defaultModule)
  }

  /// Notes members that a program of this kind does not have.
  private static func note<Members: SchemaObject>(_ members: Members, beside known: [String], at fields: FieldReader) {
    for (name, value) in members.given where !known.contains(name) {
      fields.problems.add(
        Problem(
          path: fields.place(name), message: "There is no such member here.", got: value.excerpt,
          allowed: known.sorted(), suggestion: nearest(to: name, among: known), isAboutName: true))
    }
  }

  private static func read(
    _ members: AskingMembers, at fields: FieldReader, defaultModule: String
  ) -> Module? {
    let problems = fields.problems
    guard let value = members.signature else {
      // One that is there and cannot be read is noted already.
      if !["signature", "steps", "programs", "host", "predictors"].contains(where: fields.gives) {
        problems.add(
          fields.place("signature"), "A program needs a signature such as \"question -> answer\", or steps.")
      }
      return nil
    }
    guard
      let signature = Signature.read(
        value, instructions: members.instructions, path: fields.place("signature"), problems: problems)
    else { return nil }
    let name = members.module ?? defaultModule
    if ["react", "re_act"].contains(name.lowercased()) {
      return ReActProgram.read(signature, members, at: fields).map(Module.react)
    }
    defer { note(members, beside: ["module", "signature", "instructions"], at: fields) }
    return make(name, signature, path: fields.place("module"), problems: problems)
  }

  private static func make(
    _ name: String, _ signature: Signature, path: String, problems: ProblemList
  ) -> Module? {
    switch name {
    case "Predict": return .predict(signature)
    case "ChainOfThought", "chain_of_thought", "CoT":
      if signature.fields.contains(where: { $0.name == reasoning.name }) {
        problems.add(
          path, "ChainOfThought adds an output \"reasoning\", which this signature already has; use Predict.")
        return nil
      }
      return .chainOfThought(signature)
    case "Pipeline":
      problems.add(path, "A Pipeline is given by its steps.")
      return nil
    case "Ensemble":
      problems.add(path, "An Ensemble is given by its programs.")
      return nil
    case "ReAct":
      problems.add(path, "A ReAct is given as an object with its signature and tools.")
      return nil
    default:
      problems.add(
        Problem(
          path: path, message: "There is no module \"\(name)\". Modules: \(names.joined(separator: ", ")).", got: name,
          allowed: names, suggestion: nearest(to: name, among: names)))
      return nil
    }
  }

  private static func readPipeline(_ values: [JSONValue], outputs: [String]?, fields: FieldReader) -> Module? {
    let problems = fields.problems
    let path = fields.place("steps")
    let before = problems.problems.count
    var steps: [Step] = []
    // Names of steps that are there but cannot be read: referring to one is no second problem.
    var unreadable: Set<String> = []
    for (index, value) in values.enumerated() {
      let place = "\(path)[\(index)]"
      guard let reader = FieldReader(value, path: place, problems: problems) else { continue }
      if ["steps", "programs", "host", "predictors"].contains(where: reader.gives) {
        problems.add(place, "A step cannot be a pipeline, an ensemble or a host program itself; list its steps here.")
        continue
      }
      let members = StepMembers.known(from: reader)
      let (name, wiring) = (members.name, members.inputs)
      let module = read(members.asked, at: reader, defaultModule: "ChainOfThought")
      reader.finish()
      if let name { check(name, after: steps, unreadable, path: reader.place("name"), problems: problems) }
      guard let name, let module else {
        if let name { unreadable.insert(name) }
        continue
      }
      steps.append(
        wire(name, module, wiring, after: steps, unreadable, path: reader.place("inputs"), problems: problems))
    }
    if values.isEmpty { problems.add(path, "A pipeline needs at least one step.") }
    guard problems.problems.count == before, let last = steps.last else { return nil }
    let known = steps.flatMap { $0.module.outputs.map(\.name) }
    let names = outputs ?? last.module.outputs.map(\.name)
    if names.isEmpty { problems.add(fields.place("outputs"), "A pipeline needs at least one output.") }
    if Set(names).count < names.count { problems.add(fields.place("outputs"), "An output appears twice.") }
    for name in names where !known.contains(name) {
      problems.add(
        Problem(
          path: fields.place("outputs"), message: "No step gives an output \"\(name)\".", got: name, allowed: known,
          suggestion: nearest(to: name, among: known)))
    }
    return problems.problems.count == before ? .pipeline(steps, outputs: names) : nil
  }

  private static func check(
    _ name: String, after earlier: [Step], _ unreadable: Set<String>, path: String, problems: ProblemList
  ) {
    if unreadable.contains(name) || earlier.contains(where: { $0.name == name }) {
      problems.add(path, "Two steps are named \"\(name)\".")
    }
    // A dot separates a step from its output; the two words have their own meaning in state files.
    if name.isEmpty || name.contains(".") || name == "self" || name == "metadata" {
      problems.add(path, "A step cannot be named \"\(name)\".")
    }
  }

  /// Finds where each input of a step comes from: as the request says, else the latest earlier output of that
  /// name, else the program's own input of that name.
  private static func wire(
    _ name: String, _ module: Module, _ wiring: JSONObject, after earlier: [Step], _ unreadable: Set<String>,
    path: String, problems: ProblemList
  ) -> Step {
    let inputs = module.inputs.map(\.name)
    for key in wiring.keys where !inputs.contains(key) {
      problems.add(
        Problem(
          path: "\(path).\(key)", message: "The step \"\(name)\" has no input \"\(key)\".", got: key, allowed: inputs,
          suggestion: nearest(to: key, among: inputs), isAboutName: true))
    }
    var sources: [Source] = []
    for field in inputs {
      guard let value = wiring[field] else {
        let step = earlier.last { $0.module.outputs.contains { $0.name == field } }
        sources.append(Source(field: field, step: step?.name, output: field))
        continue
      }
      guard case .string(let reference) = value else {
        problems.add("\(path).\(field)", "Expected \"step.output\" or the name of an input of the program.")
        continue
      }
      let parts = reference.split(separator: ".", maxSplits: 1).map(String.init)
      if parts.count == 1 {
        sources.append(Source(field: field, step: nil, output: reference))
      } else if let step = earlier.first(where: { $0.name == parts[0] }) {
        let outputs = step.module.outputs.map(\.name)
        if !outputs.contains(parts[1]) {
          problems.add(
            Problem(
              path: "\(path).\(field)", message: "The step \"\(step.name)\" has no output \"\(parts[1])\".",
              got: reference, allowed: outputs, suggestion: nearest(to: parts[1], among: outputs)))
        }
        sources.append(Source(field: field, step: step.name, output: parts[1]))
      } else if !unreadable.contains(parts[0]) {
        let names = earlier.map(\.name)
        problems.add(
          Problem(
            path: "\(path).\(field)", message: "There is no step \"\(parts[0])\" before \"\(name)\".", got: reference,
            allowed: names, suggestion: nearest(to: parts[0], among: names)))
      }
    }
    return Step(name: name, module: module, sources: sources)
  }

  /// The module as a request states it; reading it back gives an equal one.
  package var json: JSONObject {
    switch self {
    case .predict(let signature), .chainOfThought(let signature):
      return ["module": .string(className), "signature": signature.json]
    case .pipeline(let steps, let outputs):
      return [
        "module": "Pipeline",
        "steps": .array(
          steps.map { step in
            var object: JSONObject = ["name": .string(step.name)]
            for (key, value) in step.module.json { object[key] = value }
            object["inputs"] = .object(
              JSONObject(
                step.sources.map { source in
                  (source.field, .string(source.step.map { "\($0).\(source.output)" } ?? source.output))
                }))
            return .object(object)
          }),
        "outputs": .array(outputs.map(JSONValue.string)),
      ]
    case .react(let program): return program.json
    case .ensemble(let ensemble): return ensemble.json
    case .host(let host): return host.json
    }
  }
}

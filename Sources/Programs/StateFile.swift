package import Failures
package import JSON
import Schema

/// The JSON that DSPy's `save()` writes and its `load()` reads, with the program's structure added where DSPy
/// looks past it (`metadata.hone`), so that a file tells by itself what program it is of.
package enum StateFile {
  /// The file's content for a program.
  ///
  /// `metadata.dependency_versions` is there, as DSPy's `load()` wants it, and empty: no version of DSPy wrote
  /// the file, so there is none that a reader's could differ from.
  ///
  /// - Parameter hasStructure: whether the file says of what program it is.
  package static func encode(_ program: Program, hasStructure: Bool = true) -> JSONObject {
    var object = JSONObject()
    for (index, predictor) in program.predictors.enumerated() {
      let state = encode(program.signature(at: index), demos: program.states[index].demos)
      if predictor.name == "self" {
        object = state
      } else {
        object[predictor.name] = .object(state)
      }
    }
    var metadata: JSONObject = ["dependency_versions": [:]]
    var hone = JSONObject()
    if hasStructure {
      hone = program.module.json
      if let adapter = program.adapter { hone["adapter"] = .string(adapter.rawValue) }
    }
    let neighbours = NeighboursFile.entries(of: program)
    if !neighbours.isEmpty { hone["neighbours"] = .array(neighbours) }
    if !hone.isEmpty { metadata["hone"] = .object(hone) }
    object["metadata"] = .object(metadata)
    return object
  }

  /// The file's text: indented by two, a line break at the end.
  package static func text(_ program: Program) -> String { JSONValue.object(encode(program)).text(.indented) + "\n" }

  private static func encode(_ signature: Signature, demos: [JSONObject]) -> JSONObject {
    [
      "traces": [],
      "train": [],
      "demos": .array(demos.map(JSONValue.object)),
      "signature": [
        "instructions": .string(signature.instructions),
        "fields": .array(
          signature.fields.map { field in
            let description = field.description.isEmpty ? "${\(field.name)}" : field.description
            return ["prefix": .string(field.prefix), "description": .string(description)]
          }),
      ],
      "lm": .null,
    ]
  }

  /// The program that a file holds.
  ///
  /// A field's description is taken from the file where the file's label for the field is the signature's.
  /// A model that the file names is not taken: endpoints come from requests only.
  ///
  /// - Parameters:
  ///   - module: the program's structure, where the caller knows it; else the file must state it.
  ///   - source: what the file is called in messages.
  /// - Throws: `programInvalid`, saying what is missing or does not fit.
  package static func decode(
    _ value: JSONValue, module: Module?, source: String
  ) throws(HoneError) -> (program: Program, warnings: [String]) {
    guard case .object(let object) = value else {
      throw HoneError(.programInvalid, "\(source) is not a program: expected an object, got \(value.kindName).")
    }
    let stated =
      if let module, !isEnsemble(object, of: module) { module } else { try embeddedModule(object, source: source) }
    var warnings: [String] = []
    var descriptions: [[String?]] = []
    var states: [PredictorState] = []
    let predictors = stated.predictors
    for predictor in predictors {
      let state = try entry(for: predictor, in: object, source: source)
      states.append(try decode(state, of: predictor, source: source))
      descriptions.append(Self.descriptions(in: state, of: predictor, &warnings))
      if let model = state["lm"]?["model"]?.stringValue {
        warnings.append("\(predictor.name): the file names the model \(model); models are never read from files.")
      }
    }
    if predictors.first?.name != "self" {
      for name in object.keys where name != "metadata" && !predictors.contains(where: { $0.name == name }) {
        warnings.append("The file has a state for \"\(name)\", which the program does not have.")
      }
    }
    var program = Program(stated.describing(descriptions))
    program.states = states
    if let name = object["metadata"]?["hone"]?["adapter"]?.stringValue {
      program.adapter = ReplyFormat(rawValue: name)
      if program.adapter == nil {
        warnings.append("\(source) was made for the adapter \"\(name)\", which is not known.")
      }
    }
    try NeighboursFile.take(object["metadata"]?["hone"]?["neighbours"], into: &program, source: source, &warnings)
    return (program, warnings)
  }

  /// The predictor's state: the whole file for a bare `Predict`, else the member of its name.
  private static func entry(
    for predictor: Predictor, in object: JSONObject, source: String
  ) throws(HoneError) -> JSONObject {
    let isBareFile = object["signature"]?.objectValue != nil
    if predictor.name == "self", isBareFile { return object }
    if predictor.name != "self", case .object(let state)? = object[predictor.name] { return state }
    let present =
      isBareFile ? "one bare Predict" : object.keys.filter { $0 != "metadata" }.joined(separator: ", ")
    throw HoneError(
      .programInvalid,
      "\(source) has no state for the predictor \"\(predictor.name)\"; "
        + (present.isEmpty ? "it has none at all." : "it has: \(present)."),
      remedy: "Give the program the file was saved from, as `program` beside the reference.")
  }

  private static func decode(
    _ state: JSONObject, of predictor: Predictor, source: String
  ) throws(HoneError) -> PredictorState {
    guard let instructions = state["signature"]?["instructions"]?.stringValue else {
      throw HoneError(
        .programInvalid, "\(source): \(predictor.name).signature.instructions is missing or not a string.",
        remedy: "Save the program again with DSPy 2.6 or later, or with Hone.")
    }
    var demos: [JSONObject] = []
    switch state["demos"] {
    case nil, .null: break
    case .array(let elements)?:
      for (number, demo) in elements.enumerated() {
        guard case .object(let demo) = demo else {
          throw HoneError(
            .programInvalid, "\(source): \(predictor.name).demos[\(number)] should be an object, is \(demo.kindName).")
        }
        demos.append(demo)
      }
    case let other?:
      throw HoneError(.programInvalid, "\(source): \(predictor.name).demos should be a list, is \(other.kindName).")
    }
    return PredictorState(instructions: instructions, demos: demos)
  }

  /// What the file says about each field, matched by position, as DSPy does, and checked by label.
  private static func descriptions(
    in state: JSONObject, of predictor: Predictor, _ warnings: inout [String]
  ) -> [String?] {
    let fields = predictor.signature.fields
    let stated = state["signature"]?["fields"]?.arrayValue ?? []
    if !stated.isEmpty, stated.count != fields.count {
      warnings.append(
        "\(predictor.name): the file lists \(stated.count) fields, "
          + "the signature \(predictor.signature.text) has \(fields.count).")
    }
    return fields.enumerated().map { index, field in
      guard stated.indices.contains(index) else { return nil }
      if let prefix = stated[index]["prefix"]?.stringValue, prefix != field.prefix {
        warnings.append("\(predictor.name): the file calls the field \(field.name) \"\(prefix)\".")
        return nil
      }
      let description = stated[index]["description"]?.stringValue
      return description == "${\(field.name)}" ? nil : description
    }
  }

  /// Whether the file is of an ensemble, and the module one of the programs that it was made of: a search may put an
  /// ensemble in the place of the program that it was given.
  private static func isEnsemble(_ object: JSONObject, of module: Module) -> Bool {
    if case .ensemble = module { return false }
    return object["metadata"]?["hone"]?["module"] == .string("Ensemble")
  }

  private static func embeddedModule(_ object: JSONObject, source: String) throws(HoneError) -> Module {
    guard var stated = object["metadata"]?["hone"]?.objectValue else {
      throw HoneError(
        .programInvalid, "\(source) does not say which program it is of: DSPy's files hold no signature.",
        remedy:
          "Give the signature beside the reference, for example "
          + "{\"path\": …, \"signature\": \"question -> answer\"}.")
    }
    let problems = ProblemList()
    stated["adapter"] = nil
    stated["neighbours"] = nil
    if let module = Module.read(.object(stated), path: "metadata.hone", problems: problems) { return module }
    throw HoneError(.programInvalid, "\(source) states a program that cannot be read.", problems: problems.problems)
  }
}

extension Module {
  /// This module with other descriptions of its fields.
  ///
  /// - Parameter descriptions: for each predictor, for each of its fields; nil leaves a description as it is.
  fileprivate func describing(_ descriptions: [[String?]]) -> Module {
    switch self {
    case .predict(let signature):
      return .predict(signature.describing(descriptions.first ?? []))
    case .chainOfThought(let signature):
      // The reasoning stands between the inputs and the signature's own outputs.
      var own = descriptions.first ?? []
      if own.indices.contains(signature.inputs.count) { own.remove(at: signature.inputs.count) }
      return .chainOfThought(signature.describing(own))
    case .pipeline(let steps, let outputs):
      var rest = descriptions[...]
      let described = steps.map { step in
        var copy = step
        let count = step.module.predictors.count
        copy.module = step.module.describing(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
        return copy
      }
      return .pipeline(described, outputs: outputs)
    case .react(let program):
      // The program's own fields come first and last in the two predictors' lists.
      var copy = program
      let inputs = Array((descriptions.first ?? []).prefix(program.signature.inputs.count))
      let outputs = Array((descriptions.last ?? []).suffix(program.signature.outputs.count))
      copy.signature = program.signature.describing(inputs + outputs)
      return .react(copy)
    case .ensemble(let ensemble):
      var rest = descriptions[...]
      var copy = ensemble
      for index in copy.programs.indices {
        let count = copy.programs[index].predictors.count
        copy.programs[index] = copy.programs[index].describing(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
      }
      return .ensemble(copy)
    case .host(let host):
      var rest = descriptions[...]
      var copy = host
      for index in copy.parts.indices {
        let count = copy.parts[index].module.predictors.count
        copy.parts[index].module = copy.parts[index].module.describing(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
      }
      return .host(copy)
    }
  }
}

extension Signature {
  fileprivate func describing(_ descriptions: [String?]) -> Signature {
    var copy = self
    for (index, description) in descriptions.enumerated() {
      guard let description else { continue }
      if copy.inputs.indices.contains(index) {
        copy.inputs[index].description = description
      } else if copy.outputs.indices.contains(index - copy.inputs.count) {
        copy.outputs[index - copy.inputs.count].description = description
      }
    }
    return copy
  }
}

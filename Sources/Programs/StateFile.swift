package import Failures
package import JSON

/// The JSON that DSPy's `save()` writes and its `load()` reads, with the program's structure added where DSPy
/// looks past it (`metadata.hone`), so that a file tells by itself what program it is of.
package enum StateFile {
  /// The file's content for a program.
  package static func encode(_ program: Program) -> JSONObject {
    var object = JSONObject()
    for (index, predictor) in program.predictors.enumerated() {
      let state = encode(program.signature(at: index), demos: program.states[index].demos)
      if predictor.name == "self" {
        object = state
      } else {
        object[predictor.name] = .object(state)
      }
    }
    object["metadata"] = [
      "dependency_versions": [:],
      "hone": .object(program.module.json),
    ]
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
  /// - Parameter module: its structure, where the caller knows it; else the file must state it.
  /// - Throws: `programInvalid`, saying what is missing or does not fit.
  package static func decode(
    _ value: JSONValue, module: Module?, source: String
  ) throws(HoneError) -> (program: Program, warnings: [String]) {
    guard case .object(let object) = value else {
      throw HoneError(.programInvalid, "\(source) is no program: expected an object, got \(value.kindName).")
    }
    let module = if let module { module } else { try embeddedModule(object, source: source) }
    var program = Program(module)
    var warnings: [String] = []
    for (index, predictor) in program.predictors.enumerated() {
      let entry = predictor.name == "self" ? value : object[predictor.name]
      guard let entry, case .object(let state) = entry else {
        let present = object.keys.filter { $0 != "metadata" }.joined(separator: ", ")
        throw HoneError(
          .programInvalid, "\(source) has no state for the predictor \"\(predictor.name)\"; it has: \(present).",
          remedy: "Give the program the file was saved from, as `program` beside the reference.")
      }
      let fields = predictor.signature.fields
      if let stated = state["signature"]?["fields"]?.arrayValue {
        if stated.count != fields.count {
          warnings.append(
            "\(predictor.name): the file lists \(stated.count) fields, the signature \(predictor.signature.text) has \(fields.count).")
        }
        for (field, entry) in zip(fields, stated) {
          if let prefix = entry["prefix"]?.stringValue, prefix != field.prefix {
            warnings.append("\(predictor.name): the file calls the field \(field.name) \"\(prefix)\".")
          }
        }
      }
      guard let instructions = state["signature"]?["instructions"]?.stringValue else {
        throw HoneError(.programInvalid, "\(source): \(predictor.name).signature.instructions is missing.")
      }
      var demos: [JSONObject] = []
      for (number, demo) in (state["demos"]?.arrayValue ?? []).enumerated() {
        guard case .object(let demo) = demo else {
          throw HoneError(
            .programInvalid, "\(source): \(predictor.name).demos[\(number)] should be an object, is \(demo.kindName).")
        }
        demos.append(demo)
      }
      program.states[index] = PredictorState(instructions: instructions, demos: demos)
    }
    return (program, warnings)
  }

  private static func embeddedModule(_ object: JSONObject, source: String) throws(HoneError) -> Module {
    guard let stated = object["metadata"]?["hone"] else {
      throw HoneError(
        .programInvalid, "\(source) does not say which program it is of: DSPy's files hold no signature.",
        remedy: "Give the signature beside the reference, for example {\"path\": …, \"signature\": \"question -> answer\"}.")
    }
    let problems = ProblemList()
    if let module = Module.read(stated, path: "metadata.hone", problems: problems) { return module }
    throw HoneError(.programInvalid, "\(source) states a program that cannot be read.", problems: problems.problems)
  }
}

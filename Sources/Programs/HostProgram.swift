import Failures
import JSON
import Schema

/// A program whose control flow the client runs: which predictors it has, and what is known of the rest.
package struct HostProgram: Sendable, Hashable {
  /// One of its predictors, or a small module with predictors of its own.
  package struct Part: Sendable, Hashable {
    /// The attribute's path in DSPy's words: `generate`, `sub.generate`, `hops[0]`.
    package var name: String
    package var module: Module
  }

  package var name: String
  /// What the whole takes and gives, where it was said.
  package var signature: Signature?
  /// The inputs' names, where there is no signature and the data set says them.
  package var inputNames: [String]?
  package var parts: [Part]
  /// What its author says of it, or its source: shown to models that write instructions.
  package var description: String
  /// Seconds that one execution may take.
  package var timeout: Double

  package static let defaultTimeout = 600.0

  package var inputs: [Field] { signature?.inputs ?? inputNames?.map { Field($0) } ?? [] }

  /// The values of a row that the program is given: its inputs where they are known, else what some predictor takes
  /// and none gives, else what none gives.
  func inputs(from row: JSONObject) -> JSONObject {
    let known = inputs.map(\.name)
    if !known.isEmpty {
      var picked = JSONObject()
      for name in known { picked.append(name, row[name] ?? .null) }
      return picked
    }
    let given = Set(parts.flatMap { $0.module.outputs.map(\.name) })
    let taken = Set(parts.flatMap { $0.module.inputs.map(\.name) }).subtracting(given)
    let picked = row.filter { taken.contains($0) }
    return picked.isEmpty ? row.filter { !given.contains($0) } : picked
  }
}

extension HostProgram {
  /// Makes one of its members; notes every problem and then gives nil.
  static func read(_ members: ProgramMembers, at fields: FieldReader) -> HostProgram? {
    let problems = fields.problems
    let before = problems.problems.count
    if members.host?.isEmpty == true { problems.add(fields.place("host"), "The program's name is empty.") }
    if !fields.gives("host") { problems.add(fields.place("host"), "This member is required (a string).") }
    let signature = members.asked.signature.flatMap {
      Signature.read(
        $0, instructions: members.asked.instructions, path: fields.place("signature"), problems: problems)
    }
    var parts: [Part] = []
    let predictors = members.predictors ?? [:]
    if predictors.isEmpty, problems.problems.count == before {
      problems.add(
        fields.place("predictors"),
        "A host program needs at least one predictor, as in {\"answer\": \"question -> answer\"}.")
    }
    for (name, value) in predictors {
      let place = "\(fields.place("predictors")).\(name)"
      if name.isEmpty || name == "self" || name == "metadata" {
        problems.add(place, "A predictor cannot be named \"\(name)\".")
      }
      guard let module = Module.read(value, defaultModule: "Predict", path: place, problems: problems) else { continue }
      switch module {
      case .predict, .chainOfThought, .react: parts.append(Part(name: name, module: module))
      case .pipeline, .ensemble, .host:
        problems.add(
          place, "A host program's predictors are modules such as Predict and ChainOfThought; name each by itself.")
      }
    }
    guard problems.problems.count == before, let name = members.host else { return nil }
    return HostProgram(
      name: name, signature: signature, inputNames: members.inputs, parts: parts,
      description: members.description ?? "", timeout: members.timeout ?? defaultTimeout)
  }

  var json: JSONObject {
    var members = ProgramMembers()
    members.host = name
    members.asked.signature = signature?.json
    members.inputs = inputNames
    members.predictors = JSONObject(parts.map { ($0.name, .object($0.module.json)) })
    members.description = description.isEmpty ? nil : description
    members.timeout = timeout == Self.defaultTimeout ? nil : timeout
    return members.given
  }
}

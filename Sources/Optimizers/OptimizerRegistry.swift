import Failures
package import JSON

/// The optimizers there are, by name.
package enum OptimizerRegistry {
  private static let types: [any Optimizer.Type] = [
    BootstrapFewShot.self, BootstrapFewShotWithRandomSearch.self, LabeledFewShot.self, MIPROv2.self,
  ]
  private static let aliases = ["BootstrapRS": "BootstrapFewShotWithRandomSearch"]

  package static var names: [String] { types.map { $0.name } }

  /// Reads `"MIPROv2"` or `{"name": "MIPROv2", …settings}`; notes every problem and then returns nil.
  package static func make(_ value: JSONValue, path: String, problems: ProblemList) -> (any Optimizer)? {
    var object: JSONObject = [:]
    if case .string(let name) = value { object["name"] = .string(name) } else { object = value.objectValue ?? [:] }
    guard value.stringValue != nil || value.objectValue != nil else {
      problems.add(path, "Expected an optimizer's name or an object with \"name\" and settings, got \(value.kindName).")
      return nil
    }
    let before = problems.problems.count
    let fields = FieldReader(object, path: path, problems: problems)
    guard let name = fields.requiredString("name") else { return nil }
    guard let type = types.first(where: { $0.name == aliases[name] ?? name }) else {
      problems.add(
        Problem(
          path: fields.place("name"), message: "There is no optimizer \"\(name)\".", got: name, allowed: names,
          suggestion: nearest(to: name, among: names)))
      return nil
    }
    let optimizer = type.init(fields)
    fields.finish()
    return problems.problems.count == before ? optimizer : nil
  }
}

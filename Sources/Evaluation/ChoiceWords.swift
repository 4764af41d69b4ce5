package import JSON
import Programs

/// What a search tried, in words, from its coordinates: `instruction 5 with demo set 3`, and with several steps
/// `answer: instruction 5 with demo set 3; query: …`.
package struct ChoiceWords {
  /// The names of the program's steps; fewer or none where they are not known.
  private let steps: [String]

  package init(steps: [String] = []) { self.steps = steps }

  package func words(_ coordinates: JSONObject) -> String {
    if Self.isStart(coordinates) { return "the program as it came" }
    let count = (coordinates.keys.compactMap(Self.step(of:)).max() ?? -1) + 1
    let choices = (0..<count).compactMap { choice(step: $0, of: count, coordinates) }
    var parts = choices.isEmpty ? [] : [choices.joined(separator: "; ")]
    let subject = [
      coordinates["candidate"].map { "candidate \($0.text())" }, coordinates["step"].map { "step \($0.text())" },
      coordinates["depth"].map { "round \($0.text())" },
    ].compactMap { $0 }
    if !subject.isEmpty {
      let predictor = coordinates["predictor"]?.stringValue.map { " for \($0)" } ?? ""
      parts.append(subject.joined(separator: " of ") + predictor)
    }
    for (key, value) in coordinates where Self.step(of: key) == nil {
      switch (key, value) {
      case ("candidate", _), ("step", _), ("depth", _), ("predictor", _): break
      case ("seed", .int(let seed)): parts.append(Self.demos(seed: seed))
      case ("demos", .int(let count)): parts.append("\(count) demo\(count == 1 ? "" : "s")")
      case ("demoSet", _): parts.append("demo set \(value.text())")
      case ("rules", .int(let count)): parts.append("\(count) rule\(count == 1 ? "" : "s")")
      case ("rules", .array(let numbers)): if !numbers.isEmpty { parts.append("rules " + Self.list(numbers)) }
      case ("without", .string(let rule)):
        parts.append("without the rule \"\(rule.prefix(60))\(rule.count > 60 ? "…" : "")\"")
      case ("dropped", .bool(let isDropped)): if isDropped { parts.append("dropped") }
      case ("data", .string(let name)): parts.append("on rows of the \(name)")
      default: parts.append("\(key) " + (value.arrayValue.map(Self.list) ?? value.stringValue ?? value.text()))
      }
    }
    return parts.joined(separator: ", ")
  }

  private func choice(step: Int, of count: Int, _ coordinates: JSONObject) -> String? {
    let instruction = coordinates[Self.key(step, "instruction")].map { "instruction \($0.text())" }
    let demos = coordinates[Self.key(step, "demos")].map { "demo set \($0.text())" }
    let words = [instruction, demos].compactMap { $0 }
    guard !words.isEmpty else { return nil }
    let name = steps.indices.contains(step) ? steps[step] : "step \(step + 1)"
    return (count > 1 ? "\(name): " : "") + words.joined(separator: " with ")
  }

  /// DSPy's names of the choices for one step.
  private static func key(_ step: Int, _ what: String) -> String { "\(step)_predictor_\(what)" }

  /// The place of the step that a choice is for; nil for other coordinates.
  private static func step(of key: String) -> Int? {
    key.firstRange(of: "_predictor_").flatMap { Int(key[..<$0.lowerBound]) }
  }

  /// Whether only the place of a first evaluation is said.
  private static func isStart(_ coordinates: JSONObject) -> Bool {
    guard coordinates.count == 1, let value = coordinates.values.first else { return coordinates.isEmpty }
    return switch coordinates.keys[0] {
    case "trial": true
    case "step", "depth": value == 0
    case "rules": value == []
    default: false
    }
  }

  /// The first seeds of a random search stand for its fixed candidates.
  private static func demos(seed: Int) -> String {
    switch seed {
    case -3: "without new demos"
    case -2: "labelled rows"
    case -1: "runs that were right"
    default: "runs that were right, drawn with seed \(seed)"
    }
  }

  private static func list(_ values: [JSONValue]) -> String {
    values.map { $0.stringValue ?? $0.text() }.joined(separator: ", ")
  }
}

extension EvaluationInfo {
  /// What is tried, in words.
  package var choice: String {
    if let change = candidate?.change, !change.isEmpty { return change }
    return ChoiceWords(steps: program.predictors.map(\.name)).words(coordinates)
  }
}

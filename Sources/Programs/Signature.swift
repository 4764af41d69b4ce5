package import Failures
package import JSON
package import Schema

/// One input or output of a signature.
package struct Field: Sendable, Hashable {
  package var name: String
  package var type: FieldType
  /// What the field holds, in words for the model; empty if nobody said.
  package var description: String
  /// The label that DSPy's files carry; never shown to a model.
  package var prefix: String

  package init(_ name: String, type: FieldType = .string, description: String = "", prefix: String? = nil) {
    self.name = name
    self.type = type
    self.description = description
    self.prefix = prefix ?? Field.inferPrefix(name) + ":"
  }

  /// The label DSPy infers from a field's name: `camelCaseText` → `Camel Case Text`.
  package static func inferPrefix(_ name: String) -> String {
    // Cut before a capital that small letters follow, between a small letter or digit and a capital, and
    // between letters and digits; underscores cut too and vanish. Only ASCII counts as letters and digits.
    let characters = Array(name.unicodeScalars)
    var separated = String.UnicodeScalarView()
    for (index, character) in characters.enumerated() {
      if index > 0 {
        let previous = characters[index - 1]
        let word = isUpper(character) && index + 1 < characters.count && isLower(characters[index + 1])
        let rise = isUpper(character) && (isLower(previous) || isDigit(previous))
        let digit = isDigit(character) ? isLetter(previous) : isLetter(character) && isDigit(previous)
        if word || rise || digit { separated.append("_") }
      }
      separated.append(character)
    }
    return String(separated).split(separator: "_", omittingEmptySubsequences: false).map { part -> String in
      let word = String(part)
      if word == word.uppercased() { return word }
      return word.prefix(1).uppercased() + word.dropFirst().lowercased()
    }.joined(separator: " ")
  }

  private static func isUpper(_ scalar: Unicode.Scalar) -> Bool { ("A"..."Z").contains(scalar) }
  private static func isLower(_ scalar: Unicode.Scalar) -> Bool { ("a"..."z").contains(scalar) }
  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool { isUpper(scalar) || isLower(scalar) }
  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
}

/// What a predictor takes and gives, and what it is told: ordered input fields, ordered output fields and the
/// instructions.
package struct Signature: Sendable, Hashable {
  package var inputs: [Field]
  package var outputs: [Field]
  package var instructions: String

  package init(inputs: [Field], outputs: [Field], instructions: String? = nil) {
    self.inputs = inputs
    self.outputs = outputs
    self.instructions = instructions ?? Signature.defaultInstructions(inputs, outputs)
  }

  /// Inputs, then outputs: the order in which DSPy's files list them.
  package var fields: [Field] { inputs + outputs }

  /// The instruction of a signature that states none. It stands in saved programs, so its wording is data
  /// shared with DSPy.
  package static func defaultInstructions(_ inputs: [Field], _ outputs: [Field]) -> String {
    func names(_ fields: [Field]) -> String { fields.map { "`\($0.name)`" }.joined(separator: ", ") }
    return "Given the fields \(names(inputs)), produce the fields \(names(outputs))."
  }

  /// The text form with types, `question -> reasoning, answer: int`.
  package var text: String {
    func side(_ fields: [Field]) -> String {
      fields.map { $0.type == .string ? $0.name : "\($0.name): \($0.type)" }.joined(separator: ", ")
    }
    return "\(side(inputs)) -> \(side(outputs))"
  }

  /// From the text form.
  package init(_ text: String, instructions: String? = nil, path: String = "signature") throws(HoneError) {
    let sides = try SignatureParser.parse(text, path: path)
    self.init(
      inputs: sides.inputs.map { Field($0.name, type: $0.type ?? .string) },
      outputs: sides.outputs.map { Field($0.name, type: $0.type ?? .string) }, instructions: instructions)
  }

  /// With another output before the others, the instructions kept.
  package func prepending(_ output: Field) -> Signature {
    var copy = self
    copy.outputs.insert(output, at: 0)
    return copy
  }
}

extension Signature {
  /// Reads a signature from a request: its text, or an object
  /// `{"inputs": […], "outputs": […], "instructions"?}` whose fields are names or `{"name", "type"?, "desc"?}`.
  package static func read(
    _ value: JSONValue, instructions: String?, path: String, problems: ProblemList
  ) -> Signature? {
    if case .string(let text) = value {
      do {
        return try Signature(text, instructions: instructions, path: path)
      } catch {
        for problem in error.problems { problems.add(problem) }
        return nil
      }
    }
    guard let fields = FieldReader(value, path: path, problems: problems) else { return nil }
    let before = problems.problems.count
    let members = SignatureMembers.known(from: fields)
    let inputs = readFields(members.inputs, path: fields.place("inputs"), problems: problems)
    let outputs = readFields(members.outputs, path: fields.place("outputs"), problems: problems)
    fields.finish()
    if outputs.isEmpty, problems.problems.count == before {
      problems.add(fields.place("outputs"), "A signature needs at least one output field.")
    }
    var seen: Set<String> = []
    for field in inputs + outputs where !seen.insert(field.name).inserted {
      problems.add(path, "The field \"\(field.name)\" appears twice in the signature.")
    }
    guard problems.problems.count == before else { return nil }
    return Signature(inputs: inputs, outputs: outputs, instructions: instructions ?? members.instructions)
  }

  private static func readFields(_ values: [JSONValue], path: String, problems: ProblemList) -> [Field] {
    var result: [Field] = []
    for (index, value) in values.enumerated() {
      let place = "\(path)[\(index)]"
      if case .string(let text) = value {
        do {
          // A name with an optional type, checked by the grammar of the text form.
          let sides = try SignatureParser.parse("-> " + text, path: place)
          result += sides.outputs.map { Field($0.name, type: $0.type ?? .string) }
        } catch {
          for problem in error.problems { problems.add(problem) }
        }
        continue
      }
      guard let reader = FieldReader(value, path: place, problems: problems) else { continue }
      let field = FieldMembers.taken(from: reader)
      do {
        let type = try type(field.type, path: reader.place("type"))
        if let name = field.name {
          // A record's own description stands in its schema.
          let own = type.isRecord ? nil : field.type["description"]?.stringValue
          let description = field.description.isEmpty ? own ?? "" : field.description
          result.append(Field(name, type: type, description: description, prefix: field.prefix))
        }
      } catch {
        for problem in error.problems { problems.add(problem) }
      }
    }
    return result
  }

  private static func type(_ value: JSONValue, path: String) throws(HoneError) -> FieldType {
    guard let text = value.stringValue else { return try SchemaReader.type(value, path: path) }
    return try SignatureParser.parseType(text, path: path)
  }

  /// The object form; `read` makes an equal signature of it.
  package var json: JSONValue {
    func list(_ fields: [Field]) -> JSONValue {
      .array(
        fields.map { field in
          var members = FieldMembers()
          members.name = field.name
          members.type = field.type.needsSchema ? field.type.schema : .string(field.type.description)
          members.description = field.description
          members.prefix = field.prefix == Field.inferPrefix(field.name) + ":" ? nil : field.prefix
          return .object(members.given)
        })
    }
    return ["inputs": list(inputs), "outputs": list(outputs), "instructions": .string(instructions)]
  }
}

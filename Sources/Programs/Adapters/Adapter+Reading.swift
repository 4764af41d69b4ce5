package import JSON

/// A model's completion, as far as reading it goes.
package struct Completion: Sendable, Hashable {
  package var text: String
  /// What the model thought beforehand, where the endpoint gives that apart.
  package var reasoning: String
  /// Whether it was cut off at the token limit.
  package var isCut: Bool

  package init(_ text: String, reasoning: String = "", isCut: Bool = false) {
    self.text = text
    self.reasoning = reasoning
    self.isCut = isCut
  }

  /// With what stands between `<think>` and `</think>` before the reply taken as reasoning. Some templates open the
  /// thought within the prompt, so that the reply only closes it.
  fileprivate var withoutThought: Completion {
    let opening = text.trimmed.hasPrefix("<think>") ? text.firstRange(of: "<think>") : nil
    guard let end = text.firstRange(of: "</think>") else {
      // A thought that was cut off is no reply.
      guard let opening else { return self }
      return Completion("", reasoning: String(text[opening.upperBound...]).trimmed, isCut: isCut)
    }
    let thought = String(text[(opening?.upperBound ?? text.startIndex)..<end.lowerBound]).trimmed
    return Completion(
      String(text[end.upperBound...]).trimmed, reasoning: reasoning.isEmpty ? thought : reasoning, isCut: isCut)
  }
}

/// The outputs that a reply states.
package struct ReadReply: Sendable, Hashable {
  package var outputs: JSONObject
  /// Whether the reply was not written as asked for, and yet had one clear reading.
  package var isRepaired: Bool
}

/// Why a reply holds no outputs of a signature: what was expected, what came.
package struct UnparsableReply: Error, Sendable, Hashable {
  package enum Fault: Sendable, Hashable {
    /// No output was found, or not all were.
    case form
    /// All were found; some are not of their type.
    case values
    /// The reply was in the right form until the token limit cut it off.
    case cut
  }
  package var fault: Fault
  package var reason: String
  /// The outputs that could be read.
  package var parsed: JSONObject
  package var reply: String
  /// Whether the token limit cut it off.
  package var isCut = false
}

extension Adapter {
  package func parse(_ reply: String) throws(UnparsableReply) -> JSONObject { try read(Completion(reply)).outputs }

  /// The outputs that a completion states, all of them, each of its field's type.
  ///
  /// Read in the adapter's form, else in one of the others, else, where there is one output, as the bare value. Of
  /// several values for one output the first counts; unknown ones are passed over. An output whose type allows null may
  /// be missing. So may the `reasoning` before the others: it is filled with what the model thought beforehand, or with
  /// what it wrote before the first output; it is a way to the answer, and an answer without it is one.
  ///
  /// - Parameter guesses: whether one of several choices may be guessed from what comes closest.
  package func read(_ completion: Completion, guesses: Bool = false) throws(UnparsableReply) -> ReadReply {
    let completion = completion.withoutThought
    var reading = Reading(signature: signature, guesses: guesses)
    for form in [format] + ReplyFormat.allCases.filter({ $0 != format }) {
      guard let found = found(in: completion.text, as: form) else { continue }
      reading.take(found, isRepaired: form != format)
      break
    }
    reading.fill(completion)
    reading.fillReasoning(preamble(of: completion.text))
    if reading.isEmpty, reading.takeBare(completion.text) {
      if format != .plain { reading.isRepaired = true }
      reading.fill(completion)
    }
    return try reading.result(completion)
  }

  /// What stands for each output in a reply of that form; nil where nothing does.
  private func found(in text: String, as form: ReplyFormat) -> [FoundValue?]? {
    let found: [FoundValue?]
    switch form {
    case .chat:
      found = sections(of: text).map { section in section.map { .text($0, isWhole: true) } }
    case .json:
      // An object that is a single output's own value is that, not a record of outputs.
      guard let object = LenientJSON.firstObject(in: text) else { return nil }
      let isStrict = (try? JSONReader.read(LenientJSON.unfenced(text))) != nil
      found = signature.outputs.map { field in object[field.name].map { .value($0, isWhole: isStrict) } }
    case .xml:
      found = ReplyElements.texts(in: text, names: signature.outputs.map(\.name)).map { element in
        element.map { .text($0.text, isWhole: $0.isClosed) }
      }
    case .plain: return nil
    }
    return found.contains { $0 != nil } ? found : nil
  }

  /// What stands before the first section.
  private func preamble(of reply: String) -> String {
    reply.firstRange(of: "[[ ##").map { String(reply[..<$0.lowerBound]).trimmed } ?? ""
  }

  /// The text under each output's header, in the outputs' order.
  private func sections(of reply: String) -> [String?] {
    var copy = reply
    return copy.withUTF8 { bytes in
      ReplySections(bytes, names: outputNames).ranges.map { range in
        range.map { String(decoding: bytes[$0], as: UTF8.self) }
      }
    }
  }
}

/// What stands for one output in a reply; `isWhole` tells whether it was written as its form has it.
private enum FoundValue {
  case text(String, isWhole: Bool)
  case value(JSONValue, isWhole: Bool)
}

/// One reply while it is read.
private struct Reading {
  let signature: Signature
  let guesses: Bool
  var outputs = JSONObject()
  var isRepaired = false
  /// What is wrong with values that were found.
  private var wrong: [String] = []
  private var isFound: Set<String> = []

  init(signature: Signature, guesses: Bool) {
    self.signature = signature
    self.guesses = guesses
  }

  var isEmpty: Bool { isFound.isEmpty }

  private var missing: [Field] { signature.outputs.filter { outputs[$0.name] == nil && !isFound.contains($0.name) } }

  mutating func take(_ found: [FoundValue?], isRepaired: Bool) {
    self.isRepaired = isRepaired
    for (field, value) in zip(signature.outputs, found) {
      guard let value else { continue }
      isFound.insert(field.name)
      switch value {
      case .text(let text, let isWhole):
        if !isWhole { self.isRepaired = true }
        take(read(text, as: field.type), for: field)
      case .value(let value, let isWhole):
        if !isWhole { self.isRepaired = true }
        take(reading(value, of: field.type), for: field)
      }
    }
  }

  private mutating func take(_ reading: Result<FieldReading, TypeMismatch>, for field: Field) {
    switch reading {
    case .success(let reading):
      outputs.append(field.name, reading.value)
      if reading.isRepaired { isRepaired = true }
    case .failure(let mismatch):
      // What is wrong within a value says more than that it is.
      wrong += mismatch.faults.prefix(5).map { Self.named($0, field) }
      guard mismatch.faults.isEmpty else { return }
      wrong.append("`\(field.name)` should be \(mismatch.expected), got \(JSONValue.string(mismatch.got).excerpt).")
    }
  }

  /// A fault with the field's name before its place: "`event.year` should be at most 2030, got 2099."
  private static func named(_ fault: String, _ field: Field) -> String {
    let end = [" should be ", " is missing.", " is not a field."].compactMap { fault.firstRange(of: $0)?.lowerBound }
      .min()
    let place = fault[..<(end ?? fault.startIndex)]
    return "`\(field.name)\(place)`" + fault.dropFirst(place.count)
  }

  private func read(_ text: String, as type: FieldType) -> Result<FieldReading, TypeMismatch> {
    let reading = type.read(text)
    guard guesses, case .failure = reading, let guess = type.guess(text) else { return reading }
    return .success(guess)
  }

  /// A member's value as the field's; a text field takes lists and objects as their text, and a text may stand for a
  /// value of another type.
  private func reading(_ value: JSONValue, of type: FieldType) -> Result<FieldReading, TypeMismatch> {
    switch (type, value) {
    case (.string, .array), (.string, .object): return .success(FieldReading(.string(value.text(.spaced))))
    default: break
    }
    if let coerced = type.coerce(value) { return .success(FieldReading(coerced)) }
    if case .string(let text) = value { return read(text, as: type) }
    return .failure(TypeMismatch(expected: type.name, got: value.text(.spaced), faults: type.faults(of: value)))
  }

  /// Fills what need not stand in the reply itself.
  mutating func fill(_ completion: Completion) {
    for field in missing {
      if field.name == Module.reasoning.name, field.type == .string, !completion.reasoning.isEmpty {
        outputs.append(field.name, .string(completion.reasoning))
      } else if !isEmpty, case .optional = field.type {
        outputs.append(field.name, .null)
      }
    }
  }

  /// Fills the reasoning, where the model went straight to the answer.
  mutating func fillReasoning(_ text: String) {
    guard !isEmpty, signature.outputs.count > 1, let field = signature.outputs.first,
      field.name == Module.reasoning.name,
      field.type == .string, missing == [field], wrong.isEmpty
    else { return }
    outputs.append(field.name, .string(text))
    isRepaired = true
  }

  /// Takes the whole reply as the value of the one output that is missing; false where it is none.
  mutating func takeBare(_ text: String) -> Bool {
    let text = LenientJSON.unfenced(text).trimmed
    guard !text.isEmpty, !text.contains("[[ ##"), !text.contains("## ]]") else { return false }
    let missing = missing
    guard let field = missing.last, case let first = missing[0] else { return false }
    let reasons = first.name == Module.reasoning.name && first.type == .string
    guard missing.count == 1 || (missing.count == 2 && reasons && !field.type.isText) else { return false }
    let value = Self.withoutLabel(text, field, signature.inputs)
    if field.type.isText, LenientJSON.firstObject(in: value) != nil { return false }
    guard case .success(let reading) = read(value, as: field.type) else { return false }
    if missing.count == 2 { outputs.append(first.name, .string(text)) }
    isFound.insert(field.name)
    take(.success(reading), for: field)
    return true
  }

  /// The text without "answer:" before it, and without a next example that the model went on to write.
  private static func withoutLabel(_ text: String, _ field: Field, _ inputs: [Field]) -> String {
    var text = text
    for input in inputs {
      for label in ["\n\(input.name):", "\n\(input.prefix)"] {
        if let next = text.firstRange(of: label) { text = String(text[..<next.lowerBound]) }
      }
    }
    for label in ["\(field.name):", field.prefix] where text.lowercased().hasPrefix(label.lowercased()) {
      return String(text.dropFirst(label.count)).trimmed
    }
    return field.type.isText ? stated(text.trimmed, field) ?? text.trimmed : text.trimmed
  }

  /// What a sentence like "The company is Acme." or "The title of the book is 'Emma'." states; nil where the text is
  /// another.
  private static func stated(_ text: String, _ field: Field) -> String? {
    let opening = "the " + field.name.replacing("_", with: " ").lowercased()
    guard text.lowercased().hasPrefix(opening), !text.contains(where: \.isNewline) else { return nil }
    var rest = text.dropFirst(opening.count)
    if [" of ", " in ", " for "].contains(where: rest.hasPrefix), let verb = rest.firstRange(of: " is "),
      rest.distance(from: rest.startIndex, to: verb.lowerBound) < 60
    {
      rest = rest[verb.lowerBound...]
    }
    guard let mark = [" is called ", " is: ", " is ", ": "].first(where: rest.hasPrefix) else { return nil }
    let value = String(rest.dropFirst(mark.count)).trimmed
    // The full stop is the sentence's, unless others stand within.
    let isSentence = value.hasSuffix(".") && !value.dropLast().contains(".")
    let said = (isSentence ? String(value.dropLast()) : value).unquoted
    return said.isEmpty ? nil : said.hasSuffix(".") && said.count < value.count ? String(said.dropLast()) : said
  }

  // MARK: Outcome

  func result(_ completion: Completion) throws(UnparsableReply) -> ReadReply {
    let missing = missing
    guard !missing.isEmpty || !wrong.isEmpty else {
      var ordered = JSONObject()
      for field in signature.outputs { ordered.append(field.name, outputs[field.name] ?? .null) }
      return ReadReply(outputs: ordered, isRepaired: isRepaired)
    }
    let reply = completion.text.trimmed
    let expected = signature.outputs.map { "\($0.name): \($0.type.name)" }.joined(separator: ", ")
    let reason: String
    if completion.isCut {
      reason = "It was cut off at the token limit; expected \(expected)."
    } else if reply.isEmpty {
      reason = "The reply is empty; expected \(expected)."
    } else if isEmpty {
      reason =
        "It has no \(missing.map { "`\($0.name)`" }.joined(separator: ", ")). Expected \(expected); got "
        + "\(JSONValue.string(reply).excerpt)."
    } else {
      let faults = wrong + missing.map { "`\($0.name)` is missing." }
      reason = faults.joined(separator: " ") + " Expected \(expected)."
    }
    var fault = UnparsableReply.Fault.form
    if completion.isCut, !isEmpty, !missing.isEmpty || reply.isEmpty {
      fault = .cut
    } else if missing.isEmpty {
      fault = .values
    }
    throw UnparsableReply(fault: fault, reason: reason, parsed: outputs, reply: reply, isCut: completion.isCut)
  }
}

extension FieldType {
  /// Whether any text is a value of the type.
  fileprivate var isText: Bool {
    switch self {
    case .string, .any: true
    case .optional(let wrapped): wrapped.isText
    case .bounded(let type, _): type.isText
    case .union(let members): members.contains(where: \.isText)
    default: false
    }
  }
}

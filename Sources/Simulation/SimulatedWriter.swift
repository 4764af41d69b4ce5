import Basics
import JSON

/// Writes what the simulated model says where it does not solve a question: instructions, sentences,
/// values of a type, wrong answers.
enum SimulatedWriter {
  /// Whether a field of that name wants advice for a prompt.
  static func wantsAdvice(_ field: String) -> Bool {
    let name = field.lowercased()
    return adviceNames.contains { name.contains($0) }
  }

  private static let adviceNames = ["instruction", "advice", "rule", "proposed", "prompt", "guideline", "strategy"]

  private static let openings = [
    "Solve the given task. ", "Read the inputs carefully and give the outputs asked for. ",
    "You are given a problem in words. ", "Work out the answer to the question. ", "",
  ]

  /// An instruction made of pieces of advice. Where `prompt` quotes some already, mostly a variation
  /// of them: most are kept and one or two are added.
  static func instruction(prompt: [UInt8], random: inout StableGenerator) -> String {
    let all = SimulatedLandscape.advice.indices
    let quoted = SimulatedLandscape.advice(in: prompt)
    var chosen: [Int] = []
    if quoted != 0, random.unit() < 0.75 {
      chosen = all.filter { quoted & (1 << UInt32($0)) != 0 }.filter { _ in random.unit() < 0.88 }
      for _ in 0...random.below(2) { add(random.below(all.count), to: &chosen) }
      if chosen.count > 9 { chosen.removeSubrange(9...) }
    } else {
      for _ in 0...(1 + random.below(3)) { add(random.below(all.count), to: &chosen) }
    }
    let opening = openings[random.below(openings.count)]
    let sentences = chosen.map { index -> String in
      let phrase = SimulatedLandscape.advice[index].phrase
      return phrase.prefix(1).uppercased() + phrase.dropFirst() + "."
    }
    let text = opening + sentences.joined(separator: " ")
    return text.isEmpty ? "Answer the question." : text
  }

  private static func add(_ piece: Int, to chosen: inout [Int]) {
    if !chosen.contains(piece) { chosen.append(piece) }
  }

  /// A value for a field about which nothing is known.
  static func filler(_ field: String, _ type: SimulatedFieldType, random: inout StableGenerator) -> String {
    switch type {
    case .bool: random.below(2) == 0 ? "False" : "True"
    case .int: random.below(100).description
    case .float: (Double(random.below(100)) / 100).description
    case .choice(let options): options.isEmpty ? "unknown" : options[random.below(options.count)]
    case .list: "[]"
    case .object: "{}"
    case .schema(let schema): SchemaInstance.text(of: schema)
    case .text: "This is simulated text for the field \(field) (variant \(random.below(1_000_000)))."
    }
  }

  /// A value for `field` that is not `right`, the same each time.
  static func wrong(_ right: JSONValue, _ type: SimulatedFieldType, hash: UInt64) -> String {
    if case .choice(let options) = type {
      let others = options.filter { $0 != SimulatedKnowledge.text(right) }
      if !others.isEmpty { return others[Int(hash % UInt64(others.count))] }
    }
    if case .schema(let schema) = type { return SchemaInstance.text(of: schema) }
    let offset = Int(hash % 17) + 1
    switch right {
    case .bool(let flag): return flag ? "False" : "True"
    case .string(let text):
      if text == "True" || text == "true" { return "False" }
      if text == "False" || text == "false" { return "True" }
      let number = text.filter { $0 != "," && $0 != "$" }
      if let value = Int(number) { return (value &+ offset).description }
      if let value = Double(number) { return (value + Double(offset)).description }
      return "This is a wrong answer of the simulated model (variant \(offset))."
    case .array: return "[]"
    case .object: return "{}"
    case .null: return "unknown"
    default:
      if let value = right.intValue { return (value &+ offset).description }
      return ((right.doubleValue ?? 0) + Double(offset)).description
    }
  }

  static func reasoning(_ known: String?, isRight: Bool) -> String {
    let known = known.map { $0.split(whereSeparator: \.isNewline).joined(separator: " ") }
    guard isRight else {
      return "The numbers are combined in the order in which they are given. " + (known ?? "").prefix(40)
    }
    return known ?? "The facts are taken one after the other until the question is answered (simulated reasoning)."
  }
}

/// The type that a prompt states for an output field, as far as the simulated model minds it.
enum SimulatedFieldType: Sendable, Hashable {
  case text, bool, int, float, list, object
  case choice([String])
  /// A date, a time, or a record.
  case schema(JSONValue)

  /// Reads the type out of the first line of `system` that names the field in backquotes or opens its
  /// section, such as "2. `answer` (int): the total".
  init(of field: String, in system: String) {
    self = .text
    for mark in ["`\(field)`", "[[ ## \(field) ## ]]", "\"\(field)\""] {
      for place in system.ranges(of: mark) {
        var rest = system[place.upperBound...]
        if mark.hasPrefix("["), rest.first?.isNewline == true { rest = rest.dropFirst() }
        let line = String(rest.prefix { !$0.isNewline })
        if let type = SimulatedFieldType(line: line) {
          self = type
          return
        }
      }
    }
  }

  private init?(line: String) {
    for (word, format) in [("(date)", "date"), ("(datetime)", "date-time"), ("(time)", "time")]
    where line.contains(word + " as ") {
      self = .schema(["type": "string", "format": .string(format)])
      return
    }
    if let mark = line.firstRange(of: "a JSON object for the schema "),
      let schema = try? JSONReader.read(String(line[mark.upperBound...])), schema["properties"] != nil
    {
      self = .schema(schema)
      return
    }
    if let start = line.firstRange(of: "Literal["), let end = line[start.upperBound...].firstIndex(of: "]") {
      self = .choice(SimulatedFieldType.options(line[start.upperBound..<end], separator: ","))
      return
    }
    if let start = line.firstRange(of: "one of: ") ?? line.firstRange(of: "one of ") {
      let list = line[start.upperBound...]
      self = .choice(SimulatedFieldType.options(list, separator: list.contains(";") ? ";" : ","))
      return
    }
    let words = line.lowercased().split { !$0.isLetter && !$0.isNumber }.prefix(12)
    for word in words {
      switch word {
      case "bool", "boolean": self = .bool
      case "int", "integer": self = .int
      case "float", "double", "number": self = .float
      case "list", "array": self = .list
      case "dict", "object": self = .object
      case "str", "string": self = .text
      default: continue
      }
      return
    }
    return nil
  }

  private static func options(_ list: Substring, separator: Character) -> [String] {
    list.split(separator: separator).map { option in
      String(option.drop { " '\"`".contains($0) }.reversed().drop { " '\"`.)".contains($0) }.reversed())
    }.filter { !$0.isEmpty }
  }
}

extension String {
  /// Where `needle` first stands, compared by bytes.
  fileprivate func firstRange(of needle: String) -> Range<String.Index>? {
    guard let first = needle.utf8.first else { return nil }
    var start = utf8.startIndex
    while let candidate = utf8[start...].firstIndex(of: first) {
      if utf8[candidate...].starts(with: needle.utf8) {
        return candidate..<utf8.index(candidate, offsetBy: needle.utf8.count)
      }
      start = utf8.index(after: candidate)
    }
    return nil
  }
}

import JSON

/// What an endpoint said of a failure: its codes, its message and the pause it asks for, wherever in the body they stand.
///
/// Providers nest them differently: `{"error": {"code", "message"}}`, a list of such, `{"detail": [{"msg"}]}`, an error of
/// the server behind as text in `metadata.raw` or in the message itself. So the whole body is walked, by the members'
/// names. What they repeat of the request (`input`, `flagged_input`) is passed over: its words are the user's.
struct EndpointWords {
  /// What is told a person, as it was said: messages, then codes and types.
  var shown: [String] { messages + names }
  private var messages: [String] = []
  private var names: [String] = []
  /// Codes, types and reasons, in lower case: `content_filter`, `resource_exhausted`, `402`.
  private(set) var codes: Set<String> = []
  /// Everything said in prose, in lower case.
  private(set) var prose = ""
  /// Seconds after which to ask again, where the body says so.
  private(set) var pause: Double?

  private static let codeNames: Set<String> = [
    "code", "type", "status", "reason", "reasons", "param", "quotaId", "error_type", "blockReason", "block_reason",
    "errorcode", "error_code", "__type",
  ]
  /// Codes that tell a person something.
  private static let shownNames: Set<String> = ["code", "type", "reason", "blockReason", "block_reason"]
  private static let proseNames: Set<String> = [
    "message", "msg", "detail", "details", "raw", "error", "error_description", "description", "title", "errors",
    "failure_reason",
  ]
  private static let userNames: Set<String> = [
    "input", "flagged_input", "prompt", "messages", "ctx", "links", "headers",
  ]
  private static let longestProse = 4_000

  /// - Parameter text: the body as text, for one that is not JSON.
  init(_ value: JSONValue?, text: String) {
    if let value { walk(value, name: "", depth: 0) } else { add(prose: text) }
    if let said = Self.pause(in: prose) { pause = pause ?? said }
  }

  private mutating func walk(_ value: JSONValue, name: String, depth: Int) {
    guard depth < 8 else { return }
    switch value {
    case .object(let members):
      // OpenRouter quotes what it objects to, and nothing else says that it does.
      if members["flagged_input"] != nil { codes.insert("moderation") }
      for (name, value) in members where !Self.userNames.contains(name) { walk(value, name: name, depth: depth + 1) }
    case .array(let elements):
      for element in elements.prefix(20) { walk(element, name: name, depth: depth + 1) }
    case .string(let text):
      if name == "retryDelay" {
        pause = pause ?? Self.duration(text[...])?.seconds
      } else if Self.codeNames.contains(name) {
        add(code: text, name)
      } else if Self.proseNames.contains(name) || name.isEmpty {
        // The answer of a server behind this one, whole.
        let isNested = text.utf8.count < 20_000 && text.contains("{") && (text.first == "{" || text.first == "[")
        if isNested, let nested = try? JSONReader.read(Array(text.utf8), maximumValues: JSONReader.messageValues) {
          walk(nested, name: name, depth: depth + 1)
        } else {
          add(prose: text)
        }
      }
    case .int(let number):
      if Self.codeNames.contains(name) { add(code: number.description, name) }
    default: break
    }
  }

  private mutating func add(code: String, _ name: String) {
    let isNew = codes.insert(code.lowercased()).inserted
    if isNew, Self.shownNames.contains(name), names.count < 4, !code.contains("/") { names.append(code) }
  }

  private mutating func add(prose text: String) {
    guard prose.utf8.count < Self.longestProse else { return }
    if !text.isEmpty, !messages.contains(text) { messages.append(text) }
    prose += text.prefix(Self.longestProse).lowercased() + "\n"
  }

  /// Whether a phrase is said, in prose or as a part of a code (Gemini's quotas: `GenerateRequestsPerDay…`).
  func say(_ phrase: String) -> Bool { prose.contains(phrase) || codes.contains { $0.contains(phrase) } }

  // MARK: Pauses in words

  /// What goes before a pause in prose.
  private static let announcements = ["try again in ", "retry in ", "retry after ", "try again after "]

  /// Seconds from "Please try again in 7m12.5s", "retry after 20 seconds".
  private static func pause(in prose: String) -> Double? {
    for announcement in announcements {
      guard let place = prose.firstRange(of: announcement) else { continue }
      if let found = duration(prose[place.upperBound...]) { return found.seconds }
    }
    return nil
  }

  private static let units: [(names: [String], seconds: Double)] = [
    (["milliseconds", "millisecond", "ms"], 0.001), (["seconds", "second", "secs", "sec", "s"], 1),
    (["minutes", "minute", "mins", "min", "m"], 60), (["hours", "hour", "hrs", "hr", "h"], 3600),
    (["days", "day", "d"], 86_400),
  ]

  /// A duration at the beginning of a text: numbers, each with its unit.
  static func duration(_ text: Substring) -> (seconds: Double, rest: Substring)? {
    var rest = text
    var seconds = 0.0
    var isFound = false
    while true {
      let trimmed = rest.drop { $0 == " " }
      let digits = trimmed.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      guard let number = Double(digits), number.isFinite else { break }
      let after = trimmed.dropFirst(digits.count).drop { $0 == " " }
      let word = after.prefix { $0.isASCII && $0.isLetter }.lowercased()
      // "1m2s": the unit's letters may be followed by the next number at once.
      guard let unit = units.first(where: { $0.names.contains(word) }) else { break }
      seconds += number * unit.seconds
      isFound = true
      rest = after.dropFirst(word.count)
    }
    return isFound ? (seconds, rest) : nil
  }
}

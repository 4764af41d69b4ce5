package import JSON

/// One thing that an examination looked at, and how it is.
package struct Observation: Sendable, Hashable {
  package enum Level: String, Sendable, Hashable, CaseIterable {
    /// As it should be.
    case ok
    /// Worth knowing, and nothing wrong with it.
    case note
    /// Works, but should be mended.
    case warning
    /// Does not work.
    case error
  }

  /// What was looked at (`home`, `database`, `schema` …).
  package var check: String
  package var level: Level
  package var message: String
  /// What to do, as an imperative sentence.
  package var remedy: String?
  /// Whether it was wrong and has been mended.
  package var isRepaired = false
  /// The facts for machines.
  package var details: JSONObject

  package init(
    _ check: String, _ level: Level, _ message: String, remedy: String? = nil, details: JSONObject = [:]
  ) {
    self.check = check
    self.level = level
    self.message = message
    self.remedy = remedy
    self.details = details
  }

  /// Whether something is to be done about it.
  package var isProblem: Bool { !isRepaired && (level == .warning || level == .error) }

  package var json: JSONObject {
    var object: JSONObject = ["check": .string(check), "level": .string(level.rawValue), "message": .string(message)]
    if let remedy { object["remedy"] = .string(remedy) }
    if isRepaired { object["repaired"] = true }
    if !details.isEmpty { object["details"] = .object(details) }
    return object
  }
}

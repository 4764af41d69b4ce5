package import JSON
package import Schema

/// One thing that an examination looked at, and how it is.
package struct Observation: ResultObject, Hashable {
  package static let members: [Member<Self>] = [
    Member("check", \.check, isAlwaysWritten: true, "What was looked at."),
    Member("level", \.level, isAlwaysWritten: true, "How it is."),
    Member("message", \.message, isAlwaysWritten: true, "What was found."),
    Member("remedy", \.remedy, "What to do."),
    Member("repaired", \.isRepaired, "Whether it was wrong and has been repaired."),
    Member("details", \.details, "The facts for machines."),
  ]

  package enum Level: String, SchemaChoice, Hashable {
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
  package var check = ""
  package var level = Level.ok
  package var message = ""
  /// What to do, as an imperative sentence.
  package var remedy: String?
  /// Whether it was wrong and has been repaired.
  package var isRepaired = false
  /// The facts for machines.
  package var details: JSONObject = [:]

  package init() {}

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
}

import JSON
public import Schema

/// What a collection of garbage removed, or would remove.
public struct GarbageRecord: ResultObject {
  package static let members: [Member<Self>] = [
    Member("dryRun", \.isDryRun, isAlwaysWritten: true, "Whether nothing was removed, only counted."),
    Member("home", \.home, isAlwaysWritten: true, "The store's home directory."),
    Member("runs", \.runs, isAlwaysWritten: true, "Deleted runs."),
    Member(
      "keptRuns", \.keptRuns, isAlwaysWritten: true,
      "Deleted runs that stay, because they are under way or a run that is not deleted refers to them."),
    Member("traces", \.traces, isAlwaysWritten: true, "The traces of those runs, with their spans."),
    Member("models", \.models, isAlwaysWritten: true, "Deleted models that clients logged."),
    Member("datasets", \.datasets, isAlwaysWritten: true, "Data sets that no run uses any more."),
    Member("answers", \.answers, isAlwaysWritten: true, "Models' answers older than asked for."),
    Member("texts", \.texts, "Beginnings of prompts that no span refers to any more; of a dry run not known."),
    Member("files", \.files, isAlwaysWritten: true, "Files of those runs, traces and models."),
    Member("fileBytes", \.fileBytes, isAlwaysWritten: true, "The bytes of those files."),
    Member(
      "databaseBytes", \.databaseBytes, isAlwaysWritten: true,
      "Bytes by which the database's files became smaller; of a dry run, about how many."),
    Member("warnings", \.warnings, "What was not done, and why."),
  ]

  public var isDryRun = false
  public var home = ""
  public var runs = 0
  public var keptRuns = 0
  public var traces = 0
  public var models = 0
  public var datasets = 0
  public var answers = 0
  public var texts: Int?
  public var files = 0
  public var fileBytes = 0
  public var databaseBytes = 0
  public var warnings: [String] = []

  package init() {}

  package init(home: String, isDryRun: Bool) {
    self.home = home
    self.isDryRun = isDryRun
  }

  /// Whether there is nothing to remove.
  public var isEmpty: Bool {
    [runs, traces, models, datasets, answers, texts ?? 0, files, fileBytes, databaseBytes].allSatisfy { $0 == 0 }
  }
}

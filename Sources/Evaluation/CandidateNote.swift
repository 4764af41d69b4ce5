public import Schema

/// Where a program of a search came from, and what became of it: a node of the search's family tree.
public struct CandidateNote: ResultObject, Hashable {
  package static let summary = "Where a program of a search came from, and what became of it."
  package static let members: [Member<Self>] = [
    Member("number", \.number, isAlwaysWritten: true, "Its number in the search; 0 is the student."),
    Member("parents", \.parents, isAlwaysWritten: true, "The numbers of the programs that it was made from."),
    Member("change", \.change, isAlwaysWritten: true, "What is different from them, in words."),
    Member("predictors", \.predictors, "The predictors whose instructions or demos are different."),
    Member("verdict", \.verdict, isAlwaysWritten: true, "What became of it."),
    Member("reason", \.reason, "Why, in words."),
    Member("gain", \.gain, "By how many percent points it is ahead of its parent on the rows that both were asked."),
    Member("pairs", \.pairs, "How many rows that are."),
    Member("estimate", \.estimate, "What it would score on all rows in percent, as the search estimates."),
  ]

  public enum Verdict: String, SchemaChoice {
    /// It is where the search stands or goes on from.
    case kept
    case dropped
    /// One of many mixtures that are tried to learn what each part does.
    case probe
  }

  /// Its number in the search; 0 is the student.
  public var number = 0
  /// The numbers of the programs that it was made from.
  public var parents: [Int] = []
  /// What is different from them, in words.
  public var change = ""
  /// The predictors whose instructions or demos are different.
  public var predictors: [String]?
  public var verdict = Verdict.probe
  /// Why, in words.
  public var reason: String?
  /// By how many percent points it is ahead of its parent on the rows that both were asked.
  public var gain: Double?
  /// How many rows that are.
  public var pairs: Int?
  /// What it would score on all rows in percent, as the search estimates.
  public var estimate: Double?

  package init() {}

  package init(number: Int, parents: [Int], change: String, verdict: Verdict) {
    self.number = number
    self.parents = parents
    self.change = change
    self.verdict = verdict
  }
}

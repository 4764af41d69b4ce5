import Evaluation
import Failures
package import JSON
import LanguageModels
import Messages
package import Programs
import RowStorage
package import Schema

/// Makes an ensemble of the programs that a finished search scored: those whose votes together were right most often. What
/// each of them answered and scored on each row is in the store, so choosing asks no model.
///
/// Algorithm: forward selection (R. Caruana et al., "Ensemble Selection from Libraries of Models", ICML 2004), two programs
/// at a time, since a second vote alone never outweighs the first. A vote's score is that of the program whose answer won.
package struct Ensemble: Optimizer {
  package static let name = "Ensemble"
  package static let summary =
    "Makes an ensemble of the programs that a finished search scored, chosen by the answers it kept. Asks no model."
  package static let members: [Member<Self>] = [
    Member("run", \.run, isRequired: true, "The id of a finished compile run, whose candidates are chosen from."),
    Member("size", \.size, in: 1...100, "How many programs vote, at most; fewer where more are right no more often."),
    Member("reduce", \.reduce, "How their answers become one."),
    Member("field", \.field, "The output that is voted on; by default the last one."),
  ]

  /// A program of an earlier search, and how it did.
  package struct Candidate: Sendable {
    /// What came of one row.
    package struct Row: Sendable {
      package var score: Double
      package var outputs: JSONObject?

      package init(score: Double, outputs: JSONObject?) {
        self.score = score
        self.outputs = outputs
      }
    }

    package var program: Program
    /// By the row's place in the data.
    package var rows: [Int: Row]

    package init(_ program: Program, rows: [Int: Row]) {
      self.program = program
      self.rows = rows
    }
  }

  package var run = ""
  package var size = 3
  package var reduce = EnsembleProgram.Reduce.majority
  package var field: String?
  /// What the run has; the request's resolver looks it up.
  package var candidates: [Candidate] = []

  package init() {}

  /// Notes what is wrong with the candidates for this student, before anything is asked.
  package func check(_ student: Program, at place: String, problems: ProblemList) {
    guard !candidates.isEmpty else {
      problems.add(
        "\(place).run",
        "The run \(run) has no candidate whose answers were kept; name a finished compile whose evaluations are tracked."
      )
      return
    }
    let own = student.module
    if let host = own.hostName ?? candidates[0].program.module.hostName {
      problems.add("program", "The client runs the program \(host); an ensemble is made of programs that Hone runs.")
    }
    let fits = candidates.filter { $0.program.module.inputs.map(\.name) == own.inputs.map(\.name) }
    if fits.isEmpty {
      problems.add(
        "\(place).run",
        "The programs of the run \(run) take \(candidates[0].program.module.signatureText), the program here is "
          + "\(own.signatureText).")
    }
    let outputs = candidates[0].program.module.outputs.map(\.name)
    if let field, !outputs.contains(field) {
      problems.add(
        Problem(
          path: "\(place).field", message: "The programs of the run have no output \"\(field)\".", got: field,
          allowed: outputs, suggestion: nearest(to: field, among: outputs)))
    }
  }

  package func parts(_ task: CompileTask) -> [PlannedPart] {
    guard let valset = task.valset, !valset.isEmpty else { return [] }
    let outcome = chosen(task.student).program
    return [
      task.scoring("baseline", 1...1, rows: valset, shortest: task.student, longest: task.student),
      task.scoring("search", 1...1, rows: valset, shortest: outcome, longest: outcome),
    ]
  }

  package func compile(_ task: CompileTask) async -> SearchResult {
    let (program, score, members) = chosen(task.student)
    await task.session.events.emit(
      .phase(
        "ensemble",
        message: "Chose \(members) of \(candidates.count) programs: their vote is right on \(score) % of the rows kept")
    )
    return await compared(task) { program }
  }

  // MARK: Choosing

  /// A candidate as it votes.
  private struct Voter {
    var place: Int
    var ballots: [String?]
    var scores: [Double]
  }

  /// The ensemble, its score on the rows that its candidates have in common, in percent, and how many programs it has. A
  /// single program stays as it is.
  private func chosen(_ student: Program) -> (program: Program, score: Double, members: Int) {
    let voters = voters(student)
    var members: [Voter] = []
    var best: (members: [Voter], score: Double) = ([], -.infinity)
    while members.count < size, let more = Self.addition(to: members, from: voters, most: size - members.count) {
      members += more
      let score = Self.score(members)
      if score > best.score { best = (members, score) }
    }
    guard let first = best.members.first else { return (student, 0, 1) }
    let percent = (best.score * 10_000).rounded() / 100
    let programs = best.members.map { candidates[$0.place].program }
    guard programs.count > 1 else { return (candidates[first.place].program, percent, 1) }
    var program = Program(.ensemble(EnsembleProgram(programs.map(\.module), field: votedField(programs[0]))))
    program.states = programs.flatMap(\.states)
    program.adapter = Set(programs.map(\.adapter)).count == 1 ? programs[0].adapter : nil
    return (program, percent, programs.count)
  }

  private func votedField(_ program: Program) -> String {
    field ?? program.module.outputs.last?.name ?? ""
  }

  /// The candidates that were scored on the most rows, each program once, the best first.
  private func voters(_ student: Program) -> [Voter] {
    let names = student.module.inputs.map(\.name)
    let most = candidates.map(\.rows.count).max() ?? 0
    var seen: Set<Program> = []
    let whole = candidates.indices.filter { place in
      candidates[place].rows.count == most
        && candidates[place].program.module.inputs.map(\.name) == names
        && seen.insert(candidates[place].program).inserted
    }
    guard let first = whole.first else { return [] }
    let rows = candidates[first].rows.keys.sorted()
    let voters = whole.filter { candidates[$0].rows.keys.sorted() == rows }.map { place in
      let results = rows.compactMap { candidates[place].rows[$0] }
      let field = votedField(candidates[place].program)
      return Voter(
        place: place, ballots: results.map { MajorityVote.ballot($0.outputs?[field]) }, scores: results.map(\.score))
    }
    return Array(
      voters.sorted { ($1.scores.reduce(0, +), $0.place) < ($0.scores.reduce(0, +), $1.place) }.prefix(Self.mostVoters))
  }

  /// More candidates than these are not compared in pairs.
  private static let mostVoters = 100

  /// The one or two candidates with which the vote is right most often: one to begin with, and where only one may be added.
  private static func addition(to members: [Voter], from voters: [Voter], most: Int) -> [Voter]? {
    let rest = voters.filter { voter in !members.contains { $0.place == voter.place } }
    var tries = rest.map { [$0] }
    if !members.isEmpty, most > 1, rest.count > 1 {
      tries = rest.indices.flatMap { first in rest[(first + 1)...].map { [rest[first], $0] } }
    }
    var best: (members: [Voter], score: Double)?
    for more in tries {
      let score = score(members + more)
      if score > best?.score ?? -.infinity { best = (more, score) }
    }
    return best?.members
  }

  /// The mean score of the answers that win.
  private static func score(_ members: [Voter]) -> Double {
    guard let count = members.first?.scores.count, count > 0 else { return 0 }
    var sum = 0.0
    for row in 0..<count {
      guard let winner = MajorityVote(members.map { $0.ballots[row] }).winner else { continue }
      sum += members[winner].scores[row]
    }
    return sum / Double(count)
  }
}

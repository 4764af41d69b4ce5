import Failures
import JSON
import Schema

/// Programs that all answer; what most of them say is the answer.
///
/// DSPy's Ensemble with `majority` to reduce what they give; in files its programs' predictors have DSPy's names,
/// `programs[0].predict`.
package struct EnsembleProgram: Sendable, Hashable {
  package var programs: [Module]
  package var reduce: Reduce
  /// The output that is voted on.
  package var field: String

  /// How several answers become one.
  package enum Reduce: String, SchemaChoice {
    case majority

    package var summary: String { "the answer that most give; of equally many the earliest." }
  }

  /// Programs that vote on an output. They have the same inputs, and all of them that output.
  package init(_ programs: [Module], field: String) {
    self.programs = programs
    reduce = .majority
    self.field = field
  }

  /// The outputs that all of them have.
  var outputs: [Field] {
    guard let first = programs.first else { return [] }
    return first.outputs.filter { field in
      programs.dropFirst().allSatisfy { $0.outputs.contains { $0.name == field.name } }
    }
  }

  /// The name of a program in files and traces.
  static func name(_ index: Int) -> String { "programs[\(index)]" }
}

extension EnsembleProgram {
  /// Makes one of its members; notes every problem and then gives nil.
  static func read(_ members: ProgramMembers, at fields: FieldReader) -> EnsembleProgram? {
    let problems = fields.problems
    let before = problems.problems.count
    let place = fields.place("programs")
    if let name = members.asked.module, !Self.isName(name) {
      problems.add(fields.place("module"), "Programs make an Ensemble; \(name) has none.")
    }
    let values = members.programs ?? []
    if values.isEmpty, problems.problems.count == before {
      problems.add(place, "An Ensemble needs at least one program, as in [\"question -> answer\", …].")
    }
    let programs = values.enumerated().compactMap { index, value in
      Module.read(value, path: "\(place)[\(index)]", problems: problems)
    }
    guard problems.problems.count == before, let first = programs.first else { return nil }
    for (index, program) in programs.enumerated() { check(program, against: first, at: "\(place)[\(index)]", problems) }
    guard problems.problems.count == before else { return nil }
    let outputs = EnsembleProgram(programs, field: "").outputs.map(\.name)
    // As in DSPy the last output, where nobody says which.
    let field = members.field ?? outputs.last ?? ""
    if !outputs.contains(field) {
      problems.add(
        Problem(
          path: fields.place("field"), message: "The programs have no output \"\(field)\" in common.", got: field,
          allowed: outputs, suggestion: nearest(to: field, among: outputs)))
      return nil
    }
    return EnsembleProgram(programs, field: field)
  }

  static func isName(_ name: String) -> Bool { name.lowercased() == "ensemble" }

  /// Notes where a program does not take or give what the first one does; reasoning and the like are each program's own.
  private static func check(_ program: Module, against first: Module, at place: String, _ problems: ProblemList) {
    if program.hostName != nil {
      problems.add(place, "A program that the client runs cannot be one of an Ensemble's.")
      return
    }
    func text(_ module: Module) -> String {
      let own = [Module.reasoning.name, ReActProgram.trajectory.name]
      return Signature(
        inputs: module.inputs.sorted { $0.name < $1.name }, outputs: module.outputs.filter { !own.contains($0.name) },
        instructions: ""
      ).text
    }
    let (wanted, found) = (text(first), text(program))
    if wanted != found {
      problems.add(
        Problem(
          path: place,
          message: "An Ensemble's programs have one signature: the first has \(wanted), this has \(found).",
          got: found))
    }
  }

  var json: JSONObject {
    var members = ProgramMembers()
    members.asked.module = "Ensemble"
    members.programs = programs.map { .object($0.json) }
    members.reduce = reduce
    members.field = field
    return members.given
  }
}

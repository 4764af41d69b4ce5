import Basics
import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Programs
import Randomness
import RowStorage
package import Schema

/// Searches instructions: writes a batch of them for one predictor after the other, keeps the best, and writes the next
/// batch with the attempts so far and their scores in view.
///
/// Algorithm: COPRO, coordinate ascent over prompts (Khattab et al. 2023, arXiv 2310.03714), with DSPy's options and
/// defaults. It departs from DSPy's where that saves calls or uses them better:
/// - No prefix for the output field is searched: today's adapters do not show it, so half of such a search is void.
/// - A text that was tried before, or that is no instruction, is not evaluated.
/// - Candidates are raced (`Tournament`): one that is clearly behind is not asked all rows.
/// - The program as it came is scored once. Later batches, and other predictors' texts, are compared with the best
///   program so far, and what lost stays lost: DSPy evaluates all texts of a predictor again whenever another one changed,
///   (j+1)·breadth evaluations at depth j.
/// - Candidates are scored on the valset where there is one.
package struct COPRO: Optimizer {
  package static let name = "COPRO"
  package static let summary =
    "Searches instructions, predictor by predictor: each batch is written with the scores of earlier attempts in view."
  package static let members: [Member<Self>] = [
    Member(
      "breadth", \.breadth, in: 2...1000,
      "How many instructions a batch has; in the first, the program's own is one of them."),
    Member("depth", \.depth, in: 1...1000, "How many batches are written for each predictor."),
    Member(
      "init_temperature", \.initTemperature, in: 0...10, "The temperature at which instructions are proposed."),
    .seed(\.seed),
  ]

  package var breadth = 10
  package var depth = 3
  package var initTemperature = 1.4
  package var seed = 0

  package init() {}

  package var writesTexts: Bool { true }

  package var scoresTrainset: Bool { true }

  package func parts(_ task: CompileTask) -> [PlannedPart] {
    let rows = task.valset ?? task.trainset
    let count = task.student.predictors.count * (depth * breadth - 1)
    let races = Tournament.executions(0...count, rows: rows.count)
    let sample = PlannedPart.Sample(task.student, rows)
    return [task.adapterPart(examples: nil, rows: rows)].compactMap(\.self) + [
      task.scoring("baseline", 1...1, rows: rows, shortest: task.student, longest: task.student),
      // A prompt model that writes nothing new ends the search, and so does a program that has all rows right.
      planned(task, min(count, breadth - 1)...count),
      PlannedPart(
        "search", .task, races, shortest: sample,
        details: ["evaluations": bounds(0...count), "rows": .int(rows.count), "raced": true]),
    ]
  }

  package func compile(_ task: CompileTask) async -> SearchResult {
    let rows = task.valset ?? task.trainset
    return await task.withAdapter(examples: nil, rows: rows) { task in
      let log = SearchLog(task)
      let tally = WritingTally()
      let stopped = await attempt { () async throws(HoneError) in try await search(task, rows, log, tally) }.failure
      let warnings = tally.warnings(
        model: task.promptModel.configuration.model, consequence: "There was little to choose from.")
      for warning in warnings {
        await task.session.events.emit(.warning(warning))
      }
      return log.result(stoppedBy: stopped)
    }
  }

  /// An instruction that was tried for a predictor, with its score in percent: of a candidate that was dropped, as the
  /// rows say on which it was compared.
  private struct Attempt {
    var text: String
    var score: Double
  }

  private func search(
    _ task: CompileTask, _ rows: Rows, _ log: SearchLog, _ tally: WritingTally
  ) async throws(HoneError) {
    let predictors = task.student.predictors.indices
    await task.session.events.emit(
      .planned(executions: rows.count * (1 + predictors.count * (depth * breadth - 1))))
    await task.session.events.emit(.phase("baseline", message: "Scoring the program as it is"))
    var known = try await log.scoreBaseline("eval", task.student, on: rows, coordinates: ["depth": 0])
    if await log.endsAtPerfectBaseline() { return }
    var best = task.student
    var tables = best.states.map { [Attempt(text: $0.instructions, score: known.rank)] }
    let tournament = Tournament(task: task, log: log, rows: rows, order: RaceOrder(rows.count, seed: seed))
    for step in 0..<depth {
      var isNew = false
      for predictor in predictors {
        await task.session.events.emit(
          .phase(
            "propose", message: "Batch \(step + 1) of \(depth): instructions for \(best.predictors[predictor].name)"))
        let texts = try await written(predictor, step, best, tables[predictor], task, tally)
        guard !texts.isEmpty else { continue }
        isNew = true
        var contenders = [Tournament.Contender(program: best, known: known)]
        for (number, text) in texts.enumerated() {
          var program = best
          program.states[predictor].instructions = text
          let coordinates: JSONObject = [
            "depth": .int(step), "predictor": .string(best.predictors[predictor].name), "candidate": .int(number),
          ]
          contenders.append(Tournament.Contender(program: program, coordinates: coordinates))
        }
        let outcome = try await tournament.run(contenders)
        for (text, score) in zip(texts, outcome.estimates.dropFirst()) {
          tables[predictor].append(Attempt(text: text, score: score))
        }
        if let winner = outcome.winner, let result = outcome.results[winner] {
          best = contenders[winner].program
          known = result
        }
        if known.isPerfect { return }
      }
      // Where no predictor got a new text, asking the same again finds none.
      if !isNew { return }
    }
  }

  // MARK: Writing

  private static let write = Signature(
    inputs: [
      Field("program", description: "the program the instruction is for, step by step"),
      Field("step", description: "the step of the program that will follow the instruction"),
      Field("current_instruction", description: "the instruction in use now"),
      Field(
        "attempts", description: "instructions tried so far, each with the percentage of tasks it solved, worst first"),
    ],
    outputs: [Field("proposed_instruction", description: "the new instruction, ready to be used as it stands")],
    instructions:
      "You tune what a language model is told. Write an instruction that makes it solve more tasks of this kind than the "
      + "present one does. If attempts are shown, find out what the better ones have in common and go further in that "
      + "direction, with something that none of them says. Answer with the instruction alone."
  )

  /// New instructions for a predictor, each once.
  private func written(
    _ predictor: Int, _ step: Int, _ program: Program, _ table: [Attempt], _ task: CompileTask, _ tally: WritingTally
  ) async throws(HoneError) -> [String] {
    let inputs = inputs(predictor, program, attempts: step == 0 ? [] : shown(table))
    var signature = Self.write
    signature.inputs = signature.inputs.filter { inputs[$0.name] != nil }
    let asked = signature
    var random = PythonRandom(
      seed: seed, purpose: "propose", number: step * program.predictors.count + predictor)
    let rollouts = (0..<(step == 0 ? breadth - 1 : breadth)).map { _ in random.randint(1...1_000_000_000) }
    let name = program.predictors[predictor].name
    let replies = try await concurrently(rollouts) { slot, rollout throws(HoneError) in
      try await DataSummary.ask(
        task, asked, inputs, (tally, .instruction), scope: "propose/\(predictor)/\(step)/\(slot)", rollout: rollout,
        temperature: initTemperature,
        metadata: ["phase": "propose", "predictor": .string(name), "depth": .int(step), "slot": .int(slot)])
    }
    let gate = ProposalGate(
      shown: [asked.instructions] + asked.fields.map(\.description) + [inputs["program"]?.stringValue ?? ""],
      kin: [program.states[predictor].instructions])
    var seen = Set(table.map { comparableText($0.text) })
    var texts: [String] = []
    for reply in replies {
      guard let proposal = reply?["proposed_instruction"]?.stringValue else { continue }
      switch gate.check(proposal) {
      case .failure(let refusal): tally.refused(.instruction, refusal.reason)
      case .success(let text) where !seen.insert(comparableText(text)).inserted:
        tally.refused(.instruction, "said what had been tried")
      case .success(let text):
        texts.append(text)
        await task.session.events.emit(
          .instructionProposed(predictor: name, index: table.count + texts.count - 1, text: text))
      }
    }
    return texts
  }

  /// The best attempts, as many as a batch has, worst first.
  private func shown(_ table: [Attempt]) -> [Attempt] {
    let ranked = table.indices.sorted {
      table[$0].score != table[$1].score ? table[$0].score > table[$1].score : $0 < $1
    }
    return ranked.prefix(breadth).reversed().map { table[$0] }
  }

  private func inputs(_ predictor: Int, _ program: Program, attempts: [Attempt]) -> JSONObject {
    let own = program.predictors[predictor]
    var inputs: JSONObject = [
      "program": .string(program.outline),
      "current_instruction": .string(program.states[predictor].instructions),
    ]
    if program.predictors.count > 1 { inputs["step"] = .string("\(own.name): \(own.signature.text)") }
    if !attempts.isEmpty {
      inputs["attempts"] = .string(
        attempts.map { "\(Int($0.score.rounded())) %: \($0.text)" }.joined(separator: "\n"))
    }
    return inputs
  }

  private func planned(_ task: CompileTask, _ count: ClosedRange<Int>) -> PlannedPart {
    let program = Program(.predict(Self.write))
    guard let state = task.student.states.first else {
      return PlannedPart("propose", .prompt, 0...0, shortest: .init(program, []))
    }
    let attempts = Array(repeating: Attempt(text: state.instructions, score: 50), count: breadth)
    return PlannedPart(
      "propose", .prompt, count, shortest: .init(program, [inputs(0, task.student, attempts: [])]),
      longest: .init(program, [inputs(0, task.student, attempts: attempts)]), details: ["what": "instructions"])
  }
}

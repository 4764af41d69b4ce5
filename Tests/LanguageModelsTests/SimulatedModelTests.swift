import JSON
import LanguageModels
import Messages
import Testing

@testable import Simulation

@Suite("SimulatedModel", .timeLimit(.minutes(1)))
struct SimulatedModelTests {
  @Test("asked again, it answers the same; another seed, temperature or rollout may answer otherwise")
  func deterministic() async throws {
    let school = School()
    let asked = school.request(3, school.system())
    let first = try await SimulatedModel(knowledge: KnownRows(school.rows)).complete(asked)
    #expect(try await school.model.complete(asked) == first)
    var texts: Set<String> = []
    for rollout in 0..<8 {
      var request = school.proposal("Given the fields `question`, produce the fields `answer`.")
      request.options.temperature = 1
      request.rollout = rollout
      texts.insert(try await school.model.complete(request).texts[0])
    }
    #expect(texts.count >= 6)
  }

  @Test("it answers all fields asked for, in order, and closes")
  func layout() async throws {
    let school = School()
    let text = try await school.model.complete(school.request(0, school.system())).texts[0]
    #expect(text.hasPrefix("[[ ## reasoning ## ]]\n"))
    #expect(text.contains("\n\n[[ ## answer ## ]]\n"))
    #expect(text.hasSuffix("\n\n[[ ## completed ## ]]\n"))
  }

  @Test("headers that stand below each other are read as well as those within a sentence")
  func reminders() async throws {
    let school = School()
    let question = "[[ ## question ## ]]\n\(school.question(5))\n\n"
    let texts = try await [
      "Answer with these sections, in this order:\n\n[[ ## answer ## ]]\n\n[[ ## completed ## ]]",
      "Respond with the field `[[ ## answer ## ]]`, and then end with `[[ ## completed ## ]]`.",
    ].asyncMap {
      try await school.model.complete(
        ModelRequest(prompt: Prompt(shared: school.system(), own: [ChatMessage(.user, question + $0)]))
      ).texts[0]
    }
    for text in texts { #expect(text.hasPrefix("[[ ## answer ## ]]\n") && !text.contains("simulated text")) }
  }

  /// The shares that an optimizer meets, on sets of 60 to 100 problems.
  @Test("plain, demos, best and bad prompts stand where they should", arguments: [60, 80, 100])
  func landscape(count: Int) async throws {
    let school = School(count: count)
    let plain = try await school.score(school.system())
    let demos = try await school.score(school.system(demos: 5))
    let best = try await school.score(school.system(School.best, demos: 5))
    let bad = try await school.score(school.system("Answer at once. Keep it short. Do not explain anything."))
    let noReasoning = try await school.score(school.system(), reasons: false)
    #expect((0.28...0.48).contains(plain), "plain \(plain)")
    #expect((0.55...0.75).contains(demos), "demos \(demos)")
    #expect(best >= 0.9, "best \(best)")
    #expect(bad < plain - 0.15, "bad \(bad)")
    #expect(noReasoning < plain - 0.05, "without reasoning \(noReasoning)")
  }

  @Test("more demos help less and less; wrong, repeated and bare ones help little or harm")
  func demos() async throws {
    let school = School(count: 400)
    let shares = try await [0, 1, 4, 8].asyncMap { try await school.score(school.system(demos: $0)) }
    #expect(shares == shares.sorted() && shares[3] > shares[0] + 0.2)
    #expect(shares[3] - shares[2] < shares[2] - shares[0])
    #expect(try await school.score(school.system(demos: 4, bare: true)) < shares[2] - 0.05)
    #expect(try await school.score(school.system(demos: 4, wrong: true)) < shares[0])
    #expect(try await school.score(school.system(demos: 4, repeated: true)) < shares[2])
  }

  @Test("each piece of helpful advice helps; too much of everything costs")
  func advice() async throws {
    let school = School(count: 400)
    let plain = try await school.score(school.system())
    for piece in [
      "Work through it step by step.", "End with the number alone.", "Turn each sentence into an equation.",
    ] {
      #expect(try await school.score(school.system(piece)) > plain + 0.03, "\(piece)")
    }
    let everything =
      School.best + " Take a deep breath. Act as an expert in mathematics. Be creative. "
      + "Solve a smaller case first. Keep a small table of the amounts. Remember that this matters a lot."
    #expect(try await school.score(school.system(everything)) < school.score(school.system(School.best)))
  }

  @Test("proposals differ, and vary an instruction that the prompt quotes")
  func proposals() async throws {
    let school = School()
    let quoted = "Work through the problem step by step. Say first what is being asked."
    var kept = 0
    var texts: Set<String> = []
    for number in 0..<40 {
      let text = try await school.model.complete(school.proposal("\(quoted) (\(number))")).texts[0]
      texts.insert(text)
      if text.contains("step by step") && text.contains("what is being asked") { kept += 1 }
    }
    #expect(texts.count > 30 && (15...35).contains(kept))
  }

  @Test("optimizing by proposals alone finds a much better instruction")
  func climbable() async throws {
    let school = School(count: 80)
    var best = (score: try await school.score(school.system()), text: "Answer the question.")
    let start = best.score
    for number in 0..<60 {
      let reply = try await school.model.complete(school.proposal(best.text + " [\(number)]")).texts[0]
      let text = String(reply.split(separator: "\n")[1])
      let score = try await school.score(school.system(text))
      if score > best.score { best = (score, text) }
    }
    #expect(best.score > start + 0.25, "from \(start) to \(best)")
  }

  @Test("it says of unknown questions that it is simulated, and keeps to a stated type")
  func unknown() async throws {
    let model = SimulatedModel()
    #expect(model.identity == "simulated" && model.endpoint == "simulated")
    let system = SharedMessages([
      ChatMessage(
        .system,
        "1. `ok` (bool): fine?\n2. `count` (int): how many\n3. `label` (Literal['red', 'blue']): which\n4. `note` (str): any"
      )
    ])
    let reminder =
      "Respond with `[[ ## ok ## ]]`, `[[ ## count ## ]]`, `[[ ## label ## ]]`, `[[ ## note ## ]]`, then `[[ ## completed ## ]]`."
    let text = try await model.complete(
      ModelRequest(
        prompt: Prompt(shared: system, own: [ChatMessage(.user, "[[ ## text ## ]]\nnever seen\n\n\(reminder)")]))
    ).texts[0]
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines[0] == "[[ ## ok ## ]]" && ["True", "False"].contains(lines[1]))
    #expect(Int(lines[3]) != nil)
    #expect(["red", "blue"].contains(lines[5]))
    #expect(lines[7].contains("simulated"))
  }

  @Test("it heeds n and maxTokens and counts its tokens")
  func options() async throws {
    let school = School()
    var request = school.request(0, school.system())
    request.options.n = 3
    request.options.maxTokens = 5
    let reply = try await school.model.complete(request)
    #expect(reply.texts.count == 3 && reply.texts.allSatisfy { $0.utf8.count == 20 })
    #expect(reply.finishReasons == ["length", "length", "length"])
    #expect(reply.usage.outputTokens == 15 && reply.usage.inputTokens > 20)
  }

  @Test("models that know different things have different identities")
  func identity() {
    let rows = School(count: 5).rows
    #expect(
      SimulatedModel(knowledge: KnownRows(rows)).identity
        == SimulatedModel(knowledge: KnownRows(rows.reversed())).identity)
    #expect(
      SimulatedModel(knowledge: KnownRows(rows)).identity
        != SimulatedModel(knowledge: KnownRows(Array(rows.dropLast()))).identity)
  }
}

extension Array {
  fileprivate func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
    var result: [T] = []
    for element in self { result.append(try await transform(element)) }
    return result
  }
}

/// Made-up word problems, and prompts that ask them.
private struct School {
  let rows: [(inputs: JSONObject, outputs: JSONObject)]
  let model: SimulatedModel

  static let best =
    "Say first what is being asked. Work through the problem step by step. Turn each sentence into an equation. "
    + "Write the unit beside every number. Check the result by putting it back into the problem. "
    + "Leave out facts that do not matter. End with the number alone."

  init(count: Int = 60) {
    // Room for demos behind the questions that are scored.
    rows = (0..<count + 10).map { number in
      let apples = 3 + number * 7 % 41
      let days = 2 + number * 5 % 13
      return (
        ["question": .string("Farmer \(number) picks \(apples) apples on each of \(days) days. How many is that?")],
        [
          "answer": .string("\(apples * days)"),
          "gold_reasoning": .string("\(apples) apples a day for \(days) days makes \(apples) * \(days) apples in all."),
        ]
      )
    }
    model = SimulatedModel(knowledge: KnownRows(rows))
  }

  func question(_ index: Int) -> String { rows[index].inputs["question"]?.stringValue ?? "" }

  func system(
    _ instruction: String = "Given the fields `question`, produce the fields `answer`.", demos: Int = 0,
    bare: Bool = false, wrong: Bool = false, repeated: Bool = false
  ) -> SharedMessages {
    var messages = [
      ChatMessage(
        .system,
        "Inputs:\n1. `question` (str)\nOutputs:\n1. `reasoning` (str)\n2. `answer` (str)\n\n"
          + "[[ ## question ## ]]\n{question}\n\n[[ ## reasoning ## ]]\n{reasoning}\n\n[[ ## answer ## ]]\n{answer}\n\n"
          + "[[ ## completed ## ]]\n\n\(instruction)")
    ]
    for demo in 0..<demos {
      let row = rows[rows.count - 1 - (repeated ? 0 : demo)]
      messages.append(ChatMessage(.user, "[[ ## question ## ]]\n\(row.inputs["question"]?.stringValue ?? "")"))
      let reasoning = bare ? "" : "[[ ## reasoning ## ]]\n\(row.outputs["gold_reasoning"]?.stringValue ?? "")\n\n"
      let answer = wrong ? "1" : row.outputs["answer"]?.stringValue ?? ""
      messages.append(
        ChatMessage(.assistant, "\(reasoning)[[ ## answer ## ]]\n\(answer)\n\n[[ ## completed ## ]]\n"))
    }
    return SharedMessages(messages)
  }

  func request(_ index: Int, _ shared: SharedMessages, reasons: Bool = true) -> ModelRequest {
    let fields = reasons ? "`[[ ## reasoning ## ]]`, then `[[ ## answer ## ]]`" : "`[[ ## answer ## ]]`"
    let text = "[[ ## question ## ]]\n\(question(index))\n\nRespond with \(fields), and then `[[ ## completed ## ]]`."
    return ModelRequest(prompt: Prompt(shared: shared, own: [ChatMessage(.user, text)]))
  }

  func proposal(_ instruction: String) -> ModelRequest {
    ModelRequest(
      prompt: Prompt(
        shared: SharedMessages([ChatMessage(.system, "Improve an instruction.")]),
        own: [
          ChatMessage(
            .user,
            "[[ ## basic_instruction ## ]]\n\(instruction)\n\nRespond with `[[ ## proposed_instruction ## ]]`, "
              + "and then `[[ ## completed ## ]]`.")
        ]))
  }

  /// The share of questions answered rightly.
  func score(_ shared: SharedMessages, reasons: Bool = true) async throws -> Double {
    let count = rows.count - 10
    var right = 0
    for index in 0..<count {
      let text = try await model.complete(request(index, shared, reasons: reasons)).texts[0]
      if text.contains("[[ ## answer ## ]]\n\(rows[index].outputs["answer"]?.stringValue ?? "")\n") { right += 1 }
    }
    return Double(right) / Double(count)
  }
}

import Testing

@testable import Optimizers

@Suite("What may be an instruction")
struct ProposalGateTests {
  private let gate = ProposalGate(
    shown: [
      "Write an instruction with which it does the step better than now: concrete, complete, and about the task itself.",
      "question: How many apples does Tom have if he buys three more at the shop?\nanswer: 5",
    ],
    kin: ["Answer the question.", "question: How many apples?"])

  private func refusal(_ text: String) -> String? {
    guard case .failure(let refusal) = gate.check(text) else { return nil }
    return refusal.reason
  }

  @Test(
    "labels, quotes, fences and the layout's marks around a proposal go",
    arguments: [
      ("Think first.", "Think first."), ("  Think first.\n", "Think first."), ("\"Think first.\"", "Think first."),
      ("Instruction: Think first.", "Think first."), ("Proposed Instruction: \"Think first.\"", "Think first."),
      ("The new instruction: Think first.", "Think first."), ("proposed_instruction: Think first.", "Think first."),
      ("`Think first.`", "Think first."), ("Do this: think first.", "Do this: think first."),
      ("```\nThink first.\n```", "Think first."), ("Say \"yes\" or \"no\".", "Say \"yes\" or \"no\"."),
      ("\"Yes\" or \"no\"", "\"Yes\" or \"no\""), ("\"Think first.", "Think first."),
      ("Think first.\"", "Think first."),
      ("Think first.\n\n[[ ## completed ## ]]", "Think first."), ("Think first.<|im_end|>", "Think first."),
      ("Think first.</proposed_instruction>\nmore", "Think first."),
    ])
  func cleaned(raw: String, clean: String) throws {
    #expect(try gate.check(raw).get() == clean)
  }

  @Test("what has no words is none", arguments: ["", "  \n", "\"\"", "Instruction:", "...", "42", "{}", "Hm"])
  func nothing(raw: String) { #expect(refusal(raw) != nil) }

  @Test("marks of the layout within it are none")
  func marks() {
    #expect(refusal("[[ ## proposed_instruction ## ]]") == "kept marks of the prompt's layout")
    #expect(refusal("Answer ${question} with care") == "kept marks of the prompt's layout")
  }

  @Test("a copy of what was shown is none, a text of one's own that shares words with it is one")
  func copies() {
    #expect(
      refusal("Write an instruction with which it does the step better than now: concrete, complete.")
        == "copied the prompt")
    #expect(refusal("How many apples does Tom have if he buys three more at the shop? 5") == "copied the prompt")
    #expect(
      refusal("Count the apples that Tom has, then add what he buys at the shop, and give the number alone.") == nil)
  }

  @Test("another script than the task's is none, the same one is")
  func scripts() {
    #expect(refusal("请一步一步地回答这个问题") == "was written in Chinese characters")
    #expect(refusal("Отвечай на вопрос шаг за шагом") == "was written in Cyrillic letters")
    let chinese = ProposalGate(shown: [], kin: ["回答问题。"])
    #expect(throws: Never.self) { try chinese.check("请一步一步地回答这个问题").get() }
  }

  @Test("a loop is none")
  func loops() {
    #expect(refusal(String(repeating: "answer the question well and ", count: 20)) == "went round in circles")
  }
}

@Suite("What the prompt model could not write")
struct WritingTallyTests {
  @Test("is told once, in words, with what to do where it is the rule")
  func told() {
    let tally = WritingTally()
    for _ in 0..<18 {
      tally.asked(.instruction)
      tally.refused(.instruction, "could not be read")
    }
    #expect(
      tally.warnings(model: "openai/tiny") == [
        "18 of 18 instructions could not be used: it could not be read. openai/tiny cannot write instructions: name a "
          + "stronger promptModel. The result relies on demos."
      ])
  }

  @Test("is told without advice where it is the exception, and not at all where there is none")
  func exception() {
    let tally = WritingTally()
    for _ in 0..<10 { tally.asked(.instruction) }
    #expect(tally.warnings(model: "m").isEmpty)
    tally.refused(.instruction, "was empty")
    #expect(tally.warnings(model: "m") == ["1 of 10 instructions could not be used: it was empty."])
  }
}

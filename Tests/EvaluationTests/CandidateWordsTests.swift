import Evaluation
import JSON
import Testing

@Suite("what a search tried, in words")
struct CandidateWordsTests {
  @Test("a note is one line: where from, what, gain with rows, estimate, verdict and why")
  func notes() {
    var note = CandidateNote(number: 7, parents: [3], change: "instruction of answer", verdict: .dropped)
    #expect(note.words == "7 from 3, instruction of answer: dropped")
    note.gain = 6
    note.pairs = 41
    note.reason = "not ahead after 40 rows"
    #expect(note.words == "7 from 3, instruction of answer: +6.0 on 41 rows, dropped (not ahead after 40 rows)")
    note.gain = -12.34
    note.pairs = 1
    note.estimate = 61.25
    note.reason = ""
    #expect(note.words == "7 from 3, instruction of answer: -12.3 on 1 row, estimated 61.2, dropped")
    // What rounds to nothing has no minus.
    note.gain = -0.04
    #expect(note.outcome.hasPrefix("+0.0 on 1 row"))
    note = CandidateNote(number: 9, parents: [3, 5], change: "", verdict: .kept)
    #expect(note.words == "9 from 3 and 5: kept")
    note = CandidateNote(number: 0, parents: [], change: "the program as it came", verdict: .kept)
    #expect(note.words == "0, the program as it came")
  }

  @Test(
    "coordinates of searches without notes are words",
    arguments: [
      ([:], "the program as it came"),
      (["trial": 1], "the program as it came"), (["step": 0], "the program as it came"),
      (["0_predictor_instruction": 5, "0_predictor_demos": 3], "instruction 5 with demo set 3"),
      (["0_predictor_instruction": 5], "instruction 5"), (["0_predictor_demos": 3], "demo set 3"),
      (["seed": -3], "without new demos"), (["seed": -2, "demos": 16], "labelled rows, 16 demos"),
      (["seed": 4, "demos": 1], "runs that were right, drawn with seed 4, 1 demo"),
      (["depth": 2, "predictor": "answer", "candidate": 1], "candidate 1 of round 2 for answer"),
      (["step": 3, "candidate": 12, "demos": 2, "rules": 1], "candidate 12 of step 3, 2 demos, 1 rule"),
      (["candidate": 2, "rules": 4, "dropped": true], "candidate 2, 4 rules, dropped"),
      (["without": "add first"], "without the rule \"add first\""),
      (["rules": [1, 4], "demoSet": 2, "data": "trainset"], "rules 1, 4, demo set 2, on rows of the trainset"),
      (["size": 3, "mode": "fast"], "size 3, mode fast"),
    ] as [(JSONObject, String)])
  func coordinates(_ coordinates: JSONObject, _ words: String) {
    #expect(ChoiceWords(steps: ["answer"]).words(coordinates) == words)
  }

  @Test("several steps are told by their names, or by number where the names are not known")
  func severalSteps() {
    let coordinates: JSONObject = [
      "0_predictor_instruction": 5, "0_predictor_demos": 3, "1_predictor_instruction": 0, "1_predictor_demos": 3,
    ]
    #expect(
      ChoiceWords(steps: ["query", "answer"]).words(coordinates)
        == "query: instruction 5 with demo set 3; answer: instruction 0 with demo set 3")
    #expect(
      ChoiceWords().words(coordinates)
        == "step 1: instruction 5 with demo set 3; step 2: instruction 0 with demo set 3")
  }
}

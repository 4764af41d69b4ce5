import Foundation
import JSON
import Programs
import Testing

/// The Swift half of `Tests/Python/test_dspy_state.py`, where the order of steps is written: writes state files
/// for DSPy into `HONE_STATE_OUT`, and reads from `HONE_STATE_IN` those that DSPy saved.
@Suite struct StateExchange {
  private static func directory(_ variable: String) -> URL? {
    ProcessInfo.processInfo.environment[variable].map { URL(fileURLWithPath: $0, isDirectory: true) }
  }

  private static let typed: JSONValue = [
    "module": "Predict",
    "signature": [
      "inputs": [["name": "text", "desc": "a passage"], "k: int"],
      "outputs": ["people: list[dict[str, Any]]", "label: Literal['a', 'b']", "score: float", "extra: Optional[str]"],
    ],
    "instructions": "Extract the people.",
  ]

  /// File name, program and states, the same as the Python half builds.
  private static func programs() throws -> [(String, Program)] {
    var predict = Program(try module(typed))
    predict["self"]?.demos = [
      ["text": "Ann is 3.", "k": 1, "people": [["name": "Ann", "age": 3]], "label": "a", "score": 0.5, "extra": nil],
      ["text": "Zoë — “x”", "label": "b"],
    ]
    var cot = Program(try module("question -> answer: int, sure: bool"))
    cot["predict"]?.instructions = "Answer with care.\nThink of \"units\"."
    cot["predict"]?.demos = [
      ["augmented": true, "question": "2+3?", "reasoning": "2 and 3 are 5.", "answer": 5, "sure": true],
      ["question": "1+1?", "gold_reasoning": "easy", "answer": 2],
    ]
    var pipeline = Program(try module(planAndSolve))
    pipeline["plan"]?.demos = [["question": "q", "query": "y"]]
    pipeline["solve.predict"]?.instructions = "Solve it."
    return [("predict.json", predict), ("cot.json", cot), ("pipeline.json", pipeline)]
  }

  @Test(.enabled(if: directory("HONE_STATE_OUT") != nil)) func writesFilesForDSPy() throws {
    let directory = try #require(Self.directory("HONE_STATE_OUT"))
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    for (name, program) in try Self.programs() {
      try Data(StateFile.text(program).utf8).write(to: directory.appendingPathComponent(name))
    }
  }

  @Test(.enabled(if: directory("HONE_STATE_IN") != nil)) func readsFilesOfDSPy() throws {
    let directory = try #require(Self.directory("HONE_STATE_IN"))
    for (name, program) in try Self.programs() {
      let file = try JSONReader.read(try Data(contentsOf: directory.appendingPathComponent(name)))
      let (read, warnings) = try StateFile.decode(file, module: program.module, source: name)
      #expect(warnings.isEmpty, "\(name)")
      #expect(read == program, "\(name)")
    }
  }
}

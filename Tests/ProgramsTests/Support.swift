import Basics
import Failures
import Foundation
import JSON
import LanguageModels
import Messages
import Programs
import Schema
import Synchronization
import Testing
import Traces

/// Answers with prepared texts, one list a call, and remembers what it was asked.
final class ScriptedModel: LanguageModel {
  /// Its own for each model: equal calls of one identity would be merged.
  let identity = "scripted/\(UInt64.random(in: .min ... .max))"
  let endpoint = "scripted"
  private let state: Mutex<(script: [[String]], requests: [ModelRequest])>
  private let cut: Set<Int>
  private let mostBytes: Int

  /// - Parameters:
  ///   - isCut: whether each reply is said to have been cut off at the token limit.
  ///   - cut: the places of replies that are said to have been.
  ///   - mostBytes: how long the texts of a prompt may be together.
  init(_ replies: [[String]], isCut: Bool = false, cut: Set<Int> = [], mostBytes: Int = .max) {
    self.mostBytes = mostBytes
    state = Mutex((replies, []))
    self.cut = isCut ? Set(replies.indices) : cut
  }
  convenience init(_ replies: String..., isCut: Bool = false, cut: Set<Int> = [], mostBytes: Int = .max) {
    self.init(replies.map { [$0] }, isCut: isCut, cut: cut, mostBytes: mostBytes)
  }

  var requests: [ModelRequest] { state.withLock { $0.requests } }

  func complete(_ request: ModelRequest) async throws(ModelFailure) -> ModelReply {
    guard request.bytes <= mostBytes else {
      state.withLock { $0.requests.append(request) }
      throw ModelFailure(HoneError(.contextWindowExceeded, "The prompt is too long."), retry: .never)
    }
    let (texts, place) = state.withLock { state -> ([String]?, Int) in
      state.requests.append(request)
      return (state.script.isEmpty ? nil : state.script.removeFirst(), state.requests.count - 1)
    }
    let isCut = cut.contains(place)
    guard let texts else {
      throw ModelFailure(HoneError(.languageModelUnavailable, "The script is at its end."), retry: .never)
    }
    return ModelReply(
      texts: texts, finishReasons: texts.map { _ in isCut ? "length" : "stop" },
      usage: TokenUsage(inputTokens: 10, outputTokens: 5))
  }
}

extension ModelRequest {
  /// How long the texts of its prompt are together.
  var bytes: Int { prompt.messages.reduce(0) { $0 + $1.content.utf8.count } }
}

/// Keeps nothing: every call reaches the model.
struct ForgetfulStore: AnswerStore {
  func answer(for key: ContentDigest) throws(HoneError) -> StoredAnswer? { nil }
  func keep(_ answer: StoredAnswer, for key: ContentDigest) async throws(HoneError) {}
}

func context(_ model: ScriptedModel, trace: TraceBuilder? = nil) -> ExecutionContext {
  var configuration = ModelConfiguration(model: "scripted/model")
  configuration.retries = 0
  let client = ModelClient(model: model, configuration: configuration, answers: ForgetfulStore())
  return ExecutionContext(model: client, call: CallContext(account: RunAccount()), trace: trace)
}

/// A reply in sections, closed as the adapter asks for it.
func reply(_ sections: (String, String)...) -> String {
  sections.map { "[[ ## \($0) ## ]]\n\($1)\n\n" }.joined() + "[[ ## completed ## ]]"
}

/// The module that a request's JSON stands for.
func module(_ json: JSONValue, sourceLocation: SourceLocation = #_sourceLocation) throws -> Module {
  let problems = ProblemList()
  let module = Module.read(json, path: "program", problems: problems)
  #expect(problems.isEmpty, "\(problems.problems)", sourceLocation: sourceLocation)
  return try #require(module, sourceLocation: sourceLocation)
}

/// The problems that reading a module reports.
func problems(reading json: JSONValue) -> [Problem] {
  let problems = ProblemList()
  let module = Module.read(json, path: "program", problems: problems)
  #expect((module == nil) == !problems.isEmpty)
  return problems.problems
}

func type(_ text: String) throws -> FieldType {
  try #require(try Signature("-> x: \(text)").outputs.first?.type)
}

/// Two steps: a bare `Predict` that plans and a `ChainOfThought` that solves.
let planAndSolve: JSONValue = [
  "steps": [
    [
      "name": "plan", "module": "Predict", "signature": "question -> query",
      "instructions": "Write one short search query for the question.",
    ],
    ["name": "solve", "module": "ChainOfThought", "signature": "question, query -> answer"],
  ]
]

/// Reference files that lie beside the repository on developers' machines; tests that need them are off elsewhere.
enum Fixtures {
  static let directory = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("../shared/reference/fixtures/dspy").standardizedFileURL

  static var exist: Bool { FileManager.default.fileExists(atPath: directory.path) }

  static func read(_ name: String) throws -> JSONValue {
    try JSONReader.read(try Data(contentsOf: directory.appendingPathComponent(name)))
  }
}

/// A small generator with a seed, so that a failing case can be met again.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed &+ 0x9E37_79B9_7F4A_7C15 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

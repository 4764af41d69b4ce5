import Failures
import Foundation
import GRDB
import JSON
import Messages
import Traces

@testable import Tracking

/// Runs `body` on a store in a fresh directory, which is removed afterwards.
func withStore(_ body: (TrackingStore) async throws -> Void) async throws {
  try await withHome { home async throws in
    let store = try TrackingStore.open(home: home)
    try await body(store)
    await store.close()
  }
}

/// Runs `body` with the path of a directory that does not exist yet.
func withHome(_ body: (String) async throws -> Void) async throws {
  let home = FileManager.default.temporaryDirectory.path + "/hone-tracking-\(UInt64.random(in: 0 ... .max))"
  defer { try? FileManager.default.removeItem(atPath: home) }
  try await body(home)
}

/// The error that `body` throws; nil if it throws none.
func failure(_ body: () async throws -> Void) async -> HoneError? {
  do {
    try await body()
    return nil
  } catch {
    return HoneError(wrapping: error)
  }
}

/// SplitMix64: the same sequence for the same seed.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// A trace of the usual shape: a chain of thought over one word problem, five spans.
func typicalTrace(
  _ number: Int, shared: SharedMessages, runID: String? = nil, experimentID: String = "0", start: Int? = nil
) -> Trace {
  let start = start ?? 1_790_000_000_000_000_000 + number * 1_000_000
  let question =
    "A file of \(number) megabytes downloads at a rate of 5 megabytes a second for its first 60 megabytes, and at 10 "
    + "megabytes a second from then on. How many seconds does the whole download of file \(number) take?"
  let reasoning =
    "The first 60 megabytes take 60/5 = 12 seconds. There remain \(number)-60 megabytes, which take a tenth of that "
    + "many seconds. Together these are \(number) tenths and 6 more seconds."
  let answer = "\(number / 10 + 6)"
  let message =
    "[[ ## question ## ]]\n\(question)\n\nRespond with the corresponding output fields, starting with the field "
    + "`[[ ## reasoning ## ]]`, then `[[ ## answer ## ]]`, and then ending with the marker for `[[ ## completed ## ]]`."
  let completion =
    "[[ ## reasoning ## ]]\n\(reasoning)\n\n[[ ## answer ## ]]\n\(answer)\n\n[[ ## completed ## ]]"
  let inputs = SpanPayload.json(["question": .string(question)])
  let outputs = SpanPayload.json(["reasoning": .string(reasoning), "answer": .string(answer)])
  let prompt = SpanPayload.prompt(Prompt(shared: shared, own: [ChatMessage(.user, message)]))
  let ids = (0..<5).map { _ in SpanID.random() }
  func span(
    _ index: Int, _ parent: Int?, _ name: String, _ kind: SpanKind, _ inputs: SpanPayload, _ outputs: SpanPayload,
    _ attributes: JSONObject = [:]
  ) -> Span {
    Span(
      id: ids[index], parent: parent.map { ids[$0] }, name: name, kind: kind, start: start + index * 10_000,
      end: start + 20_000_000 - index * 10_000, inputs: inputs, outputs: outputs, attributes: attributes, status: .ok)
  }
  let signature: JSONObject = ["signature": "question -> reasoning, answer"]
  return Trace(
    id: .random(), name: "ChainOfThought.forward", experimentID: experimentID, runID: runID,
    spans: [
      span(0, nil, "ChainOfThought.forward", .chain, inputs, outputs, signature),
      span(1, 0, "Predict.forward", .llm, inputs, outputs, signature),
      span(2, 1, "ChatAdapter.format", .parser, inputs, prompt, signature),
      span(
        3, 1, "LM.__call__", .chatModel, prompt, .json([.string(completion)]),
        [
          "model": "openai/gpt-4o-mini", "temperature": 0.7, "max_tokens": 2000, "inputTokens": 557, "outputTokens": 55,
        ]),
      span(4, 1, "ChatAdapter.parse", .parser, .json(["completion": .string(completion)]), outputs),
    ],
    status: .ok, usage: TokenUsage(inputTokens: 557, outputTokens: 55), cost: 0.000_116,
    assessments: [Assessment(name: "exact_match", value: .bool(number.isMultiple(of: 2)))],
    metadata: ["row": .int(number)])
}

/// A candidate's instructions and demos, some 3 kB.
let demoMessages = SharedMessages(
  [
    ChatMessage(
      .system,
      "Your input fields are:\n1. `question` (str)\n"
        + String(repeating: "Work step by step. ", count: 25))
  ]
    + (0..<4).flatMap { demo in
      [
        ChatMessage(.user, "[[ ## question ## ]]\nDemo \(demo): " + String(repeating: "how many then? ", count: 20)),
        ChatMessage(
          .assistant, "[[ ## reasoning ## ]]\nOne and \(demo). " + String(repeating: "and so on ", count: 20)),
      ]
    })

extension TrackingStore {
  /// Claims a run for this process. A dead owner's lease is taken over; a second claim renews.
  ///
  /// - Throws: `invalidParams` if a living process holds it; `notFound`.
  func acquireLease(run id: String) async throws(HoneError) {
    try await heldLeases.adding(id) { () async throws(HoneError) in
      try await write { db in try Self.claim(id, number: Self.activeRun(db, id), db) }
    }
  }

  /// Gives a run free. No error if this process does not hold it.
  func releaseLease(run id: String) async throws(HoneError) {
    let me = ProcessIdentity.current
    try await write { db in
      try db.execute(
        literal: """
          DELETE FROM leases WHERE run = (SELECT seq FROM runs WHERE id = \(id))
            AND host = \(me.host) AND pid = \(me.pid) AND process_start = \(me.start)
          """)
    }
    heldLeases.remove(id)
  }

  func logParam(run id: String, _ key: String, _ value: String) async throws(HoneError) {
    try await log(run: id, params: [KeyValue(key, value)])
  }

  func logMetric(run id: String, _ metric: MetricPoint) async throws(HoneError) {
    try await log(run: id, metrics: [metric])
  }
}

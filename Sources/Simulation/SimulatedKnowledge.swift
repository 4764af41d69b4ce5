import Basics
import JSON

/// What the simulated model knows: rows of data, found again by what a prompt asks.
struct SimulatedKnowledge: Sendable {
  typealias Row = (inputs: JSONObject, outputs: JSONObject)

  struct Entry: Sendable {
    /// The row's outputs without its reasoning, as a prompt would show them.
    var outputs: [(name: String, value: JSONValue)]
    /// How the answer comes about, where the row says so.
    var reasoning: String?
    /// A hash of the question: decides how hard it is and which advice it needs.
    var hash: UInt64
  }

  private var entries: [Entry] = []
  private var places: [UInt64: Int] = [:]
  /// Hashes of inputs that stand in several rows: they alone do not tell which row is meant.
  private var ambiguous: Set<UInt64> = []
  /// Equal for equal rows in any order; 0 without rows.
  private(set) var fingerprint: UInt64 = 0

  static let reasoningNames: Set<String> = [
    "reasoning", "rationale", "gold_reasoning", "explanation", "thinking", "thought", "thoughts", "solution_steps",
  ]

  init(_ rows: [Row]) {
    entries.reserveCapacity(rows.count)
    for row in rows {
      let inputs = row.inputs.map { SimulatedKnowledge.hash(SimulatedKnowledge.text($0.value).utf8) }
      guard !inputs.isEmpty else { continue }
      let whole = SimulatedKnowledge.combined(inputs)
      guard places[whole] == nil else { continue }
      let place = entries.count
      entries.append(
        Entry(
          outputs: row.outputs.filter { !Self.reasoningNames.contains($0) }.map { ($0.key, $0.value) },
          reasoning: row.outputs.first { Self.reasoningNames.contains($0.key) }?.value.stringValue,
          hash: whole))
      places[whole] = place
      if inputs.count > 1 {
        for input in Set(inputs) {
          if let known = places[input], known != place { ambiguous.insert(input) }
          places[input] = place
        }
      }
      var print = StableHash("knowledge")
      print.add(whole)
      print.add(JSONValue.object(row.outputs).encoded())
      fingerprint &+= print.value
    }
    for input in ambiguous { places[input] = nil }
  }

  /// The row that these input texts ask for: by all of them together, else by the longest that stands
  /// in one row only.
  func entry(for inputs: [ArraySlice<UInt8>]) -> Entry? {
    guard !inputs.isEmpty, !entries.isEmpty else { return nil }
    let hashes = inputs.map { SimulatedKnowledge.hash($0) }
    if let place = places[SimulatedKnowledge.combined(hashes)] { return entries[place] }
    for index in inputs.indices.sorted(by: { inputs[$0].count > inputs[$1].count }) {
      if let place = places[hashes[index]] { return entries[place] }
    }
    return nil
  }

  /// A value as a prompt shows it.
  static func text(_ value: JSONValue) -> String {
    if case .string(let text) = value { text } else { value.text(.spaced) }
  }

  /// A hash of a text without regard to white space and case.
  private static func hash(_ text: some Sequence<UInt8>) -> UInt64 {
    var hash = StableHash("question")
    for byte in text where byte > 0x20 { hash.add(byte: (0x41...0x5A).contains(byte) ? byte | 0x20 : byte) }
    return hash.value
  }

  /// One hash for several inputs, in any order; of one input, its own.
  private static func combined(_ hashes: [UInt64]) -> UInt64 {
    hashes.count == 1 ? hashes[0] : hashes.reduce(into: UInt64(hashes.count)) { $0 &+= $1 }
  }
}

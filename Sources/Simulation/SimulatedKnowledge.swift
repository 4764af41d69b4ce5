import Basics
package import JSON

/// Rows of data, each read when it is asked for.
package struct KnownRows: Sendable {
  package typealias Row = (inputs: JSONObject, outputs: JSONObject)

  let count: Int
  let row: @Sendable (Int) -> Row

  /// - Parameter count: at most 2^32.
  package init(count: Int, row: @escaping @Sendable (Int) -> Row) {
    self.count = count
    self.row = row
  }

  package init(_ rows: [Row] = []) { self.init(count: rows.count) { rows[$0] } }
}

/// What the simulated model knows: rows of data, found again by what a prompt asks.
struct SimulatedKnowledge: Sendable {
  struct Entry: Sendable {
    /// The row's outputs without its reasoning, as a prompt would show them.
    var outputs: [(name: String, value: JSONValue)]
    /// How the answer comes about, where the row says so.
    var reasoning: String?
    /// A hash of the question: decides how hard it is and which advice it needs.
    var hash: UInt64

    init(_ row: KnownRows.Row, hash: UInt64) {
      outputs = []
      for (name, value) in row.outputs {
        if !SimulatedKnowledge.reasoningNames.contains(name) {
          outputs.append((name, value))
        } else if reasoning == nil {
          reasoning = value.stringValue
        }
      }
      self.hash = hash
    }
  }

  private let rows: KnownRows
  /// The hashes of questions, and of inputs that stand in one row only, sorted; and the row of each.
  private let hashes: [UInt64]
  private let places: [UInt32]
  /// Equal for equal rows in any order; 0 without rows.
  private(set) var fingerprint: UInt64 = 0

  static let reasoningNames: Set<String> = [
    "reasoning", "rationale", "gold_reasoning", "explanation", "thinking", "thought", "thoughts", "solution_steps",
  ]

  init(_ rows: KnownRows) {
    self.rows = rows
    var places: [UInt64: UInt32] = [:]
    places.reserveCapacity(rows.count)
    // Hashes of inputs that stand in several rows: they alone do not tell which row is meant.
    var ambiguous: Set<UInt64> = []
    for index in 0..<rows.count {
      let row = rows.row(index)
      let inputs = Self.hashes(of: row.inputs)
      guard !inputs.isEmpty else { continue }
      let whole = Self.combined(inputs)
      guard places[whole] == nil else { continue }
      let place = UInt32(index)
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
    hashes = places.keys.sorted()
    self.places = hashes.map { places[$0] ?? 0 }
  }

  private func place(of hash: UInt64) -> UInt32? {
    var range = 0..<hashes.count
    while !range.isEmpty {
      let middle = (range.lowerBound + range.upperBound) / 2
      if hashes[middle] == hash { return places[middle] }
      range = hashes[middle] < hash ? middle + 1..<range.upperBound : range.lowerBound..<middle
    }
    return nil
  }

  private static func hashes(of inputs: JSONObject) -> [UInt64] { inputs.map { hash(text($0.value).utf8) } }

  /// The row that these input texts ask for: by all of them together, else by the longest that stands
  /// in one row only.
  func entry(for inputs: [ArraySlice<UInt8>]) -> Entry? {
    guard !inputs.isEmpty, !places.isEmpty else { return nil }
    let asked = inputs.map { SimulatedKnowledge.hash($0) }
    let whole = SimulatedKnowledge.combined(asked)
    if let place = place(of: whole) {
      let row = rows.row(Int(place))
      // One input alone may be that of a row with more.
      return Entry(row, hash: row.inputs.count == asked.count ? whole : Self.combined(Self.hashes(of: row.inputs)))
    }
    for index in inputs.indices.sorted(by: { inputs[$0].count > inputs[$1].count }) {
      guard let place = place(of: asked[index]) else { continue }
      let row = rows.row(Int(place))
      return Entry(row, hash: Self.combined(Self.hashes(of: row.inputs)))
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

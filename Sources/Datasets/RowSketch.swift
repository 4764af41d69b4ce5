import Basics
package import JSON

/// What tells whether two rows are the same, or nearly: a hash of their inputs' text, and a short one of its shingles.
///
/// Texts are near each other where most of their runs of characters are the same (Jaccard) and all of their numbers: of
/// two problems with other numbers neither gives the other's answer away. One-permutation minhash: A. Broder, "On the
/// resemblance and containment of documents", 1997; P. Li, A. Owen, C.-H. Zhang, "One Permutation Hashing", NIPS 2012.
package struct RowSketch: Sendable, Hashable {
  /// Of the whole text, as `comparableText` has it.
  package let exact: UInt64
  /// Of the numbers in it, in their order.
  private let numbers: UInt64
  /// The least hash of a shingle in each bin; empty for texts that are too short to be near others.
  private let bins: [UInt16]

  private static let binCount = 32
  private static let shingle = 5
  /// Of shorter texts one letter makes another meaning.
  private static let leastLength = 40
  /// How many bins of 32 agree where at least about 80 % of the shingles do.
  private static let near = 26
  /// The most characters that are looked at.
  private static let longest = 20_000

  /// - Parameters:
  ///   - names: the inputs, which tell rows apart.
  ///   - seesNear: whether it is to be found near others, too.
  package init(_ row: JSONObject, names: [String], seesNear: Bool = true) {
    let parts = names.compactMap { row[$0] }.map { comparableText($0.stringValue ?? $0.text()) }
    let bytes = Array(parts.joined(separator: "\u{1}").utf8)
    exact = Self.hash(bytes[...])
    guard seesNear, bytes.count >= Self.leastLength else {
      numbers = 0
      bins = []
      return
    }
    let seen = bytes.prefix(Self.longest)
    numbers = Self.hash(seen.filter { (0x30...0x39).contains($0) }[...])
    var bins = [UInt64](repeating: .max, count: Self.binCount)
    for start in 0...(seen.count - Self.shingle) {
      let hash = Self.hash(seen[start..<start + Self.shingle])
      let bin = Int(hash >> 59)
      bins[bin] = min(bins[bin], hash & 0x7FF_FFFF_FFFF_FFFF)
    }
    // An empty bin takes over its neighbour's, so that short texts compare, too.
    for index in bins.indices where bins[index] == .max {
      let full = (1..<Self.binCount).first { bins[(index + $0) % Self.binCount] != .max } ?? 0
      bins[index] = bins[(index + full) % Self.binCount] &+ UInt64(full)
    }
    self.bins = bins.map { UInt16(truncatingIfNeeded: $0 ^ ($0 >> 16)) }
  }

  /// Whether the texts are alike but for a few characters.
  package func isNear(_ other: RowSketch) -> Bool {
    guard !bins.isEmpty, bins.count == other.bins.count, numbers == other.numbers else { return false }
    return zip(bins, other.bins).count { $0 == $1 } >= Self.near
  }

  /// Keys of which two near sketches have one in common, as good as always: runs of four bins.
  fileprivate var bands: [UInt64] {
    stride(from: 0, to: bins.count, by: 4).map { start in
      bins[start..<start + 4].reduce(UInt64(start)) { ($0 &* 0x9E37_79B9_7F4A_7C15) ^ UInt64($1) }
    }
  }

  /// FNV-1a, with a finish that spreads it over all bits.
  private static func hash(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
    return hash ^ (hash >> 29)
  }
}

/// Rows to be found again by their sketches.
package struct SketchIndex: Sendable {
  private var exact: [UInt64: Int] = [:]
  private var bands: [UInt64: [Int]] = [:]
  private var sketches: [(sketch: RowSketch, row: Int)] = []
  /// Of many rows that are all alike, so many are enough to find another one.
  private static let mostAlike = 64

  package init() {}

  /// The first row that is the same, or near.
  package func match(_ sketch: RowSketch) -> (row: Int, isSame: Bool)? {
    if let row = exact[sketch.exact] { return (row, true) }
    var best: Int?
    for band in sketch.bands {
      for place in bands[band] ?? [] where place < best ?? .max && sketches[place].sketch.isNear(sketch) {
        best = place
      }
    }
    return best.map { (sketches[$0].row, false) }
  }

  /// Adds the next row.
  package mutating func add(_ sketch: RowSketch, row: Int) {
    if exact[sketch.exact] == nil { exact[sketch.exact] = row }
    for band in sketch.bands where bands[band]?.count ?? 0 < Self.mostAlike {
      bands[band, default: []].append(sketches.count)
    }
    sketches.append((sketch, row))
  }
}

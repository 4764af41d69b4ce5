/// The Mersenne Twister MT19937: a stream of 32-bit words from an array of 32-bit seeds.
///
/// Source: M. Matsumoto, T. Nishimura, "Mersenne Twister: a 623-dimensionally equidistributed
/// uniform pseudo-random number generator", ACM TOMACS 8(1), 1998; seeding by array as in the
/// authors' 2002 revision. Not for secrets: 624 words reveal the whole state.
struct MersenneTwister: Sendable {
  private static let length = 624
  private static let shift = 397

  private var state: [UInt32]
  private var position: Int

  /// Mixes all words of `key` into the state; `key` has at least one word.
  init(key: [UInt32]) {
    let length = Self.length
    var state = [UInt32](repeating: 0, count: length)
    state[0] = 19_650_218
    for i in 1..<length { state[i] = 1_812_433_253 &* Self.folded(state[i - 1]) &+ UInt32(i) }

    var i = 1
    var j = 0
    for _ in 0..<max(length, key.count) {
      state[i] = (state[i] ^ (Self.folded(state[i - 1]) &* 1_664_525)) &+ key[j] &+ UInt32(truncatingIfNeeded: j)
      i += 1
      j += 1
      if i == length {
        state[0] = state[length - 1]
        i = 1
      }
      if j == key.count { j = 0 }
    }
    for _ in 1..<length {
      state[i] = (state[i] ^ (Self.folded(state[i - 1]) &* 1_566_083_941)) &- UInt32(i)
      i += 1
      if i == length {
        state[0] = state[length - 1]
        i = 1
      }
    }
    // A first word of 2^31 makes sure that the state is not all zero.
    state[0] = 0x8000_0000
    self.state = state
    position = length
  }

  private static func folded(_ word: UInt32) -> UInt32 { word ^ (word >> 30) }

  /// The next 32 bits.
  mutating func next() -> UInt32 {
    if position == Self.length { refill() }
    var word = state[position]
    position += 1
    word ^= word >> 11
    word ^= (word << 7) & 0x9D2C_5680
    word ^= (word << 15) & 0xEFC6_0000
    return word ^ (word >> 18)
  }

  private mutating func refill() {
    let length = Self.length
    for i in 0..<length {
      let joined = (state[i] & 0x8000_0000) | (state[(i + 1) % length] & 0x7FFF_FFFF)
      let twisted = (joined >> 1) ^ (joined & 1 == 0 ? 0 : 0x9908_B0DF)
      state[i] = state[(i + Self.shift) % length] ^ twisted
    }
    position = 0
  }
}

import Basics
import Randomness

extension PythonRandom {
  /// A stream of its own for one purpose of a search, and for one of its steps: what is drawn for one thing never moves
  /// what is drawn for another.
  init(seed: Int, purpose: String, number: Int) {
    var hash = StableHash(purpose)
    hash.add(UInt64(bitPattern: Int64(seed)))
    hash.add(UInt64(bitPattern: Int64(number)))
    self.init(seed: Int(truncatingIfNeeded: hash.value >> 1))
  }
}

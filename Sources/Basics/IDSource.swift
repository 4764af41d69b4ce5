import Synchronization

/// Numbers that no other process and no other call gives, for ids that need not be secret.
///
/// The system's own generator costs a system call for each number, several a trace. This one asks it once and then
/// runs SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators").
package enum IDSource {
  private static let state = Atomic<UInt64>(.random(in: .min ... .max))
  private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

  package static func next() -> UInt64 {
    var value = state.wrappingAdd(step, ordering: .relaxed).newValue
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

import Platform

/// A random generator that draws, bit for bit, what CPython's `random.Random(seed)` draws.
///
/// The splits, shuffles and demo choices of the field's published results come from that generator,
/// so repeating them needs it. The methods carry Python's names and take the same draws from the
/// stream as Python 3.11 to 3.14 do; one seed and one order of calls give one sequence, on any
/// machine. It is a value: a copy continues on its own.
package struct PythonRandom: Sendable {
  private var generator: MersenneTwister

  /// `random.Random(seed)` for an integer seed; as there, the sign of the seed does not count.
  package init(seed: Int) {
    let magnitude = UInt64(seed.magnitude)
    let high = UInt32(truncatingIfNeeded: magnitude >> 32)
    let low = UInt32(truncatingIfNeeded: magnitude)
    generator = MersenneTwister(key: high == 0 ? [low] : [low, high])
  }

  /// `count` random bits as a whole number; `count` from 0 to 64 (others are brought into that range).
  package mutating func getrandbits(_ count: Int) -> UInt64 {
    switch count {
    case ...0: return 0
    case 1...32: return UInt64(generator.next() >> UInt32(32 - count))
    default:
      let low = UInt64(generator.next())
      return low | UInt64(generator.next() >> UInt32(64 - min(count, 64))) << 32
    }
  }

  /// A float in [0, 1) with 53 random bits.
  package mutating func random() -> Double {
    let high = Double(generator.next() >> 5)
    let low = Double(generator.next() >> 6)
    return (high * 67_108_864 + low) / 9_007_199_254_740_992
  }

  /// A whole number in 0..<bound, each as likely; 0 for a bound of 0, drawing nothing.
  package mutating func randbelow(_ bound: UInt64) -> UInt64 {
    guard bound > 0 else { return 0 }
    let bits = UInt64.bitWidth - bound.leadingZeroBitCount
    var value = getrandbits(bits)
    while value >= bound { value = getrandbits(bits) }
    return value
  }

  /// An index below `count`; 0 where `count` is not positive.
  private mutating func index(below count: Int) -> Int { Int(randbelow(UInt64(max(count, 0)))) }

  /// A member of the range with both ends (`randint(a, b)`).
  package mutating func randint(_ range: ClosedRange<Int>) -> Int {
    let width = UInt64(bitPattern: Int64(range.upperBound &- range.lowerBound))
    guard width == .max else { return range.lowerBound &+ Int(truncatingIfNeeded: randbelow(width + 1)) }
    // The full range of Int has 2^64 members, more than a bound can say: 65 bits, drawn until the top one is 0.
    while true {
      let offset = getrandbits(64)
      if generator.next() >> 31 == 0 { return range.lowerBound &+ Int(truncatingIfNeeded: offset) }
    }
  }

  /// One of the elements; nil if there are none, where Python raises.
  package mutating func choice<Element>(_ elements: some RandomAccessCollection<Element>) -> Element? {
    guard !elements.isEmpty else { return nil }
    return elements[elements.index(elements.startIndex, offsetBy: index(below: elements.count))]
  }

  /// Puts the elements into random order.
  package mutating func shuffle<Element>(_ elements: inout [Element]) {
    for i in stride(from: elements.count - 1, to: 0, by: -1) { elements.swapAt(i, index(below: i + 1)) }
  }

  /// The elements in random order.
  package mutating func shuffled<Element>(_ elements: some Sequence<Element>) -> [Element] {
    var result = Array(elements)
    shuffle(&result)
    return result
  }

  /// `k` elements from different places, in random order. A `k` beyond the number of elements (where
  /// Python raises) gives them all.
  package mutating func sample<Element>(_ elements: some RandomAccessCollection<Element>, k: Int) -> [Element] {
    let count = elements.count
    let wanted = min(max(k, 0), count)
    func element(_ offset: Int) -> Element { elements[elements.index(elements.startIndex, offsetBy: offset)] }
    // CPython keeps a list of those not drawn where that is smaller than a set of those drawn.
    var setSize = 21
    if wanted > 5 {
      var power = 1
      while power < wanted.multipliedReportingOverflow(by: 3).partialValue { power *= 4 }
      setSize += power
    }
    var result: [Element] = []
    result.reserveCapacity(wanted)
    if count <= setSize {
      var pool = Array(elements)
      for i in 0..<wanted {
        let j = index(below: count - i)
        result.append(pool[j])
        pool[j] = pool[count - i - 1]
      }
    } else {
      var drawn: Set<Int> = []
      for _ in 0..<wanted {
        var j = index(below: count)
        while !drawn.insert(j).inserted { j = index(below: count) }
        result.append(element(j))
      }
    }
    return result
  }

  /// `k` elements drawn with replacement, each as likely as its weight says, or all alike without
  /// weights. Empty where there are no elements, where the weights are not one an element, or where
  /// their sum is not positive and finite (Python raises there).
  package mutating func choices<Element>(
    _ elements: some RandomAccessCollection<Element>, weights: [Double]? = nil, k: Int = 1
  ) -> [Element] {
    let count = elements.count
    guard count > 0, k > 0 else { return [] }
    var sums: [Double] = []
    if let weights {
      guard weights.count == count else { return [] }
      var sum = 0.0
      for weight in weights {
        sum += weight
        sums.append(sum)
      }
      guard sum > 0, sum.isFinite else { return [] }
    }
    var result: [Element] = []
    result.reserveCapacity(k)
    for _ in 0..<k {
      let place =
        if let total = sums.last {
          Self.bisect(sums, random() * total, upTo: count - 1)
        } else {
          Int(random() * Double(count))
        }
      result.append(elements[elements.index(elements.startIndex, offsetBy: place)])
    }
    return result
  }

  /// The first index whose value is greater than `value`, at most `end`.
  private static func bisect(_ values: [Double], _ value: Double, upTo end: Int) -> Int {
    var low = 0
    var high = end
    while low < high {
      let middle = (low + high) / 2
      if value < values[middle] { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

extension PythonRandom: RandomNumberGenerator {
  /// 64 random bits, for the standard library's own methods.
  package mutating func next() -> UInt64 { getrandbits(64) }
}

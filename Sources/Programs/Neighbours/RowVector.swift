/// A direction: numbers whose squares add up to 1, or none at all. Of a sparse one only those that are not 0 are kept.
struct RowVector: Sendable, Hashable {
  /// Where the values stand; nil where each place has one.
  let places: [Int]?
  let values: [Float]

  /// - Parameter numbers: one for each place.
  init(_ numbers: [Float]) {
    places = nil
    values = Self.scaled(numbers)
  }

  /// - Parameter weights: places in rising order, each once, with their numbers.
  init(_ weights: [(place: Int, weight: Float)]) {
    places = weights.map(\.place)
    values = Self.scaled(weights.map(\.weight))
  }

  private static func scaled(_ numbers: [Float]) -> [Float] {
    let length = numbers.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    return length > 0 ? numbers.map { Float(Double($0) / length) } : numbers
  }

  /// The vector with a number at each of `dimension` places.
  func spread(_ dimension: Int) -> [Float] {
    guard let places else { return values }
    var numbers = Array(repeating: Float(0), count: dimension)
    for (place, value) in zip(places, values) { numbers[place] = value }
    return numbers
  }

  /// The cosine of the angle to a vector that is spread out, from -1 to 1.
  func similarity(to query: [Float]) -> Double {
    var sum = 0.0
    if let places {
      for (place, value) in zip(places, values) { sum += Double(value) * Double(query[place]) }
    } else {
      for (value, other) in zip(values, query) { sum += Double(value) * Double(other) }
    }
    return sum
  }
}

extension Double {
  /// The number rounded to two decimals as Python's `round(x, 2)` does: the nearest such decimal to the
  /// exact binary value, and of two equally near ones the even.
  ///
  /// The product with 100 is taken with its rounding error (by a fused multiply-add), so that a value
  /// just beside a half (`2.675` is less than it says) goes to its own side.
  package var roundedToHundredths: Double {
    let product = self * 100
    guard product.isFinite, abs(product) < 0x1p52 else { return self }
    let error = (-product).addingProduct(self, 100)
    let below = product.rounded(.down)
    let fraction = product - below
    let hundredths: Double
    if fraction == 0.5 && error != 0 {
      hundredths = error > 0 ? below + 1 : below
    } else {
      hundredths = product.rounded(.toNearestOrEven)
    }
    // Adding 0 makes of a negative zero a plain one.
    return hundredths / 100 + 0
  }
}

/// The sum of the numbers with the rounding errors of each step carried along.
///
/// Source: A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen",
/// ZAMM 54, 1974; also what Python's `sum` does since 3.12.
func compensatedSum(_ numbers: some Sequence<Double>) -> Double {
  var sum = 0.0
  var compensation = 0.0
  for number in numbers {
    let next = sum + number
    compensation += abs(sum) >= abs(number) ? (sum - next) + number : (number - next) + sum
    sum = next
  }
  return sum + compensation
}

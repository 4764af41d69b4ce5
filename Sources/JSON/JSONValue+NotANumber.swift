/// JSON has no numbers for NaN and the infinities. Where one may come they are texts, as in protobuf's JSON: `NaN`,
/// `Infinity`, `-Infinity`.
extension JSONValue {
  /// The number, or the text for one that JSON does not have.
  package init(numberOrText value: Double) {
    self = value.isFinite ? .double(value) : .string(value.isNaN ? "NaN" : value > 0 ? "Infinity" : "-Infinity")
  }

  /// The number that stands here, as such or as a text.
  package var numberFromText: Double? {
    if let number = doubleValue { return number }
    switch stringValue {
    case "NaN"?: return .nan
    case "Infinity"?: return .infinity
    case "-Infinity"?: return -.infinity
    case let text?: return Double(text)
    case nil: return nil
    }
  }
}

/// How large a model is, as far as its name says.
extension ModelConfiguration {
  /// Billions of parameters: 0.135 for `SmolLM2-135M-Instruct`, 3 for `llama3.2:3b`; nil where the name says nothing.
  package var billionsOfParameters: Double? {
    let words = model.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "." }
    for word in words {
      guard let unit = word.last, unit == "b" || unit == "m", let number = Double(word.dropLast()), number > 0 else {
        continue
      }
      return unit == "b" ? number : number / 1000
    }
    return nil
  }
}

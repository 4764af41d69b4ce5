import Programs

extension Program {
  /// What a model that writes instructions is told of the program: its steps, each with what it takes and gives.
  var outline: String {
    let steps = predictors.map { "\($0.name): \($0.signature.text)" }.joined(separator: "\n")
    return module.outline.map { "\($0)\n\(steps)" } ?? steps
  }
}

extension ComparedFields {
  /// The member of rows that the metric compares with; nil where that is open.
  ///
  /// - Parameters:
  ///   - outputs: the program's outputs.
  ///   - columns: the members that any row has.
  package func label(outputs: [String], columns: Set<String>) -> String? {
    if let named = expectedField ?? field { return named }
    let own = outputs.filter { !Self.asides.contains($0) }
    let shared = own.filter(columns.contains)
    // Where rows have none of the outputs, the one that would be compared is missing in all.
    for candidates in [shared, own] where !candidates.isEmpty {
      if candidates.contains("answer") { return "answer" }
      return candidates.count == 1 ? candidates[0] : nil
    }
    return nil
  }
}

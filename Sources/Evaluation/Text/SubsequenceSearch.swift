extension Array where Element: Equatable {
  /// Whether `part` stands in this array without gaps, at a place that counts; an empty part does everywhere.
  ///
  /// Linear in both lengths, whatever they hold (D. Knuth, J. Morris, V. Pratt, "Fast Pattern Matching
  /// in Strings", SIAM J. Comput. 6(2), 1977), since the texts come from strangers.
  func hasContiguous(_ part: [Element], where counts: (Range<Int>) -> Bool = { _ in true }) -> Bool {
    guard !part.isEmpty else { return true }
    guard part.count <= count else { return false }
    // For every prefix of the part, the length of the longest proper prefix that also ends it.
    var borders = [0]
    borders.reserveCapacity(part.count)
    var length = 0
    for element in part.dropFirst() {
      while length > 0, part[length] != element { length = borders[length - 1] }
      if part[length] == element { length += 1 }
      borders.append(length)
    }
    length = 0
    for (index, element) in enumerated() {
      while length > 0, part[length] != element { length = borders[length - 1] }
      if part[length] == element { length += 1 }
      guard length == part.count else { continue }
      if counts(index + 1 - length..<index + 1) { return true }
      length = borders[length - 1]
    }
    return false
  }
}

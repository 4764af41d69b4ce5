extension Array where Element: Equatable {
  /// Whether `part` stands in this array without gaps; an empty part does everywhere.
  ///
  /// Linear in both lengths, whatever they hold (D. Knuth, J. Morris, V. Pratt, "Fast Pattern Matching
  /// in Strings", SIAM J. Comput. 6(2), 1977), since the texts come from strangers.
  func hasContiguous(_ part: [Element]) -> Bool {
    guard let first = part.first else { return true }
    guard part.count <= count else { return false }
    if part.count == 1 { return contains(first) }
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
    for element in self {
      while length > 0, part[length] != element { length = borders[length - 1] }
      if part[length] == element { length += 1 }
      if length == part.count { return true }
    }
    return false
  }
}

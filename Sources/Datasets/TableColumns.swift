/// The columns of a table, as its first line names them.
///
/// A first column without a name is the index that pandas writes, and one that is called `Unnamed: 0` is such an index read
/// and written again: both are left out. Columns without a name at the end are what spreadsheets leave behind, and may
/// only be empty.
struct TableColumns {
  /// Those that rows get, with their places.
  private(set) var kept: [(place: Int, name: String)] = []
  /// The places of those that must be empty.
  private(set) var empty: [Int] = []
  /// How many fields a line has.
  let count: Int
  /// What is wrong with them.
  private(set) var problem: String?

  /// - Parameter wanted: columns that are kept whatever they are.
  init(_ names: [String], keeping wanted: Set<String>) {
    count = names.count
    let named = names.lastIndex { !$0.isEmpty } ?? -1
    for (place, name) in names.enumerated() {
      if name.isEmpty, place > named {
        empty.append(place)
      } else if place == 0, name.isEmpty || Self.isIndex(name), !wanted.contains(name) {
        continue
      } else if name.isEmpty {
        problem =
          "Column \(place + 1) has no name. Give it one in the first line, or leave the column out (pandas: to_csv(…, "
          + "index=False))."
      } else {
        kept.append((place, name))
      }
    }
    if kept.isEmpty, problem == nil { problem = "The first line names no column." }
  }

  private static func isIndex(_ name: String) -> Bool {
    name.hasPrefix("Unnamed: ") && name.dropFirst(9).allSatisfy { $0.isNumber || $0 == "." }
  }
}

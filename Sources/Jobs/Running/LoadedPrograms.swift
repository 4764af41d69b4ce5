import Programs

/// The programs that go by an id, those used last: ids come from requests, and a service runs for long.
struct LoadedPrograms {
  /// The most programs, and the most bytes of their files, that are kept.
  static let mostPrograms = 1024
  static let mostBytes = 16 << 20

  private struct Entry {
    var program: Program
    var size: Int
    var lastUse: Int
  }

  private var entries: [String: Entry] = [:]
  private var bytes = 0
  private var uses = 0

  /// - Parameter size: how many bytes its file has.
  mutating func add(_ program: Program, _ id: String, size: Int) {
    uses += 1
    bytes += size - (entries[id]?.size ?? 0)
    entries[id] = Entry(program: program, size: size, lastUse: uses)
    guard entries.count > Self.mostPrograms || bytes > Self.mostBytes else { return }
    // Some more than needed, so that not every program to come looks through all.
    for (id, entry) in entries.sorted(by: { $0.value.lastUse < $1.value.lastUse }) where entry.lastUse < uses {
      guard entries.count > Self.mostPrograms * 7 / 8 || bytes > Self.mostBytes / 8 * 7 else { return }
      entries[id] = nil
      bytes -= entry.size
    }
  }

  mutating func program(_ id: String) -> Program? {
    uses += 1
    entries[id]?.lastUse = uses
    return entries[id]?.program
  }
}

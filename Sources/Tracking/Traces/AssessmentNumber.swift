import Basics
import GRDB
import Synchronization

/// The numbers of assessments, which their ids show. They grow with time, and hardly any two stores have one in common, so
/// that an assessment keeps its id where it is moved to.
enum AssessmentNumber {
  private static let last = Mutex<Int64>(0)

  /// The numbers that another store's assessments may have.
  static let foreign: Range<Int64> = 1..<(1 << 62)

  /// A number that is free: milliseconds since 1970, and 20 bits of chance.
  static func next(_ db: Database) throws -> Int64 {
    while true {
      let candidate = Int64(nowInMilliseconds()) << 20 | Int64.random(in: 0..<(1 << 20))
      let number = last.withLock { last in
        last = max(last + 1, candidate)
        return last
      }
      if try isFree(number, db) { return number }
    }
  }

  static func isFree(_ number: Int64, _ db: Database) throws -> Bool {
    try Int64.fetchOne(db.cachedStatement(sql: "SELECT id FROM assessments WHERE id = ?"), arguments: [number]) == nil
  }
}

package import Basics
package import Failures
import Foundation
import GRDB
package import JSON
import Messages

/// Clients' answers stand among the models', under a role that no bill counts.
extension TrackingStore: CallbackStore {
  private static let role = "callback"

  /// The answer kept under that key by any process, if any.
  package func callbackAnswer(for key: ContentDigest) throws(HoneError) -> JSONValue? {
    do {
      return try lookups.look { db in
        let statement = try db.cachedStatement(sql: "SELECT texts FROM answers WHERE key = ? AND role = ?")
        statement.setUncheckedArguments([key.data, Self.role])
        let rows = try Row.fetchCursor(statement)
        guard let row = try rows.next() else { return nil }
        let text: String = row[0]
        // Stepping to the end lets go of the read transaction.
        _ = try rows.next()
        return try JSONReader.read(text)
      }
    } catch {
      throw storeError(error)
    }
  }

  /// Keeps an answer; returns after the commit. The first answer under a key stays.
  package func keepCallback(
    _ answer: JSONValue, run: String, name: String, for key: ContentDigest
  ) async throws(HoneError) {
    let text = answer.text()
    let data = key.data
    let now = nowInMilliseconds()
    try await write(isPaid: true) { db in
      let statement = try db.cachedStatement(
        sql: """
          INSERT INTO answers (key, texts, input_tokens, output_tokens, model, role, run_id, seconds, created_ms)
          VALUES (?, ?, 0, 0, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING
          """)
      statement.setUncheckedArguments([data, text, name, Self.role, run, now])
      try statement.execute()
    }
  }
}

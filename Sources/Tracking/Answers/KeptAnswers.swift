package import Basics
package import Failures
import Foundation
import GRDB
import JSON
package import Messages
import Synchronization

/// What the calls of one role cost a run.
package struct RoleTotal: Sendable, Hashable {
  package var role: CallRole
  package var calls: Int
  package var usage: TokenUsage
  /// US dollars of the calls whose price is known.
  package var cost: Double
  /// How many calls have no known price.
  package var unpricedCalls: Int
  /// Seconds from request to reply, added up over all calls.
  package var seconds: Double
  /// Requests beside the calls that brought no answer.
  package var failed = 0
  /// Requests, of all these, whose tokens nobody counted.
  package var estimatedRequests = 0
  /// The most tokens that these can have used.
  package var estimatedTokens = 0
  /// US dollars of those tokens.
  package var estimatedCost = 0.0
}

/// Answers that wait in the writer's queue with nobody awaiting them.
final class QueuedAnswers: Sendable {
  private let answers = Mutex<[ContentDigest: StoredAnswer]>([:])

  subscript(key: ContentDigest) -> StoredAnswer? {
    get { answers.withLock { $0[key] } }
    set { answers.withLock { $0[key] = newValue } }
  }
}

extension TrackingStore: AnswerStore {
  /// The answer kept under that key by any process, if any.
  package func answer(for key: ContentDigest) throws(HoneError) -> StoredAnswer? {
    if let queued = queuedAnswers[key] { return queued }
    do {
      return try lookups.look { db in
        let statement = try db.cachedStatement(
          sql: """
            SELECT texts, finish_reasons, input_tokens, output_tokens, reply_model, model, role, run_id, cost, seconds,
              reasoning, estimated
            FROM answers WHERE key = ?
            """)
        statement.setUncheckedArguments([key.data])
        let rows = try Row.fetchCursor(statement)
        guard let row = try rows.next() else { return nil }
        var reply = ModelReply(
          texts: try Self.list(row[0]), finishReasons: try Self.list(row[1]),
          usage: TokenUsage(inputTokens: row[2], outputTokens: row[3]), model: row[4])
        reply.reasoning = try Self.list(row[10])
        reply.isUsageEstimated = row[11]
        let answer = StoredAnswer(
          reply: reply,
          model: row[5], role: CallRole(rawValue: row[6]) ?? .task, runID: row[7], cost: row[8], seconds: row[9])
        // Stepping to the end lets go of the read transaction.
        _ = try rows.next()
        return answer
      }
    } catch {
      throw storeError(error)
    }
  }

  /// Keeps an answer; returns after the commit. The first answer under a key stays.
  package func keep(_ answer: StoredAnswer, for key: ContentDigest) async throws(HoneError) {
    try await write(isPaid: true, Self.insertion(of: answer, key))
  }

  package func keepSoon(_ answer: StoredAnswer, for key: ContentDigest) async throws(HoneError) {
    queuedAnswers[key] = answer
    let size = answer.reply.texts.reduce(0) { $0 + $1.utf8.count }
    await writer.enqueue(weight: size, Self.insertion(of: answer, key)) { [queuedAnswers] _ in
      queuedAnswers[key] = nil
    }
  }

  private static func insertion(of answer: StoredAnswer, _ key: ContentDigest) -> @Sendable (Database) throws -> Void {
    let texts = text(answer.reply.texts) ?? "[]"
    let reasons = text(answer.reply.finishReasons)
    let reasoning = text(answer.reply.reasoning)
    let data = key.data
    let now = nowInMilliseconds()
    let notes = answer.notes
    return { db in
      let statement = try db.cachedStatement(
        sql: """
          INSERT INTO answers (key, texts, finish_reasons, input_tokens, output_tokens, reply_model, model, role,
            run_id, cost, seconds, created_ms, reasoning, estimated)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
          """)
      statement.setUncheckedArguments([
        data, texts, reasons, answer.reply.usage.inputTokens, answer.reply.usage.outputTokens, answer.reply.model,
        answer.model, answer.role.rawValue, answer.runID, answer.cost, answer.seconds, now, reasoning,
        answer.reply.isUsageEstimated,
      ])
      try statement.execute()
      // Where another process was first, this run's own request stays on its bill.
      guard !notes.isEmpty, db.changesCount > 0 else { return }
      try remove(notes, db)
    }
  }

  package func capability(_ name: String, of identity: String) throws(HoneError) -> String? {
    do {
      return try lookups.look { db in
        try String.fetchOne(
          db.cachedStatement(sql: "SELECT value FROM capabilities WHERE model = ? AND name = ?"),
          arguments: [identity, name])
      }
    } catch {
      throw storeError(error)
    }
  }

  package func keepCapability(_ name: String, _ value: String, of identity: String) async throws(HoneError) {
    try await write { db in
      try db.execute(
        sql: "INSERT OR REPLACE INTO capabilities (model, name, value, learned_ms) VALUES (?, ?, ?, ?)",
        arguments: [identity, name, value, nowInMilliseconds()])
    }
  }

  /// What a run's calls cost, failed ones included, by role; roles without a call are left out.
  package func bill(run id: String) async throws(HoneError) -> [RoleTotal] {
    try await read { db in
      let rows = try Row.fetchAll(
        db.cachedStatement(
          sql: """
            SELECT role, sum(calls), sum(input), sum(output), total(cost), sum(unpriced), total(seconds), sum(failed),
              sum(estimated), sum(iif(estimated > 0, input + output, 0)), total(iif(estimated > 0, cost, 0))
            FROM (
              SELECT role, 1 calls, input_tokens input, output_tokens output, cost, cost IS NULL unpriced, seconds, 0 failed,
                estimated
              FROM answers WHERE run_id = ?1
              UNION ALL
              SELECT role, calls, input_tokens, output_tokens, cost, unpriced, seconds, 0,
                iif(estimated, calls, 0) FROM settled WHERE run_id = ?1
              UNION ALL
              SELECT role, 0, input_tokens, output_tokens, cost, iif(cost IS NULL, requests, 0), 0, requests,
                iif(estimated, requests, 0)
              FROM attempts WHERE run_id = ?1
            ) GROUP BY role
            """), arguments: [id])
      let bills = rows.compactMap { row in
        CallRole(rawValue: row[0]).map { role in
          RoleTotal(
            role: role, calls: row[1], usage: TokenUsage(inputTokens: row[2], outputTokens: row[3]), cost: row[4],
            unpricedCalls: row[5], seconds: row[6], failed: row[7],
            estimatedRequests: row[8], estimatedTokens: row[9], estimatedCost: row[10])
        }
      }
      return CallRole.allCases.compactMap { role in bills.first { $0.role == role } }
    }
  }

  package func noteSending(_ request: FailedRequests, run: String) async throws(HoneError) -> RequestNote? {
    try await write { db in
      try Self.insert(request, run, db)
      return RequestNote(id: db.lastInsertedRowID)
    }
  }

  package func keep(_ failed: [FailedRequests], run: String, closing notes: [RequestNote]) async throws(HoneError) {
    try await write(isPaid: !failed.isEmpty) { db in
      for part in failed { try Self.insert(part, run, db) }
      try Self.remove(notes, db)
    }
  }

  private static func insert(_ part: FailedRequests, _ run: String, _ db: Database) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO attempts (run_id, role, requests, input_tokens, output_tokens, cost, estimated)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(
      arguments: [
        run, part.role.rawValue, part.requests, part.tokens.inputTokens, part.tokens.outputTokens, part.cost,
        part.isEstimated,
      ])
  }

  private static func remove(_ notes: [RequestNote], _ db: Database) throws {
    for note in notes {
      try db.cachedStatement(sql: "DELETE FROM attempts WHERE id = ?").execute(arguments: [note.id])
    }
  }

  /// What answers of a model usually took and had, over its last ones; nil if there is none among the latest.
  package func usualAnswer(of model: String) async throws(HoneError) -> (seconds: Double, outputTokens: Double)? {
    try await read { db in
      let row = try Row.fetchOne(
        db,
        sql: """
          SELECT avg(seconds), avg(output_tokens) FROM (SELECT * FROM answers ORDER BY id DESC LIMIT 20000)
          WHERE model = ? AND role <> 'callback'
          """, arguments: [model])
      guard let row, let seconds = row[0] as Double?, let tokens = row[1] as Double? else { return nil }
      return (seconds, tokens)
    }
  }

  /// The keys of the answers that a run paid for.
  package func answerKeys(run id: String) async throws(HoneError) -> Set<ContentDigest> {
    try await read { db in
      let keys = try Data.fetchAll(db, sql: "SELECT key FROM answers WHERE run_id = ?", arguments: [id])
      return Set(keys.compactMap { ContentDigest(bytes: $0) })
    }
  }

  /// A list of texts in one column: nothing for none, a JSON array otherwise.
  private static func text(_ list: [String]) -> String? {
    list.isEmpty ? nil : JSONValue.array(list.map(JSONValue.string)).text()
  }

  private static func list(_ text: String?) throws -> [String] {
    guard let text else { return [] }
    guard let value = try? JSONReader.read(text), case .array(let elements) = value else {
      throw HoneError(.storeUnavailable, "A stored answer is damaged.", remedy: "Restore a backup of the store.")
    }
    return elements.compactMap(\.stringValue)
  }
}

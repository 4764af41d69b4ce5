import Basics
import Failures
import Foundation
import GRDB
import JSON
import Messages
import Synchronization

/// The shared beginnings of prompts, each stored once under its digest, with a bounded memory of those
/// lately met: what is known to be stored is not offered again, what was read is not read again.
final class SharedTexts: Sendable {
  private static let limit = 512

  private struct State {
    var stored: Set<ContentDigest> = []
    var read: [ContentDigest: SharedMessages] = [:]
  }

  private let state = Mutex(State())
  /// Apart from `TrackingStore.lookups`, because SQL functions read through it in the middle of a query.
  private let lookups: Lookups

  init(_ lookups: Lookups) { self.lookups = lookups }

  /// Whether the text is known to be committed.
  func isStored(_ digest: ContentDigest) -> Bool { state.withLock { $0.stored.contains(digest) } }

  func noteStored(_ digests: [ContentDigest]) {
    guard !digests.isEmpty else { return }
    state.withLock { state in
      if state.stored.count + digests.count > Self.limit { state.stored.removeAll() }
      state.stored.formUnion(digests)
    }
  }

  /// The row of the table `texts` for some messages.
  static func content(_ messages: [ChatMessage]) -> Data {
    var parts: [JSONValue] = []
    for message in messages {
      parts.append(.string(message.role.rawValue))
      parts.append(.string(message.content))
    }
    return Data(JSONValue.array(parts).encoded())
  }

  /// The messages stored under a digest.
  func messages(_ digest: ContentDigest) throws -> SharedMessages {
    if let known = state.withLock({ $0.read[digest] }) { return known }
    return try lookups.look { db in try messages(digest, in: db) }
  }

  /// The messages stored under a digest, read on a connection at hand.
  func messages(_ digest: ContentDigest, in db: Database) throws -> SharedMessages {
    if let known = state.withLock({ $0.read[digest] }) { return known }
    let data = try Data.fetchOne(
      db.cachedStatement(sql: "SELECT content FROM texts WHERE digest = ?"), arguments: [digest.data])
    guard let data, let value = try? JSONReader.read(data), let parts = value.arrayValue, parts.count.isMultiple(of: 2)
    else { throw SpanDecoder.damage }
    var messages: [ChatMessage] = []
    for index in stride(from: 0, to: parts.count, by: 2) {
      guard let role = parts[index].stringValue.flatMap(ChatMessage.Role.init), let text = parts[index + 1].stringValue
      else { throw SpanDecoder.damage }
      messages.append(ChatMessage(role, text))
    }
    let shared = SharedMessages(messages)
    state.withLock { state in
      if state.read.count >= Self.limit { state.read.removeAll() }
      state.read[digest] = shared
    }
    return shared
  }

  /// The contents of the texts whose digest begins so (see `SpanFilter.prefix`): one, as good as always.
  func contents(beginning prefix: UInt64) throws -> [Data] {
    let (first, last) = SpanFilter.digests(beginning: prefix)
    return try lookups.look { db in
      try Data.fetchAll(
        db.cachedStatement(sql: "SELECT content FROM texts WHERE digest >= ? AND digest <= ?"),
        arguments: [first, last])
    }
  }

  /// Keeps a text, unless it is kept already; one that a collection was about to remove stays. To be called in the
  /// transaction that writes what refers to it.
  static func keep(_ digest: ContentDigest, _ content: @autoclosure () -> Data, _ db: Database) throws {
    let known = try db.cachedStatement(
      sql: "SELECT d.text FROM texts x LEFT JOIN doubtful_texts d ON d.text = x.id WHERE x.digest = ?")
    let row = try Row.fetchOne(known, arguments: [digest.data])
    guard let row else {
      return try db.cachedStatement(sql: "INSERT INTO texts (digest, content) VALUES (?, ?)")
        .execute(arguments: [digest.data, content()])
    }
    if let doubtful = row[0] as Int64? {
      try db.execute(sql: "DELETE FROM doubtful_texts WHERE text = ?", arguments: [doubtful])
    }
  }

  func close() { lookups.close() }
}

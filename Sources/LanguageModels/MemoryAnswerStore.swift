package import Basics
package import Failures
package import Messages
import Synchronization

/// Answers kept in memory: for tests, and where no store is at hand. They end with the process.
package final class MemoryAnswerStore: AnswerStore {
  private let answers = Mutex<[ContentDigest: StoredAnswer]>([:])

  package init() {}

  package var count: Int { answers.withLock { $0.count } }

  package func answer(for key: ContentDigest) throws(HoneError) -> StoredAnswer? {
    answers.withLock { $0[key] }
  }

  package func keep(_ answer: StoredAnswer, for key: ContentDigest) async throws(HoneError) {
    answers.withLock { answers in
      if answers[key] == nil { answers[key] = answer }
    }
  }
}

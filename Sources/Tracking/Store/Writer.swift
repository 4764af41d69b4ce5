import Dispatch
import Failures
import GRDB
import Synchronization

/// The one way into the database: takes writes in order and commits them in groups.
///
/// A write that somebody awaits is committed at once where the writer is idle; those that arrive meanwhile form
/// the next group, so that 64 concurrent callers share a transaction. Writes that nobody awaits (traces) wait a
/// moment for company, because each transaction writes whole pages anew; they ride along with the next awaited
/// one. A group is first run plainly. If one of its members fails, the group is rolled back and run again with each
/// member in a savepoint of its own, so that only the failed one is lost: hence a member's body must
/// have no effect but on the database.
///
/// Who wrote something paid for hears of it when it is on the disk, unless the store need not survive a power cut.
final class Writer: Sendable {
  /// The most members of one transaction.
  private static let groupLimit = 500
  /// How many bytes queued writes of the kind that nobody awaits may hold.
  private static let queueLimit = 16 << 20
  /// How long writes that nobody awaits wait for company, and how much of them is company enough, in bytes.
  private static let patience = DispatchTimeInterval.milliseconds(25)
  private static let company = 4 << 20

  private struct Item: Sendable {
    let body: @Sendable (Database) throws -> Void
    let settle: @Sendable (HoneError?) -> Void
    /// The bytes it holds, where nobody awaits the commit, so that the queue must be bounded; else 0.
    let weight: Int
    /// Whether it is to be on the disk before anybody goes on.
    let isPaid: Bool
  }

  private struct State {
    var queue: [Item] = []
    /// How many of the queued items somebody awaits.
    var awaited = 0
    var isDraining = false
    /// Whether a timer will start the draining.
    var isTimed = false
    var isClosed = false
    /// The weight of the queued and the running items.
    var weight = 0
    /// Those who wait for room in the queue, first come first served.
    var waiting: [(weight: Int, continuation: CheckedContinuation<Void, Never>)] = []

    /// Something heavier than the whole queue is let in when it is empty.
    func hasRoom(for added: Int) -> Bool { weight == 0 || weight + added <= Writer.queueLimit }

    /// Whether what is queued is to be committed without waiting for more.
    var isUrgent: Bool { awaited > 0 || queue.count >= Writer.groupLimit || weight >= Writer.company || isClosed }
  }

  private let pool: any DatabaseWriter
  /// What every write is refused with, if any may not be made.
  private let refusal: HoneError?
  /// Nil where nothing waits for the disk.
  private let synchronizer: Synchronizer?
  private let state = Mutex(State())

  init(pool: any DatabaseWriter, refusal: HoneError?, durability: Durability) {
    self.pool = pool
    self.refusal = refusal
    synchronizer = durability == .power ? Synchronizer(path: pool.path) : nil
  }

  /// Runs `body` in a transaction and returns its result after the commit.
  ///
  /// - Parameter isPaid: whether it is to be on the disk then, as far as the store's durability asks for that.
  func perform<T: Sendable>(
    isPaid: Bool = false, _ body: @escaping @Sendable (Database) throws -> T
  ) async throws(HoneError) -> T {
    let result: Result<T, HoneError> = await withCheckedContinuation { continuation in
      let box = Mutex<T?>(nil)
      let item = Item(
        body: { db in
          let value = try body(db)
          box.withLock { $0 = value }
        },
        settle: { error in
          if let error {
            continuation.resume(returning: .failure(error))
          } else if let value = box.withLock({ $0 }) {
            continuation.resume(returning: .success(value))
          } else {
            let error = HoneError(.internalError, "A write was committed without a result.")
            continuation.resume(returning: .failure(error))
          }
        }, weight: 0, isPaid: isPaid)
      if let refusal = enqueue(item) { continuation.resume(returning: .failure(refusal)) }
    }
    return try result.get()
  }

  /// Queues `body`, which holds about `weight` bytes, and returns; waits while the queue is full. `settle` hears
  /// of a failure, or nil.
  func enqueue(
    weight: Int, _ body: @escaping @Sendable (Database) throws -> Void,
    settle: @escaping @Sendable (HoneError?) -> Void
  ) async {
    // Many light items must not pile up either: each counts as 16 kB at least.
    let weight = max(weight, 16 << 10)
    await withCheckedContinuation { continuation in
      let mayEnter = state.withLock { state in
        guard state.waiting.isEmpty, state.hasRoom(for: weight) else {
          state.waiting.append((weight, continuation))
          return false
        }
        state.weight += weight
        return true
      }
      if mayEnter { continuation.resume() }
    }
    if let refusal = enqueue(Item(body: body, settle: settle, weight: weight, isPaid: false)) {
      release(weight)
      settle(refusal)
    }
  }

  func flush() async {
    _ = try? await perform { _ in }
  }

  func close() async {
    _ = try? await perform(isPaid: true) { _ in }
    state.withLock { $0.isClosed = true }
  }

  /// Puts an item into the queue and sees that somebody empties it; returns why it cannot.
  private func enqueue(_ item: Item) -> HoneError? {
    if let refusal { return refusal }
    let refused = state.withLock { state in
      guard !state.isClosed else { return true }
      state.queue.append(item)
      if item.weight == 0 { state.awaited += 1 }
      return false
    }
    if refused { return HoneError(.storeUnavailable, "The tracking store is closed.", remedy: "Open it again.") }
    start()
    return nil
  }

  /// Sees that what is queued gets committed: now, or in a moment where it may wait.
  private func start() {
    let (mustDrain, mustWait) = state.withLock { state in
      guard !state.queue.isEmpty, !state.isDraining else { return (false, false) }
      if state.isUrgent {
        state.isDraining = true
        return (true, false)
      }
      defer { state.isTimed = true }
      return (false, !state.isTimed)
    }
    if mustDrain { drainInTurn() }
    if mustWait { DispatchQueue.global().asyncAfter(deadline: .now() + Self.patience) { self.timeIsUp() } }
  }

  private func timeIsUp() {
    let mustDrain = state.withLock { state in
      state.isTimed = false
      guard !state.queue.isEmpty, !state.isDraining else { return false }
      state.isDraining = true
      return true
    }
    if mustDrain { drainInTurn() }
  }

  private func drainInTurn() { pool.asyncWriteWithoutTransaction { db in self.drain(db) } }

  private func drain(_ db: Database) {
    var group = nextGroup()
    while !group.isEmpty {
      let failures = commit(group, db)
      release(group.reduce(0) { $0 + $1.weight })
      var paid: [@Sendable (HoneError?) -> Void] = []
      for (item, failure) in zip(group, failures) {
        if item.isPaid, failure == nil, synchronizer != nil { paid.append(item.settle) } else { item.settle(failure) }
      }
      if !paid.isEmpty { synchronizer?.whenSynchronized(paid) }
      group = nextGroup(ifUrgent: true)
    }
    start()
  }

  /// The next items to commit together; none, and the draining is over, where nothing is queued or all of it may wait.
  private func nextGroup(ifUrgent: Bool = false) -> [Item] {
    state.withLock { state in
      guard !state.queue.isEmpty, !ifUrgent || state.isUrgent else {
        state.isDraining = false
        return []
      }
      let group = Array(state.queue.prefix(Self.groupLimit))
      state.queue.removeFirst(group.count)
      state.awaited -= group.count { $0.weight == 0 }
      return group
    }
  }

  /// Makes room and lets in as many of those who wait as fit.
  private func release(_ weight: Int) {
    guard weight > 0 else { return }
    let admitted = state.withLock { state in
      state.weight -= weight
      var count = 0
      while count < state.waiting.count, state.hasRoom(for: state.waiting[count].weight) {
        state.weight += state.waiting[count].weight
        count += 1
      }
      defer { state.waiting.removeFirst(count) }
      return state.waiting.prefix(count).map(\.continuation)
    }
    for continuation in admitted { continuation.resume() }
  }

  /// The error of each member, nil where it is committed.
  private func commit(_ group: [Item], _ db: Database) -> [HoneError?] {
    do {
      try db.inTransaction(.immediate) {
        for item in group { try item.body(db) }
        return .commit
      }
      return Array(repeating: nil, count: group.count)
    } catch {
      if group.count == 1 { return [storeError(error)] }
    }
    var failures = [HoneError?](repeating: nil, count: group.count)
    do {
      try db.inTransaction(.immediate) {
        for (index, item) in group.enumerated() {
          do {
            try db.inSavepoint {
              try item.body(db)
              return .commit
            }
          } catch {
            failures[index] = storeError(error)
            // A full disk, for one, ends the whole transaction.
            guard db.isInsideTransaction else { throw error }
          }
        }
        return .commit
      }
      return failures
    } catch {
      return failures.map { $0 ?? storeError(error) }
    }
  }
}

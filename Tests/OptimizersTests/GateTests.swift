@testable import Evaluation
import Failures
@testable import Optimizers
import Testing

@Suite("The gate", .timeLimit(.minutes(1)))
struct GateTests {
  @Test("no more than its width are inside at once, and all get through")
  func width() async throws {
    let gate = Gate(width: 3)
    let inside = Locked((now: 0, most: 0, done: 0))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<300 {
        group.addTask {
          try await gate.pass {
            inside.update { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.done) }
            await Task.yield()
            inside.update { $0 = ($0.now - 1, $0.most, $0.done + 1) }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(inside.now.most <= 3)
    #expect(inside.now.done == 300)
    #expect(gate.waiting == 0)
  }

  @Test("a width below one is one")
  func narrow() async throws {
    let gate = Gate(width: 0)
    #expect(gate.width == 1)
    #expect(try await gate.pass { 7 } == 7)
  }

  /// Holds the gate until told to leave.
  private func hold(_ gate: Gate, until leave: Locked<Bool>) async -> Task<Void, any Error> {
    let isIn = Locked(false)
    let task = Task {
      try await gate.pass {
        isIn.set(true)
        _ = await eventually { leave.now }
      }
    }
    #expect(await eventually { isIn.now })
    return task
  }

  @Test("who came first goes first")
  func order() async throws {
    let gate = Gate(width: 1)
    let leave = Locked(false)
    let holder = await hold(gate, until: leave)
    let order = Locked([Int]())
    var tasks: [Task<Void, any Error>] = []
    for number in 0..<20 {
      tasks.append(Task { try await gate.pass { order.update { $0.append(number) } } })
      #expect(await eventually { gate.waiting == number + 1 })
    }
    leave.set(true)
    try await holder.value
    for task in tasks { try await task.value }
    #expect(order.now == Array(0..<20))
  }

  @Test("who is cancelled while waiting leaves at once and takes nothing along")
  func cancellation() async throws {
    let gate = Gate(width: 1)
    let leave = Locked(false)
    let holder = await hold(gate, until: leave)
    let waiter = Task { try await gate.pass { 1 } }
    let next = Task { try await gate.pass { 2 } }
    #expect(await eventually { gate.waiting == 2 })
    waiter.cancel()
    #expect(await errorOf { try await waiter.value }?.kind == .cancelled)
    #expect(leave.now == false)
    #expect(gate.waiting == 1)
    leave.set(true)
    try await holder.value
    #expect(try await next.value == 2)
    #expect(try await gate.pass { 3 } == 3)
  }

  @Test("an error inside gives the place back")
  func error() async throws {
    let gate = Gate(width: 1)
    let error = await errorOf {
      try await gate.pass { () throws(HoneError) -> Int in throw HoneError(.timeout, "late") }
    }
    #expect(error?.kind == .timeout)
    #expect(try await gate.pass { 4 } == 4)
  }

  @Test("under many cancellations at any moment no permit is lost and none is made")
  func stress() async throws {
    let gate = Gate(width: 4)
    let inside = Locked((now: 0, most: 0))
    let tasks = (0..<2000).map { number in
      Task {
        try await gate.pass {
          inside.update { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
          if number % 3 == 0 { await Task.yield() }
          inside.update { $0.now -= 1 }
        }
      }
    }
    for (number, task) in tasks.enumerated() where number % 2 == 0 {
      if number % 50 == 0 { await Task.yield() }
      task.cancel()
    }
    for task in tasks { _ = await task.result }
    #expect(inside.now.most <= 4)
    #expect(gate.waiting == 0)
    // All four places are there: four can be inside at the same time.
    let met = Locked(0)
    let together = (0..<4).map { _ in
      Task {
        try await gate.pass {
          met.update { $0 += 1 }
          return await eventually { met.now == 4 }
        }
      }
    }
    for task in together { #expect(try await task.value) }
  }
}

@Suite("Work in order", .timeLimit(.minutes(1)))
struct InOrderTests {
  @Test("results are taken in in order, and what a decision knows depends on its place alone", arguments: [1, 2, 5])
  func order(window: Int) async throws {
    let free = 4
    var decided = 0
    var committed: [Int] = []
    var known: [Int] = []
    try await inOrder(free: free, window: window) { () async throws(HoneError) -> Int? in
      guard decided < 30 else { return nil }
      known.append(committed.count)
      decided += 1
      return decided - 1
    } work: { (piece: Int) async throws(HoneError) -> Int in
      try? await Task.sleep(for: .microseconds(Int.random(in: 0...1000)))
      return piece * piece
    } commit: { (piece: Int, value: Int) async throws(HoneError) in
      #expect(value == piece * piece)
      committed.append(piece)
    }
    #expect(committed == Array(0..<30))
    #expect(known == (0..<30).map { $0 < free ? 0 : max(0, $0 - window + 1) })
  }

  @Test("work may appear once results are in")
  func late() async throws {
    var queue = [1]
    var done: [Int] = []
    try await inOrder(free: 0, window: 3) { () async throws(HoneError) -> Int? in
      queue.isEmpty ? nil : queue.removeFirst()
    } work: { (piece: Int) async throws(HoneError) -> Int in
      piece
    } commit: { (piece: Int, _: Int) async throws(HoneError) in
      done.append(piece)
      if piece < 5 { queue.append(piece + 1) }
    }
    #expect(done == [1, 2, 3, 4, 5])
  }

  @Test("an error of a piece ends everything and comes out as it is")
  func errors() async {
    let (error, committed) = await numbers(failingAt: 4, with: .authentication)
    #expect(error?.kind == .authentication)
    #expect(committed == Array([1, 2, 3].prefix(committed.count)))
  }

  @Test("a spent budget lets what is under way become whole and hands it over")
  func spent() async {
    let (error, committed) = await numbers(failingAt: 4, with: .budgetExhausted)
    #expect(error?.kind == .budgetExhausted)
    #expect(committed.starts(with: [1, 2, 3]) && !committed.contains(4) && committed.count <= 4)
  }

  private func numbers(failingAt failure: Int, with kind: FailureKind) async -> (HoneError?, [Int]) {
    var committed: [Int] = []
    var next = 0
    let error = await errorOf {
      try await inOrder(free: 0, window: 2) { () async throws(HoneError) -> Int? in
        next += 1
        return next
      } work: { (piece: Int) async throws(HoneError) -> Int in
        if piece == failure { throw HoneError(kind, "piece \(piece)") }
        return piece
      } commit: { (piece: Int, _: Int) async throws(HoneError) in
        committed.append(piece)
      }
    }
    return (error, committed)
  }
}

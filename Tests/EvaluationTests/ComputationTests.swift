import Evaluation
import Failures
import JSON
import Platform
import Programs
import RegularExpressions
import Synchronization
import Testing

@Suite("Computations apart", .timeLimit(.minutes(2)))
struct ComputationTests {
  private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .sequentiallyConsistent) }
    func set() { value.store(true, ordering: .sequentiallyConsistent) }
  }

  @Test("work that never pauses keeps no one else waiting, however much of it there is")
  func apart() async {
    let isOver = Flag()
    let isRunning = Flag()
    await withTaskGroup(of: Void.self) { group in
      // More than there are threads that requests share.
      for _ in 0..<64 {
        group.addTask {
          await ComputationThreads.metrics.run(cancelled: ()) {
            isRunning.set()
            while !isOver.isSet, !Task.isCancelled {}
          }
        }
      }
      while !isRunning.isSet { await Task.yield() }
      // Others get on: this task is resumed as often as it likes.
      for _ in 0..<1000 { await Task.yield() }
      isOver.set()
    }
  }

  @Test("a caller that is cancelled goes on though the computation does not heed it")
  func cancelled() async {
    let isOver = Flag()
    let call = Task {
      await ComputationThreads.data.run(cancelled: "cancelled") {
        while !isOver.isSet {}
        return "done"
      }
    }
    await Task.yield()
    call.cancel()
    #expect(await call.value == "cancelled")
    isOver.set()
  }

  @Test("steps that take no character count, too: costly patterns are given up")
  func steps() throws {
    let pattern = try RegularExpression("(?:" + String(repeating: "(a?)", count: 90) + "){1,5}b")
    let text = Array(String(repeating: "a", count: 20_000).unicodeScalars)
    #expect(throws: RegularExpression.Abandoned.tooManySteps) {
      try pattern.firstMatch(in: text, needsGroups: false, maximumWork: 1_000_000)
    }
    // The whole range is the same with and without groups.
    let simple = try RegularExpression("a(b+)c")
    let scalars = Array("xxabbbcx".unicodeScalars)
    #expect(try simple.firstMatch(in: scalars)?[0] == 2..<7)
    #expect(try simple.firstMatch(in: scalars)?[1] == 3..<6)
    #expect(try simple.firstMatch(in: scalars, needsGroups: false) == [2..<7])
  }

  @Test("what is large is told without looking at all of it")
  func size() {
    let long = JSONValue.string(String(repeating: "a", count: 2000))
    #expect(long.isLarge(beyond: 1024) && !long.isLarge(beyond: 4096))
    #expect(JSONValue.array(Array(repeating: .int(1), count: 300)).isLarge(beyond: 1024))
    #expect(!(["answer": "42"] as JSONObject).isLarge(beyond: 1024))
  }
}

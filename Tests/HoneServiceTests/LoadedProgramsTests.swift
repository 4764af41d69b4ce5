import Failures
import JSON
import Programs
import Schema
import Testing

@testable import Jobs

@Suite("Programs that go by an id") struct LoadedProgramsTests {
  private func program(_ number: Int) throws -> Program {
    Program(try #require(Module.read("question -> answer\(number)", path: "program", problems: .init())))
  }

  @Test("those used last are kept, as many as fit")
  func latest() throws {
    var loaded = LoadedPrograms()
    let program = try program(1)
    loaded.add(program, "first", size: 1)
    for number in 0..<10 * LoadedPrograms.mostPrograms {
      loaded.add(program, "p\(number)", size: 1)
      // What is used stays.
      #expect(loaded.program("first") != nil)
    }
    #expect(loaded.program("p0") == nil)
    #expect(loaded.program("p\(10 * LoadedPrograms.mostPrograms - 1)") != nil)
  }

  @Test("their bytes are bounded, whatever one of them has")
  func bytes() throws {
    var loaded = LoadedPrograms()
    let program = try program(1)
    for number in 0..<40 { loaded.add(program, "p\(number)", size: LoadedPrograms.mostBytes / 10) }
    #expect((0..<40).count { loaded.program("p\($0)") != nil } <= 10)
    loaded.add(program, "huge", size: 3 * LoadedPrograms.mostBytes)
    #expect(loaded.program("huge") != nil)
    #expect((0..<40).allSatisfy { loaded.program("p\($0)") == nil })
    // The same program again counts once.
    for _ in 0..<100 { loaded.add(program, "small", size: LoadedPrograms.mostBytes / 10) }
    loaded.add(program, "other", size: 1)
    #expect(loaded.program("small") != nil && loaded.program("other") != nil)
  }
}

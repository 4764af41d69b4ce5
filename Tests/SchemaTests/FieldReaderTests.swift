import Failures
import JSON
import Schema
import Testing

@Suite("The field reader")
struct FieldReaderTests {
  private func reader(_ text: String) throws -> FieldReader {
    let problems = ProblemList()
    return try #require(FieldReader(try JSONReader.read(text), path: "", problems: problems))
  }

  @Test("gives members by name and kind")
  func members() throws {
    let fields = try reader(
      #"{"s":"x","n":3,"d":0.5,"f":true,"o":{"a":1},"l":[1],"t":["a","b"],"one":"c","w":"light"}"#)
    #expect(fields.string("s") == "x")
    #expect(fields.int("n", in: 1...5) == 3)
    #expect(fields.double("d") == 0.5)
    #expect(fields.bool("f") == true)
    #expect(fields.object("o") == ["a": 1])
    #expect(fields.array("l") == [1])
    #expect(fields.strings("t") == ["a", "b"])
    #expect(fields.strings("one") == ["c"])
    #expect(fields.choice("w", of: ["light", "heavy"]) == "light")
    fields.finish()
    #expect(fields.problems.isEmpty)
  }

  @Test("takes null as absent, and absent as no problem")
  func absent() throws {
    let fields = try reader(#"{"a":null}"#)
    #expect(fields.string("a") == nil)
    #expect(fields.int("b") == nil)
    #expect(fields.choice("c", of: ["x"]) == nil)
    fields.finish()
    #expect(fields.problems.isEmpty)
  }

  @Test("takes other spellings")
  func spellings() throws {
    let fields = try reader(#"{"api_base":"x"}"#)
    #expect(fields.string("apiBase", "api_base") == "x")
    fields.finish()
    #expect(fields.problems.isEmpty)
  }

  @Test("notes every problem, with its place and what came, and throws them together")
  func problems() throws {
    let problems = ProblemList()
    let value = try JSONReader.read(#"{"n":"three","k":9,"w":"lihgt","tempratur":1,"t":["a",1]}"#)
    let fields = try #require(FieldReader(value, path: "lm", problems: problems))
    #expect(fields.int("n") == nil)
    #expect(fields.int("k", in: 1...5) == nil)
    #expect(fields.choice("w", of: ["light", "heavy"]) == nil)
    #expect(fields.strings("t") == nil)
    #expect(fields.requiredString("model") == nil)
    #expect(fields.double("temperature") == nil)
    fields.finish()
    #expect(problems.problems.map(\.path) == ["lm.n", "lm.k", "lm.w", "lm.t[1]", "lm.model", "lm.tempratur"])
    #expect(problems.problems[0].got == "\"three\"")
    #expect(problems.problems[2].suggestion == "light")
    #expect(problems.problems[2].allowed == ["light", "heavy"])
    #expect(problems.problems[5].suggestion == "temperature")
    let error = #expect(throws: HoneError.self) { try problems.check("compile") }
    #expect(error?.kind == .invalidParams)
    #expect(error?.problems.count == 6)
    #expect(error?.message.contains("and 5 more") == true)
  }

  @Test("a required member that is null is missing; one of the wrong kind is reported once")
  func required() throws {
    let fields = try reader(#"{"a":null,"b":1}"#)
    #expect(fields.requiredString("a") == nil)
    #expect(fields.requiredString("b") == nil)
    #expect(fields.problems.problems.map(\.path) == ["a", "b"])
  }

  @Test("what is no object is one problem at its path")
  func noObject() {
    let problems = ProblemList()
    #expect(FieldReader([1], path: "optimizer", problems: problems) == nil)
    #expect(problems.problems.map(\.path) == ["optimizer"])
  }
}

@Suite("Failures")
struct FailuresTests {
  @Test(
    "the nearest name forgives slips, case and separators, and gives up on strangers",
    arguments: [
      ("lihgt", "light"), ("MIPROV2", "MIPROv2"), ("bootstrapfewshot", "BootstrapFewShot"),
      ("bootstrap_few_shot", "BootstrapFewShot"), ("exact-match", "exact_match"), ("zzz", nil), ("", nil),
      ("completely different", nil),
    ] as [(String, String?)])
  func nearestName(_ typed: String, _ meant: String?) {
    #expect(nearest(to: typed, among: ["light", "MIPROv2", "BootstrapFewShot", "exact_match"]) == meant)
  }

  @Test("the nearest of several wins, the first of equals")
  func nearestOfSeveral() {
    #expect(nearest(to: "f2", among: ["f1", "f2"]) == "f2")
    #expect(nearest(to: "f3", among: ["f1", "f2"]) == "f1")
    #expect(nearest(to: "x", among: []) == nil)
    #expect(nearest(to: String(repeating: "a", count: 1_000_000), among: ["a"]) == nil)
  }

  @Test("an error prints what happened, why, and what to do")
  func description() {
    let error = HoneError(
      .datasetInvalid, "The data set cannot be read.", remedy: "Mend row 3.",
      problems: [Problem(path: "rows[3]", message: "No answer.", suggestion: "answer")], cause: "disk full")
    let expected = """
      The data set cannot be read.
        - rows[3]: No answer. Did you mean "answer"?
        because: disk full
        Mend row 3.
      """
    #expect(error.description == expected)
  }

  @Test("wrapping keeps our own errors and knows a cancellation")
  func wrapping() {
    struct Strange: Error {}
    #expect(HoneError(wrapping: HoneError(.timeout, "Late.")).kind == .timeout)
    #expect(HoneError(wrapping: CancellationError()).kind == .cancelled)
    #expect(HoneError(wrapping: Strange()).kind == .internalError)
  }
}

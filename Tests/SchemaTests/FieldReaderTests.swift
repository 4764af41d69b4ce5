import Failures
import JSON
import Schema
import Testing

private enum Size: String, SchemaChoice { case light, heavy }

private struct Thing: SchemaObject {
  static let members: [Member<Self>] = [
    Member("model", \.model, isRequired: true, "What it is."),
    Member("count", \.count, "How many."),
    Member("small", \.small, in: 1...5, "How many at most."),
    Member("temperature", \.temperature, in: 0...2, "How freely."),
    Member("isOn", \.isOn, "Whether it is on."),
    Member("options", \.options, "More."),
    Member("values", \.values, "Any values."),
    Member("texts", \.texts, "Texts."),
    Member("size", \.size, "How much."),
    Member("apiBase", \.apiBase, also: ["base"], "Where."),
  ]
  var model = ""
  var count: Int?
  var small = 3
  var temperature: Double?
  var isOn = false
  var options: JSONObject?
  var values: [JSONValue] = []
  var texts: [String] = []
  var size: Size?
  var apiBase: String?
}

@Suite("Reading an object by its declaration")
struct FieldReaderTests {
  private func read(_ text: String, at path: String = "") throws -> (Thing, ProblemList) {
    let problems = ProblemList()
    let fields = try #require(FieldReader(try JSONReader.read(text), path: path, problems: problems))
    return (Thing.taken(from: fields), problems)
  }

  @Test("gives members by name and kind")
  func members() throws {
    let (thing, problems) = try read(
      """
      {"model":"x","count":7,"small":5,"temperature":0.5,"isOn":true,"options":{"a":1},"values":[1],
      "texts":["a","b"],"size":"light","apiBase":"c"}
      """)
    #expect(problems.isEmpty)
    #expect(thing.model == "x" && thing.count == 7 && thing.small == 5 && thing.temperature == 0.5 && thing.isOn)
    #expect(thing.options == ["a": 1] && thing.values == [1] && thing.texts == ["a", "b"])
    #expect(thing.size == .light && thing.apiBase == "c")
    #expect(try read(#"{"model":"x","texts":"one"}"#).0.texts == ["one"])
  }

  @Test("takes null as left out, and what is left out as no problem")
  func absent() throws {
    let (thing, problems) = try read(#"{"model":"x","small":null,"size":null}"#)
    #expect(problems.isEmpty)
    #expect(thing.small == 3 && thing.size == nil && thing.count == nil)
  }

  @Test("takes other spellings", arguments: ["apiBase", "api_base", "base"])
  func spellings(_ name: String) throws {
    let (thing, problems) = try read("{\"model\":\"x\",\"\(name)\":\"y\"}")
    #expect(problems.isEmpty)
    #expect(thing.apiBase == "y")
  }

  @Test("notes every problem, with its place and what came, and throws them together")
  func problems() throws {
    let (thing, problems) = try read(
      #"{"count":"three","small":9,"size":"lihgt","tempratur":1,"texts":["a",1]}"#, at: "lm")
    #expect(
      problems.problems.map(\.path) == ["lm.model", "lm.count", "lm.small", "lm.texts[1]", "lm.size", "lm.tempratur"])
    #expect(problems.problems[1].got == "\"three\"")
    #expect(problems.problems[4].suggestion == "light")
    #expect(problems.problems[4].allowed == ["light", "heavy"])
    #expect(problems.problems[5].suggestion == "temperature")
    // What could not be read is as if it were left out.
    #expect(thing.small == 3 && thing.count == nil && thing.texts.isEmpty)
    let error = #expect(throws: HoneError.self) { try problems.check("compile") }
    #expect(error?.kind == .invalidParams)
    #expect(error?.problems.count == 6)
    #expect(error?.message.contains("and 5 more") == true)
  }

  @Test("a required member that is null is missing; one of the wrong kind is reported once")
  func required() throws {
    #expect(try read(#"{"model":null}"#).1.problems.map(\.path) == ["model"])
    #expect(try read(#"{"model":1}"#).1.problems.map(\.path) == ["model"])
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

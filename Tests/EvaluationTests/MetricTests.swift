import Failures
import JSON
import Schema
import Testing

@testable import Datasets
@testable import Evaluation

private func metric(_ value: JSONValue) throws -> any Metric {
  let problems = ProblemList()
  let request = MetricRegistry.make(value, path: "metric", problems: problems)
  try #require(problems.problems == [])
  guard case .builtIn(let metric) = try #require(request) else { throw HoneError(.notFound, "not built in") }
  return metric
}

private func score(_ value: JSONValue, _ example: JSONObject, _ outputs: JSONObject) async throws -> MetricScore {
  try await metric(value).score(example: example, outputs: outputs)
}

private func problems(_ value: JSONValue) -> [String] {
  let problems = ProblemList()
  let request = MetricRegistry.make(value, path: "metric", problems: problems)
  #expect(request == nil)
  return problems.problems.map(\.description)
}

private func failure(_ value: JSONValue, _ example: JSONObject, _ outputs: JSONObject) async throws -> HoneError {
  let metric = try metric(value)
  do {
    _ = try await metric.score(example: example, outputs: outputs)
  } catch { return HoneError(wrapping: error) }
  throw HoneError(.internalError, "no failure")
}

struct MetricRegistryTests {
  @Test(arguments: [
    ("answer_exact_match", "exact_match"), ("accuracy", "exact_match"), ("exactMatch", "exact_match"),
    ("answer_passage_match", "passage_match"), ("gsm8k", "gsm8k_metric"), ("F1", "f1"), ("HotpotF1", "hotpot_f1"),
    ("json-match", "json_match"),
  ])
  func `a metric is found by other spellings`(asked: String, name: String) throws {
    #expect(try metric(.string(asked)).name == name)
  }

  @Test func `each listed metric can be made by its name`() throws {
    for name in MetricRegistry.all.names where name != "regex" { #expect(try metric(.string(name)).name == name) }
    #expect(try metric(["name": "regex", "pattern": "x"]).name == "regex")
  }

  @Test func `names and aliases do not collide`() {
    let all = MetricRegistry.all.types.flatMap { type in ([type.name] + type.otherNames).map { $0.filter { $0 != "_" } }
    }
    #expect(Set(all).count == all.count)
  }

  @Test func `client and judge are left to others with their options`() throws {
    let list = ProblemList()
    guard
      case .client(let mine) = MetricRegistry.make(
        ["client": "mine", "threshold": 1], path: "metric", problems: list)
    else { throw HoneError(.notFound, "no client") }
    #expect(mine == ["client": "mine", "threshold": 1])
    guard
      case .judge(let judge) = MetricRegistry.make(
        ["judge": ["signature": "q, a -> score"]], path: "metric", problems: list)
    else { throw HoneError(.notFound, "no judge") }
    #expect(judge == ["judge": ["signature": "q, a -> score"]])
    #expect(list.isEmpty)
  }

  @Test func `what is wrong is told with what is allowed`() {
    let names = "exact_match, numeric_match, gsm8k_metric, f1, hotpot_f1, contains, regex, json_match, passage_match"
    #expect(
      problems("exact_mach") == [
        "metric: There is no metric \"exact_mach\"; there are \(names). Did you mean \"exact_match\"?"
      ])
    #expect(problems(["name": "zzzzzz"]) == ["metric.name: There is no metric \"zzzzzz\"; there are \(names)."])
    #expect(problems([:]) == ["metric: A metric needs exactly one of \"name\", \"client\" and \"judge\"."])
    #expect(problems(["name": "f1", "client": "x"]).count == 1)
    #expect(
      problems(3) == [
        "metric: Expected a metric (a name, or an object with name, client or judge), got a number."
      ])
    #expect(problems("regex") == ["metric.pattern: This member is required (a string)."])
    #expect(
      problems(["name": "regex", "pattern": "(a", "group": 1]) == [
        "metric.pattern: This is not a valid regular expression: A ( has no ) at character 1."
      ])
    #expect(
      problems(["name": "regex", "pattern": "(a)", "group": 2]) == [
        "metric.group: The pattern has 1 groups; there is no group 2."
      ])
    #expect(problems(["name": "contains", "text": ""]) == ["metric.text: The text to look for must not be empty."])
    #expect(problems(["name": "exact_match", "frac": 2, "feild": "x"]).count == 2)
    #expect(problems(["name": "numeric_match", "extract": "lst"]).first?.hasSuffix("Did you mean \"last\"?") == true)
  }
}

struct ComparedFieldTests {
  @Test func `answer is compared if both have it`() async throws {
    let example: JSONObject = ["question": "q", "answer": "Paris", "reasoning": "r"]
    #expect(try await score("exact_match", example, ["reasoning": "r", "answer": "paris"]).passes)
  }

  @Test func `else the one field that both have, reasoning aside`() async throws {
    #expect(try await score("exact_match", ["label": "yes"], ["reasoning": "r", "label": "Yes."]).passes)
    #expect(
      try await score("exact_match", ["label": "yes", "reasoning": "a"], ["reasoning": "b", "label": "yes"]).passes)
  }

  @Test func `fields may be named apart`() async throws {
    let value: JSONValue = ["name": "exact_match", "field": "out", "expectedField": "gold"]
    #expect(try await score(value, ["gold": "x"], ["out": "x", "answer": "y"]).passes)
    let other: JSONValue = ["name": "exact_match", "expected_field": "gold"]
    #expect(try await score(other, ["gold": "x"], ["reasoning": "r", "out": "x"]).passes)
  }

  @Test func `an open choice and a missing field are errors that name the fields`() async throws {
    let open = try await failure("exact_match", ["a": "1", "b": "2"], ["a": "1", "b": "2"])
    #expect(open.kind == .metricFailed)
    #expect(open.message.contains("a, b are all there"))
    let none = try await failure("exact_match", ["gold": "1"], ["out": "1"])
    #expect(none.message.contains("the outputs are out, the example has gold"))
    let label = try await failure(["name": "f1", "field": "out"], ["gold": "1"], ["out": "1"])
    #expect(label.message.contains("\"out\", which is missing; the example has gold"))
    let output = try await failure(["name": "f1", "field": "x"], ["x": "1"], ["out": "1"])
    #expect(output.message.contains("the output \"x\", which is missing; the outputs are out"))
  }
}

struct BuiltInMetricTests {
  @Test func `an exact match forgives case, articles and punctuation that says nothing, and takes any of a list`()
    async throws
  {
    let right = try await score("exact_match", ["answer": "The Eiffel Tower"], ["answer": "eiffel tower!"])
    #expect(right.raw == true)
    let wrong = try await score("exact_match", ["answer": "Paris"], ["answer": "Rome"])
    #expect(wrong.raw == false)
    #expect(wrong.feedback == "Expected \"Paris\", got \"Rome\".")
    #expect(try await score("exact_match", ["answer": ["Paris", "Lutetia"]], ["answer": "lutetia"]).passes)
    #expect(try await !score("exact_match", ["answer": ["Paris"]], ["answer": "Pari"]).passes)
    #expect(try await failure("exact_match", ["answer": []], ["answer": "x"]).kind == .metricFailed)
  }

  @Test func `an exact match can be partial or strict`() async throws {
    let half: JSONValue = ["name": "exact_match", "frac": 0.6]
    #expect(try await score(half, ["answer": "c d"], ["answer": "a b c"]).passes == false)
    #expect(try await score(half, ["answer": "c b"], ["answer": "x b c"]).passes)
    #expect(try await score(half, ["answer": ["zzz", "c b"]], ["answer": "x b c"]).passes)
    let strict: JSONValue = ["name": "exact_match", "normalize": false]
    #expect(try await score(strict, ["answer": "Paris"], ["answer": "paris"]).passes == false)
    #expect(try await score(strict, ["answer": "Paris"], ["answer": "Paris"]).passes)
    #expect(problems(["name": "em", "normalize": false, "normalization": "dspy"]).count == 1)
  }

  @Test(arguments: ["exact_match", "accuracy", "answer_exact_match", "em", "f1", "hotpot_f1"])
  func `signs count in every metric on texts unless DSPy's way is asked for`(name: String) async throws {
    #expect(try await score(.string(name), ["answer": "-5"], ["answer": "5"]).passes == false)
    let dspy: JSONValue = ["name": .string(name), "normalization": "dspy"]
    #expect(try await score(dspy, ["answer": "-5"], ["answer": "5"]).passes)
  }

  @Test func `passages and groups know signs, too`() async throws {
    let passages: JSONValue = ["It was 5 degrees.", "Blood type A is common."]
    #expect(try await score("passage_match", ["answer": "-5"], ["context": passages]).passes == false)
    #expect(try await score("passage_match", ["answer": "5"], ["context": passages]).passes)
    #expect(try await score("passage_match", ["answer": "type A"], ["context": passages]).passes)
    #expect(try await score("passage_match", ["answer": "東京"], ["context": "首都は東京です。"]).passes)
    let dspy: JSONValue = ["name": "passage_match", "normalization": "dspy"]
    #expect(try await score(dspy, ["answer": "-5"], ["context": passages]).passes)
    let group: JSONValue = ["name": "regex", "pattern": "is (\\S+)", "group": 1]
    #expect(try await score(group, ["answer": "-5"], ["answer": "it is 5"]).passes == false)
  }

  @Test(
    arguments: [
      ("5", "15", false), ("5", "-5", false), ("5", "3.5", false), ("5", "5.1", false), ("5", "it is 5.", true),
      ("5", "2-5", true), ("-5", "x = −5", true), ("42", "４２", true), ("a  b", "A\nB", true),
      ("1,000", "11,000", false),
      ("can't", "I can’t", true), ("Straße", "STRASSE", true),
    ] as [(String, String, Bool)])
  func `contains finds numbers as a whole`(text: String, output: String, isRight: Bool) async throws {
    #expect(try await score("contains", ["answer": .string(text)], ["answer": .string(output)]).passes == isRight)
  }

  @Test func `values that are no texts are compared by value`() async throws {
    #expect(try await score("exact_match", ["answer": .number("0.50")], ["answer": 0.5]).passes)
    #expect(try await score("exact_match", ["answer": [1, "A b."]], ["answer": [1.0, "a b"]]).passes)
    #expect(
      try await score("exact_match", ["answer": ["x": 1, "y": "-5"]], ["answer": ["y": "5", "x": 1]]).passes == false)
    #expect(try await score("exact_match", ["answer": ["x": 1, "y": "b"]], ["answer": ["y": "B", "x": 1]]).passes)
  }

  @Test func `values that are no strings are compared by their text`() async throws {
    #expect(try await score("exact_match", ["answer": 3], ["answer": "3"]).passes)
    #expect(try await score("exact_match", ["answer": "True"], ["answer": true]).passes)
    #expect(try await score("exact_match", ["answer": ["a", "b"]], ["answer": ["a", "b"]]).passes)
    #expect(try await score("exact_match", ["answer": ["a", "b"]], ["answer": ["a"]]).passes == false)
  }

  @Test func `F1 is the best over the expected answers`() async throws {
    let result = try await score("f1", ["answer": ["zzz", "Paris"]], ["answer": "Eiffel Tower is in Paris"])
    #expect(result.value == 0.33333333333333337)
    #expect(result.feedback?.contains("0.333") == true)
    #expect(try await score("hotpot_f1", ["answer": "yes"], ["answer": "yes it is"]).value == 0)
  }

  @Test(
    arguments: [
      ("72", "The answer is 72.", true), ("-3", "3", false), ("-3", "so it is -3", true), ("0", "no number", false),
      ("1234.5", "$1,234.50", true), ("3.99", "3", false), ("5", "first 7\nthen 5", true), ("0.5", "1/2", true),
      ("12345678901234567890", "12345678901234567891", false), ("18", "18.0", true),
    ] as [(String, String, Bool)])
  func `numbers are compared with sign and decimals`(gold: String, answer: String, isRight: Bool) async throws {
    let result = try await score("numeric_match", ["answer": .string(gold)], ["answer": .string(answer)])
    #expect(result.passes == isRight)
  }

  @Test func `numbers may differ by a tolerance, and be taken first or whole`() async throws {
    let near: JSONValue = ["name": "numeric_match", "tolerance": 0.1]
    #expect(try await score(near, ["answer": 3.14], ["answer": "3.2"]).passes)
    #expect(try await score(near, ["answer": 3.14], ["answer": "3.3"]).passes == false)
    let relative: JSONValue = ["name": "numeric_match", "relativeTolerance": 0.01]
    #expect(try await score(relative, ["answer": -1000], ["answer": "-1009"]).passes)
    #expect(try await score(relative, ["answer": -1000], ["answer": "1000"]).passes == false)
    let first: JSONValue = ["name": "numeric_match", "extract": "first"]
    #expect(try await score(first, ["answer": 4], ["answer": "4 of 9"]).passes)
    let whole: JSONValue = ["name": "numeric_match", "extract": "whole"]
    #expect(try await score(whole, ["answer": 4], ["answer": "it is 4"]).passes == false)
    #expect(try await score(whole, ["answer": 4], ["answer": " $4.00"]).passes)
    #expect(try await failure("numeric_match", ["answer": "four"], ["answer": "4"]).kind == .metricFailed)
    let wrong = try await score("numeric_match", ["answer": 4], ["answer": "It is 5."])
    #expect(wrong.feedback == "Expected the number 4, got 5.")
  }

  @Test func `the GSM8K metric keeps its known faults`() async throws {
    #expect(try await score("gsm8k_metric", ["answer": "3"], ["answer": "-3"]).passes)
    #expect(try await score("gsm8k_metric", ["answer": "0"], ["answer": "no number"]).passes)
    #expect(try await score("gsm8k_metric", ["answer": "5"], ["answer": "7\n5"]).passes == false)
    #expect(try await score("gsm8k_metric", ["answer": 12], ["answer": 12.0]).passes)
  }

  @Test func `contains looks for one text or all, with or without case`() async throws {
    #expect(try await score("contains", ["answer": "paris"], ["answer": "It is PARIS."]).passes)
    let strict: JSONValue = ["name": "contains", "caseSensitive": true]
    #expect(try await score(strict, ["answer": "paris"], ["answer": "It is PARIS."]).passes == false)
    let all: JSONValue = ["name": "contains", "text": ["a", "z"], "all": true]
    let missing = try await score(all, [:], ["answer": "abc"])
    #expect(missing.passes == false)
    #expect(missing.feedback == "Expected the output to contain \"z\"; got \"abc\".")
    #expect(try await score(["name": "contains", "text": ["a", "z"]], [:], ["out": "abc"]).passes)
    #expect(try await score("contains", ["answer": "é"], ["answer": "cafe\u{301}"]).passes)
    #expect(try await failure("contains", ["answer": ""], ["answer": "x"]).kind == .metricFailed)
  }

  @Test func `a regular expression asks for a match or compares what a group caught`() async throws {
    #expect(try await score(["name": "regex", "pattern": "^\\d+$"], [:], ["answer": "42"]).passes)
    #expect(try await score(["name": "regex", "pattern": "\\d", "full": true], [:], ["answer": "42"]).passes == false)
    let group: JSONValue = ["name": "regex", "pattern": "answer is (\\w+)", "group": 1, "ignoreCase": true]
    #expect(try await score(group, ["answer": "Paris"], ["answer": "The ANSWER is paris."]).passes)
    let wrong = try await score(group, ["answer": "Paris"], ["answer": "The answer is Rome."])
    #expect(wrong.feedback == "Expected \"Paris\", got \"Rome\".")
    let long = String(repeating: "a", count: RegexMatch.maximumLength + 1)
    let error = try await failure(["name": "regex", "pattern": "a"], [:], ["answer": .string(long)])
    #expect(error.kind == .metricFailed)
  }

  @Test func `JSON is compared without regard to order, as text or value`() async throws {
    let gold: JSONObject = ["answer": ["a": 1, "b": [1, 2.0]]]
    #expect(try await score("json_match", gold, ["answer": "{\"b\": [1.0, 2], \"a\": 1}"]).passes)
    let extra = try await score("json_match", gold, ["answer": ["a": 1, "b": [1, 2], "c": 3]])
    #expect(extra.feedback == "c is not expected; got \"3\". Score of each field: a 1.0, b 1.0.")
    #expect(abs(extra.value - 2.0 / 3) < 1e-12 && !extra.passes && extra.passes(threshold: 0.6))
    let subset: JSONValue = ["name": "json_match", "subset": true]
    #expect(try await score(subset, gold, ["answer": ["a": 1, "b": [1, 2], "c": 3]]).passes)
    let differing = try await score("json_match", gold, ["answer": ["a": 1, "b": [1, 3]]])
    #expect(differing.feedback == "b[1]: expected 2.0, got 3. Score of each field: a 1.0, b 0.0.")
    #expect(differing.value == 0.5)
    #expect(
      try await score(["name": "json_match", "whole": true], gold, ["answer": ["a": 1, "b": [1, 3]]]).value == 0)
    let missing = try await score(subset, gold, ["answer": ["a": 1]])
    #expect(missing.feedback == "b is missing; expected \"[1,2.0]\". Score of each field: a 1.0, b 0.0.")
    #expect(try await score("json_match", gold, ["answer": "{broken"]).passes == false)
    #expect(try await score("json_match", ["answer": "1"], ["answer": 1]).passes == false)
  }

  @Test func `records are compared field by field, those within them with shares of their own`() async throws {
    let gold: JSONObject = [
      "answer": [
        "name": "Ann", "when": ["day": "2024-02-29", "hour": 9], "items": [["id": 1, "n": 2], ["id": 2, "n": 3]],
      ]
    ]
    for (answer, expected) in [
      (
        ["name": "Ann", "when": ["day": "2024-02-29", "hour": 9], "items": [["id": 1, "n": 2], ["id": 2, "n": 3]]], 1
      ),
      (
        ["name": "Bob", "when": ["day": "2024-02-29", "hour": 9], "items": [["id": 1, "n": 2], ["id": 2, "n": 3]]],
        2.0 / 3
      ),
      (
        ["name": "Ann", "when": ["day": "2024-02-29", "hour": 8], "items": [["id": 1, "n": 2], ["id": 2, "n": 3]]],
        2.5 / 3
      ),
      (["name": "Ann", "when": ["day": "2024-02-29", "hour": 9], "items": [["id": 1, "n": 2]]], 2.5 / 3),
      (
        ["name": "Ann", "when": ["day": "2024-02-29", "hour": 9], "items": [["id": 1, "n": 0], ["id": 2, "n": 3]]],
        2.75 / 3
      ),
      (["name": "Ann", "when": nil, "items": "none"], 1.0 / 3), ([:], 0), ("Ann", 0),
    ] as [(JSONValue, Double)] {
      let found = try await score("json_match", gold, ["answer": answer])
      #expect(abs(found.value - expected) < 1e-12, "\(answer.text())")
      #expect(found.passes == (expected == 1))
    }
    #expect(try await score("json_match", ["answer": [1, 2]], ["answer": [1, 3]]).value == 0)
    // What is null is not there.
    #expect(try await score("json_match", ["answer": ["a": 1]], ["answer": ["a": 1, "b": nil]]).value == 1)
    #expect(try await score("json_match", ["answer": ["a": 1, "b": nil]], ["answer": ["a": 1]]).value == 1)
  }

  @Test func `a passage matches by words, not by letters`() async throws {
    let passages: JSONValue = ["Rome is old.", "The Eiffel Tower, in Paris."]
    #expect(try await score("passage_match", ["answer": "eiffel tower"], ["context": passages]).passes)
    #expect(try await score("passage_match", ["answer": ["x", "Paris"]], ["context": passages]).passes)
    #expect(try await score("passage_match", ["answer": "Par"], ["context": passages]).passes == false)
    #expect(try await score("passage_match", ["answer": "the"], ["context": passages]).passes == false)
    #expect(try await score("passage_match", ["answer": "Rome", "context": passages], [:]).passes)
    #expect(try await failure("passage_match", ["answer": "x"], [:]).message.contains("\"context\""))
  }
}

struct MetricScoreTests {
  @Test func `without a threshold anything but 0 passes`() {
    #expect(MetricScore(true).passes)
    #expect(!MetricScore(false).passes)
    #expect(MetricScore(0.01).passes)
    #expect(!MetricScore(0.0).passes)
    #expect(MetricScore(0.5).passes(threshold: 0.5))
    #expect(!MetricScore(0.5).passes(threshold: 0.6))
    #expect(MetricScore(true).passes(threshold: 1))
    #expect(!MetricScore(false).passes(threshold: 0.5))
    #expect(MetricScore(.nan).value == 0)
  }

  @Test func `a reply may be a boolean, a number or both with feedback`() throws {
    #expect(try MetricScore(reply: true, metric: "m") == MetricScore(true))
    #expect(try MetricScore(reply: 2, metric: "m").raw == 2)
    let full = try MetricScore(reply: ["score": 0.25, "feedback": "meh"], metric: "m")
    #expect(full.value == 0.25)
    #expect(full.feedback == "meh")
  }

  @Test(arguments: ["1" as JSONValue, nil, [:], ["score": nil], ["score": 1, "feedback": 2], [1], .number("1e999")])
  func `any other reply is a failed metric`(reply: JSONValue) {
    #expect { try MetricScore(reply: reply, metric: "m") } throws: { ($0 as? HoneError)?.kind == .metricFailed }
  }
}

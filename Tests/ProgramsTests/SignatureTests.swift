import Failures
import JSON
import Programs
import Schema
import Testing

@Suite struct SignatureGrammar {
  @Test(arguments: [
    ("question -> answer", "question -> answer"),
    ("  question,context:list[str]->answer : int ", "question, context: list[str] -> answer: int"),
    ("-> b", " -> b"),
    ("a = 3, b: int = max(1, 2) -> c", "a, b: int -> c"),
    ("a: str = 'x, y' -> c", "a -> c"),
    ("a, -> b,", "a -> b"),
    ("_x1, été -> naïve", "_x1, été -> naïve"),
    ("a: typing.List[int] -> b: typing.Dict[str, float]", "a: list[int] -> b: dict[str, float]"),
    ("a -> b: int | None", "a -> b: Optional[int]"),
    ("a -> b: Union[int, None, str]", "a -> b: Optional[int | str]"),
    ("a -> b: Optional[int] | str", "a -> b: Optional[int | str]"),
    ("a -> b: Union[int | str, float]", "a -> b: int | str | float"),
    ("a -> b: int | int", "a -> b: int"),
    ("a -> b: Optional[Optional[int]]", "a -> b: Optional[int]"),
    ("a -> b: tuple[int, ...]", "a -> b: list[int]"),
    ("a -> b: tuple[int, str]", "a -> b: tuple[int, str]"),
    ("a -> b: list, c: dict, d: set[int]", "a -> b: list[Any], c: dict[str, Any], d: list[int]"),
    ("a -> b: Literal['x', \"it's\", 3, True, None]", "a -> b: Literal['x', 'it\\'s', 3, True, None]"),
    ("a -> b: dict[str, list[tuple[int, Optional[float]]]]", "a -> b: dict[str, list[tuple[int, Optional[float]]]]"),
  ])
  func acceptsWhatDSPyAccepts(text: String, canonical: String) throws {
    let signature = try Signature(text)
    #expect(signature.text == canonical)
    #expect(try Signature(signature.text) == signature)
  }

  @Test(arguments: [
    ("question", "exactly one"),
    ("a -> b -> c", "exactly one"),
    ("a ->", "at least one output"),
    ("a -> a", "\"a\" appears twice"),
    ("a, a -> b", "\"a\" appears twice"),
    ("1a -> b", "a field's name"),
    ("a b -> c", "\",\" between fields"),
    ("a,, b -> c", "a field's name"),
    (", a -> c", "a field's name"),
    ("class -> b", "keyword"),
    ("None -> b", "keyword"),
    ("a -> b: ", "a type"),
    ("a -> b: strr", "Did you mean \"str\"?"),
    ("a -> b: Lst[int]", "Unknown type"),
    ("a -> b: list[int", "\"]\""),
    ("a -> b: list[int, str]", "one type"),
    ("a -> b: dict[str]", "two types"),
    ("a -> b: Literal[x]", "a literal"),
    ("a -> b: Literal['x]", "closing quote"),
    ("a: int = -> b", "default"),
    ("a: int = (1 -> b", "default"),
    ("a² -> b", "\",\" between fields"),
    ("*, a -> b", "a field's name"),
  ])
  func rejectsWithAReason(text: String, reason: String) {
    let error = #expect(throws: HoneError.self) { try Signature(text, path: "program.signature") }
    #expect(error?.kind == .invalidParams)
    #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    #expect(error?.problems.first?.path == "program.signature")
  }

  @Test func limitsLengthAndDepth() {
    #expect(throws: HoneError.self) { try Signature(String(repeating: "a", count: 30_000) + " -> b") }
    let deep = String(repeating: "list[", count: 5_000) + String(repeating: "]", count: 5_000)
    #expect(throws: HoneError.self) { try Signature("a -> b: \(deep)".replacing("[]", with: "[int]")) }
  }

  @Test func namesTheFieldsInTheDefaultInstructions() throws {
    #expect(
      try Signature("question, context -> answer, score: float").instructions
        == "Given the fields `question`, `context`, produce the fields `answer`, `score`.")
    #expect(try Signature("a -> b", instructions: "Translate.").instructions == "Translate.")
  }

  @Test func chainOfThoughtKeepsTheInstructionsOfBeforeTheReasoning() throws {
    let predictor = try #require(try module("question -> answer").predictors.first)
    #expect(predictor.signature.text == "question -> reasoning, answer")
    #expect(predictor.signature.instructions == "Given the fields `question`, produce the fields `answer`.")
  }
}

@Suite struct SignatureObjects {
  private func read(_ json: JSONValue) -> (Signature?, [Problem]) {
    let problems = ProblemList()
    let signature = Signature.read(json, instructions: nil, path: "signature", problems: problems)
    return (signature, problems.problems)
  }

  @Test func carryDescriptionsTypesAndLabels() throws {
    let (read, problems) = read([
      "inputs": ["question", ["name": "k", "type": "int", "desc": "how many"]],
      "outputs": ["score: float", ["name": "answer", "description": "the answer", "prefix": "A:"]],
      "instructions": "Answer.",
    ])
    #expect(problems.isEmpty)
    let signature = try #require(read)
    #expect(signature.text == "question, k: int -> score: float, answer")
    #expect(signature.inputs[1].description == "how many")
    #expect(signature.outputs[1].prefix == "A:")
    #expect(signature.outputs[0].prefix == "Score:")
    #expect(signature.instructions == "Answer.")
    #expect(self.read(signature.json).0 == signature)
  }

  @Test func reportEveryProblemAtOnce() {
    let (signature, problems) = read([
      "inputs": [["name": "a", "type": "intt"], ["type": "int"], 7],
      "outputs": ["b", "class"], "instruction": "x",
    ])
    #expect(signature == nil)
    #expect(
      problems.map(\.path)
        == [
          "signature.inputs[0].type", "signature.inputs[1].name", "signature.inputs[2]", "signature.outputs[1]",
          "signature.instruction",
        ])
    #expect(problems.last?.suggestion == "instructions")
  }

  @Test func needAnOutputAndNamesThatStandOnce() {
    #expect(read(["inputs": ["a"], "outputs": []]).1.map(\.path) == ["signature.outputs"])
    #expect(read(["inputs": ["a"], "outputs": ["a"]]).1.first?.message.contains("twice") == true)
  }
}

@Suite struct FieldLabels {
  @Test(arguments: [
    ("question", "Question"), ("snake_case_text", "Snake Case Text"), ("camelCaseText", "Camel Case Text"),
    ("text2number", "Text 2 Number"), ("HTMLParser", "HTML Parser"), ("a1b2", "A 1 B 2"), ("URLs", "UR Ls"),
    ("foo_Bar", "Foo  Bar"), ("__a", "  A"), ("x_", "X "), ("iPhone12Pro", "I Phone 12 Pro"),
    ("aBCd_E", "A B Cd E"), ("été2x", "Été2 X"), ("1a", "1 A"), ("", ""),
  ])
  func areInferredAsDSPyInfersThem(name: String, label: String) {
    #expect(Field.inferPrefix(name) == label)
    #expect(Field(name).prefix == label + ":")
  }

  @Test(.enabled(if: Fixtures.exist)) func agreeWithTheReferenceCases() throws {
    let cases = try #require(try Fixtures.read("metric_cases.json")["infer_prefix"]?.objectValue)
    #expect(!cases.isEmpty)
    for (name, label) in cases { #expect(Field.inferPrefix(name) == label.stringValue, "\(name)") }
  }
}

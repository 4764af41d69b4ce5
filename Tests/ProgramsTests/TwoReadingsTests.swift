import JSON
import Programs
import Testing

/// Texts that could be read in two ways, or only by leaving something out.
@Suite struct TextsOfTwoReadings {
  /// Never a part of what was written, and never the inside of something broken.
  @Test(arguments: [
    ("dict[str, Any]", "{\"a\": {\"b\": 1}, \"c\": x \"y\" z}"),
    ("dict[str, Any]", "{\"a\": 1 2}"),
    ("dict[str, Any]", "{\"a\": true false}"),
    ("dict[str, Any]", "{\"a\": \"b\" c}"),
    ("dict[str, Any]", "{\"a\":\"b\",\"c\"}"),
    ("dict[str, Any]", "{\"a\", \"b\": 1}"),
    ("dict[str, Any]", "{\"a\": NaN}"),
    ("dict[str, Any]", "{\"a\": -Infinity}"),
    ("dict[str, Any]", "{\"a\": \"x\" + \"y\"}"),
    ("dict[str, Any]", "{\"a\": \"first, b: 1}"),
    ("dict[str, Any]", "{\"a\": 1, TWO WORDS \"b\": 2}"),
    ("dict[str, Any]", "{\"a\": 1, \"b\": \"x\" WORD }"),
    ("dict[str, Any]", "{\"a\": [1], [2], \"b\": 3}"),
    ("dict[str, Any]", "{...}"),
    ("dict[str, Any]", "{\"a"),
    ("dict[str, Any]", "\"a\":"),
    ("dict[str, Any]", "\""),
    ("dict[str, Any]", "{\"a\\\": 1}"),
    ("dict[str, Any]", "{\"a\": 1}, {\"b\": 2}"),
    ("dict[str, Any]", "{\"a\": 1}{\"b\": 2}"),
    ("dict[str, Any]", "{\"a\": 1} or {\"b\": 2}"),
    ("dict[str, Any]", "[{\"a\": 1}]"),
    ("dict[str, Any]", "\"a\": {\"b\""),
    ("dict[str, Any]", "x\": {\"b\": 1}"),
    ("dict[str, Any]", "{\"a\": [\"N\", \"f\": \"a\"}, null]}"),
    ("dict[str, Any]", "```json\n{\"a\": 1}\n```\n```json\n{\"b\": 2}\n```"),
  ])
  func areNoObjects(typeText: String, text: String) throws {
    guard case .success(let value) = try type(typeText).parse(text) else { return }
    Issue.record("\(typeText) took \(text.debugDescription) for \(value.text())")
  }

  /// Nor the first of two, nor a mark in a sentence.
  @Test(arguments: [
    ("list[str]", "a, b"),
    ("list[str]", "a"),
    ("list[str]", "[\"a\" b \"c\"]"),
    ("list[str]", "[a\nb]"),
    ("list[str]", "text with [placeholder]"),
    ("list[str]", "Finish[blue]"),
    ("list[str]", "1. a\n3. b"),
    ("list[str]", "2. a"),
    ("list[str]", "a pattern \\['a'\\]"),
    ("list[str]", "[\"a\" b\", \"c\"]"),
    ("list[str]", "f(tools=[shout])"),
    ("list[str]", "- a\n  - b"),
    ("list[str]", "{\"items\": [\"a\"]}"),
    ("list[str]", "[\"a\"], [\"b\"]"),
    ("list[int]", "1,234"),
    ("list[int]", "[1, two]"),
    ("list[int]", "(1)"),
    ("list[int]", "[1] or [2]"),
    ("list[int]", "[1][2]"),
    ("list[int]", "1 2 3"),
    ("list[int]", "[true, false]"),
    ("list[int]", "5"),
  ])
  func areNoLists(typeText: String, text: String) throws {
    guard case .success(let value) = try type(typeText).parse(text) else { return }
    Issue.record("\(typeText) took \(text.debugDescription) for \(value.text())")
  }

  /// Ranges, ratios, dates, names, negated and scaled numbers.
  @Test(arguments: [
    ("int", "3 or 4"),
    ("int", "4 2"),
    ("int", "8/10"),
    ("int", "8 out of 10"),
    ("int", "The answer is 42 or 43"),
    ("int", "not 42"),
    ("int", "less than 5"),
    ("int", "5k"),
    ("int", "1.5 million"),
    ("int", "1st"),
    ("int", "12:30"),
    ("int", "2024-01-01"),
    ("int", "v1.2"),
    ("int", "0xZZ"),
    ("int", "Example 1"),
    ("int", "Version 2 Update"),
    ("int", "123 Main St"),
    ("int", "friends[0]"),
    ("int", "f(x, 5)"),
    ("int", "fixed in #7"),
    ("int", "less than: 5"),
    ("int", "greater than or equal to 5"),
    ("int", "{\"name\": \"John\", \"age\": 30}"),
    ("int", "3.5 apples"),
    ("int", "forty-two"),
    ("int", "- 42"),
    ("int", "1. 42"),
    ("int", "1,00"),
    ("int", "5-6"),
    ("int", "42\n43"),
    ("float", "50%"),
    ("float", "1/2"),
    ("float", "3,14"),
    ("float", "NaN"),
    ("float", "3.5 out of 5"),
    ("float", "score 0.8/1.0"),
  ])
  func areNoNumbers(typeText: String, text: String) throws {
    guard case .success(let value) = try type(typeText).parse(text) else { return }
    Issue.record("\(typeText) took \(text.debugDescription) for \(value.text())")
  }

  /// Both, neither, or the contrary of one.
  @Test(arguments: [
    ("bool", "not true"),
    ("bool", "it isn't false"),
    ("bool", "true or false"),
    ("bool", "yes and no"),
    ("bool", "there is no reason"),
    ("bool", "nope"),
    ("bool", "2"),
    ("bool", "Is it true?"),
    ("bool", "f(x, strict=True)"),
    ("bool", "with download=True"),
    ("bool", "it never was, so no\n    response comes"),
    ("bool", "{\"a\": \"x\", \"b\": true}"),
  ])
  func areNoFlags(typeText: String, text: String) throws {
    guard case .success(let value) = try type(typeText).parse(text) else { return }
    Issue.record("\(typeText) took \(text.debugDescription) for \(value.text())")
  }

  /// Two labels, a negated one, a word that merely looks like one.
  @Test(arguments: [
    ("Literal['positive', 'negative', 'neutral']", "not positive"),
    ("Literal['positive', 'negative', 'neutral']", "isn't positive"),
    ("Literal['positive', 'negative', 'neutral']", "It isn't 'positive'"),
    ("Literal['positive', 'negative', 'neutral']", "The answer is not: **positive**"),
    ("Literal['positive', 'negative', 'neutral']", "It's not really positive"),
    ("Literal['positive', 'negative', 'neutral']", "non-positive"),
    ("Literal['positive', 'negative', 'neutral']", "positive or negative"),
    ("Literal['positive', 'negative', 'neutral']", "negative, not positive"),
    ("Literal['positive', 'negative', 'neutral']", "positive -> negative"),
    ("Literal['positive', 'negative', 'neutral']", "neither"),
    ("Literal['positive', 'negative', 'neutral']", "positively"),
    ("Literal['positive', 'negative', 'neutral']", "The answer is not positive"),
    ("Literal['positive', 'negative', 'neutral']", "Is it positive?"),
    ("Literal['card', 'card_arrival', 'lost_card', 'activate_my_card']", "cardarrival"),
    ("Literal['card', 'card_arrival', 'lost_card', 'activate_my_card']", "card_arrival or card"),
    ("Literal['card', 'card_arrival', 'lost_card', 'activate_my_card']", "credit"),
    ("Literal['A', 'B', 'C']", "A dog"),
    ("Literal['A', 'B', 'C']", "A or B"),
    ("Literal['A', 'B', 'C']", "C++"),
    ("Literal['C#', 'Java']", "In C you would write it by hand."),
    ("Literal['>50K', '<=50K']", "It is about 50K."),
    ("Literal['A', 'B', 'C']", "B, A"),
    ("Literal[1, 2, 3]", "-1"),
    ("Literal[1, 2, 3]", "1.5"),
    ("Literal[1, 2, 3]", "3/5"),
    ("Literal[1, 2, 3]", "4"),
  ])
  func areNoLabels(typeText: String, text: String) throws {
    guard case .success(let value) = try type(typeText).parse(text) else { return }
    Issue.record("\(typeText) took \(text.debugDescription) for \(value.text())")
  }
}

@Suite struct Readings {
  /// What was asked for needs no repair, nor does what a model puts around it.
  @Test(arguments: [
    ("str", "any \"text\""), ("Any", "text"), ("Any", "{\"a\": 1}"), ("int", " 42\n"), ("int", "42.0"),
    ("int", "**42**"),
    ("int", "```\n42\n```"), ("float", "3"), ("bool", "yes"), ("bool", "`True`"), ("list[int]", "[1, \"2\"]"),
    ("list[int]", "```json\n[1]\n```"), ("dict[str, int]", "\n{\"a\": 1}\n"), ("Literal['a b']", "'a b'"),
    ("Literal['a b']", "```\na b\n```"), ("Literal[1]", "1"), ("Optional[int]", "None"), ("int | float", "1.5"),
  ])
  func areAsAskedFor(typeText: String, text: String) throws {
    #expect(try type(typeText).read(text).get().isRepaired == false)
  }

  @Test(arguments: [
    ("Any", "{'a': 1}"), ("int", "42 apples"), ("int", "$42"), ("int", "1,000"), ("int", "\u{2212}5"), ("bool", "Yes."),
    ("list[int]", "[1, 2"), ("list[int]", "1, 2"), ("list[str]", "- a\n- b"), ("list[int]", "It is [1]."),
    ("dict[str, int]", "{a: 1}"), ("Literal['a b']", "A_B"), ("Literal['a b']", "Literal['a b']"),
    ("Literal['a b']", "Label: a b"), ("Literal[1]", "1."), ("Optional[int]", "about 3"), ("int | float", "about 1.5"),
  ])
  func areRepairedOtherwise(typeText: String, text: String) throws {
    let reading = try type(typeText).read(text).get()
    #expect(reading.isRepaired)
    #expect(try type(typeText).parse(text).get() == reading.value)
  }

  /// The members of a union are asked for a value as asked for first.
  @Test func preferTheMemberThatNeedsNoRepair() throws {
    #expect(try type("int | list[int]").read("[5]").get() == FieldReading([5]))
    #expect(try type("int | bool").read("yes").get() == FieldReading(true))
  }
}

@Suite struct LabelsInOtherWords {
  private let type = FieldType.literal(["exchange_rate", "close_account", "lost_card", "refund", "identity"])

  @Test(
    arguments: [
      ("The exchange rates at this bank are based on the market.", "exchange_rate"),
      ("You can close an account by tapping the icon.", "close_account"),
      ("Closing accounts takes a day.", "close_account"),
      ("It is about refunds.", "refund"), ("The card was lost on a train.", "lost_card"),
    ] as [(String, JSONValue)])
  func areRead(text: String, label: JSONValue) throws {
    let reading = try type.read(text).get()
    #expect(reading.value == label)
    #expect(reading.isRepaired)
  }

  @Test(arguments: [
    "Do you want exchange rates?", "There are no exchange rates here.", "Refunds and exchange rates are on the page.",
    "Your accounts are safe.", "The rate is fine.", "",
  ])
  func areRefusedWhereTheySayNoneOrTwo(text: String) {
    #expect(throws: TypeMismatch.self) { try type.read(text).get() }
  }
}

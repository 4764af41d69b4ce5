import JSON
import Programs
import Testing

/// A text that is read otherwise here than in DSPy 3.4.1, and why. Values are written as JSON; none is a refusal.
struct Departure: CustomTestStringConvertible {
  var type: String
  var text: String
  var value: String?
  var dspys: String?
  var reason: String

  init(_ type: String, _ text: String, _ value: String?, dspy: String?, _ reason: String) {
    self.type = type
    self.text = text
    self.value = value
    dspys = dspy
    self.reason = reason
  }

  var testDescription: String { "\(type) \(text.debugDescription): \(reason)" }
}

/// The kinds of texts on which the readers and DSPy's differ, with an example each.
@Suite struct DeparturesFromDSPy {
  /// What DSPy refuses, and asks for again, though it says one thing.
  @Test(arguments: [
    Departure("int", "$1,234", "1234", dspy: nil, "A number may have a currency and separators."),
    Departure("int", "\u{2212}5", "-5", dspy: nil, "The minus sign of print is a minus sign."),
    Departure("int", "**42**", "42", dspy: nil, "Marks and quotes around a value count for nothing."),
    Departure("int", "```\n42\n```", "42", dspy: nil, "Nor does a fence."),
    Departure("int", "The answer is 42.", "42", dspy: nil, "The one number of a sentence is its value."),
    Departure("int", "45 years old", "45", dspy: nil, "A unit leaves the number what it is."),
    Departure("int", #"{"answer": 42}"#, "42", dspy: nil, "An object of one value stands for it."),
    Departure("bool", "Yes.", "true", dspy: nil, "A sentence's full stop is not the flag's."),
    Departure("bool", "The answer is: no", "false", dspy: nil, "A flag may stand in a sentence."),
    Departure("Literal['lost', 'late']", "Lost.", #""lost""#, dspy: nil, "A label may be in other letters."),
    Departure("Literal['lost', 'late']", "Label: lost", #""lost""#, dspy: nil, "A label may be named in a sentence."),
    Departure("list[str]", "- a\n- b", #"["a","b"]"#, dspy: nil, "A bullet list is a list."),
    Departure("list[str]", "[1, 2]", #"["1","2"]"#, dspy: nil, "A number is its digits where a text is wanted."),
    Departure("dict[str, str]", #"{"a": 1}"#, #"{"a":"1"}"#, dspy: nil, "The same in an object."),
    Departure("dict[str, Any]", #""a": 1, "b": 2"#, #"{"a":1,"b":2}"#, dspy: nil, "Only the braces are missing."),
    Departure("dict[str, Any]", #""{\"a\": 1}""#, #"{"a":1}"#, dspy: nil, "An object that was quoted once too often."),
    Departure("list[Any]", #"- {"a": 1}"#, #"[{"a":1}]"#, dspy: nil, "A bullet list of one object."),
    Departure("dict[str, int]", #"{"a": 1,234}"#, #"{"a":1234}"#, dspy: nil, "One number with a separator."),
    Departure("Optional[int]", "", "null", dspy: nil, "Nothing is none where none is allowed."),
    Departure("int | str", "[42]", #""[42]""#, dspy: nil, "What is no number is the text it is."),
    Departure("Any", "...", #""...""#, dspy: nil, "Any text is a value where any will do."),
  ])
  func areWanted(departure: Departure) throws { try check(departure) }

  /// What DSPy reads by leaving out or guessing a part; asking again is better.
  @Test(arguments: [
    Departure("float", "NaN", nil, dspy: "NaN", "No JSON value, so no one could be told of it."),
    Departure("float", "1e999", nil, dspy: "Infinity", "No JSON value."),
    Departure("dict[str, Any]", #"{"a": NaN}"#, nil, dspy: #"{"a":NaN}"#, "No JSON value."),
    Departure("int", "True", nil, dspy: "1", "A flag is no number."),
    Departure("list[int]", "[true, false]", nil, dspy: "[1,0]", "A flag is no number."),
    Departure("bool", "(1)", nil, dspy: "true", "A number in brackets is no flag."),
    Departure("int", "99999999999999999999", nil, dspy: "99999999999999999999", "Whole numbers have 64 bits."),
    Departure("int", "- 42", nil, dspy: "-42", "The dash may be a bullet or a minus sign."),
    Departure("list[str]", "text with [placeholder]", nil, dspy: #"["placeholder"]"#, "A mark in a sentence."),
    Departure("list[str]", "[Error] invalid syntax", nil, dspy: #"["Error"]"#, "A mark before a sentence."),
    Departure("list[str]", "Literal[option1]", nil, dspy: #"["option1"]"#, "A type, or an index, in code."),
    Departure("list[str]", "f(tools=[shout])", nil, dspy: #"["shout"]"#, "An argument in code."),
    Departure("list[Any]", "[1] or [2]", nil, dspy: "[2]", "Two lists, of which DSPy takes the last."),
    Departure("list[Any]", "[1, 2] and [3]", nil, dspy: "[[1,2],[3]]", "Whether one list or two is meant is unsaid."),
    Departure("list[str]", "items: [", nil, dspy: "[]", "Cut off before anything was written."),
    Departure("dict[str, Any]", #"response": {"#, nil, dspy: "{}", "Cut off before anything was written."),
    Departure("dict[str, Any]", "{:}", nil, dspy: "{}", "What was meant here is lost."),
    Departure("dict[str, Any]", #", "a": {"b": 1}"#, nil, dspy: #"{"b":1}"#, "A piece of a larger object."),
    Departure("dict[str, Any]", #"{"a": 1}{"a": 2}"#, nil, dspy: #"{"a":2}"#, "Two objects; DSPy takes the last."),
    Departure("dict[str, Any]", #"{"a": "b" c}"#, nil, dspy: #"{"a":"b"}"#, "c would be left out."),
    Departure("dict[str, Any]", #"{"a": "x" "y"}"#, nil, dspy: #"{"a":"x"}"#, "y would be left out."),
    Departure("dict[str, Any]", #"{"a": 1 2}"#, nil, dspy: #"{"a":1}"#, "2 would be left out."),
    Departure("dict[str, Any]", #"{"a":"b","c"}"#, nil, dspy: #"{"a":"b"}"#, "c would be left out."),
    Departure("dict[str, Any]", #"{"a": "x, b: 1}"#, nil, dspy: #"{"a":"x","b":1}"#, "b is a key, or in the text."),
    Departure("dict[str, Any]", #"{"a": [1], [2]}"#, nil, dspy: #"{"a":[1,2]}"#, "One list of two, or two lists."),
    Departure("list[str]", #"["a" b", "c"]"#, nil, dspy: #"["a","b","c"]"#, "One text, or two."),
    Departure("list[str]", "[\"a\" b \"c\"]", nil, dspy: #"["a\" b \"c"]"#, "One text, or three."),
    Departure("list[str]", "[a\nb]", nil, dspy: #"["a\nb"]"#, "One text, or two."),
    Departure("dict[str, Any]", #"{"a": "x" + "y"}"#, nil, dspy: #"{"a":"x\" + \"y"}"#, "An expression is no value."),
    Departure("dict[str, Any]", "{(1, 2): 3}", nil, dspy: #"{"2)":3}"#, "A tuple is no key."),
  ])
  func areRefusals(departure: Departure) throws { try check(departure) }

  /// What is read otherwise, nearer to what was written.
  @Test(arguments: [
    Departure("Any", "{question}", #""{question}""#, dspy: #"["question}"]"#, "A template's place for a value."),
    Departure("Any", "see [1, 2]", #""see [1, 2]""#, dspy: "[1,2]", "Words that are no announcement are kept."),
    Departure("Any", #"f({"a": 1})"#, #""f({\"a\": 1})""#, dspy: #"{"a":1}"#, "Code is a text."),
    Departure("Any", #"{"a": 1 2}"#, #""{\"a\": 1 2}""#, dspy: #"{"a":1}"#, "What has two readings stays text."),
    Departure("Any", "1,234", #""1,234""#, dspy: "[1,234]", "It may be one number."),
    Departure("Any", "```\n42\n```", "42", dspy: #""```\n42\n```""#, "A fence counts for nothing."),
    Departure("Any", "\u{2212}5", "-5", dspy: "\"\u{2212}5\"", "The minus sign of print is a minus sign."),
    Departure("Any", "'[1, 2]'", #""[1, 2]""#, dspy: "[1,2]", "What is quoted is a text, as with other quotes."),
    Departure("int | str", "true", #""true""#, dspy: "1", "A flag is no number."),
    Departure("list[Any]", "[1][2]", "[[1],[2]]", dspy: "[2]", "Neither is left out."),
    Departure("list[int]", "[\u{2212}5, 3]", "[-5,3]", dspy: "[5,3]", "The sign would be lost."),
    Departure("dict[str, Any]", #"{"a": $5}"#, #"{"a":"$5"}"#, dspy: #"{"a":5}"#, "The currency would be lost."),
    Departure("dict[str, Any]", #"{"a": 50%}"#, #"{"a":"50%"}"#, dspy: #"{"a":50}"#, "50 % may be 0.5 as well."),
    Departure("dict[str, Any]", #"{"a": 12:30}"#, #"{"a":"12:30"}"#, dspy: #"{"a":12}"#, "The minutes would be lost."),
    Departure("dict[str, Any]", #"{"a": 1 + 1}"#, #"{"a":"1 + 1"}"#, dspy: #"{"a":1}"#, "A part would be lost."),
    Departure("dict[str, Any]", "{a b: 1}", #"{"a b":1}"#, dspy: #"{"b":1}"#, "A word of the key would be lost."),
    Departure("dict[str, Any]", #"{"a" 1}"#, #"{"a":1}"#, dspy: #"{"a":""}"#, "The value would be lost."),
    Departure("dict[str, Any]", #"{"a":1,,"b":2}"#, #"{"a":1,"b":2}"#, dspy: #"{"a":"1,","b":2}"#, "A comma too many."),
    Departure("dict[str, Any]", "{'a': 'it's'}", #"{"a":"it's"}"#, dspy: #"{"a":"it's'"}"#, "That quote closes it."),
    Departure("list[str]", "['it's', 'b']", #"["it's","b"]"#, dspy: #"["it","s'","b"]"#, "An apostrophe ends no text."),
    Departure("list[str]", "[`a`, `b`]", #"["a","b"]"#, dspy: #"["a`","b`"]"#, "Backticks come in pairs."),
    Departure("dict[str, Any]", #"{"a": <b>}"#, #"{"a":"<b>"}"#, dspy: #"{"a":"b>"}"#, "A sign would be lost."),
    Departure(
      "dict[str, Any]", #"{"a": "x\n", b: 1}"#, #"{"a":"x\n","b":1}"#, dspy: #"{"a":"x","b":1}"#,
      "A line's end that was written as one is of the text."),
    Departure(
      "dict[str, Any]", #"{"a": "```json {"b": 1}```"}"#, ##"{"a":"```json {\"b\": 1}```"}"##,
      dspy: #"{"a":{"b":1}}"#, "What stands in quotes is a text."),
    Departure(
      "dict[str, Any]", #"{"a": {"b": 1 // note }, "c": 2}"#, #"{"a":{"b":1},"c":2}"#, dspy: #"{"a":{"b":1}}"#,
      "A comment would swallow a member."),
    Departure(
      "dict[str, Any]", #"{"a": x. "b": y, z. "c": 1}"#, #"{"a":"x.","b":"y, z.","c":1}"#,
      dspy: #"{"a":"x.","b":"y","c":1}"#, "A part of the text would be lost."),
  ])
  func areNearerToTheText(departure: Departure) throws { try check(departure) }

  private func check(_ departure: Departure) throws {
    let value = try? type(departure.type).parse(departure.text).get().text()
    #expect(value == departure.value, "\(departure.reason)")
    #expect(departure.value != departure.dspys, "\(departure.text) is no departure")
  }
}

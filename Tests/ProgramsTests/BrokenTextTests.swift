import JSON
import Programs
import Testing

/// Texts as models write them, each with what it stands for. Most were met in the tests of DSPy and of the
/// library that repairs JSON for it, and are read the same there.
@Suite struct ValuesFromBrokenText {
  /// Members without quotes, commas, colons or values, brackets of the wrong kind, words around it.
  @Test(arguments: [
    ("dict[str, Any]", "{\"a\": {\"b\": 1}, \"c\": New York}", #"{"a":{"b":1},"c":"New York"}"#),
    ("dict[str, Any]", "{\"name\": John Smith, \"age\": 30}", #"{"name":"John Smith","age":30}"#),
    ("dict[str, Any]", "{name: John Smith, age: 30}", #"{"name":"John Smith","age":30}"#),
    ("dict[str, Any]", "{\"a\": b, \"c\": [d, e f], \"g\": {h: i}}", #"{"a":"b","c":["d","e f"],"g":{"h":"i"}}"#),
    ("dict[str, Any]", "{\"a\": New York, NY, \"b\": 1}", #"{"a":"New York, NY","b":1}"#),
    ("dict[str, Any]", "{\"a\": TRUE, \"b\": FALSE, \"c\": Null}", #"{"a":true,"b":false,"c":null}"#),
    ("dict[str, Any]", "{\"a\": 1, ...}", #"{"a":1}"#),
    ("dict[str, Any]", "{\"a\": ...}", #"{"a":"..."}"#),
    ("dict[str, Any]", "{\\\"a\\\": \\\"b\\\"}", #"{"a":"b"}"#),
    ("dict[str, Any]", "{\"a\": , \"b\": 1}", #"{"a":"","b":1}"#),
    ("dict[str, Any]", "{\"a\": 1, \"b\": }", #"{"a":1,"b":""}"#),
    ("dict[str, Any]", "{\"a\": [1, 2}", #"{"a":[1,2]}"#),
    ("dict[str, Any]", "{\"a\": 1]", #"{"a":1}"#),
    ("dict[str, Any]", "{\"a\": [1, 2, \"b\": 3}", #"{"a":[1,2],"b":3}"#),
    ("dict[str, Any]", "{\"k\": [\"v1\", \"v2\"}, \"l\": [\"v3\"]}", #"{"k":["v1","v2"],"l":["v3"]}"#),
    ("dict[str, Any]", "{\"l\":[{\"k\": \"v\"], \"m\": \"w\"}", #"{"l":[{"k":"v"}],"m":"w"}"#),
    ("dict[str, Any]", "{\"score\": 123_456.789}", #"{"score":123456.789}"#),
    ("dict[str, Any]", "{\"a\": 1_000, \"b\": −5}", #"{"a":1000,"b":-5}"#),
    ("dict[str, Any]", "{\"a\": 1/3, \"b\": 2}", #"{"a":"1/3","b":2}"#),
    ("dict[str, Any]", "{\"a\": 10-20}", #"{"a":"10-20"}"#),
    ("dict[str, Any]", "{\"a\": 2024-01-01}", #"{"a":"2024-01-01"}"#),
    ("dict[str, Any]", "{\"a\": 12:30}", #"{"a":"12:30"}"#),
    ("dict[str, Any]", "{\"a\": 1.1.1}", #"{"a":"1.1.1"}"#),
    ("dict[str, Any]", "{\"a\": 50%}", #"{"a":"50%"}"#),
    ("dict[str, Any]", "{\"a\": http://x.y/z, \"b\": 1}", #"{"a":"http://x.y/z","b":1}"#),
    ("dict[str, Any]", "{\"id\": 57eeeeb1-450b-482c}", #"{"id":"57eeeeb1-450b-482c"}"#),
    ("dict[str, Any]", "{\"a\" = 1}", #"{"a":1}"#),
    ("dict[str, Any]", "{\"a\" => 1}", #"{"a":1}"#),
    ("dict[str, Any]", "{\"a\": 1; \"b\": 2}", #"{"a":1,"b":2}"#),
    ("dict[str, Any]", "{\"a\": \"b\"\n\"c\": \"d\"}", #"{"a":"b","c":"d"}"#),
    ("dict[str, Any]", "{\"a\": b\n\"c\": d}", #"{"a":"b","c":"d"}"#),
    ("dict[str, Any]", "{\"a\": value \"b\": \"x\"}", #"{"a":"value","b":"x"}"#),
    ("dict[str, Any]", "{\"a\": \"x\"\"b\": \"y\"}", #"{"a":"x","b":"y"}"#),
    ("dict[str, Any]", "{\"a\": \"x, \"b\": 1}", #"{"a":"x","b":1}"#),
    ("dict[str, Any]", "{\"a\": \"x}", #"{"a":"x"}"#),
    ("dict[str, Any]", "{\"a\": [\"x]}", #"{"a":["x"]}"#),
    ("dict[str, Any]", "{\"a\": x\"}", #"{"a":"x"}"#),
    ("dict[str, Any]", "{a\": 1}", #"{"a":1}"#),
    ("dict[str, Any]", "{\"a: 1}", #"{"a":1}"#),
    ("dict[str, Any]", "{\"a:\"x\"}", #"{"a":"x"}"#),
    ("dict[str, Any]", "{\"a\" \"x\"}", #"{"a":"x"}"#),
    ("dict[str, Any]", "{“a”: “b”}", #"{"a":"b"}"#),
    ("dict[str, Any]", "{\"a\": \"\"x\"}", #"{"a":"x"}"#),
    ("dict[str, Any]", "{\"a\": \"\"\"two\nlines\"\"\"}", #"{"a":"two\nlines"}"#),
    ("dict[str, Any]", "{\"a\": \"he said \"hi\" there\", \"b\": 1}", #"{"a":"he said \"hi\" there","b":1}"#),
    ("dict[str, Any]", "{\"k\"e\"y\": 1}", #"{"k\"e\"y":1}"#),
    ("dict[str, Any]", "{\"a\": \"[LINK](\"https://x.y\")\" }", #"{"a":"[LINK](\"https://x.y\")"}"#),
    ("dict[str, Any]", "{\"html\": \"<h3 id=\"aaa\">x</h3>\"}", #"{"html":"<h3 id=\"aaa\">x</h3>"}"#),
    (
      "dict[str, Any]", "{\"x\": \"it is {\"b\": \"m\"}, which is not\"}",
      #"{"x":"it is {\"b\": \"m\"}, which is not"}"#
    ),
    ("dict[str, Any]", "{\"a\": \"^\\s*['\"]([^'\"]+)['\"]\\s*,\"}", #"{"a":"^\\s*['\"]([^'\"]+)['\"]\\s*,"}"#),
    ("dict[str, Any]", "{\"a\": \"C:\\dir\"}", #"{"a":"C:\\dir"}"#),
    ("dict[str, Any]", "{'a': '\\x41'}", #"{"a":"A"}"#),
    ("dict[str, Any]", "{\"a\": f(x, y), \"b\": g[0]}", #"{"a":"f(x, y)","b":"g[0]"}"#),
    ("dict[str, Any]", "{\"a\": 1, // c\n\"b\": 2}", #"{"a":1,"b":2}"#),
    ("dict[str, Any]", "{ \"a\": { \"b\": \"v\" // note }, \"c\": \"w\" }", #"{"a":{"b":"v"},"c":"w"}"#),
    ("dict[str, Any]", "{\"a\": 1}, \"b\": 2}", #"{"a":1,"b":2}"#),
    ("dict[str, Any]", "{\"a\": {\"b\": 1}},\"c\": 2}", #"{"a":{"b":1},"c":2}"#),
    ("dict[str, Any]", "{\"a\": 1}}", #"{"a":1}"#),
    ("dict[str, Any]", "{{\"a\": 1}}", #"{"a":1}"#),
    ("dict[str, Any]", "\"a\": 1, \"b\": [2]", #"{"a":1,"b":[2]}"#),
    ("dict[str, Any]", "Here it is:\n```json\n{\"a\": 1}\n```\nDone.", #"{"a":1}"#),
    ("dict[str, Any]", "{\"a\": 1}\n\nThis has one key.", #"{"a":1}"#),
    ("dict[str, Any]", "<json>{\"a\": 1}</json>", #"{"a":1}"#),
    ("dict[str, Any]", "\"{\\\"a\\\": 1}\"", #"{"a":1}"#),
    ("dict[str, Any]", "{\"a\": 1, \"b\": \"cut of", #"{"a":1,"b":"cut of"}"#),
  ])
  func objectsAreReadWhole(typeText: String, text: String, expected: String) throws {
    #expect(try type(typeText).parse(text).get().text() == expected)
  }

  /// Lists without quotes, commas or brackets, in other brackets, with bullets.
  @Test(arguments: [
    ("list[str]", "[a, b]", #"["a","b"]"#),
    ("list[str]", "[New York, Los Angeles]", #"["New York","Los Angeles"]"#),
    ("list[str]", "[\"New York\", Los Angeles]", #"["New York","Los Angeles"]"#),
    ("list[str]", "[\"a\" \"b\"]", #"["a","b"]"#),
    ("list[str]", "['a'\n'b']", #"["a","b"]"#),
    ("list[str]", "[\"a\" \"b\" 1]", #"["a","b","1"]"#),
    ("list[str]", "[\"a\" \"b\" \"c\"", #"["a","b","c"]"#),
    ("list[str]", "{\"a\", \"b\"}", #"["a","b"]"#),
    ("list[str]", "\"a\", \"b\"", #"["a","b"]"#),
    ("list[str]", "[\"a\", \"b", #"["a","b"]"#),
    ("list[str]", "[“a”, “b”]", #"["a","b"]"#),
    ("list[str]", "[`a`, `b`]", #"["a","b"]"#),
    ("list[str]", "['it's', 'b']", #"["it's","b"]"#),
    ("list[str]", "[\"lorem \"ipsum\" sic\"]", #"["lorem \"ipsum\" sic"]"#),
    ("list[str]", "[\"a\"]]", #"["a"]"#),
    ("list[str]", "[1/2]", #"["1/2"]"#),
    ("list[str]", "- a\n- b", #"["a","b"]"#),
    ("list[str]", "* a\n* b", #"["a","b"]"#),
    ("list[str]", "1. a\n2. b", #"["a","b"]"#),
    ("list[str]", "Here are:\n1) First, x\n2) Second", #"["First, x","Second"]"#),
    ("list[str]", "```\n• a\n• b\n```", #"["a","b"]"#),
    ("list[int]", "1, 2, 3", #"[1,2,3]"#),
    ("list[int]", "1,2", #"[1,2]"#),
    ("list[int]", "[1 2 3]", #"[1,2,3]"#),
    ("list[int]", "[1; 2]", #"[1,2]"#),
    ("list[int]", "[1, 2, ...]", #"[1,2]"#),
    ("list[int]", "[1, 2, ..., 5]", #"[1,2,5]"#),
    ("list[int]", "[1, 2)", #"[1,2]"#),
    ("list[int]", "[1, 2}", #"[1,2]"#),
    ("list[int]", "(1, 2)", #"[1,2]"#),
    ("list[int]", "{1, 2}", #"[1,2]"#),
    ("list[int]", "[−5, 3]", #"[-5,3]"#),
    ("list[int]", "[1_000, 2]", #"[1000,2]"#),
    ("list[int]", "The list is [1, 2].", #"[1,2]"#),
    ("list[int]", "\"[1, 2]\"", #"[1,2]"#),
    ("list[int]", "- 1\n- 2", #"[1,2]"#),
    ("list[int]", "[1, 2), 3]", #"[1,2,3]"#),
    ("list[dict[str, Any]]", "{\"a\": 1}\n{\"b\": 2}", #"[{"a":1},{"b":2}]"#),
    ("list[dict[str, Any]]", "[{\"a\": 1]", #"[{"a":1}]"#),
    ("list[dict[str, Any]]", "[{\"k\":\"v\"}},{\"k\":\"v\"}]", #"[{"k":"v"},{"k":"v"}]"#),
    ("list[dict[str, Any]]", "[\"k\": \"v\"]", #"[{"k":"v"}]"#),
    ("list[dict[str, Any]]", "[{\"n\": \"x\", \"args\": {\"c\": \"P\"}]", #"[{"n":"x","args":{"c":"P"}}]"#),
  ])
  func listsAreReadWhole(typeText: String, text: String, expected: String) throws {
    #expect(try type(typeText).parse(text).get().text() == expected)
  }

  /// Where any value will do, words around it are kept.
  @Test(arguments: [
    ("Any", "TRUE", #""TRUE""#),
    ("Any", "[TRUE, none]", #"[true,null]"#),
    ("Any", "see [1, 2]", #""see [1, 2]""#),
    ("Any", "text with [placeholder]", #""text with [placeholder]""#),
    ("Any", "Here:\n```json\n[1]\n```", #"[1]"#),
    ("Any", "{question}", #""{question}""#),
    ("Any", "(omitted)", #""(omitted)""#),
  ])
  func anythingIsReadAsItStands(typeText: String, text: String, expected: String) throws {
    #expect(try type(typeText).parse(text).get().text() == expected)
  }

  /// The one number, or the one that is called the answer.
  @Test(arguments: [
    ("int", "42 apples", #"42"#),
    ("int", "The answer is 42", #"42"#),
    ("int", "The answer is 42.", #"42"#),
    ("int", "Answer: 42", #"42"#),
    ("int", "**42**.", #"42"#),
    ("int", "\\boxed{42}", #"42"#),
    ("int", "#### 42", #"42"#),
    ("int", "6 * 7 = 42", #"42"#),
    ("int", "2+2=4", #"4"#),
    ("int", "In 2024 there were 5, so the answer is 7", #"7"#),
    ("int", "−5", #"-5"#),
    ("int", "it is -5", #"-5"#),
    ("int", "$1,234", #"1234"#),
    ("int", "50%", #"50"#),
    ("int", "~42", #"42"#),
    ("int", "42\n\nBecause 6 and 7.", #"42"#),
    ("int", "GPT4 says 42", #"42"#),
    ("int", "[42]", #"42"#),
    ("int", "<answer>42</answer>", #"42"#),
    ("float", "about 3.14", #"3.14"#),
    ("float", "Score: 0.8", #"0.8"#),
    ("float", "The total is $1,234.56.", #"1234.56"#),
    ("float", "0.5.", #"0.5"#),
  ])
  func numbersAreReadOutOfWords(typeText: String, text: String, expected: String) throws {
    #expect(try type(typeText).parse(text).get().text() == expected)
  }

  /// True and false in sentences.
  @Test(arguments: [
    ("bool", "True.", #"true"#),
    ("bool", "Yes.", #"true"#),
    ("bool", "**No**", #"false"#),
    ("bool", "The answer is yes", #"true"#),
    ("bool", "Answer: False.", #"false"#),
    ("bool", "No, it is not.", #"false"#),
    ("bool", "Yes, it is.", #"true"#),
    ("bool", "True, because", #"true"#),
    ("bool", "The claim is false", #"false"#),
    ("bool", "1.0", #"true"#),
  ])
  func flagsAreReadOutOfWords(typeText: String, text: String, expected: String) throws {
    #expect(try type(typeText).parse(text).get().text() == expected)
  }

  /// Labels in other letters, with punctuation, or named in a sentence.
  @Test(arguments: [
    ("Literal['positive', 'negative', 'neutral']", "Positive", #""positive""#),
    ("Literal['positive', 'negative', 'neutral']", "POSITIVE.", #""positive""#),
    ("Literal['positive', 'negative', 'neutral']", "Label: positive", #""positive""#),
    ("Literal['positive', 'negative', 'neutral']", "The answer is positive.", #""positive""#),
    ("Literal['positive', 'negative', 'neutral']", "\"positive\".", #""positive""#),
    ("Literal['positive', 'negative', 'neutral']", "Label: 'positive'", #""positive""#),
    ("Literal['positive', 'negative', 'neutral']", "- positive", #""positive""#),
    ("Literal['positive', 'negative', 'neutral']", "[positive]", #""positive""#),
    ("Literal['positive', 'negative', 'neutral']", "The sentiment expressed is clearly Positive!", #""positive""#),
    ("Literal['positive', 'negative', 'neutral']", "positive (strong)", #""positive""#),
    ("Literal['positive', 'negative', 'neutral']", "Options: positive, negative\nAnswer: positive", #""positive""#),
    ("Literal['positive', 'negative', 'neutral']", "Positive\n\nIt is not negative.", #""positive""#),
    ("Literal['positive', 'negative', 'neutral']", "{\"label\": \"positive\"}", #""positive""#),
    ("Literal['card', 'card_arrival', 'lost_card', 'activate_my_card']", "Card Arrival", #""card_arrival""#),
    ("Literal['card', 'card_arrival', 'lost_card', 'activate_my_card']", "card-arrival.", #""card_arrival""#),
    (
      "Literal['card', 'card_arrival', 'lost_card', 'activate_my_card']", "The label is card_arrival",
      #""card_arrival""#
    ),
    ("Literal['card', 'card_arrival', 'lost_card', 'activate_my_card']", "card arrival issue", #""card_arrival""#),
    ("Literal['card', 'card_arrival', 'lost_card', 'activate_my_card']", "activate my card", #""activate_my_card""#),
    ("Literal['A', 'B', 'C']", "a", #""A""#),
    ("Literal['A', 'B', 'C']", "(B)", #""B""#),
    ("Literal['A', 'B', 'C']", "A)", #""A""#),
    ("Literal['A', 'B', 'C']", "Option A", #""A""#),
    ("Literal['A', 'B', 'C']", "Answer: B) Paris", #""B""#),
    ("Literal['A', 'B', 'C']", "The answer is C.", #""C""#),
    ("Literal['C', 'C++']", "c++", #""C++""#),
    ("Literal['C', 'C++']", "C.", #""C""#),
    ("Literal[1, 2, 3]", "2.", #"2"#),
    ("Literal[1, 2, 3]", "Rating: 2", #"2"#),
    ("Literal[1, 2, 3]", "2 stars", #"2"#),
    ("Literal['good', 'not good']", "It is not good.", #""not good""#),
    ("Literal['good', 'not good']", "It is good.", #""good""#),
  ])
  func labelsAreReadWhereOneFits(typeText: String, text: String, expected: String) throws {
    #expect(try type(typeText).parse(text).get().text() == expected)
  }
}

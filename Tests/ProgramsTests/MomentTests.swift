import Messages
import JSON
import Programs
import Testing

@Suite struct DatesAndTimes {
  /// Type, what the model wrote, the value, and whether that took a repair.
  @Test(arguments: [
    ("date", "2024-02-29", "2024-02-29", false), ("date", " \"2024-02-29\"\n", "2024-02-29", false),
    ("date", "```\n2024-02-29\n```", "2024-02-29", false), ("date", "2024-02-29T10:00:00Z", "2024-02-29", true),
    ("date", "29 February 2024", "2024-02-29", true), ("date", "Feb 29, 2024", "2024-02-29", true),
    ("date", "Thursday, February 29th, 2024.", "2024-02-29", true), ("date", "29. Feb. 2024", "2024-02-29", true),
    ("date", "the 29th of February, 2024", "2024-02-29", true), ("date", "29-Feb-2024", "2024-02-29", true),
    ("date", "2024/2/29", "2024-02-29", true), ("date", "20240229", "2024-02-29", true),
    ("date", "29/02/2024", "2024-02-29", true), ("date", "02/29/2024", "2024-02-29", true),
    ("date", "04.04.2024", "2024-04-04", true), ("date", "The email was sent on 2024-02-29.", "2024-02-29", true),
    ("date", "2024-02-29 (29 February 2024)", "2024-02-29", true), ("date", "Sept 3, 1999", "1999-09-03", true),
    ("datetime", "2024-02-29T10:00:00Z", "2024-02-29T10:00:00Z", false),
    ("datetime", "2024-02-29T10:00:00+00:00", "2024-02-29T10:00:00Z", true),
    ("datetime", "2024-02-29T10:00:00", "2024-02-29T10:00:00", false),
    ("datetime", "2024-02-29 10:00", "2024-02-29T10:00:00", true),
    ("datetime", "2024-02-29T10:00:00.5-0530", "2024-02-29T10:00:00.500000-05:30", true),
    ("datetime", "2024-02-29T10:00:00+01:00", "2024-02-29T10:00:00+01:00", false),
    ("datetime", "29 February 2024 at 10:00 pm", "2024-02-29T22:00:00", true),
    ("datetime", "Feb 29, 2024, 12:30 am UTC", "2024-02-29T00:30:00Z", true),
    ("datetime", "20240229T10:00:00Z", "2024-02-29T10:00:00Z", true),
    ("datetime", "2024-02-29", "2024-02-29T00:00:00", true),
    ("time", "10:00", "10:00:00", true), ("time", "10:00:30", "10:00:30", false), ("time", "9:05 pm", "21:05:00", true),
  ])
  func areReadWhereTheyHaveOneMeaning(name: String, text: String, value: String, isRepaired: Bool) throws {
    let reading = try type(name).read(text).get()
    #expect(reading.value == .string(value))
    #expect(reading.isRepaired == isRepaired)
    // Within lists and options, and as values of JSON, they are the same.
    let isWord = !text.contains("\"") && !text.contains("`")
    if isWord {
      #expect(try type("list[\(name)]").parse(JSONValue.array([.string(text)]).text()).get() == [.string(value)])
      #expect(try type("Optional[\(name)]").parse(text).get() == .string(value))
    }
    #expect(try type(name).parse(value).get() == .string(value))
  }

  @Test(arguments: [
    ("date", "03/04/2024"), ("date", "2023-02-29"), ("date", "2024-13-01"), ("date", "2024-00-10"),
    ("date", "31 April 2024"), ("date", "32/01/2024"), ("date", "yesterday"), ("date", ""), ("date", "2024"),
    ("date", "February 2024"), ("date", "2024-02-29 or 2024-03-01"), ("date", "10:00"), ("date", "None"),
    ("date", "from 2024-01-01 to 2024-02-30"), ("date", "1.2.3"), ("date", "20241301"),
    ("datetime", "2024-02-29T25:00:00"), ("datetime", "2024-02-29 10:61"), ("datetime", "10:00"),
    ("datetime", "2024-02-29 13:00 pm"), ("time", "24:00"), ("time", "2024-02-29"), ("time", "ten"),
  ])
  func areRefusedWhereTheyHaveNoneOrTwo(name: String, text: String) throws {
    let mismatch = try #require(throws: TypeMismatch.self) { try type(name).parse(text).get() }
    #expect(mismatch.expected == name)
  }

  @Test func anOptionalOneMayBeMissing() throws {
    #expect(try type("Optional[date]").parse("None").get() == .null)
    #expect(try type("date | None").parse("2024-02-29").get() == "2024-02-29")
    #expect(try type("datetime.date") == .date && type("datetime.datetime") == .datetime)
  }

  @Test func areTextsInASchemaAndInPrompts() throws {
    #expect(try type("date").schema == ["type": "string", "format": "date"])
    #expect(try type("datetime").schema == ["type": "string", "format": "date-time"])
    let signature = try Signature("email -> day: date, when: Optional[datetime]")
    #expect(try Signature(signature.text) == signature)
    for format in ReplyFormat.allCases {
      let adapter = Adapter(signature, format)
      #expect(adapter.sharedMessages(demos: []).messages[0].content.contains("YYYY-MM-DD"))
    }
    #expect(Adapter(signature, .json).schema?["properties"]?["day"] == ["type": "string", "format": "date"])
    // One date is asked for in plain words.
    #expect(Adapter(try Signature("email -> day: date"), .plain).format == .plain)
  }
}

public import JSON

/// Examples to optimize on or to score with: rows of named values.
///
///     let trainset: Dataset = [["question": "2 + 2?", "answer": "4"], ["question": "3 + 5?", "answer": "8"]]
public struct Dataset: Sendable, ExpressibleByArrayLiteral {
  let json: JSONValue

  /// - Parameters:
  ///   - rows: objects with a member for each field, labels included.
  ///   - name: what tracking calls it.
  ///   - inputs: the members that the program is given; the signature's inputs unless said.
  public init(_ rows: [JSONObject], name: String? = nil, inputs: [String]? = nil) {
    var object: JSONObject = ["rows": .array(rows.map(JSONValue.object))]
    if let name { object["name"] = .string(name) }
    if let inputs { object["inputs"] = .array(inputs.map(JSONValue.string)) }
    json = .object(object)
  }

  public init(arrayLiteral rows: JSONObject...) { self.init(rows) }

  /// A file of JSON Lines, JSON, CSV or TSV.
  public static func file(_ path: String, inputs: [String]? = nil, limit: Int? = nil) -> Dataset {
    Dataset(["path": .string(path)], inputs, limit)
  }

  /// A data set that goes by name: `gsm8k` or `word-problems`.
  public static func named(_ name: String, split: String, limit: Int? = nil) -> Dataset {
    Dataset(["name": .string(name), "split": .string(split)], nil, limit)
  }

  private init(_ members: JSONObject, _ inputs: [String]?, _ limit: Int?) {
    var object = members
    if let inputs { object["inputs"] = .array(inputs.map(JSONValue.string)) }
    if let limit { object["limit"] = .int(limit) }
    json = .object(object)
  }
}

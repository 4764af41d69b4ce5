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
  ///   - columns: from which member of the rows a field takes its value, where they are not called the same.
  public init(
    _ rows: [JSONObject], name: String? = nil, inputs: [String]? = nil, columns: [String: String] = [:]
  ) {
    var object: JSONObject = ["rows": .array(rows.map(JSONValue.object))]
    if let name { object["name"] = .string(name) }
    self.init(object, inputs, columns, nil)
  }

  public init(arrayLiteral rows: JSONObject...) { self.init(rows) }

  /// A file of JSON Lines, JSON or CSV, packed or not.
  ///
  /// - Parameter columns: which column is which field, where they are not called the same:
  ///   `["question": "User Question"]`.
  public static func file(
    _ path: String, inputs: [String]? = nil, columns: [String: String] = [:], limit: Int? = nil
  ) -> Dataset {
    Dataset(["path": .string(path)], inputs, columns, limit)
  }

  /// A data set that goes by name: `gsm8k` or `word-problems`.
  public static func named(_ name: String, split: String, limit: Int? = nil) -> Dataset {
    Dataset(["name": .string(name), "split": .string(split)], nil, [:], limit)
  }

  private init(_ members: JSONObject, _ inputs: [String]?, _ columns: [String: String], _ limit: Int?) {
    var object = members
    if let inputs { object["inputs"] = .array(inputs.map(JSONValue.string)) }
    if !columns.isEmpty {
      object["columns"] = .object(JSONObject(columns.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }
    if let limit { object["limit"] = .int(limit) }
    json = .object(object)
  }
}

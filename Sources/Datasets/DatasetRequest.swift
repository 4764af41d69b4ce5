import Failures
package import JSON
package import Schema
import Simulation

/// A data set as a request describes it in an object: rows, a file, or one that goes by name.
package struct DatasetRequest: SchemaObject {
  package static let summary = "Rows, or where to find them."
  package static let members: [Member<Self>] =
    [
      Member("rows", \.rows, "The rows themselves: objects with a member for each field."),
      Member(
        "path", \.path,
        "A file of JSON Lines, JSON or CSV (with commas, semicolons or tabs), in UTF-8 or UTF-16, packed (gzip, zstd) or not."
      ),
      Member("text", \.text, "The content of such a file."),
      Member(
        "name", \.name, as: nameSchema,
        "A data set that goes by name: gsm8k or word-problems; or what to call this one."),
      Member("split", \.split, as: splitSchema, "Which part of a data set that goes by name."),
      Member(
        "inputs", \.inputs, also: ["input_keys", "inputKeys"],
        "The members that the program is given; by default the signature's inputs."),
      Member(
        "columns", \.columns,
        "Which column is which field, where they are not called the same: {\"question\": \"User Question\"}. Other columns "
          + "keep their names; one that has a field's name of these gives way."),
      Member("format", \.format, "How to read the file where its content does not say."),
      Member("types", \.types, "The types of columns in CSV files."),
    ] + Member.of(\.selection)

  private static let nameSchema = Schema(
    .either([Schema(.choice(Dataset.names.map { Schema.Word($0) })), Schema(.string)]))
  private static let splitSchema = Schema(.choice(WordProblems.splits.map { Schema.Word($0) }))

  package var rows: JSONValue?
  package var path: String?
  package var text: String?
  package var name: String?
  package var split: String?
  package var inputs: [String]?
  package var format: RowReader.Format?
  package var types: [String: ColumnType] = [:]
  /// By field.
  package var columns: [String: String] = [:]
  package var selection = RowSelection()

  package init() {}

  /// Where its rows come from.
  enum Kind { case inline, file, text, named }

  private(set) var kind = Kind.inline

  package mutating func settle(_ fields: FieldReader) {
    if let inputs {
      if inputs.isEmpty { fields.problems.add(fields.place("inputs"), "Name at least one input, or leave this out.") }
      for (index, key) in inputs.enumerated() where inputs[..<index].contains(key) {
        fields.problems.add("\(fields.place("inputs"))[\(index)]", "\"\(key)\" appears twice.")
      }
    }
    if fields.gives("rows") {
      refuse(["path", "text", "split", "format", "types"], "the rows are in the request itself", fields)
    } else if fields.gives("text") {
      kind = .text
      refuse(["path", "split"], "the content is in the request itself", fields)
    } else if fields.gives("name"), !fields.gives("path") || Dataset.names.contains(name ?? "") {
      kind = .named
      refuse(["format", "types"], "the data set goes by name", fields)
      if name != "gsm8k" { refuse(["path"], "the data set goes by name", fields) }
    } else if fields.gives("path") {
      kind = .file
      refuse(["split"], "a file has no parts", fields)
    } else {
      fields.problems.add(
        .init(
          path: fields.path, message: "A data set needs one of \"rows\", \"path\", \"text\" and \"name\".",
          got: JSONValue.object(fields.object).excerpt, allowed: ["rows", "path", "text", "name"]))
    }
  }

  private func refuse(_ names: [String], _ reason: String, _ fields: FieldReader) {
    for name in names where fields.gives(name) {
      fields.problems.add(fields.place(name), "This member has no effect here: \(reason).")
    }
  }
}

/// What the texts of a CSV file's column stand for.
package enum ColumnType: String, SchemaChoice {
  case string, int, float, bool, json
}

import Failures
import Failures
import JSON
import Schema
import Testing

private struct Size: SchemaObject, Equatable {
  static let members: [Member<Self>] = [
    Member("width", \.width, in: 1...9, isRequired: true, "How wide it is."),
    Member("height", \.height, in: 0...1, "How high it is."),
  ]
  var width = 0
  var height: Double?
}

private enum Color: String, SchemaChoice {
  case red, blue
  var summary: String { self == .red ? "Like blood." : "" }
}

private struct Shape: NamedSchemaObject, Equatable {
  static let name = "shape"
  static let otherNames = ["form"]
  static let summary = "Something to draw."
  static let members: [Member<Self>] =
    [
      Member("edge_color", \.edgeColor, also: ["pen"], "The color of its edge."),
      Member("tags", \.tags, "What it is called."),
      Member("sizes", \.sizes, "Its sizes by name."),
      Member("mode", \.mode, "How it is filled; null is not at all."),
    ] + Member.of(\.size)

  var edgeColor = Color.red
  var tags: [String] = []
  var sizes: [String: Size] = [:]
  var mode: Color? = .blue
  var size = Size()

  mutating func settle(_ fields: FieldReader) {
    if edgeColor == mode, fields.gives("mode") { fields.problems.add(fields.place("mode"), "It would not be seen.") }
  }
}

private let shapes = Registry<any NamedSchemaObject>("shape", [Shape.self])

@Suite("Declared members")
struct SchemaTests {
  private func read(_ text: String) throws -> (Shape?, [String]) {
    let problems = ProblemList()
    let value = Shape.read(try JSONReader.read(text), at: "shape", problems)
    return (value, problems.problems.map { "\($0.path): \($0.message)" })
  }

  @Test("are read into a value, what is left out as it is declared, and written back")
  func reading() throws {
    let (read, problems) = try read(
      #"{"width": 3, "pen": "blue", "tags": "a", "sizes": {"s": {"width": 1, "height": 0.5}}, "mode": null}"#)
    #expect(problems.isEmpty)
    let shape = try #require(read)
    #expect(shape.size.width == 3 && shape.edgeColor == .blue && shape.tags == ["a"] && shape.mode == nil)
    #expect(shape.sizes["s"]?.height == 0.5)
    #expect(
      shape.given == [
        "edge_color": "blue", "tags": ["a"], "sizes": ["s": ["width": 1, "height": 0.5]], "mode": nil, "width": 3,
      ])
    #expect(Shape.read(.object(shape.given), at: "", ProblemList()) == shape)
    #expect(Shape.read(.object(shape.json), at: "", ProblemList()) == shape)
    // Null where nothing may be null is as if nothing were said.
    #expect(try self.read(#"{"width": 3, "edgeColor": null}"#).0?.edgeColor == .red)
  }

  @Test("everything that is wrong is told at once, with its place")
  func problems() throws {
    let (read, problems) = try read(
      #"{"edgeColor": "rde", "tags": [1], "sizes": {"s": {}}, "height": 2, "widht": 3}"#)
    #expect(read == nil)
    #expect(
      problems == [
        #"shape.edgeColor: Expected one of red, blue, got "rde"."#,
        "shape.tags[0]: Expected a string, got a number 1.",
        "shape.sizes.s.width: This member is required (a whole number from 1 to 9).",
        "shape.width: This member is required (a whole number from 1 to 9).",
        "shape.height: Expected a number from 0.0 to 1.0, got a number 2.0.",
        "shape.widht: There is no such member here.",
      ])
    #expect(try self.read(#"{"width": 3, "mode": "red"}"#).1 == ["shape.mode: It would not be seen."])
  }

  @Test("one problem that two readings find is told once")
  func toldOnce() {
    let problems = ProblemList()
    for _ in 1...2 { #expect(Size.read(["width": 10], at: "size", problems) == nil) }
    let error = #expect(throws: HoneError.self) { try problems.check("Invalid size") }
    #expect(error?.problems.count == 1)
    #expect(error?.message.contains("more") == false)
  }

  @Test("describe themselves: kinds, ranges, words, defaults")
  func description() throws {
    let fields = Shape.fields
    #expect(fields.map(\.name) == ["edge_color", "tags", "sizes", "mode", "width", "height"])
    #expect(fields[0].otherSpellings == ["edgeColor", "pen"])
    #expect(fields.map(\.defaultValue) == ["red", nil, nil, "blue", nil, nil])
    #expect(fields[4].isRequired && fields[4].schema.phrase == "a whole number from 1 to 9")
    #expect(fields[0].schema.words == [Schema.Word("red", "Like blood."), Schema.Word("blue")])
    #expect(
      Shape.schema.json == [
        "description": "Something to draw.", "type": "object",
        "properties": [
          "edge_color": ["description": "The color of its edge.", "enum": ["red", "blue"], "default": "red"],
          "tags": ["description": "What it is called.", "type": "array", "items": ["type": "string"]],
          "sizes": [
            "description": "Its sizes by name.", "type": "object",
            "additionalProperties": [
              "type": "object",
              "properties": [
                "width": ["description": "How wide it is.", "type": "integer", "minimum": 1, "maximum": 9],
                "height": ["description": "How high it is.", "type": "number", "minimum": 0.0, "maximum": 1.0],
              ],
              "required": ["width"], "additionalProperties": false,
            ],
          ],
          "mode": [
            "description": "How it is filled; null is not at all.", "enum": ["red", "blue", nil], "default": "blue",
          ],
          "width": ["description": "How wide it is.", "type": "integer", "minimum": 1, "maximum": 9],
          "height": ["description": "How high it is.", "type": "number", "minimum": 0.0, "maximum": 1.0],
        ],
        "required": ["width"], "additionalProperties": false,
      ])
  }

  @Test("go by name, whatever its capitals")
  func names() throws {
    let problems = ProblemList()
    #expect(shapes.read(["name": "FORM", "width": 2], at: "", problems) as? Shape != nil)
    #expect(problems.isEmpty)
    #expect(shapes.read("shpae", at: "it", problems) == nil)
    #expect(problems.problems.last?.suggestion == "shape" && problems.problems.last?.path == "it")
    #expect(shapes.read([:], at: "it", problems) == nil)
    #expect(problems.problems.last?.path == "it.name")
    #expect(shapes.read(3, at: "it", problems) == nil)
    #expect(
      problems.problems.last?.message
        == "Expected the name of a shape, or an object with \"name\" and its options; got a number.")
  }
}

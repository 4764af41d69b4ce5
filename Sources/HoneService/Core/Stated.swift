import JSON
import Schema

/// A value as the request states it, whose meaning is looked up later: a file, a run, a function of the client's.
struct Stated<Shape: StatedShape>: SchemaValue {
  var value: JSONValue

  static var schema: Schema { Schema(.named(Shape.name), Shape.phrase) }
  static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Self? { Stated(value: value) }
  var jsonValue: JSONValue { value }
}

/// What is stated: the name of its description among the catalog's shapes, and how messages call it.
protocol StatedShape {
  static var name: String { get }
  static var phrase: String { get }
}

enum ProgramShape: StatedShape {
  static let name = "Program"
  static let phrase = "a signature such as \"question -> answer\", a program object or a reference"
}

enum DatasetShape: StatedShape {
  static let name = "Dataset"
  static let phrase = "a data set, such as [{\"question\": …, \"answer\": …}]"
}

enum MetricShape: StatedShape {
  static let name = "Metric"
  static let phrase = "a metric, such as \"exact_match\""
}

enum OptimizerShape: StatedShape {
  static let name = "Optimizer"
  static let phrase = "an optimizer, such as \"MIPROv2\""
}

enum StateShape: StatedShape {
  static let name = "State"
  static let phrase = "a program's state, as DSPy's save() writes it"
}

/// The form of prompts and replies, or `auto` to have it learned.
enum AdapterChoice: String, SchemaChoice {
  case auto, chat, json, plain, xml

  var summary: String {
    switch self {
    case .auto: "What the model reads and answers best, learned on the first rows."
    case .chat: "Sections under headers [[ ## name ## ]]."
    case .json: "One JSON object."
    case .plain: "The bare value, for one short output."
    case .xml: "Tags."
    }
  }
}

/// A value, or a flag that stands for one.
struct OrFlag<Value: SchemaObject>: SchemaValue {
  /// Nil stands for the flag.
  var value: Value?
  var flag = true

  static var schema: Schema { Schema(.either([Value.schema, Bool.schema])) }

  static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Self? {
    if let flag = value.boolValue { return OrFlag(flag: flag) }
    return Value.read(value, at: place, problems).map { OrFlag(value: $0) }
  }

  var jsonValue: JSONValue { value?.jsonValue ?? .bool(flag) }
}

package import JSON
package import Programs
package import Schema

/// A value as the request states it, whose meaning is looked up later: a file, a run, a function of the client's.
package struct Stated<Shape: StatedShape>: SchemaValue {
  package var value: JSONValue

  package init(value: JSONValue) { self.value = value }

  package static var schema: Schema { Schema(.named(Shape.name), Shape.phrase) }
  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Self? {
    Stated(value: value)
  }
  package var jsonValue: JSONValue { value }
}

/// What is stated: the name of its description among the catalog's shapes, and how messages call it.
package protocol StatedShape {
  static var name: String { get }
  static var phrase: String { get }
}

package enum ProgramShape: StatedShape {
  package static let name = "Program"
  package static let phrase = "a signature such as \"question -> answer\", a program object or a reference"
}

package enum DatasetShape: StatedShape {
  package static let name = "Dataset"
  package static let phrase = "a data set, such as [{\"question\": …, \"answer\": …}]"
}

package enum MetricShape: StatedShape {
  package static let name = "Metric"
  package static let phrase = "a metric, such as \"exact_match\""
}

package enum OptimizerShape: StatedShape {
  package static let name = "Optimizer"
  package static let phrase = "an optimizer, such as \"MIPROv2\""
}

package enum StateShape: StatedShape {
  package static let name = "State"
  package static let phrase = "a program's state, as DSPy's save() writes it"
}

/// The form of prompts and replies, or `auto` to have it learned.
package struct AdapterChoice: SchemaValue {
  /// Nil has it learned.
  package var format: ReplyFormat?

  private static let auto = Schema.Word("auto", "What the model reads and answers best, learned on the first rows.")

  package static var schema: Schema { Schema(.choice([auto] + ReplyFormat.schema.words)) }
  package static let names = schema.words.map(\.text)

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> AdapterChoice? {
    guard let word = value.stringValue, names.contains(word) else {
      problems.notAmong(names, at: place, got: value)
      return nil
    }
    return AdapterChoice(format: ReplyFormat(rawValue: word))
  }

  package var jsonValue: JSONValue { .string(format?.rawValue ?? Self.auto.text) }
}

/// A value, or a flag that stands for one.
package struct OrFlag<Value: SchemaObject>: SchemaValue {
  /// Nil stands for the flag.
  package var value: Value?
  package var flag = true

  package static var schema: Schema { Schema(.either([Value.schema, Bool.schema])) }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Self? {
    if let flag = value.boolValue { return OrFlag(flag: flag) }
    return Value.read(value, at: place, problems).map { OrFlag(value: $0) }
  }

  package var jsonValue: JSONValue { value?.jsonValue ?? .bool(flag) }
}

import Evaluation
import HTTPModels
package import JSON
import Jobs
import LanguageModels
import Optimizers
import Platform
package import Schema

/// What the catalog knows, for people to read.
extension Catalog {
  /// Something that goes by name, with the options it has.
  package struct Entry: Sendable {
    package var name: String
    package var otherNames: [String]
    package var summary: String
    package var options: [Schema.Field]

    fileprivate init(_ type: any NamedSchemaObject.Type) {
      name = type.name
      otherNames = type.otherNames
      summary = type.summary
      options = type.fields
    }

    /// The entry as JSON Schema, with its name.
    package var json: JSONObject {
      [
        "name": .string(name), "otherNames": .array(otherNames.map(JSONValue.string)), "description": .string(summary),
        "options": .object(JSONObject(options.map { ($0.name, .object($0.jsonObject)) })),
      ]
    }
  }

  package var optimizerEntries: [Entry] { optimizers.types.map { Entry($0) } }
  package var metricEntries: [Entry] { metrics.types.map { Entry($0) } }

  /// The options of a language model.
  package static var modelOptions: [Schema.Field] { ModelConfiguration.fields }

  /// A provider of models: its prefix, its address, and the variable with its key.
  package struct ProviderEntry: Sendable {
    package var name: String
    package var base: String?
    package var keyVariable: String?
    /// Whether the variable is set here.
    package var hasKey: Bool
  }

  package static var providers: [ProviderEntry] {
    Provider.all.map { provider in
      ProviderEntry(
        name: provider.name, base: provider.base, keyVariable: provider.keyVariable,
        hasKey: provider.keyVariables.contains { Environment.value($0) != nil })
    }
  }
}

extension Schema {
  /// What may be given, in a word or two: `whole number 1…1000`, `light | medium | heavy`.
  package var shortKind: String {
    switch kind {
    case .any: "any JSON"
    case .string: "text"
    case .integer(let range):
      "whole number"
        + Self.short(
          range.lowerBound == .min ? nil : "\(range.lowerBound)", range.upperBound == .max ? nil : "\(range.upperBound)"
        )
    case .number(let range):
      "number"
        + Self.short(
          range.lowerBound.isFinite ? Self.short(range.lowerBound) : nil,
          range.upperBound.isFinite ? Self.short(range.upperBound) : nil)
    case .boolean: "true | false"
    case .choice(let words): words.map(\.text).joined(separator: " | ")
    case .array(let element): "list of " + element.shortKind
    case .map, .object: "object"
    case .either(let schemas): schemas.map(\.shortKind).joined(separator: " or ")
    case .named(let name): name
    }
  }

  private static func short(_ least: String?, _ most: String?) -> String {
    switch (least, most) {
    case (nil, nil): ""
    case (let least?, nil): " from \(least)"
    case (nil, let most?): " to \(most)"
    case (let least?, let most?): " \(least)…\(most)"
    }
  }

  private static func short(_ number: Double) -> String {
    number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
  }
}

import ArgumentParser
import HoneService
import JSON
import Schema
import Terminal

/// `hone optimizers`.
struct OptimizersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "optimizers", abstract: "List the optimizers, or the settings of one.")

  @Argument(help: "An optimizer's name.", completion: Candidates.optimizers)
  var name: String?

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try Reference.show(Catalog().optimizerEntries, name, noun: "optimizer", json: json)
  }
}

/// `hone metrics`.
struct MetricsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics", abstract: "List the metrics, or the options of one.")

  @Argument(help: "A metric's name.", completion: Candidates.metrics)
  var name: String?

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws { try Reference.show(Catalog().metricEntries, name, noun: "metric", json: json) }
}

/// `hone models`.
struct ModelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models", abstract: "List the providers of models, and the options of a model.")

  @Flag(help: "Print JSON.")
  var json = false

  func run() {
    if json {
      let providers = Catalog.providers.map { provider -> JSONValue in
        [
          "name": .string(provider.name), "base": JSONValue(provider.base),
          "keyVariable": JSONValue(provider.keyVariable), "hasKey": .bool(provider.hasKey),
        ]
      }
      let options = JSONObject(Catalog.modelOptions.map { ($0.name, .object($0.jsonObject)) })
      TerminalOutput.standard.json(["providers": .array(providers), "options": .object(options)])
      return
    }
    let rows = Catalog.providers.map { provider in
      [provider.name + "/…", provider.base ?? "(apiBase)", Self.key(provider)]
    }
    TerminalOutput.standard.line(columns([["model", "address", "key"], ["simulated", "(none)", "(none)"]] + rows))
    TerminalOutput.standard.line("\nA model is given by its name, or as JSON with these members:\n")
    TerminalOutput.standard.line(Reference.table(Catalog.modelOptions))
  }

  private static func key(_ provider: Catalog.ProviderEntry) -> String {
    provider.keyVariable.map { "$\($0)\(provider.hasKey ? " (set)" : "")" } ?? "(none)"
  }
}

/// How what goes by name is shown on the terminal.
enum Reference {
  static func show(_ entries: [Catalog.Entry], _ name: String?, noun: String, json: Bool) throws {
    guard let name else {
      if json { return TerminalOutput.standard.json(.array(entries.map { .object($0.json) })) }
      return TerminalOutput.standard.line(columns(entries.map { [$0.name, $0.summary] }))
    }
    let entry = entries.first { Schema.Word($0.name, otherNames: $0.otherNames).means(name) }
    guard let entry else {
      throw ValidationError(
        "There is no \(noun) \"\(name)\"; there are \(entries.map(\.name).joined(separator: ", ")).")
    }
    if json { return TerminalOutput.standard.json(.object(entry.json)) }
    let also = entry.otherNames.isEmpty ? "" : " (also \(entry.otherNames.joined(separator: ", ")))"
    TerminalOutput.standard.line("\(entry.name)\(also): \(entry.summary)\n")
    TerminalOutput.standard.line(table(entry.options))
  }

  /// Members with their kinds, defaults and sentences.
  static func table(_ fields: [Schema.Field]) -> String {
    columns(
      [["option", "value", "default", "what it does"]]
        + fields.map { field in
          [
            field.name, field.schema.shortKind,
            field.defaultValue?.text() ?? (field.isRequired ? "required" : "-"), field.summary,
          ]
        })
  }
}

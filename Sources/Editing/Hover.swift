import Datasets
import Evaluation
import Failures
import HTTPModels
import HoneService
import JSON
import Jobs
import LanguageModels
import Optimizers
import Platform
import Programs
import Schema
import Statistics
import Tracking

/// `textDocument/hover`: what stands under the cursor, as Hone understands it.
struct Hover: Sendable {
  let call: EditorCall
  let document: Document

  func json() async -> JSONValue {
    guard let position = call.params.position else { return .null }
    let source = document.source
    let offset = source.offset(of: position)
    let tree = JSONTree(source.bytes)
    guard let spot = tree.spot(at: offset), !spot.range.isEmpty else { return .null }
    let root = tree.value(of: tree.root, in: source)
    let vocabulary = Vocabulary(call.service.catalog, root: root)
    var parts: [String] = []
    var path = spot.path
    if spot.role == .key {
      // With the colon and a value behind it, the name stands for its value too.
      guard let name = tree.node(at: path)?.members?.first(where: { $0.keyRange == spot.range })?.key else {
        return .null
      }
      if let line = vocabulary.meaning(of: name, in: path) { parts.append(line) }
      path.append(.member(name))
    } else if case .member(let name)? = path.last, path.count > 1,
      let line = vocabulary.meaning(of: name, in: Array(path.dropLast()))
    {
      parts.append(line)
    }
    parts += await explanation(of: path, root)
    guard !parts.isEmpty else { return .null }
    let isMarkdown = call.editor.client.takesMarkdown
    let text = parts.joined(separator: "\n\n")
    return [
      "contents": [
        "kind": isMarkdown ? "markdown" : "plaintext",
        "value": .string(isMarkdown ? text : Self.plain(text)),
      ],
      "range": source.range(spot.range).jsonValue,
    ]
  }

  /// The text without Markdown's marks.
  private static func plain(_ text: String) -> String {
    ["```\n", "\n```", "`", "**"].reduce(text) { $0.replacing($1, with: "") }
  }

  /// Paragraphs about the value at the end of a path.
  private func explanation(of path: [JSONTree.Step], _ root: JSONValue) async -> [String] {
    guard case .member(let member)? = path.first else { return [] }
    switch member {
    case "program", "module": return await program(root)
    case "experiment", "runName": return await lastRun()
    case "trainset", "valset", "testset", "devset": return await dataset(member, root)
    case "metric":
      return Self.kind(in: call.service.catalog.metrics, root["metric"])
    case "optimizer" where path.count == 1 || path.last == .member("name"):
      return Self.kind(in: call.service.catalog.optimizers, root["optimizer"])
    case "lm", "promptModel", "teacher":
      return path.count == 1 || path.last == .member("model") ? model(root[member]) : []
    default: return []
    }
  }

  /// What an optimizer or a metric does.
  private static func kind<Product>(in registry: Registry<Product>, _ value: JSONValue?) -> [String] {
    let name = value?.stringValue ?? value?["name"]?.stringValue ?? ""
    return registry.type(named: name).map { ["`\($0.name)`: \($0.summary)"] } ?? []
  }

  private func program(_ root: JSONValue) async -> [String] {
    var environment = CallEnvironment(baseDirectory: call.directory(of: document))
    environment.isCheck = true
    var parts: [String] = []
    let resolving = RequestResolver(
      call.service.workspace, "hover", FieldReader([:], problems: ProblemList()), environment)
    let stated = root["program"].map { Stated<ProgramShape>(value: $0) }
    if let program = try? await resolving.program(stated, module: root["module"]?.stringValue)?.program {
      parts.append("```\n\(ProgramText.outline(program))\n```")
    }
    return parts + (await lastRun())
  }

  /// The latest score of this file's program.
  private func lastRun() async -> [String] {
    guard let path = document.path, let store = try? await call.service.store(),
      let run = try? await FileRuns(store: store, path: path).last()
    else { return [] }
    let score: String
    if let value = run.score {
      score = "**\(scoreText(value, await store.interval(of: run)))**"
    } else {
      score = "no score"
    }
    let baseline = run.metric("baseline_score").map { ", baseline \(twoDecimals($0))" } ?? ""
    let kind = run.kind == "compile" ? "Last compile" : "Last evaluation"
    return ["\(kind): \(score)\(baseline), \(run.outcome), run `\(run.id)` (\(run.info.name))"]
  }

  private func dataset(_ name: String, _ root: JSONValue) async -> [String] {
    guard let value = root[name] else { return [] }
    let places = DatasetPlaces(home: call.service.home, baseDirectory: call.directory(of: document))
    let problems = ProblemList()
    let loaded = await apart {
      call.editor.datasets.dataset(value, at: name, places: places, problems, problems) { problems, dataProblems in
        Dataset.load(value, path: name, places: places, problems: problems, dataProblems: dataProblems)
      }
    }
    guard let loaded, let first = loaded.rows.first else { return problems.problems.prefix(3).map(\.description) }
    let row = first.map { "\($0.key): \(Self.shortened($0.value.stringValue ?? $0.value.text(.spaced)))" }
    return [
      "\(loaded.name): \(loaded.count) rows, digest \(loaded.digest). The first:",
      "```\n\(row.joined(separator: "\n"))\n```",
    ]
  }

  private static func shortened(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
    return line.count > 200 ? line.prefix(200) + "…" : line
  }

  private func model(_ value: JSONValue?) -> [String] {
    guard let value, let configuration = ModelConfiguration(value, path: "lm", problems: ProblemList()) else {
      return []
    }
    if configuration.isSimulated {
      return [
        "The embedded simulation: deterministic, offline. Its scores show how a search works, not what a model can do."
      ]
    }
    guard let endpoint = try? Endpoint(configuration) else { return [] }
    let key = endpoint.keyVariable.map { variable in
      ", key from `\(variable)`" + (Environment.value(variable) == nil ? " (not set)" : "")
    }
    return ["`\(endpoint.model)` at \(endpoint.base)\(key ?? "")"]
  }
}

import Datasets
import Evaluation
import HTTPModels
import HoneService
import JSON
import LanguageModels
import Optimizers
import Platform
import Programs
import Schema
import Tracking

/// `textDocument/completion`: the members and values that may stand where the cursor is.
struct Completion: Sendable {
  let call: EditorCall
  let document: Document

  func items() async throws -> JSONValue {
    guard let position = call.params.position else { return [] }
    let source = document.source
    let offset = source.offset(of: position)
    let tree = JSONTree(source.bytes)
    guard let spot = tree.spot(at: offset) else { return [] }
    let vocabulary = Vocabulary(call.service.catalog, root: tree.value(of: tree.root, in: source))
    let words: [Vocabulary.Word]
    switch spot.role {
    case .key:
      let present = tree.node(at: spot.path)?.members?.filter { $0.keyRange != spot.range }.map(\.key) ?? []
      words = vocabulary.members(at: spot.path).filter { !present.contains($0.name) }.map { member($0, at: spot) }
    case .value: words = await values(at: spot.path, vocabulary)
    }
    let range = Self.widened(spot.range, to: offset, in: source)
    return .array(
      words.enumerated().map { index, word in
        var item: JSONObject = ["label": .string(word.label), "kind": .int(word.kind.rawValue)]
        if !word.detail.isEmpty { item.append("detail", .string(word.detail)) }
        // As text editors compare what was typed, quotes included, with this.
        let filter = word.text.hasPrefix("\"") ? JSONValue.string(word.label).text() : word.label
        item.append("filterText", .string(filter))
        item.append("sortText", .string("\(1000 + index)"))
        item.append("textEdit", ["range": source.range(range).jsonValue, "newText": .string(word.text)])
        return .object(item)
      })
  }

  /// A word that is being typed without quotes belongs to what is replaced.
  private static func widened(_ range: Range<Int>, to offset: Int, in source: SourceText) -> Range<Int> {
    guard range.isEmpty else { return range }
    var start = offset
    while start > 0, isWordByte(source.bytes[start - 1]) { start -= 1 }
    return start..<offset
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private func member(_ field: Schema.Field, at spot: JSONTree.Spot) -> Vocabulary.Word {
    let text = JSONValue.string(field.name).text() + (spot.hasColon ? "" : ": ")
    let detail = field.defaultValue.map { "\(field.summary) Default: \($0.text())." } ?? field.summary
    return Vocabulary.Word(text: text, label: field.name, detail: detail, kind: .property)
  }

  // MARK: Values

  private func values(at path: [JSONTree.Step], _ vocabulary: Vocabulary) async -> [Vocabulary.Word] {
    var words = vocabulary.values(at: path).map { value, summary in
      Vocabulary.Word(text: value.text(), label: value.stringValue ?? value.text(), detail: summary)
    }
    let names = path.compactMap { step in if case .member(let name) = step { name } else { nil } }
    switch (names.first, names.last) {
    case ("lm"?, "lm"?), ("promptModel"?, "promptModel"?), ("teacher"?, "teacher"?), (_, "model"?): words += models
    case ("trainset"?, "trainset"?), ("valset"?, "valset"?), ("testset"?, "testset"?), ("devset"?, "devset"?):
      words += Dataset.names.map { name in
        Vocabulary.Word(text: JSONValue.object(["name": .string(name)]).text(.spaced), label: name, kind: .module)
      }
      words += files([".jsonl", ".json", ".csv", ".tsv"]).map { file in
        Vocabulary.Word(text: JSONValue.object(["path": .string(file)]).text(.spaced), label: file, kind: .file)
      }
    case ("program"?, "path"?): words += files([".json"]).map(Self.file)
    case (_, "path"?): words += files([".jsonl", ".json", ".csv", ".tsv"]).map(Self.file)
    case ("program"?, "program"?), ("program"?, "signature"?):
      words.append(
        Vocabulary.Word(text: "\"question -> answer\"", label: "question -> answer", detail: "inputs -> outputs"))
    case ("program"?, "type"?):
      words += FieldType.names.map { Vocabulary.Word(text: JSONValue.string($0).text(), label: $0) }
    case ("experiment"?, "experiment"?): words += await experiments()
    default: break
    }
    return words
  }

  private var models: [Vocabulary.Word] {
    let simulated = Vocabulary.Word(
      text: "\"simulated\"", label: "simulated", detail: "the embedded simulation: no key, no network")
    return [simulated]
      + Provider.all.map { provider in
        Vocabulary.Word(
          text: JSONValue.string(provider.name + "/").text(), label: provider.name + "/", detail: provider.base ?? "",
          kind: .module)
      }
  }

  private static func file(_ name: String) -> Vocabulary.Word {
    Vocabulary.Word(text: JSONValue.string(name).text(), label: name, kind: .file)
  }

  /// Files beside the document with one of these endings; its own kind left out.
  private func files(_ endings: [String]) -> [String] {
    guard let directory = opendir(call.directory(of: document)) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory), names.count < 1000 {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if endings.contains(where: name.hasSuffix), !ProgramFile.isOne(name), !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  private func experiments() async -> [Vocabulary.Word] {
    guard let store = try? await call.service.store(), let page = try? await store.experiments() else { return [] }
    return page.items.map { Vocabulary.Word(text: JSONValue.string($0.name).text(), label: $0.name) }
  }
}

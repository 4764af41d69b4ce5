import Failures
import Foundation
import HoneService
import JSON
import Schema
import Testing

@testable import Editing

@Suite("The protocol's description", .timeLimit(.minutes(1)))
struct ProtocolTests {
  private static let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Protocol/openrpc.json")

  @Test("Protocol/openrpc.json is what the service says of itself; HONE_RECORD=1 writes it anew")
  func isCurrent() async throws {
    let document = try await withService { try await $0.ask("rpc.discover") }
    let text = document.text(.indented) + "\n"
    if ProcessInfo.processInfo.environment["HONE_RECORD"] == "1" {
      try text.write(to: Self.file, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: Self.file, encoding: .utf8) == text)
  }

  @Test("Protocol/schemas holds the shared shapes; HONE_RECORD=1 writes them anew")
  func schemasAreCurrent() throws {
    let folder = Self.file.deletingLastPathComponent().appending(path: "schemas")
    let files = OpenRPC.schemaFiles.map { ($0.name, JSONValue.object($0.schema).text(.indented) + "\n") }
    if ProcessInfo.processInfo.environment["HONE_RECORD"] == "1" {
      try? FileManager.default.removeItem(at: folder)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      for (name, text) in files { try text.write(to: folder.appending(path: name), atomically: true, encoding: .utf8) }
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(Set(names) == Set(files.map(\.0)))
    for (name, text) in files {
      #expect(try String(contentsOf: folder.appending(path: name), encoding: .utf8) == text, "\(name)")
    }
  }

  @Test("every kind of failure is described")
  func kindsAreDescribed() throws {
    let sources = Self.file.deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources")
    let declared = try String(contentsOf: sources.appending(path: "Failures/HoneError.swift"), encoding: .utf8)
      .matches(of: /FailureKind\(rawValue: "(\w+)"\)/).map { String($0.output.1) }
    #expect(declared.count > 15)
    #expect(FailureKind.all.map(\.kind.rawValue).sorted() == declared.sorted())
  }

  @Test("every method reads exactly the parameters it declares", arguments: MethodTable.names)
  func readsWhatItDeclares(name: String) async throws {
    let method = try #require(MethodTable.method(named: name))
    let error = try await withService { try await $0.failure(name, ["nobodyReadsThis": 1]) }
    let unknown = try #require(error?.problems.first { $0.path == "nobodyReadsThis" })
    #expect(Set(unknown.allowed) == Set(method.parameters.map(\.name)))
  }

  @Test(
    "a required parameter that is missing is named",
    arguments: MethodTable.methods.filter { $0.parameters.contains(where: \.isRequired) }.map(\.name))
  func namesMissing(name: String) async throws {
    let method = try #require(MethodTable.method(named: name))
    let error = try await withService { try await $0.failure(name, [:]) }
    #expect(error?.kind == .invalidParams)
    let named = Set(error?.problems.map(\.path) ?? [])
    for parameter in method.parameters where parameter.isRequired {
      #expect(named.contains(parameter.name), "\(name).\(parameter.name)")
    }
  }

  @Test("everything has an example, and examples name parameters that there are")
  func examplesFit() async throws {
    let document = try await withService { try await $0.ask("rpc.discover") }
    for method in document["methods"]?.arrayValue ?? [] where method["name"] != "shutdown" {
      let example = try #require(method["examples"]?.arrayValue?.first, "\(method["name"]?.stringValue ?? "")")
      let known = (method["params"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
      for param in example["params"]?.arrayValue ?? [] {
        #expect(known.contains(param["name"]?.stringValue ?? ""), "\(method["name"]?.stringValue ?? "")")
      }
    }
    for callback in document["x-callbacks"]?.arrayValue ?? [] {
      let required = callback["params"]?["required"]?.arrayValue ?? []
      let given = callback["examples"]?.arrayValue?.first?["params"]?.objectValue
      #expect(required.compactMap(\.stringValue).allSatisfy { given?[$0] != nil })
      #expect(callback["examples"]?.arrayValue?.first?["result"] != nil)
    }
  }

  @Test("every schema reference in the document leads somewhere")
  func referencesResolve() async throws {
    let document = try await withService { try await $0.ask("rpc.discover") }
    let schemas = try #require(document["components"]?["schemas"]?.objectValue)
    var references: Set<String> = []
    func walk(_ value: JSONValue) {
      switch value {
      case .object(let object):
        for (key, member) in object {
          if key == "$ref", let text = member.stringValue { references.insert(text) }
          walk(member)
        }
      case .array(let elements): elements.forEach(walk)
      default: break
      }
    }
    walk(document)
    for reference in references where reference.hasPrefix("#/components/schemas/") {
      #expect(schemas[String(reference.dropFirst("#/components/schemas/".count))] != nil, "\(reference)")
    }
  }
}

import Failures
import JSON
import Schema
import Testing

@testable import Editing

@testable import HoneService

/// What is declared in one file each is known everywhere: it is read, run, documented, completed and explained.
@Suite("An optimizer, a metric and a method that are added", .timeLimit(.minutes(1)))
struct AdditionTests {
  private let catalog: Catalog = {
    var catalog = Catalog()
    catalog.optimizers = catalog.optimizers.adding([FirstRows.self])
    catalog.metrics = catalog.metrics.adding([Short.self])
    catalog.methods.append(.greet)
    return catalog
  }()

  @Test("run")
  func run() async throws {
    try await withService(catalog: catalog) { service in
      #expect(try await service.ask("greet", ["name": "Ada", "times": 2]) == "Hello Ada, Hello Ada")
      let error = try await service.failure("greet", ["nmae": "Ada", "times": 9])
      #expect(error?.problems.map(\.path) == ["name", "times", "nmae"])
      #expect(error?.problems.last?.suggestion == "name")
      let result = try await service.ask(
        "compile",
        [
          "program": "question -> answer", "optimizer": ["name": "first_rows", "rowCount": 3],
          "trainset": ["name": "word-problems", "limit": 5], "metric": ["name": "short", "most": 10],
          "lm": "simulated",
        ])
      let run = try #require(result["runId"]?.stringValue)
      let demos = try await service.ask("loadProgram", ["run": .string(run)])["predictors"]?[0]?["demos"]
      #expect(demos?.arrayValue?.count == 3)
      #expect(try await service.ask("getRun", ["runId": .string(run)])["run"]?["params"]?["row_count"] == "3")
    }
  }

  @Test("stand in the OpenRPC document, with their sentences")
  func documented() async throws {
    let document = try await withService(catalog: catalog) { try await $0.ask("rpc.discover") }
    let method = document["methods"]?.arrayValue?.first { $0["name"] == "greet" }
    #expect(method?["params"]?[1]?["description"] == "How often.")
    #expect(method?["params"]?[1]?["schema"] == ["type": "integer", "minimum": 1, "maximum": 3, "default": 1])
    let text = document["components"]?["schemas"].map { $0.text() } ?? ""
    #expect(text.contains("How many rows are shown.") && text.contains("How many characters are short."))
  }

  @Test("are completed and explained in editors")
  func completed() {
    let vocabulary = Vocabulary(catalog, root: ["optimizer": ["name": "FirstRows"], "metric": ["name": "short"]])
    let optimizer: [JSONTree.Step] = [.member("optimizer")]
    #expect(vocabulary.members(at: optimizer).map(\.name) == ["name", "row_count"])
    #expect(vocabulary.meaning(of: "row_count", in: optimizer) == "How many rows are shown. Default: 2.")
    #expect(vocabulary.values(at: optimizer + [.member("name")]).contains { $0.value == "FirstRows" })
    #expect(vocabulary.meaning(of: "most", in: [.member("metric")]) == "How many characters are short. Default: 80.")
  }
}

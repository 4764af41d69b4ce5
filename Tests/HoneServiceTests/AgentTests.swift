import Failures
import Foundation
import JSON
import LanguageModels
import Platform
import Schema
import Testing

@testable import HoneService
@testable import Jobs

@Suite("Tools for coding agents")
struct AgentTests {
  @Test("every tool is a method, and its schema has every parameter and no reference that leads nowhere")
  func describesMethods() throws {
    for method in AgentTools.methods {
      #expect(MethodTable.method(named: method.name) != nil)
      let schema = AgentTools.schema(of: method)
      #expect(schema["properties"]?.objectValue?.keys == method.parameters.map(\.name))
      #expect(schema["required"]?.arrayValue ?? [] == method.parameters.filter(\.isRequired).map { .string($0.name) })
      let definitions = schema["$defs"]?.objectValue?.keys ?? []
      func walk(_ value: JSONValue) {
        switch value {
        case .object(let object):
          for (key, member) in object {
            if key == "$ref" {
              let name = member.stringValue?.split(separator: "/").last.map(String.init) ?? ""
              #expect(
                member.stringValue == "#/$defs/\(name)" && definitions.contains(name), "\(method.name): \(member)")
            }
            walk(member)
          }
        case .array(let elements): elements.forEach(walk)
        default: break
        }
      }
      walk(schema)
    }
  }

  @Test("every tool says what it costs, and those that spend name the operator's bounds")
  func tellsCosts() throws {
    let tools = AgentTools.list(Budget.Limits(maxCalls: 7, maxCost: 0.5)).arrayValue ?? []
    for (tool, method) in zip(tools, AgentTools.methods) {
      let text = tool["description"]?.stringValue ?? ""
      if AgentTerms.spends(method) {
        #expect(
          text.contains("Costs ") && text.contains("7 model calls, $0.5 where prices are known"), "\(method.name)")
      } else {
        #expect(text.contains("Costs nothing."), "\(method.name)")
      }
    }
    #expect(
      AgentTools.methods.filter(AgentTerms.spends).map(\.name) == ["evaluate", "compile", "resumeRun", "predict"])
  }

  @Test(
    "a request within a ceiling has what the ceiling has, whatever it asks for",
    arguments: [nil, Budget.Limits(), Budget.Limits(maxCalls: 1000), Budget.Limits(maxCalls: 1000, maxSeconds: 1e9)])
  func keepsCeiling(own: Budget.Limits?) throws {
    let ceiling = SpendingCeiling(Budget.Limits(maxCalls: 3, maxTokens: 100, maxCost: 1, maxSeconds: 60))
    var configuration = ModelConfiguration()
    configuration.model = "openai/gpt-4o-mini"
    let (first, second) = (ceiling.budget(own, asking: [configuration]), ceiling.budget(own, asking: [configuration]))
    let call = Budget.Amount(calls: 1, tokens: 10, cost: 0.1)
    let reservation = try #require(try first.reserveNow(call))
    first.settle(reservation, spent: call)
    let held = try #require(try second.reserveNow(call))
    #expect(ceiling.left.maxCalls == 1 && ceiling.left.maxTokens == 80 && first.left.maxCalls == 1)
    let last = try #require(try first.reserveNow(call))
    #expect(try second.reserveNow(call) == nil)
    for (budget, reservation) in [(second, held), (first, last)] { budget.settle(reservation, spent: call) }
    for budget in [first, second] {
      #expect(throws: HoneError.self) { try budget.reserveNow(call) }
    }
    #expect(ceiling.left.maxCalls == 0)
    // The bill of an interrupted run is none of the session's.
    first.charge(Budget.Amount(calls: 50))
    #expect(ceiling.budget.spent.calls == 3)
    // The simulated model costs nothing.
    configuration.model = "simulated"
    #expect(try ceiling.budget(own, asking: [configuration]).reserveNow(call) != nil)
  }

  @Test("seconds count while any request is at work, once for all of them")
  func countsSeconds() async throws {
    let ceiling = SpendingCeiling(Budget.Limits(maxSeconds: 0.05))
    try await Task.sleep(for: .milliseconds(80))
    #expect(ceiling.left.maxSeconds == 0.05)
    ceiling.begin()
    ceiling.begin()
    ceiling.end()
    try await Task.sleep(for: .milliseconds(80))
    ceiling.end()
    #expect(ceiling.left.maxSeconds == 0)
    #expect(throws: HoneError.self) { try ceiling.budget(nil, asking: []).reserveNow(Budget.Amount()) }
  }

  @Test("a loan is what was asked for, else half of what is left, and what was not needed comes back")
  func lends() throws {
    let ceiling = SpendingCeiling(Budget.Limits(maxCalls: 10, maxTokens: 1000, maxCost: 2))
    let loan = try ceiling.lend(Budget.Limits())
    #expect(loan.terms.limits == Budget.Limits(maxCalls: 5, maxTokens: 500, maxCost: 1))
    let large = try ceiling.lend(Budget.Limits(maxCalls: 1_000_000, maxTokens: 10, maxCost: 0.5))
    #expect(large.terms.limits == Budget.Limits(maxCalls: 5, maxTokens: 10, maxCost: 0.5))
    #expect(throws: HoneError.self) { try ceiling.lend(Budget.Limits()) }
    var usage = UsageReport.Entry()
    usage.calls = 2
    ceiling.takeBack(loan, usage: usage)
    #expect(ceiling.left.maxCalls == 3)
    // What nobody knows counts as spent.
    ceiling.takeBack(large, usage: nil)
    #expect(ceiling.left == Budget.Limits(maxCalls: 3, maxTokens: 990, maxCost: 1.5))
  }

  @Test(
    "no request talks a price down",
    arguments: [
      ("openai/gpt-4o-mini", nil, false, nil), ("openai/gpt-4o-mini", (0, 0), false, (0.15, 0.6)),
      ("openai/gpt-4o-mini", (9, 0), false, (9, 0.6)), ("acme/x", (1, 1), false, (1, 1)),
    ] as [(String, (Double, Double)?, Bool, (Double, Double)?)])
  func keepsPrices(model: String, stated: (Double, Double)?, refuses: Bool, counts: (Double, Double)?) {
    let ceiling = SpendingCeiling(Budget.Limits(maxCost: 1))
    var configuration = ModelConfiguration()
    configuration.model = model
    configuration.price = stated.map { ModelConfiguration.Price(input: $0.0, output: $0.1) }
    let price = ceiling.priced(configuration)?.price
    #expect(price?.input == counts?.0 && price?.output == counts?.1)
    let strict = SpendingCeiling(Budget.Limits(maxCost: 1), refusesUnknownPrices: true)
    #expect((strict.priced(configuration) == nil) == (model == "acme/x"))
  }

  @Test("paths are judged by where they lead")
  func encloses() throws {
    let base = FileManager.default.temporaryDirectory.appending(path: "hone-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: base) }
    let files = FileManager.default
    for directory in ["root/sub", "root2"] {
      try files.createDirectory(atPath: "\(base)/\(directory)", withIntermediateDirectories: true)
    }
    try Data().write(to: URL(filePath: "\(base)/root2/secret"))
    try Data().write(to: URL(filePath: "\(base)/root/open"))
    for (link, to) in [
      ("out", "../root2"), ("file", "../root2/secret"), ("gone", "../root2/new"), ("in", "sub"), ("loop", "loop"),
    ] {
      try files.createSymbolicLink(atPath: "\(base)/root/\(link)", withDestinationPath: to)
    }
    let enclosure = try #require(Enclosure("\(base)/root"))
    let root = enclosure.root
    for (path, place) in [
      ("open", "open"), ("sub/../open", "open"), ("in/new", "sub/new"), ("./a/b/c", "a/b/c"), ("sub/", "sub"),
      ("new//x", "new/x"),
    ] {
      #expect(enclosure.place(of: "\(base)/root/\(path)") == "\(root)/\(place)", "\(path)")
    }
    for path in [
      "root/../root2/secret", "root2/secret", "root2", "root/out/secret", "root/out/new", "root/file", "root/gone",
      "root/loop",
      "root/a/../../root2/secret", "root/loop/x", "root/open/x", "root/../new", "",
    ] {
      #expect(enclosure.place(of: path.isEmpty ? "" : "\(base)/\(path)") == nil, "\(path)")
    }
    #expect(enclosure.place(of: "/etc/passwd") == nil && enclosure.place(of: "/") == nil)
    #expect(enclosure.place(of: "\(root)/a\u{0}b") == nil)
    #expect(Enclosure("\(base)/root/open") == nil && Enclosure("\(base)/absent") == nil)
  }
}

import Failures
import Foundation
import JSON
import LanguageModels
import Testing

@testable import HTTPModels

/// Error bodies as providers document them, each with whose fault it is: `Tests/Fixtures/failures.jsonl`.
@Suite("Whose fault a failed call is")
struct FailureTableTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var line: JSONValue
    var testDescription: String { line.text() }
    var status: Int { line["status"]?.intValue ?? 0 }
    var body: [UInt8] { line["body"]?.stringValue.map { Array($0.utf8) } ?? line["body"]?.encoded() ?? [] }
  }

  static let cases: [Case] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/failures.jsonl")
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { (try? JSONReader.read(String($0))).map { Case(line: $0) } }
  }()

  private func reader() throws -> ReplyReader {
    var configuration = ModelConfiguration(model: "openai/m")
    configuration.apiBase = "http://localhost:1/v1"
    return ReplyReader(endpoint: try Endpoint(configuration), redactor: Redactor(secrets: []))
  }

  private func failure(_ given: Case) throws -> ModelFailure {
    let reader = try reader()
    guard given.status == 200 else { return reader.failure(status: given.status, body: given.body, pause: nil) }
    do throws(ModelFailure) {
      _ = try reader.reply(given.body, promptBytes: 10)
    } catch {
      return error
    }
    throw HoneError(.internalError, "No failure")
  }

  @Test("the table is known whole")
  func thereAreEnough() {
    #expect(Self.cases.count >= 70)
    #expect(Set(Self.cases.compactMap { $0.line["provider"]?.stringValue }).count >= 15)
    #expect(Set(Self.cases.compactMap { $0.line["fault"]?.stringValue }) == Set(Fault.allCases.map(\.rawValue)))
  }

  @Test("what providers answer is told by what they say, and has the endpoint's words and a remedy", arguments: cases)
  func isTold(given: Case) throws {
    let failure = try failure(given)
    #expect(failure.error.kind.rawValue == given.line["kind"]?.stringValue)
    #expect(failure.error.details["fault"] == given.line["fault"]?.stringValue)
    #expect(failure.error.remedy?.isEmpty == false)
    #expect(failure.error.cause?.isEmpty == false)
    switch (given.line["retry"]?.stringValue, failure.retry) {
    case ("never", .never), ("backOff", .backOff): break
    case ("after", .after(let seconds)): #expect(abs(seconds - (given.line["pause"]?.doubleValue ?? -1)) < 0.001)
    default: Issue.record("\(failure.retry)")
    }
  }

  @Test("words that a provider repeats of the request decide nothing")
  func userWordsAreNone() throws {
    let body = #"{"error":{"message":"Bad input","code":"x"},"input":"insufficient credit, content filter"}"#
    #expect(try reader().failure(status: 400, body: Array(body.utf8), pause: nil).error.kind == .inputRejected)
  }

  @Test(
    "pauses in words",
    arguments: [
      ("20s.", 20), ("7m12s", 432), ("1h2m", 3720), ("12.5 seconds", 12.5), ("250ms", 0.25), ("2 hours", 7200),
      ("1 minute and", 60),
    ])
  func pauses(text: String, seconds: Double) {
    #expect(EndpointWords.duration(text[...])?.seconds == seconds)
  }

  @Test("what is no pause", arguments: ["a moment", "", "5", "5 apples"])
  func noPauses(text: String) { #expect(EndpointWords.duration(text[...]) == nil) }

  @Test("every rule says who documents it and what to do")
  func rulesAreWhole() {
    for rule in FailureTable.rules {
      #expect(!rule.source.isEmpty && !rule.remedy.isEmpty && !rule.message.isEmpty)
      #expect(rule.codes.allSatisfy { $0 == $0.lowercased() } && rule.phrases.allSatisfy { $0 == $0.lowercased() })
    }
  }
}

import Failures
import Foundation
import HTTPResponses
import HTTPTypes
import Hummingbird
import JSON
import Schema
import Tracking

/// What a client asks of MLflow's API: the members of its JSON body or of its query, and the parts of its path.
///
/// Members may be given as strings where a number is meant, as queries and protobuf's JSON do. Unknown ones are passed
/// over, as MLflow does; wrong ones are refused with their name.
struct APIRequest: Sendable {
  let object: JSONObject
  let parameters: Parameters

  private static let limit = 32 << 20

  init(_ request: Request, _ context: BasicRequestContext) async throws {
    parameters = context.parameters
    if request.method == .get || request.method == .head {
      object = Self.object(query: request.uri.query ?? "")
      return
    }
    let bytes = try await request.bytes(upTo: Self.limit)
    guard !bytes.isEmpty else {
      object = Self.object(query: request.uri.query ?? "")
      return
    }
    guard request.mediaType == "application/json" else {
      throw WebFailure.invalid("Send the request as application/json.")
    }
    do {
      guard case .object(let members) = try JSONReader.read(bytes, maximumValues: JSONReader.messageValues) else {
        throw WebFailure.invalid("The request should be a JSON object.")
      }
      object = members
    } catch let error as JSONSyntaxError {
      throw WebFailure(.badRequest, "BAD_REQUEST", "The request is not JSON: \(error).")
    }
  }

  init(_ object: JSONObject, parameters: Parameters = Parameters()) {
    self.object = object
    self.parameters = parameters
  }

  /// The pairs of a query; a key that stands more than once is a list.
  static func object(query: String) -> JSONObject {
    var object = JSONObject()
    for pair in query.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let key = parts.first.flatMap({ $0.formDecoded }),
        let value = (parts.count > 1 ? parts[1] : "").formDecoded
      else { continue }
      switch object[key] {
      case nil: object[key] = .string(value)
      case .array(let values)?: object[key] = .array(values + [.string(value)])
      case let first?: object[key] = .array([first, .string(value)])
      }
    }
    return object
  }

  // MARK: Members

  func value(_ names: String...) -> JSONValue? { value(names) }

  private func value(_ names: [String]) -> JSONValue? {
    for name in names { if let value = object[name], !value.isNull { return value } }
    return nil
  }

  func text(_ names: String...) throws -> String? {
    guard let value = value(names) else { return nil }
    switch value {
    case .string(let text): return text
    case .int, .number: return value.text()
    default: throw WebFailure.invalid("\(names[0]): Expected a string, got \(value.kindName) \(value.excerpt).")
    }
  }

  /// A text that has to be there and say something.
  func requiredText(_ name: String, _ other: String = "") throws -> String {
    guard let text = try text(name, other), !text.isEmpty else {
      throw WebFailure.invalid("Missing value for required parameter '\(name)'.")
    }
    return text
  }

  /// The id of a run, under its present or its former name.
  func runID() throws -> String { try requiredText("run_id", "run_uuid") }

  func int(_ name: String, in range: ClosedRange<Int> = Int.min...Int.max) throws -> Int? {
    guard let value = value(name) else { return nil }
    guard let number = value.intValue ?? value.stringValue.flatMap({ Int($0) }) else {
      throw WebFailure.invalid("\(name): Expected a whole number, got \(value.excerpt).")
    }
    guard range.contains(number) else {
      throw WebFailure.invalid(
        "\(name): Expected a whole number from \(range.lowerBound) to \(range.upperBound), got \(number).")
    }
    return number
  }

  func bool(_ name: String) throws -> Bool? {
    switch value(name) {
    case nil: nil
    case .bool(let flag)?: flag
    case .string(let word)? where ["true", "false"].contains(word.lowercased()): word.lowercased() == "true"
    case let value?: throw WebFailure.invalid("\(name): Expected true or false, got \(value.excerpt).")
    }
  }

  /// A list; a single value counts as a list of one, as a query cannot tell them apart.
  func list(_ name: String) throws -> [JSONValue] {
    switch value(name) {
    case nil: return []
    case .array(let elements)?: return elements
    case .string(let text)?: return [.string(text)]
    case let value?: throw WebFailure.invalid("\(name): Expected a list, got \(value.kindName).")
    }
  }

  func texts(_ name: String) throws -> [String] {
    try list(name).map { element in
      if let text = element.stringValue { return text }
      guard case .int = element else {
        throw WebFailure.invalid("\(name): Expected a list of strings, got \(element.excerpt).")
      }
      return element.text()
    }
  }

  /// A list of `{"key", "value"}`, or an object.
  func pairs(_ name: String) throws -> [KeyValue] {
    guard let value = value(name) else { return [] }
    return try Self.checked { PairList.read(value, at: name, $0) }?.pairs ?? []
  }

  /// All members as a record.
  ///
  /// - Throws: `WebFailure` (400) for a member of another kind.
  func record<Record: ForeignRecord>(_ type: Record.Type = Record.self) throws -> Record {
    try Self.checked { Record.known(from: FieldReader(object, problems: $0)) }
  }

  private static func checked<Value>(_ read: (ProblemList) -> Value) throws -> Value {
    let problems = ProblemList()
    let value = read(problems)
    if let problem = problems.problems.first {
      throw WebFailure.invalid("\(problem.path): \(problem.message)")
    }
    return value
  }

  /// A part of the path.
  func part(_ name: String) throws -> String {
    guard let raw = parameters.get(name), let text = raw.removingPercentEncoding else {
      throw WebFailure.invalid("The address has no \(name).")
    }
    return text
  }

  // MARK: Common members

  func view(_ name: String) throws -> ViewType {
    guard let word = try text(name), !word.isEmpty else { return .activeOnly }
    guard let view = ViewType(rawValue: word) else {
      throw WebFailure.invalid(
        "\(name): Expected one of \(ViewType.allCases.map(\.rawValue).joined(separator: ", ")), got \(word).")
    }
    return view
  }

  func pageToken() throws -> String? { try text("page_token").flatMap { $0.isEmpty ? nil : $0 } }
}

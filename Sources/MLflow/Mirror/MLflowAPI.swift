import Delivery
import Failures
import Foundation
import JSON
import NIOHTTP1
import Schema

/// MLflow's REST API as far as a mirror needs it. Source: mlflow.org, "REST API", versions 2.0 and 3.0.
struct MLflowAPI: Sendable {
  let sender: HTTPSender

  /// - Parameter address: the tracking URI. Credentials come from it, else from `MLFLOW_TRACKING_TOKEN`, else from
  ///   `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`.
  init(_ address: String) throws(HoneError) {
    let environment = ProcessInfo.processInfo.environment
    var authorization: String?
    if let token = environment["MLFLOW_TRACKING_TOKEN"], !token.isEmpty {
      authorization = "Bearer \(token)"
    } else if let user = environment["MLFLOW_TRACKING_USERNAME"], !user.isEmpty {
      let pair = "\(user):\(environment["MLFLOW_TRACKING_PASSWORD"] ?? "")"
      authorization = "Basic " + Data(pair.utf8).base64EncodedString()
    }
    sender = try HTTPSender(address, authorization: authorization)
  }

  /// What the server said no to, once and for all.
  struct Refusal: Sendable {
    var status: Int
    var code: String
    var message: String
    var isMissing: Bool { code == "RESOURCE_DOES_NOT_EXIST" || code == "NOT_FOUND" }
  }

  enum Answer: Sendable {
    case value(MLflowReply)
    case refusal(Refusal)
  }

  func post(_ path: String, _ body: JSONValue) async throws(HoneError) -> Answer {
    try answer(try await sender.send(.POST, "/api/\(path)", body.encoded()))
  }

  func get(_ path: String, _ query: [(String, String)] = []) async throws(HoneError) -> Answer {
    var parts = URLComponents()
    parts.queryItems = query.map { URLQueryItem(name: $0.0, value: $0.1) }
    // A plus sign stands for a space in queries unless it is written out.
    let text = (parts.percentEncodedQuery ?? "").replacingOccurrences(of: "+", with: "%2B")
    return try answer(try await sender.send(.GET, "/api/\(path)" + (text.isEmpty ? "" : "?\(text)")))
  }

  /// The value; a refusal becomes an error.
  func value(of answer: Answer, doing what: String) throws(HoneError) -> MLflowReply {
    switch answer {
    case .value(let value): return value
    case .refusal(let refusal):
      throw HoneError(
        refusal.isMissing ? .notFound : .storeUnavailable,
        "\(sender.base) would not \(what): \(refusal.message) (\(refusal.status))",
        remedy: refusal.status == 401 || refusal.status == 403
          ? "Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD." : nil)
    }
  }

  func upload(_ bytes: [UInt8], to path: String) async throws(HoneError) -> Answer {
    try answer(
      try await sender.send(
        .PUT, artifactPath(path), type: "application/octet-stream", bytes, timeout: 300))
  }

  func download(_ path: String) async throws(HoneError) -> [UInt8] {
    let reply = try await sender.send(.GET, artifactPath(path), timeout: 300)
    if reply.isSuccess { return reply.body }
    _ = try value(of: try answer(reply), doing: "give \(path)")
    return []
  }

  private func artifactPath(_ path: String) -> String {
    let allowed = CharacterSet.urlPathAllowed.subtracting(CharacterSet(charactersIn: "+;"))
    return "/api/2.0/mlflow-artifacts/artifacts/" + (path.addingPercentEncoding(withAllowedCharacters: allowed) ?? path)
  }

  /// - Throws: where the server cannot be used now, but perhaps later.
  private func answer(_ reply: HTTPSender.Reply) throws(HoneError) -> Answer {
    let body = MLflowReply(try? JSONReader.read(reply.body))
    if reply.isSuccess { return .value(body) }
    let message = body.message ?? String(decoding: reply.body.prefix(200), as: UTF8.self)
    if reply.isPassing {
      throw HoneError(.storeUnavailable, "\(sender.base) answered \(reply.status): \(message)")
    }
    return .refusal(Refusal(status: reply.status, code: body.errorCode ?? "", message: message))
  }
}

import JSON
import Jobs
import Schema

/// What an agent's requests and notifications say, as far as it is read here: each fills some of these.
///
/// Source: modelcontextprotocol.io, specifications 2025-11-25 and 2026-07-28.
struct AgentParams: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("_meta", \.meta), Member("protocolVersion", \.protocolVersion), Member("name", \.name),
    Member("arguments", \.arguments), Member("requestId", \.requestID),
  ]
  var meta = Meta()
  /// Of `initialize`.
  var protocolVersion = ""
  /// Of `tools/call`.
  var name = ""
  var arguments = JSONValue.null
  /// Of a cancellation.
  var requestID: JSONValue?

  struct Meta: ForeignRecord {
    static let members: [Member<Self>] = [
      Member("io.modelcontextprotocol/protocolVersion", \.protocolVersion), Member("progressToken", \.progressToken),
    ]
    /// Each request of the stateless form says it.
    var protocolVersion: String?
    var progressToken: ProgressToken?
  }
}

/// What a request of a tool says that this room adds to.
struct ToolArguments: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("budget", \.budget), Member("maxResults", \.maxResults), Member("detach", \.detach),
  ]
  var budget = Change<JSONValue>.none
  var maxResults: JSONValue?
  var detach = false
}

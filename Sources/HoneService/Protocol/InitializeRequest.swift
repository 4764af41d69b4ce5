package import JSON
package import Jobs
import Programs
package import Schema

/// The parameters of `initialize` that the service reads.
struct InitializeRequest: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("processId", \.processID, "The client's process; the service ends seconds after it."),
    Member("baseDirectory", \.baseDirectory, as: Schema(.string), "The absolute path from which relative paths count."),
    Member(
      "capabilities", \.capabilities, "As in LSP; callbacks says which of its functions the client serves."),
    Member(
      "initializationOptions", \.options,
      "For editors whose capabilities are not their own to state: callbacks may be given here instead."),
  ]
  var processID: Int?
  var baseDirectory: JSONValue?
  var capabilities = Callbacks()
  var options = Callbacks()

  struct Callbacks: ForeignRecord {
    static let members: [Member<Self>] = [
      Member(
        "callbacks", \.callbacks, as: Schema(.named("ServedCallbacks")), "Which functions the client serves, by name.")
    ]
    var callbacks: CallbackList?
  }

  /// The functions that the client serves.
  var callbacks: CallbackList { capabilities.callbacks ?? options.callbacks ?? CallbackList() }
}

/// Members of any request that are the session's, not the method's.
package struct RequestFrame: ForeignRecord {
  package static let members: [Member<Self>] = [
    Member("workDoneToken", \.workDoneToken), Member("partialResultToken", \.partialResultToken),
    Member("baseDirectory", \.baseDirectory), Member("restrictKeys", \.restrictsKeys),
    Member("root", \.root), Member("ceiling", \.ceiling),
  ]
  package var workDoneToken: ProgressToken?
  package var partialResultToken: ProgressToken?
  package var baseDirectory: JSONValue?
  /// Whether keys go only where the operator has allowed, to this machine's own addresses, too.
  package var restrictsKeys: Bool?
  /// The only directory whose files the request may name.
  package var root: String?
  /// What the request may spend, whatever its own budget says.
  package var ceiling: SpendingCeiling.Terms?

  package init() {}

  /// The request's parameters without them.
  package static func stripped(_ params: JSONObject) -> JSONObject {
    let own = members.map(\.name)
    return params.filter { !own.contains($0) }
  }
}

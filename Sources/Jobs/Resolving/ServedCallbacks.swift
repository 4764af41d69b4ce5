package import Programs

/// The functions that a client said it serves. A kind that it said nothing of is trusted to be there.
package struct ServedCallbacks: Sendable {
  private var names: [CallbackKind: [String]] = [:]
  /// The beginning of a sentence that says what is not served.
  package private(set) var lead = "The client said in initialize that it serves"

  package init() {}

  /// The functions of the process itself that a call was given; each kind is known.
  package init(given names: [CallbackKind: [String]]) {
    lead = "This call was given"
    for kind in CallbackKind.allCases { self.names[kind] = names[kind] ?? [] }
  }

  /// What the client listed in `initialize`.
  package init(_ list: CallbackList) {
    for kind in CallbackKind.allCases { names[kind] = list[kind] }
  }

  /// The names of that kind; nil if nothing was said.
  package subscript(kind: CallbackKind) -> [String]? { names[kind] }
}

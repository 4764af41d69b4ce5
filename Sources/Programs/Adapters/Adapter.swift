package import JSON
import LanguageModels
package import Messages

/// Turns a signature, demos and inputs into a chat in one form, and a reply into outputs.
///
/// The order of messages is DSPy's: what the fields are, how a reply looks and what is to be done (system); demos as
/// exchanges, incomplete ones first; then the inputs at hand. A demo's turns and the turns at hand have one form: a
/// small model goes on as the demos do, so whatever stands behind the inputs at hand stands behind a demo's too.
///
/// What every call needs is made once, with the adapter.
package struct Adapter: Sendable {
  package let signature: Signature
  package let format: ReplyFormat
  /// What the reply must satisfy, where an endpoint can see to that: a strict JSON Schema of an object; nil where the
  /// form is not JSON, or a type cannot be stated so.
  package let schema: JSONValue?
  private let layout: any Layout
  /// The names of the outputs in UTF-8, as headers in a reply are compared with them.
  let outputNames: [[UInt8]]

  /// - Parameter format: `plain` where the signature does not suit it is taken as `json`.
  package init(_ signature: Signature, _ format: ReplyFormat = .chat) {
    self.signature = signature
    self.format = format.suits(signature) ? format : .json
    outputNames = signature.outputs.map { Array($0.name.utf8) }
    switch self.format {
    case .chat: layout = ChatLayout(signature)
    case .json: layout = JSONLayout(signature)
    case .plain: layout = PlainLayout(signature)
    case .xml: layout = XMLLayout(signature)
    }
    schema = self.format == .json ? signature.strictSchema : nil
  }

  /// The messages every call with these demos begins with.
  ///
  /// A demo without any input or without any output is left out.
  package func sharedMessages(demos: [JSONObject]) -> SharedMessages {
    var incomplete: [ChatMessage] = []
    var complete: [ChatMessage] = []
    for demo in demos {
      let inputs = signature.inputs.filter { Self.states(demo, $0) }
      let outputs = signature.outputs.filter { Self.states(demo, $0) }
      guard !inputs.isEmpty, !outputs.isEmpty else { continue }
      let exchange = [
        ChatMessage(.user, layout.asked(inputs.map { ($0, Self.text(of: demo[$0.name] ?? .null)) })),
        ChatMessage(
          .assistant, layout.answered(signature.outputs.map { ($0, Self.states(demo, $0) ? demo[$0.name] : nil) })),
      ]
      let isComplete = inputs.count == signature.inputs.count && outputs.count == signature.outputs.count
      if isComplete { complete += exchange } else { incomplete += exchange }
    }
    return SharedMessages([ChatMessage(.system, layout.system)] + incomplete + complete)
  }

  /// The message with the inputs at hand.
  package func request(_ inputs: JSONObject) -> ChatMessage {
    ChatMessage(.user, layout.asked(signature.inputs.map { ($0, Self.text(of: inputs[$0.name] ?? .null)) }))
  }

  /// What a model is told after a reply whose values are not what was asked for.
  package func correction(of failure: UnparsableReply) -> ChatMessage {
    ChatMessage(.user, "That reply cannot be used: \(failure.reason) \(layout.again)")
  }

  /// Whether a demo has a value for the field; null is one only where the type allows it.
  private static func states(_ demo: JSONObject, _ field: Field) -> Bool {
    guard let value = demo[field.name] else { return false }
    return value != .null || field.type.admitsNull
  }

  /// A value as it stands in a prompt.
  package static func text(of value: JSONValue) -> String {
    switch value {
    case .string(let text): text
    case .null: "None"
    case .bool(let flag): flag ? "True" : "False"
    default: value.text(.spaced)
    }
  }
}

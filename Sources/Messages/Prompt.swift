package import Basics
package import JSON

/// One message of a chat.
package struct ChatMessage: Sendable, Hashable {
  package enum Role: String, Sendable { case system, user, assistant }
  package var role: Role
  package var content: String

  package init(_ role: Role, _ content: String) {
    self.role = role
    self.content = content
  }

  package var json: JSONValue { ["role": .string(role.rawValue), "content": .string(content)] }
}

/// Messages that many prompts begin with: a candidate's system message and its demos.
///
/// Made once a candidate and shared by all its calls, so that its digest is computed once and a store
/// may keep the text once.
package final class SharedMessages: Sendable {
  package let messages: [ChatMessage]
  package let digest: ContentDigest

  package init(_ messages: [ChatMessage]) {
    self.messages = messages
    var builder = ContentDigest.Builder()
    for message in messages {
      builder.add(message.role.rawValue)
      builder.add(message.content)
    }
    digest = builder.finish()
  }
}

/// The messages of one request: a shared beginning, then its own.
package struct Prompt: Sendable {
  package var shared: SharedMessages
  package var own: [ChatMessage]

  package init(shared: SharedMessages, own: [ChatMessage]) {
    self.shared = shared
    self.own = own
  }

  package init(_ messages: [ChatMessage]) {
    self.init(shared: Prompt.nothing, own: messages)
  }

  private static let nothing = SharedMessages([])

  /// All messages in order.
  package var messages: [ChatMessage] { shared.messages + own }

  package var json: JSONValue { .array(messages.map(\.json)) }
}

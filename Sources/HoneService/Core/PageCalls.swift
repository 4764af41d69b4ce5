import Failures
import JSON
import JSONRPC
import Jobs
import Platform

extension Service {
  /// Answers one JSON-RPC message or batch of the web page, which may call the methods that are open to pages; nil for
  /// notifications.
  ///
  /// A page has no directory: what it sends is never taken as the path of a file.
  package func answerPage(_ text: [UInt8]) async -> [UInt8]? {
    switch Incoming(parsing: text, maximumBatch: 100) {
    case .single(let message): return await Self.text(await answerPage(message)?.json)
    case .batch(let messages):
      let answers = await withTaskGroup(of: (Int, Message?).self) { group in
        for (index, message) in messages.enumerated() {
          group.addTask { (index, await self.answerPage(message)) }
        }
        var answers = [Message?](repeating: nil, count: messages.count)
        for await (index, answer) in group { answers[index] = answer }
        return answers.compactMap(\.self)
      }
      return await Self.text(answers.isEmpty ? nil : JSONValue.array(answers.map(\.json)))
    }
  }

  private static func text(_ answer: JSONValue?) async -> [UInt8]? {
    guard let answer else { return nil }
    return await apart(where: answer.isLarge(beyond: ComputationThreads.longText)) { answer.encoded() }
  }

  private func answerPage(_ message: Message) async -> Message? {
    switch message {
    case .refused: return message
    case .request(let id, let method, let params):
      guard catalog.method(named: method)?.isForPages == true else {
        return .failure(id: id, .methodNotFound(method, known: catalog.methods.filter(\.isForPages).map(\.name)))
      }
      do throws(HoneError) {
        return .result(id: id, try await call(method, params, in: .page))
      } catch {
        return .failure(id: id, RPCError(error))
      }
    default: return nil
    }
  }
}

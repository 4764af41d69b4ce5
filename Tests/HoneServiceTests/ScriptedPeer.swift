import Failures
import HoneService
import JSON
import JSONRPC
import Programs
import Synchronization

/// A client that answers as a closure says, and remembers what it was asked.
final class ScriptedPeer: CallbackPeer {
  /// Gives the answer to the question of that number, counted from 0.
  typealias Script =
    @Sendable (_ method: String, _ params: JSONObject, _ number: Int) async throws(CallbackFailure) -> JSONValue

  struct Question: Sendable, Equatable {
    var method: String
    var params: JSONObject
    var timeout: Double?
  }

  private let script: Script
  private let state = Mutex((questions: [Question](), isGone: false))

  init(_ script: @escaping Script) { self.script = script }

  var questions: [Question] { state.withLock { $0.questions } }
  var isGone: Bool { state.withLock { $0.isGone } }

  /// From now on the client is away.
  func leave() { state.withLock { $0.isGone = true } }

  func ask(_ method: String, _ params: JSONObject, timeout: Double?) async throws(CallbackFailure) -> JSONValue {
    if isGone { throw .gone }
    let number = state.withLock { state in
      state.questions.append(Question(method: method, params: params, timeout: timeout))
      return state.questions.count - 1
    }
    return try await script(method, params, number)
  }
}

/// The bare end of a connection: hears each message of the service's, and sends whatever a test wants, right or wrong.
final class BareClient: ByteStreamDelegate {
  private let stream: SocketStream
  private let hear: @Sendable (JSONValue, BareClient) -> Void
  private let pending = Mutex<[UInt8]>([])

  /// - Parameter hear: is called for each message, one after the other.
  init(_ stream: SocketStream, hear: @escaping @Sendable (JSONValue, BareClient) -> Void) {
    self.stream = stream
    self.hear = hear
    stream.start(self)
  }

  func send(_ message: JSONValue) { _ = stream.write(message.encoded() + [0x0A]) }

  func answer(_ question: JSONValue, _ result: JSONValue) {
    send(["jsonrpc": "2.0", "id": question["id"] ?? .null, "result": result])
  }

  /// Is gone from one moment to the next.
  func die() { stream.abort() }

  func streamReceived(_ bytes: UnsafeRawBufferPointer) {
    let lines = pending.withLock { pending in
      pending.append(contentsOf: bytes)
      var lines = pending.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
      pending = lines.removeLast()
      return lines
    }
    for line in lines { if let message = try? JSONReader.read(line) { hear(message, self) } }
  }

  func streamInputEnded() {}
  func streamDrained() {}
  func streamClosed(_ error: HoneError?) {}
}

import Failures
import JSON
import JSONRPC
import Jobs
import Programs
import Schema
import Synchronization
import Testing

@testable import HoneService

@Suite("A connection as the client to ask", .timeLimit(.minutes(1)))
struct ClientPeerTests {
  /// Runs the body with a peer whose client hears as given.
  private func withPeer(
    _ hear: @escaping @Sendable (JSONValue, BareClient) -> Void,
    _ body: (ConnectionPeer, BareClient) async throws -> Void
  ) async throws {
    let loop = try EventLoop()
    defer { loop.stop() }
    let (near, far) = try SocketStream.pair(loop: loop)
    let connection = Connection(near, handler: NoRequests(), framing: .lines)
    connection.start()
    let client = BareClient(far, hear: hear)
    try await body(ConnectionPeer(connection: connection), client)
    connection.abort()
    await connection.waitUntilFinished()
  }

  private func failure(_ peer: ConnectionPeer, timeout: Double? = nil) async -> CallbackFailure? {
    do throws(CallbackFailure) {
      _ = try await peer.ask("tool/call", ["name": "t"], timeout: timeout)
      return nil
    } catch {
      return error
    }
  }

  @Test("what a client raises arrives whole, and the next question is answered")
  func raises() async throws {
    try await withPeer { question, client in
      guard question["params"]?["name"] == "t" else { return client.answer(question, "right") }
      client.send([
        "jsonrpc": "2.0", "id": question["id"] ?? .null,
        "error": ["code": -32000, "message": "no luck", "data": ["kind": "timeout"]],
      ])
    } _: { peer, _ in
      let refused = await failure(peer)
      #expect(refused == .refused(code: -32000, message: "no luck", data: ["kind": "timeout"]))
      let answer = try await peer.ask("tool/call", ["name": "u"], timeout: nil)
      #expect(answer == "right")
    }
  }

  @Test("an answer that comes too late is passed over, and is nobody else's")
  func late() async throws {
    let first = Mutex<JSONValue?>(nil)
    try await withPeer { question, client in
      guard question["method"] == "tool/call" else { return }
      guard let late = first.withLock({ $0 }) else { return first.withLock { $0 = question } }
      client.answer(late, "late")
      client.answer(question, "in time")
    } _: { peer, _ in
      #expect(await failure(peer, timeout: 0.02) == .timedOut(0.02))
      let answer = try await peer.ask("tool/call", ["name": "t"], timeout: nil)
      #expect(answer == "in time")
    }
  }

  @Test("of two answers to one question the first counts")
  func twice() async throws {
    try await withPeer { question, client in
      client.answer(question, .string("first to \(question["id"]?.text() ?? "")"))
      client.answer(question, .string("second to \(question["id"]?.text() ?? "")"))
    } _: { peer, _ in
      for id in 1_000_000_000...1_000_000_004 {
        let answer = try await peer.ask("tool/call", ["name": "t"], timeout: nil)
        #expect(answer == .string("first to \(id)"))
      }
    }
  }

  @Test("a client that dies within a question is gone for this one and all to come")
  func dies() async throws {
    try await withPeer { _, client in
      client.die()
    } _: { peer, _ in
      #expect(await failure(peer) == .gone)
      #expect(peer.isGone)
      #expect(await failure(peer) == .gone)
    }
  }

  @Test("a question that nobody wants answered any more is taken back")
  func cancelled() async throws {
    let (messages, heard) = AsyncStream<JSONValue>.makeStream()
    try await withPeer { message, _ in
      heard.yield(message)
    } _: { peer, _ in
      var iterator = messages.makeAsyncIterator()
      let task = Task { await failure(peer) }
      let question = await iterator.next()
      task.cancel()
      #expect(await task.value == .cancelled)
      let notice = await iterator.next()
      #expect(notice?["method"] == "$/cancelRequest")
      #expect(notice?["params"]?["id"] == question?["id"])
    }
  }

  @Test("what a client says it serves is believed; of what it says nothing is trusted to be there")
  func knowsServed() {
    func served(_ params: JSONValue) -> ServedCallbacks { ServedCallbacks(InitializeRequest(params).callbacks) }
    let stated = served(["capabilities": ["callbacks": ["metrics": ["m", 7], "tools": []]]])
    #expect(stated[.metrics] == ["m"] && stated[.tools] == [] && stated[.programs] == nil)
    let editor = served(["initializationOptions": ["callbacks": ["programs": ["p"]]]])
    #expect(editor[.programs] == ["p"] && editor[.languageModels] == nil)
    #expect(served(["capabilities": "none"])[.metrics] == nil)
  }
}

/// Serves nothing: for a peer that only asks.
private struct NoRequests: RequestHandler {
  func plan(_ request: IncomingRequest) -> RequestPlan { .failure(.methodNotFound(request.method)) }
}

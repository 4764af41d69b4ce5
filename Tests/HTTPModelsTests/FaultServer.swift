import NIOCore
import NIOPosix
import Synchronization

/// An HTTP server on 127.0.0.1 that answers each request with raw bytes, as a test says: well or badly.
final class FaultServer: Sendable {
  struct Request: Sendable {
    /// Which one, from 1.
    var number: Int
    /// The request line and headers.
    var head: String
    var body: String

    func header(_ name: String) -> String? {
      for line in head.split(separator: "\r\n").dropFirst() {
        guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name else { continue }
        return String(line[line.index(after: colon)...].drop { $0 == " " })
      }
      return nil
    }
  }

  enum Step: Sendable {
    case send([UInt8])
    case wait(Double)
    case close
  }

  private struct State {
    var requests: [Request] = []
    var connections = 0
    var closed = 0
  }

  private let state = Mutex(State())
  private let script: @Sendable (Request) -> [Step]
  private let channel: Mutex<(any Channel)?> = Mutex(nil)

  init(_ script: @escaping @Sendable (Request) -> [Step]) async throws {
    self.script = script
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Handler(server: self))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    self.channel.withLock { $0 = channel }
  }

  var base: String { "http://127.0.0.1:\(channel.withLock { $0?.localAddress?.port } ?? 0)/v1" }
  var requests: [Request] { state.withLock { $0.requests } }
  var connections: Int { state.withLock { $0.connections } }
  /// Connections that are closed by now.
  var closed: Int { state.withLock { $0.closed } }

  func stop() async { try? await channel.withLock { $0 }?.close().get() }

  fileprivate func steps(_ head: String, _ body: String) -> [Step] {
    let request = state.withLock { state in
      let request = Request(number: state.requests.count + 1, head: head, body: body)
      state.requests.append(request)
      return request
    }
    return script(request)
  }

  fileprivate func note(opened: Bool) {
    state.withLock { state in
      if opened { state.connections += 1 } else { state.closed += 1 }
    }
  }

  static func response(_ status: String, _ body: String, headers: String = "") -> [Step] {
    [
      .send(
        Array(
          "HTTP/1.1 \(status)\r\ncontent-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
            .utf8))
    ]
  }

  static func answer(_ text: String) -> [Step] {
    response(
      "200 OK",
      #"{"model":"served","choices":[{"message":{"role":"assistant","content":"\#(text)"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#
    )
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let server: FaultServer
    private var received: [UInt8] = []

    init(server: FaultServer) { self.server = server }

    func channelActive(context: ChannelHandlerContext) { server.note(opened: true) }
    func channelInactive(context: ChannelHandlerContext) { server.note(opened: false) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      received.append(contentsOf: unwrapInboundIn(data).readableBytesView)
      let text = String(decoding: received, as: UTF8.self)
      guard let end = text.range(of: "\r\n\r\n") else { return }
      let head = String(text[..<end.lowerBound])
      let length =
        FaultServer.Request(number: 0, head: head, body: "").header("content-length").flatMap { Int($0) } ?? 0
      let body = text[end.upperBound...]
      guard body.utf8.count >= length else { return }
      received = []
      take(server.steps(head, String(body))[...], context.channel)
    }

    private func take(_ steps: ArraySlice<Step>, _ channel: any Channel) {
      FaultServer.take(steps, channel)
    }
  }

  private static func take(_ steps: ArraySlice<Step>, _ channel: any Channel) {
    guard let step = steps.first else { return }
    let rest = steps.dropFirst()
    switch step {
    case .send(let bytes):
      channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
      take(rest, channel)
    case .wait(let seconds):
      channel.eventLoop.scheduleTask(in: .milliseconds(Int64(seconds * 1000))) { take(rest, channel) }
    case .close:
      channel.close(promise: nil)
    }
  }
}

extension String {
  fileprivate func range(of needle: String) -> Range<String.Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].utf8.starts(with: needle.utf8) {
        return start..<utf8.index(start, offsetBy: needle.utf8.count)
      }
      start = utf8.index(after: start)
    }
    return nil
  }
}

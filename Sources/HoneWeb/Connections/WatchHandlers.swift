import NIOCore
import NIOHTTP1
import Platform

/// Stands next to the socket, where bytes come and are asked for: finds out whose the connection is, and ends it when its
/// client takes too long.
final class ByteWatch: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// How often is looked, at least, while something is waited for.
  private static let longestPause = TimeAmount.seconds(2)

  fileprivate var clock: RequestClock
  fileprivate let connection: WebConnection
  fileprivate let connections: OpenConnections
  /// Nil where the token decides alone.
  private let owners: SocketOwners?
  private var check: Scheduled<Void>?
  fileprivate var isAnswering = false
  private var isActive = false

  init(_ connection: WebConnection, of connections: OpenConnections, times: RequestTimes, owners: SocketOwners?) {
    self.connection = connection
    self.connections = connections
    self.owners = owners
    clock = RequestClock(times, now: .now())
  }

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { begin(context) }
  }

  func channelActive(context: ChannelHandlerContext) {
    begin(context)
    context.fireChannelActive()
  }

  private func begin(_ context: ChannelHandlerContext) {
    guard !isActive else { return }
    isActive = true
    if let owners { connection.identify(owners) }
    schedule(context)
  }

  func channelInactive(context: ChannelHandlerContext) {
    check?.cancel()
    context.fireChannelInactive()
  }

  func read(context: ChannelHandlerContext) {
    clock.asksForBytes(.now())
    context.read()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    clock.bytesCame(.now())
    context.fireChannelRead(data)
  }

  private func schedule(_ context: ChannelHandlerContext) {
    let soon = NIODeadline.now() + Self.longestPause
    let time = min(clock.deadline ?? soon, soon)
    check = context.eventLoop.assumeIsolated().scheduleTask(deadline: time) { [self] in look(context) }
  }

  private func look(_ context: ChannelHandlerContext) {
    guard context.channel.isActive else { return }
    guard let deadline = clock.deadline, deadline <= .now() else { return schedule(context) }
    if clock.isBody, clock.open > 0, !isAnswering {
      let answer = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
    }
    context.close(promise: nil)
  }
}

/// Stands behind the HTTP decoder, where requests and answers can be told apart.
final class RequestWatch: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart

  private let watch: ByteWatch

  init(_ watch: ByteWatch) { self.watch = watch }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head:
      watch.connection.beginWork()
      watch.clock.headersEnded()
    case .body(let bytes): watch.clock.bodyCame(bytes.readableBytes)
    case .end: watch.clock.requestEnded()
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(let head): watch.isAnswering = !head.isInformational
    case .body: break
    case .end:
      watch.isAnswering = false
      if watch.clock.answerEnded(.now()) { watch.connections.waits(watch.connection) }
    }
    context.write(data, promise: promise)
  }
}

extension HTTPResponseHead {
  fileprivate var isInformational: Bool { status.code < 200 }
}

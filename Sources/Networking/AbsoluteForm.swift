import NIOCore
import NIOHTTP1

/// Writes requests in the absolute form that a proxy wants (RFC 9112 §3.2.2): the line names the whole URL of the host in
/// the request's `host` header.
final class AbsoluteForm: ChannelOutboundHandler, Sendable {
  typealias OutboundIn = HTTPClientRequestPart
  typealias OutboundOut = HTTPClientRequestPart

  static func add(to channel: any Channel) -> EventLoopFuture<Void> {
    channel.eventLoop.submit {
      let operations = channel.pipeline.syncOperations
      let encoder = try operations.handler(type: HTTPRequestEncoder.self)
      try operations.addHandler(AbsoluteForm(), position: .after(encoder))
    }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard case .head(var head) = unwrapOutboundIn(data), let host = head.headers.first(name: "host") else {
      return context.write(data, promise: promise)
    }
    head.uri = "http://" + host + head.uri
    context.write(wrapOutboundOut(.head(head)), promise: promise)
  }
}

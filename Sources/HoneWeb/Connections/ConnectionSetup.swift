import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import Platform

/// Makes an HTTP/1.1 connection of an accepted socket.
struct ConnectionSetup: HTTPChannelHandler {
  /// How long written bytes may wait for a client that does not read.
  private static let writing = TimeAmount.seconds(120)

  let responder: HTTPChannelHandler.Responder
  let connections: OpenConnections
  let times: RequestTimes
  /// Nil where the token decides alone.
  let owners: SocketOwners?

  struct Value: ServerChildChannelValue {
    let stream: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
    let connection: WebConnection
    var channel: any Channel { stream.channel }
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      let connection = connections.connection(of: channel)
      let pipeline = channel.pipeline.syncOperations
      let watch = ByteWatch(connection, of: connections, times: times, owners: owners)
      try pipeline.addHandler(watch)
      // Requests that follow without waiting for answers are worked on one after the other below.
      try pipeline.configureHTTPServerPipeline(
        withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false)
      try pipeline.addHandler(RequestWatch(watch))
      try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
      try pipeline.addHandler(HTTPConnectionStateHandler(logger: logger))
      #if os(Linux)
        let userTimeout = ChannelOptions.Types.SocketOption(
          level: .tcp, name: .init(rawValue: tcpUserTimeout))
        try channel.syncOptions?.setOption(userTimeout, value: .init(Self.writing.nanoseconds / 1_000_000))
      #endif
      let stream = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
      return Value(stream: stream, connection: connection)
    }
  }

  func handle(value: Value, logger: Logger) async {
    await WebConnection.$current.withValue(value.connection) {
      await handleHTTP(asyncChannel: value.stream, logger: logger)
    }
  }
}

#if os(Linux)
  /// TCP_USER_TIMEOUT of linux/tcp.h.
  private let tcpUserTimeout: CInt = 18
#endif

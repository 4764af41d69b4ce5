import NIOCore
import Platform
import Synchronization

/// The connections of the web server, which are bounded so that the work keeps descriptors.
///
/// When the last place is taken, the connection that has waited longest for its client is closed, one of another user
/// first. While every connection is being worked on, none is accepted; the system keeps those that come.
final class OpenConnections: Sendable {
  private struct State: Sendable {
    var open: [ObjectIdentifier: WebConnection] = [:]
    /// Those that were told to close to make room and have not closed yet.
    var leaving: Set<ObjectIdentifier> = []
    var listener: (any Channel)?
    var isPaused = false
  }

  let maximum: Int
  private let state = Mutex(State())

  init(maximum: Int = OpenConnections.maximumHere) { self.maximum = maximum }

  /// A quarter of the descriptors that the process may have, at most 1024. Sockets of JSON-RPC have half; the rest is for
  /// files and calls.
  static var maximumHere: Int { min(1024, max(8, OpenFiles.allowed / 4)) }

  var count: Int { state.withLock { $0.open.count } }

  /// The channel whose accepting is paused while there is no place.
  func listen(_ channel: any Channel) async {
    state.withLock { $0.listener = channel }
    _ = try? await channel.eventLoop.submit { [self] in
      // One at a time, so that the bound is kept.
      try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
      try channel.pipeline.syncOperations.addHandler(AcceptHandler(self), position: .first)
    }.get()
  }

  /// The record of a connection, made when it is first asked for.
  func connection(of channel: any Channel) -> WebConnection {
    let key = ObjectIdentifier(channel)
    let (connection, isNew) = state.withLock { state in
      if let known = state.open[key] { return (known, false) }
      let connection = WebConnection(channel)
      state.open[key] = connection
      return (connection, true)
    }
    guard isNew else { return connection }
    channel.closeFuture.whenComplete { [weak self] _ in self?.closed(key) }
    makeRoom()
    return connection
  }

  /// To be called when a connection begins to wait for its client.
  func waits(_ connection: WebConnection) {
    connection.beginWaiting(.now())
    if state.withLock({ $0.isPaused }) { makeRoom() }
  }

  private func closed(_ key: ObjectIdentifier) {
    state.withLock { state in
      state.open[key] = nil
      state.leaving.remove(key)
    }
    makeRoom()
  }

  private func makeRoom() {
    let (listener, victim) = state.withLock { state -> ((any Channel)?, WebConnection?) in
      let isFull = state.open.count >= maximum
      let listener = isFull == state.isPaused ? nil : state.listener
      if listener != nil { state.isPaused = isFull }
      guard isFull, state.open.count - state.leaving.count >= maximum else { return (listener, nil) }
      let waiting = state.open.filter { !state.leaving.contains($0.key) && $0.value.waiting != nil }
      let victim = waiting.min { Self.order($0.value) < Self.order($1.value) }
      if let victim { state.leaving.insert(victim.key) }
      return (listener, victim?.value)
    }
    if let listener { listener.eventLoop.execute { [self] in resume(listener) } }
    victim?.channel.close(promise: nil)
  }

  /// Accepts or does not, as the places are. On the listener's loop.
  func resume(_ listener: any Channel) {
    let isPaused = state.withLock { $0.isPaused }
    _ = try? listener.syncOptions?.setOption(.autoRead, value: !isPaused)
  }

  private static func order(_ connection: WebConnection) -> (Int, UInt64) {
    (connection.peer == .otherUser ? 0 : 1, connection.waiting ?? .max)
  }
}

/// Stands at the listening socket: counts what is accepted, and pauses when the system has no descriptor left.
final class AcceptHandler: ChannelInboundHandler {
  typealias InboundIn = any Channel

  private static let pause = TimeAmount.milliseconds(250)
  private let connections: OpenConnections

  init(_ connections: OpenConnections) { self.connections = connections }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    _ = connections.connection(of: unwrapInboundIn(data))
    context.fireChannelRead(data)
  }

  /// Without the pause the socket stays readable, and the loop would turn without end.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    let channel = context.channel
    _ = try? channel.syncOptions?.setOption(.autoRead, value: false)
    context.eventLoop.scheduleTask(in: Self.pause) { [connections] in connections.resume(channel) }
    context.fireErrorCaught(error)
  }
}

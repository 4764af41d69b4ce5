import NIOCore
import Platform
import Synchronization

/// One connection to the web server: whose it is, and whether it may be closed for another one's sake.
final class WebConnection: Sendable {
  /// Who is at the other end.
  enum Peer: UInt8, Sendable, AtomicRepresentable {
    /// The system does not tell, or the connection comes from another machine.
    case unknown
    /// A process of the user whom this server belongs to.
    case owner
    case otherUser
  }

  /// The connection whose request the task works on.
  @TaskLocal static var current: WebConnection?

  let channel: any Channel
  private let knownPeer = Atomic(Peer.unknown)
  /// Since when nothing of it is being worked on, as `NIODeadline` counts; 0 while something is.
  private let waitingSince: Atomic<UInt64>

  init(_ channel: any Channel) {
    self.channel = channel
    waitingSince = Atomic(NIODeadline.now().uptimeNanoseconds)
  }

  var peer: Peer { knownPeer.load(ordering: .relaxed) }

  /// When it began to wait for its client; nil while it is being worked on.
  var waiting: UInt64? {
    let since = waitingSince.load(ordering: .relaxed)
    return since == 0 ? nil : since
  }

  func beginWork() { waitingSince.store(0, ordering: .relaxed) }

  func beginWaiting(_ now: NIODeadline) { waitingSince.store(max(1, now.uptimeNanoseconds), ordering: .relaxed) }

  /// Finds out whose the connection is. To be called once its addresses are known.
  func identify(_ owners: SocketOwners) {
    guard let client = channel.remoteAddress.flatMap({ SocketEnd($0) }),
      let server = channel.localAddress.flatMap({ SocketEnd($0) }),
      let user = owners.owner(of: client, connectedTo: server)
    else { return }
    // Root is no exception: what root runs may pass on other users' connections, and root can read the token.
    knownPeer.store(user == geteuid() ? .owner : .otherUser, ordering: .relaxed)
  }
}

extension SocketEnd {
  /// Nil for what is no IP address.
  init?(_ address: SocketAddress) {
    guard let text = address.ipAddress, let port = address.port else { return nil }
    self.init(text, port: UInt16(truncatingIfNeeded: port))
  }
}

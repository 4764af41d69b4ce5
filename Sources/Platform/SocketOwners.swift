import Synchronization

/// One end of a TCP connection.
package struct SocketEnd: Hashable, Sendable {
  /// The 4 bytes of an IPv4 address, or the 16 of an IPv6 one.
  package let address: [UInt8]
  package let port: UInt16

  /// - Parameter address: 4 or 16 bytes; an IPv4 address within IPv6 (`::ffff:…`) counts as the IPv4 one.
  package init(address: [UInt8], port: UInt16) {
    self.address = address.starts(with: Self.mapped) && address.count == 16 ? Array(address.suffix(4)) : address
    self.port = port
  }

  /// From an address in text; nil for anything else.
  package init?(_ text: String, port: UInt16) {
    var four = in_addr()
    var six = in6_addr()
    if inet_pton(AF_INET, text, &four) == 1 {
      self.init(address: withUnsafeBytes(of: four) { Array($0) }, port: port)
    } else if inet_pton(AF_INET6, text, &six) == 1 {
      self.init(address: withUnsafeBytes(of: six) { Array($0) }, port: port)
    } else {
      return nil
    }
  }

  fileprivate static let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
}

/// Tells which user has a TCP socket of this machine.
///
/// Linux's kernel is asked for the one socket (`sock_diag`), which takes the same time however many there are; where it
/// does not answer that, its list in `/proc` is read. Other systems do not tell.
package final class SocketOwners: Sendable {
  private struct State: Sendable {
    /// -1 where there is none.
    var descriptor: Int32
    var sequence: UInt32 = 0
    /// Whether the kernel has ever found a socket: only then "there is none" is an answer.
    var hasAnswered = false
  }

  private enum Answer {
    case owner(uid_t)
    /// There is no such socket, or nobody has it any more.
    case nobody
    case unavailable
  }

  private let state: Mutex<State>

  /// Whether this system tells.
  package static var areKnown: Bool {
    #if os(Linux)
      true
    #else
      false
    #endif
  }

  package init() {
    #if os(Linux)
      state = Mutex(State(descriptor: socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | closeOnExec, sockDiagProtocol)))
    #else
      state = Mutex(State(descriptor: -1))
    #endif
  }

  deinit {
    let descriptor = state.withLock { $0.descriptor }
    if descriptor >= 0 { System.close(descriptor) }
  }

  /// The user whose socket has the address `local` and is connected to `remote`; nil if that is not known, as for a
  /// socket that was closed already.
  package func owner(of local: SocketEnd, connectedTo remote: SocketEnd) -> uid_t? {
    #if os(Linux)
      switch ask(local, remote) {
      case .owner(let user): return user
      case .nobody: return nil
      case .unavailable: return SocketTable.owner(of: local, connectedTo: remote)
      }
    #else
      return nil
    #endif
  }

  #if os(Linux)
    private func ask(_ local: SocketEnd, _ remote: SocketEnd) -> Answer {
      guard local.address.count == remote.address.count else { return .nobody }
      return state.withLock { state in
        guard state.descriptor >= 0 else { return .unavailable }
        state.sequence &+= 1
        let request = Self.request(local, remote, sequence: state.sequence)
        guard System.send(state.descriptor, request, request.count, 0) == request.count else { return .unavailable }
        var reply = [UInt8](repeating: 0, count: 1024)
        // The kernel answers within `send`. What else is there belongs to a question that was given up.
        while true {
          let count = recv(state.descriptor, &reply, reply.count, Int32(MSG_DONTWAIT))
          if count < 0, errno == EINTR { continue }
          guard count >= 20 else { return .unavailable }
          guard number(reply, 8) == state.sequence else { continue }
          let answer = Self.read(reply[..<count], local, remote)
          if case .owner = answer { state.hasAnswered = true }
          if case .nobody = answer, !state.hasAnswered { return .unavailable }
          return answer
        }
      }
    }

    /// A `nlmsghdr` with an `inet_diag_req_v2` (linux/netlink.h, linux/inet_diag.h).
    private static func request(_ local: SocketEnd, _ remote: SocketEnd, sequence: UInt32) -> [UInt8] {
      var bytes: [UInt8] = []
      append(UInt32(72), to: &bytes)
      append(UInt16(20), to: &bytes)  // SOCK_DIAG_BY_FAMILY
      append(UInt16(1), to: &bytes)  // NLM_F_REQUEST
      append(sequence, to: &bytes)
      append(UInt32(0), to: &bytes)
      bytes += [UInt8(local.address.count == 4 ? AF_INET : AF_INET6), UInt8(IPPROTO_TCP), 0, 0]
      append(UInt32.max, to: &bytes)  // Every state.
      append(local.port.bigEndian, to: &bytes)
      append(remote.port.bigEndian, to: &bytes)
      for end in [local, remote] { bytes += end.address + [UInt8](repeating: 0, count: 16 - end.address.count) }
      append(UInt32(0), to: &bytes)  // Any interface.
      append(UInt64.max, to: &bytes)  // INET_DIAG_NOCOOKIE
      return bytes
    }

    /// Reads a `nlmsghdr` with an `inet_diag_msg`.
    private static func read(_ reply: ArraySlice<UInt8>, _ local: SocketEnd, _ remote: SocketEnd) -> Answer {
      let bytes = Array(reply)
      if short(bytes, 4) == 2 {  // NLMSG_ERROR
        return Int32(bitPattern: number(bytes, 16)) == -ENOENT ? .nobody : .unavailable
      }
      guard short(bytes, 4) == 20, bytes.count >= 88 else { return .unavailable }
      // Where no connection matches, the kernel finds who listens at the local address.
      let size = bytes[16] == UInt8(AF_INET) ? 4 : 16
      let found = SocketEnd(address: Array(bytes[24..<24 + size]), port: UInt16(bigEndian: short(bytes, 20)))
      let other = SocketEnd(address: Array(bytes[40..<40 + size]), port: UInt16(bigEndian: short(bytes, 22)))
      guard found == local, other == remote, SocketTable.isHeld(state: bytes[17], inode: number(bytes, 84)) else {
        return .nobody
      }
      return .owner(number(bytes, 80))
    }
  #endif
}

#if os(Linux)
  /// `/proc/net/tcp` and `/proc/net/tcp6`.
  enum SocketTable {
    static func owner(of local: SocketEnd, connectedTo remote: SocketEnd) -> uid_t? {
      if local.address.count == 4, let user = find(in: "/proc/net/tcp", text(local), text(remote)) { return user }
      return find(in: "/proc/net/tcp6", wideText(local), wideText(remote))
    }

    /// A socket that was closed belongs to nobody, though the table says 0 for it, which is root's number.
    static func isHeld(state: UInt8, inode: UInt32) -> Bool {
      // ESTABLISHED, FIN_WAIT1, FIN_WAIT2 and CLOSE_WAIT.
      inode != 0 && [1, 4, 5, 8].contains(state)
    }

    private static func find(in path: String, _ local: String, _ remote: String) -> uid_t? {
      guard let bytes = try? LocalFile.read(path, maximumBytes: 256 << 20) else { return nil }
      for line in bytes.split(separator: UInt8(ascii: "\n")) {
        let fields = line.split(separator: UInt8(ascii: " "))
        guard fields.count > 9, fields[1].elementsEqual(local.utf8), fields[2].elementsEqual(remote.utf8) else {
          continue
        }
        guard let state = UInt8(String(decoding: fields[3], as: UTF8.self), radix: 16),
          let user = uid_t(String(decoding: fields[7], as: UTF8.self)),
          let inode = UInt32(String(decoding: fields[9], as: UTF8.self)), isHeld(state: state, inode: inode)
        else { return nil }
        return user
      }
      return nil
    }

    private static func text(_ end: SocketEnd) -> String { text(end.address, end.port) }

    private static func wideText(_ end: SocketEnd) -> String {
      text(end.address.count == 4 ? SocketEnd.mapped + end.address : end.address, end.port)
    }

    /// An address as the tables have it: words in the machine's own order, in hexadecimal digits.
    private static func text(_ address: [UInt8], _ port: UInt16) -> String {
      let words = stride(from: 0, to: address.count, by: 4).map { digits(number(address, $0), 8) }
      return words.joined() + ":" + digits(port, 4)
    }

    private static func digits(_ number: some BinaryInteger, _ count: Int) -> String {
      let text = String(number, radix: 16, uppercase: true)
      return String(repeating: "0", count: count - text.count) + text
    }
  }

  private let closeOnExec: Int32 = 0o2_000_000
  private let sockDiagProtocol: Int32 = 4

  /// Appends a number in the machine's own order.
  private func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
  }

  private func number(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
  }

  private func short(_ bytes: [UInt8], _ offset: Int) -> UInt16 {
    bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt16.self) }
  }
#endif

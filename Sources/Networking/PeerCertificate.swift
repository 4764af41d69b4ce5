import AsyncHTTPClient
import NIOCore
import NIOSSL
import Platform
import Synchronization

/// What a server's certificate says of itself.
struct PeerCertificate {
  let subject: String
  let issuer: String
  let isSelfSigned: Bool
  let start: time_t
  let end: time_t
  /// The hosts that it is for.
  let names: [String]

  init?(_ certificate: NIOSSLCertificate) {
    guard let bytes = try? certificate.toDERBytes(), let stated = CertificateNames(bytes) else { return nil }
    subject = stated.subject
    issuer = stated.issuer
    isSelfSigned = stated.isSelfSigned
    start = certificate.notValidBefore
    end = certificate.notValidAfter
    let alternatives = certificate._subjectAlternativeNames().filter {
      $0.nameType == .dnsName || $0.nameType == .ipAddress
    }
    let listed = alternatives.map { name in
      name.nameType == .dnsName
        ? String(decoding: Array(name.contents), as: UTF8.self) : Self.address(Array(name.contents))
    }
    names = listed.isEmpty ? [stated.subject] : listed
  }

  private static func address(_ bytes: [UInt8]) -> String {
    var text = [CChar](repeating: 0, count: 64)
    let family = bytes.count == 4 ? AF_INET : AF_INET6
    guard bytes.count == 4 || bytes.count == 16, inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else {
      return "?"
    }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A moment's day, 2024-02-29.
  static func day(_ moment: time_t) -> String {
    var (moment, parts) = (moment, tm())
    gmtime_r(&moment, &parts)
    func two(_ number: Int32) -> String { (number < 10 ? "0" : "") + String(number) }
    return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
  }

  /// The certificate that a route's server shows, whatever it is worth; no request is sent.
  static func shown(on route: Route) async -> PeerCertificate? {
    final class Found: Sendable { let certificate = Mutex<NIOSSLCertificate?>(nil) }
    struct Enough: Error {}
    let found = Found()
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5)))
    guard (try? route.configure(&configuration)) != nil else { return nil }
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.httpVersion = .http1Only
    configuration.tlsConfiguration = .makeClientConfiguration()
    configuration.tlsConfiguration?.certificateVerification = .none
    configuration.http1_1ConnectionDebugInitializer = { channel in
      channel.eventLoop.submit {
        let handler = try channel.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
        found.certificate.withLock { $0 = handler.peerCertificate }
        throw Enough()
      }
    }
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    let host = route.address.host.contains(":") ? "[\(route.address.host)]" : route.address.host
    _ = try? await client.execute(
      HTTPClientRequest(url: "https://\(host):\(route.address.port)/"), timeout: .seconds(5))
    try? await client.shutdown()
    return found.certificate.withLock { $0 }.flatMap(PeerCertificate.init)
  }
}

/// The names of a certificate's subject and issuer, out of its DER (X.509, RFC 5280 §4.1).
private struct CertificateNames {
  let subject: String
  let issuer: String
  let isSelfSigned: Bool

  init?(_ der: [UInt8]) {
    // Certificate → TBSCertificate → [version], serial number, algorithm, issuer, validity, subject.
    guard let certificate = Element.all(in: der[...]).first, let signed = Element.all(in: certificate.content).first
    else { return nil }
    let parts = Element.all(in: signed.content)
    let first = parts.first?.tag == 0xA0 ? 3 : 2
    guard parts.count > first + 2 else { return nil }
    issuer = Self.name(parts[first].content)
    subject = Self.name(parts[first + 2].content)
    isSelfSigned = parts[first].content == parts[first + 2].content
  }

  /// The common name, else the organization's.
  private static func name(_ content: ArraySlice<UInt8>) -> String {
    var found: [[UInt8]: String] = [:]
    for set in Element.all(in: content) {
      for pair in Element.all(in: set.content) {
        let parts = Element.all(in: pair.content)
        guard parts.count == 2 else { continue }
        found[Array(parts[0].content)] = String(decoding: parts[1].content, as: UTF8.self)
      }
    }
    // 2.5.4.3, 2.5.4.10 and 2.5.4.11.
    let known =
      [[0x55, 4, 3], [0x55, 4, 10], [0x55, 4, 11]].lazy.compactMap { found[$0] }.first ?? "somebody unnamed"
    return String(known.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) }.prefix(100))
  }

  private struct Element {
    var tag: UInt8
    var content: ArraySlice<UInt8>

    static func all(in bytes: ArraySlice<UInt8>) -> [Element] {
      var elements: [Element] = []
      var rest = bytes
      while rest.count >= 2 {
        let tag = rest[rest.startIndex]
        var length = Int(rest[rest.startIndex + 1])
        rest = rest.dropFirst(2)
        if length >= 0x80 {
          let count = length & 0x7F
          guard (1...4).contains(count), rest.count >= count else { return elements }
          length = rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
          rest = rest.dropFirst(count)
        }
        guard rest.count >= length else { return elements }
        elements.append(Element(tag: tag, content: rest.prefix(length)))
        rest = rest.dropFirst(length)
      }
      return elements
    }
  }
}

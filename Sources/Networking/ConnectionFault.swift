import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL
import Platform

/// Why a server's certificate was refused, or why no TLS connection came about, in one sentence, and what to set.
package struct ConnectionFault: Sendable, Hashable {
  /// What is wrong, without a full stop.
  package let what: String
  package let remedy: String

  /// What an error of the connection to a route's address means; nil where it is none of TLS.
  ///
  /// The library tells that a certificate did not pass, and not why. The certificate is fetched once more, without a
  /// request, and looked at.
  package static func of(_ error: any Error, on route: Route) async -> ConnectionFault? {
    if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
      return wrongHost(await PeerCertificate.shown(on: route), route)
    }
    guard case .handshakeFailed(let failure)? = error as? NIOSSLError else { return nil }
    let words = String(describing: failure)
    if words.contains("CERTIFICATE_VERIFY_FAILED") { return untrusted(await PeerCertificate.shown(on: route), route) }
    let place = "\(route.address.host):\(route.address.port)"
    if words.contains("WRONG_VERSION_NUMBER") || words.contains("HTTP_REQUEST") {
      return ConnectionFault(
        what: "\(place) does not speak TLS", remedy: "Begin the base URL with http://, if that is meant.")
    }
    if words.contains("CERTIFICATE_REQUIRED") {
      return ConnectionFault(
        what: "\(place) wants a certificate of the client, which Hone cannot give",
        remedy: "Use an address that takes a key instead.")
    }
    return ConnectionFault(
      what: "\(place) ended the TLS handshake (\(reason(words)))",
      remedy: "Check the base URL, and whether the server speaks TLS 1.2 or later.")
  }

  /// In a few words, what an error of the connection says: no dump of the library's.
  package static func words(of error: any Error) -> String {
    if let error = error as? NIOConnectionError {
      if let failure = error.connectionErrors.first?.error { return words(of: failure) }
      if error.dnsAError != nil || error.dnsAAAAError != nil { return "there is no host of the name \(error.host)" }
      return "no connection to \(error.host):\(error.port)"
    }
    if let error = error as? IOError { return String(cString: strerror(error.errnoCode)).lowercased() }
    if error is ChannelError { return "the connection was closed" }
    if let error = error as? HTTPClientError {
      if error == .proxyAuthenticationRequired {
        return "the proxy wants a user name and password, in its URL as http://USER:PASSWORD@HOST:PORT"
      }
      if error == .invalidProxyResponse { return "the proxy refused the connection" }
    }
    return String(describing: error)
  }

  /// The library's word for what happened: the last one in capitals of its dump.
  private static func reason(_ words: String) -> String {
    let found = words.split { !($0.isUppercase || $0.isNumber || $0 == "_") }.map(String.init)
      .filter { $0.count > 8 && $0.contains("_") }
    return found.first.map { $0.lowercased().replacing("_", with: " ") } ?? "no reason given"
  }

  private static let trustIt = "If you trust it, save it as a PEM file and set SSL_CERT_FILE to that file."

  private static func untrusted(_ certificate: PeerCertificate?, _ route: Route) -> ConnectionFault {
    guard let certificate else {
      return ConnectionFault(
        what: "nobody that this machine trusts vouches for the certificate of \(route.address.host)",
        remedy: "Set SSL_CERT_FILE to a PEM file with the certificate of its issuer.")
    }
    let its = "the certificate of \(route.address.host)"
    if certificate.end < time(nil) {
      return ConnectionFault(
        what: "\(its) expired on \(PeerCertificate.day(certificate.end))",
        remedy: "Have it renewed, or check this machine's clock.")
    }
    if certificate.start > time(nil) {
      return ConnectionFault(
        what: "\(its) counts only from \(PeerCertificate.day(certificate.start))", remedy: "Check this machine's clock."
      )
    }
    let already = route.trust.words.map { " It is not among those of \($0)." } ?? ""
    if certificate.isSelfSigned {
      return ConnectionFault(what: "\(its) is self-signed (\(certificate.subject))", remedy: trustIt + already)
    }
    return ConnectionFault(
      what: "\(its) was issued by \(certificate.issuer), whom this machine does not trust",
      remedy: "Set SSL_CERT_FILE to a PEM file with the certificate of \(certificate.issuer)." + already)
  }

  private static func wrongHost(_ certificate: PeerCertificate?, _ route: Route) -> ConnectionFault {
    let names = certificate?.names ?? []
    let listed = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
    return ConnectionFault(
      what: "the certificate of \(route.address.host) is for another host"
        + (listed.isEmpty ? "" : ": \(listed)"),
      remedy: "Use a name that the certificate has in the base URL, or have it issued for \(route.address.host) too.")
  }
}

import ArgumentParser
import Failures
import HTTPResponses
import HoneService
import HoneWeb

/// Options of whatever serves HTTP.
struct WebOptions: ParsableArguments {
  @Option(help: "A host name that the HTTP server accepts beside its address; may be repeated.")
  var allowedHost: [String] = []

  @Flag(
    help: "Ask your own programs on this machine for the token, too. Other users and other addresses always need it.")
  var requireToken = false

  /// What `HOST:PORT`, `PORT` or `[ADDRESS]:PORT` stand for.
  func configuration(_ address: String) throws -> WebConfiguration {
    let colon = address.lastIndex(of: ":")
    let name = colon.map { address[..<$0] } ?? ""
    guard let port = UInt16(colon.map { address[address.index(after: $0)...] } ?? address[...]) else {
      throw ValidationError("The address \"\(address)\" should be HOST:PORT, such as 127.0.0.1:5000.")
    }
    let host = name.hasPrefix("[") && name.hasSuffix("]") ? name.dropFirst().dropLast() : name
    return configuration(host: host.isEmpty ? "127.0.0.1" : String(host), port: Int(port))
  }

  func configuration(host: String, port: Int) -> WebConfiguration {
    var configuration = WebConfiguration(host: host, port: port)
    configuration.allowedHosts = allowedHost
    configuration.requiresToken = requireToken
    return configuration
  }
}

extension WebConfiguration {
  /// Serves HTTP over a service's store.
  func start(_ service: Service) async throws(HoneError) -> WebServer {
    let backend = WebBackend(
      home: service.home, store: { () async throws(HoneError) in try await service.store() },
      madeStore: { () async throws(HoneError) in try await service.madeStore() },
      call: { await service.answerPage($0) })
    return try await WebServer.start(self, backend: backend, logger: service.logger)
  }
}

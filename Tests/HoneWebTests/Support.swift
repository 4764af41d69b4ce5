import AsyncHTTPClient
import Failures
import Foundation
import HTTPResponses
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import Tracking

@testable import HoneWeb

/// A web server over a store of its own, gone at the end.
func withServer(
  _ configuration: WebConfiguration = WebConfiguration(port: 0),
  call: @escaping @Sendable ([UInt8]) async -> [UInt8]? = { $0 },
  _ body: (WebServer, WebBackend) async throws -> Void
) async throws {
  let home = FileManager.default.temporaryDirectory.path + "/hone-web-\(UInt64.random(in: 0 ... .max))"
  defer { try? FileManager.default.removeItem(atPath: home) }
  let store = try TrackingStore.open(home: home)
  let backend = WebBackend(
    home: home, store: { () async throws(HoneError) in store }, madeStore: { () async throws(HoneError) in store },
    call: call)
  var logger = Logger(label: "test")
  logger.logLevel = .critical
  let server = try await WebServer.start(configuration, backend: backend, logger: logger)
  do {
    try await body(server, backend)
  } catch {
    await server.stop()
    await store.close()
    throw error
  }
  await server.stop()
  await store.close()
}

/// What came back.
struct Reply {
  var status: UInt
  var headers: [String: String]
  var body: String
}

/// One request.
func send(
  _ url: String, _ method: String = "GET", headers: [(String, String)] = [], body: [UInt8] = []
) async throws -> Reply {
  var request = HTTPClientRequest(url: url)
  request.method = .init(rawValue: method)
  for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
  if !body.isEmpty { request.body = .bytes(ByteBuffer(bytes: body)) }
  let response = try await client.execute(request, timeout: .seconds(30))
  let bytes = try await response.body.collect(upTo: 16 << 20)
  var found: [String: String] = [:]
  for header in response.headers { found[header.name.lowercased()] = header.value }
  return Reply(status: response.status.code, headers: found, body: String(buffer: bytes))
}

private let client = {
  var configuration = HTTPClient.Configuration()
  configuration.redirectConfiguration = .disallow
  configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
  return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
}()

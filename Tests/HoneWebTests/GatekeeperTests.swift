import Foundation
import HTTPResponses
import HTTPTypes
import Hummingbird
import Testing

@testable import HoneWeb

/// Who is let in: tried on every route there is, so that one that is added later is tried, too.
struct GatekeeperTests {
  /// Every route as an address that leads to it, and its method.
  private static func routes(_ backend: WebBackend) -> [(method: String, path: String)] {
    WebServer.routes(backend).routes.map { route in
      let parts = route.path.description.split(separator: "/").map { part in
        part.contains("{") || part == "**" ? "x" : String(part)
      }
      return (route.method.rawValue, "/" + parts.joined(separator: "/"))
    }
  }

  @Test func `The list of routes is the real one`() async throws {
    try await withServer { _, backend in
      let routes = Self.routes(backend)
      #expect(routes.count > 200)
      for path in ["/rpc", "/v1/traces", "/api/2.0/mlflow/runs/create", "/ajax-api/3.0/mlflow/traces/search"] {
        #expect(routes.contains { $0.method == "POST" && $0.path == path })
      }
    }
  }

  @Test(arguments: [
    "evil.example", "10.evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.0.7",
  ])
  func `No route answers to a foreign name`(host: String) async throws {
    try await withServer { server, backend in
      for route in Self.routes(backend) {
        let reply = try await send(server.url + route.path, route.method, headers: [("Host", host)])
        #expect(reply.status == 403, "\(route)")
        #expect(reply.body.contains("PERMISSION_DENIED"))
      }
    }
  }

  @Test func `No route that changes something takes another site's request`() async throws {
    try await withServer { server, backend in
      let foreign = [
        [("Origin", "http://evil.example")], [("Origin", "null")], [("Origin", "http://127.0.0.1:1")],
        [("Sec-Fetch-Site", "cross-site")], [("Sec-Fetch-Site", "same-site")],
      ]
      for route in Self.routes(backend) where route.method != "GET" {
        for headers in foreign {
          let reply = try await send(server.url + route.path, route.method, headers: headers)
          #expect(reply.status == 403, "\(route) \(headers)")
        }
      }
    }
  }

  @Test func `No route is read by another site's page, and none allows it to`() async throws {
    try await withServer { server, backend in
      for route in Self.routes(backend) where route.method == "GET" {
        let headers = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")]
        #expect(try await send(server.url + route.path, "GET", headers: headers).status == 403, "\(route)")
        let reply = try await send(server.url + route.path, "GET", headers: [("Origin", "http://evil.example")])
        #expect(!reply.headers.keys.contains { $0.hasPrefix("access-control") }, "\(route)")
      }
    }
  }

  @Test func `Where a token is asked for, no route goes without it`() async throws {
    var configuration = WebConfiguration(port: 0)
    configuration.requiresToken = true
    try await withServer(configuration) { server, backend in
      for route in Self.routes(backend) {
        for headers in [[], [("Authorization", "Bearer wrong")], [("Cookie", "hone-token=wrong")]] {
          let reply = try await send(server.url + route.path, route.method, headers: headers)
          #expect(reply.status == 401, "\(route) \(headers)")
        }
      }
    }
  }

  @Test func `The token comes in four ways, and lies in a file for its owner alone`() async throws {
    var configuration = WebConfiguration(port: 0)
    configuration.requiresToken = true
    try await withServer(configuration) { server, backend in
      let file = backend.home + "/token"
      let token = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
      let attributes = try FileManager.default.attributesOfItem(atPath: file)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
      #expect(token.count == 64)
      #expect(server.invitation == "\(server.url)/?token=\(token)")
      let basic = Data("somebody:\(token)".utf8).base64EncodedString()
      for headers in [
        [("Authorization", "Bearer \(token)")], [("Authorization", "Basic \(basic)")],
        [("Cookie", "a=b; hone-token=\(token)")],
      ] {
        #expect(try await send(server.url + "/health", "GET", headers: headers).status == 200, "\(headers)")
      }
      let welcome = try await send(server.url + "//evil.example/x?a=b&token=\(token)")
      #expect(welcome.status == 303)
      #expect(welcome.headers["location"] == "/evil.example/x?a=b")
      let cookie = try #require(welcome.headers["set-cookie"])
      #expect(cookie.hasPrefix("hone-token=\(token);"))
      #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"))
      #expect(try await send(server.url + "/?token=wrong").status == 401)
    }
  }

  @Test func `A token that others may read is refused`() async throws {
    let home = FileManager.default.temporaryDirectory.path + "/hone-token-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: home) }
    let token = try AccessToken.loadOrMake(home: home)
    #expect(try AccessToken.loadOrMake(home: home).text == token.text)
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: home + "/token")
    #expect(throws: (any Error).self) { try AccessToken.loadOrMake(home: home) }
  }

  @Test func `Answers carry the headers that keep them harmless`() async throws {
    try await withServer { server, _ in
      for path in ["/", "/health", "/nowhere", "/api/2.0/mlflow/experiments/get?experiment_id=0"] {
        let headers = try await send(server.url + path).headers
        #expect(headers["content-security-policy"]?.hasPrefix("default-src 'none'; script-src 'self'") == true)
        #expect(headers["content-security-policy"]?.contains("frame-ancestors 'none'") == true)
        #expect(headers["content-security-policy"]?.contains("unsafe") == false)
        #expect(headers["x-content-type-options"] == "nosniff")
        #expect(headers["referrer-policy"] == "no-referrer")
      }
    }
  }

  @Test(
    arguments: [
      ("localhost", "localhost"), ("localhost:5000", "localhost"), ("[::1]:80", "::1"), ("LOCALHOST", "localhost"),
      ("a@b", nil), ("", nil), ("127.0.0.1:99999", nil), ("[::1", nil), ("a/b", nil), ("a b", nil),
    ] as [(String, String?)])
  func `A Host header is read strictly`(text: String, name: String?) {
    #expect(HostName.name(of: text) == name)
  }

  @Test func `Names are told from addresses, and this machine from others`() {
    #expect(HostName.isAddress("10.0.0.1") && HostName.isAddress("::1"))
    #expect(!HostName.isAddress("10.evil.example") && !HostName.isAddress("10.1") && !HostName.isAddress("0x7f.1"))
    #expect(HostName.isLoopback("127.8.9.1") && HostName.isLoopback("::1") && HostName.isLoopback("localhost"))
    #expect(!HostName.isLoopback("0.0.0.0") && !HostName.isLoopback("::") && !HostName.isLoopback("::ffff:127.0.0.1"))
  }
}

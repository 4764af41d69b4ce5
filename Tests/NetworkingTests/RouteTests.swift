import NIOHTTP1
import AsyncHTTPClient
import Failures
import Foundation
import Testing

@testable import Networking

@Suite("The way to an address")
struct RouteTests {
  private func proxy(_ url: String, _ variables: [String: String]) throws -> String? {
    try Route(to: url, Variables(variables)).proxy?.description
  }

  @Test("the proxy is the one of the URL's scheme, in lower case first, else that of all")
  func chosen() throws {
    let all = [
      "http_proxy": "http://low:1", "HTTP_PROXY": "http://up:2", "HTTPS_PROXY": "http://secure:3",
      "ALL_PROXY": "socks5://all:4",
    ]
    #expect(try proxy("http://h.example/v1", all) == "the proxy low:1 of http_proxy")
    #expect(try proxy("https://h.example/v1", all) == "the proxy secure:3 of HTTPS_PROXY")
    #expect(try proxy("http://h.example/v1", ["HTTP_PROXY": "up:2"]) == "the proxy up:2 of HTTP_PROXY")
    #expect(try proxy("https://h.example/v1", ["http_proxy": "http://low:1"]) == nil)
    #expect(try proxy("https://h.example/v1", ["all_proxy": "socks5h://s"]) == "the proxy s:1080 of all_proxy")
    #expect(try proxy("http://h.example", ["http_proxy": "http://[fd00::1]"]) == "the proxy [fd00::1]:80 of http_proxy")
    #expect(try proxy("http://h.example", ["http_proxy": " ", "HTTP_PROXY": ""]) == nil)
  }

  @Test(
    "hosts in NO_PROXY are reached directly",
    arguments: [
      ("http://h.example.org/v1", "example.org", true), ("http://example.org", "example.org", true),
      ("http://h.example.org", ".example.org", true), ("http://example.org", ".example.org", true),
      ("http://h.example.org", "*.example.org", true), ("http://notexample.org", "example.org", false),
      ("http://example.org.evil", "example.org", false), ("http://H.Example.ORG", "a.b, EXAMPLE.org", true),
      ("http://a.b", "x a.b y", true), ("http://a.b", "*", true), ("http://a.b", "", false),
      ("http://a.b:8080", "a.b:8080", true), ("http://a.b", "a.b:8080", false), ("https://a.b", "a.b:443", true),
      ("http://10.1.2.3:9", "10.0.0.0/8", true), ("http://11.1.2.3", "10.0.0.0/8", false),
      ("http://192.168.1.77", "192.168.1.64/26", true), ("http://192.168.1.13", "192.168.1.64/26", false),
      ("http://10.1.2.3", "10.1.2.3", true), ("http://110.1.2.3", "10.1.2.3", false),
      ("http://[fd00::1]:8000", "fd00::1", true), ("http://[fd00::1]:8000", "[fd00::1]:8000", true),
      ("http://[fd00::1]:8000", "[fd00::1]:80", false), ("http://[fd00::1]", "fd00::/8", true),
      ("http://[fe00::1]", "fd00::/8", false), ("http://[fd00:0::1]", "fd00::1", true),
      ("http://localhost:11434", "", true), ("http://127.0.0.1:1", "", true), ("http://[::1]:1", "", true),
      ("http://my.localhost", "", true), ("http://localhost.evil", "", false), ("http://0.0.0.0:1", "", true),
    ])
  func direct(url: String, list: String, isDirect: Bool) throws {
    for name in ["NO_PROXY", "no_proxy"] {
      #expect(try (proxy(url, ["ALL_PROXY": "http://p:1", name: list]) == nil) == isDirect)
    }
  }

  @Test(
    "a proxy that cannot be used is an error that names the variable and no password",
    arguments: [
      "ftp://p:1", "https://p:1", "socks4://p:1", "http://", "http://:80", "http://p:0", "http://p:70000", "http://p:x",
      "socks5://someone:secret-word@p:1", "http://someone:secret-word@p:x", "http://p q:1",
    ])
  func unusable(value: String) throws {
    let error = try #require(failure { _ = try Route(to: "http://a.b", Variables(["HTTP_PROXY": value])) })
    #expect(error.kind == .invalidParams && error.message.contains("HTTP_PROXY") && error.problems.count == 1)
    #expect(!error.description.contains("secret-word") && !error.description.contains("someone"))
    // What is reached directly needs none.
    #expect(try proxy("http://a.b", ["HTTP_PROXY": value, "no_proxy": "a.b"]) == nil)
  }

  @Test("a proxy's password is sent to the proxy and is in no description")
  func password() throws {
    let route = try Route(
      to: "http://llm.example:8000/v1", Variables(["http_proxy": "http://us%40er:p%3Aass-word@proxy.example:3128/"]))
    #expect(route.secrets == ["p:ass-word", "us@er:p:ass-word"])
    #expect(!"\(route.words)\(try #require(route.proxy))".contains("ass-word"))
    let request = route.request("http://llm.example:8000/v1/chat?x=1")
    #expect(request.url == "http://proxy.example:3128/v1/chat?x=1")
    #expect(request.headers["host"] == ["llm.example:8000"])
    let pair = Data("us@er:p:ass-word".utf8).base64EncodedString()
    #expect(request.headers["proxy-authorization"] == ["Basic \(pair)"])
    // Through a tunnel the request is the endpoint's alone.
    let secure = try Route(to: "https://llm.example/v1", Variables(["https_proxy": "http://u:password@p:1"]))
    #expect(secure.request("https://llm.example/v1").url == "https://llm.example/v1")
    #expect(secure.request("https://llm.example/v1").headers.isEmpty)
  }

  @Test("certificates that cannot be read are an error before any call, with the variable and the path")
  func certificates() throws {
    let file = FileManager.default.temporaryDirectory.path + "/hone-\(UInt64.random(in: 0 ... .max)).pem"
    try "no certificate".write(toFile: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: file) }
    for name in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR"] {
      for path in ["/there/is/none.pem", file] {
        let error = try #require(failure { _ = try Route(to: "https://a.b", Variables([name: path])) })
        #expect(error.message.contains(name) && error.message.contains(path) && error.remedy != nil)
        // They do not matter where nothing is encrypted.
        #expect(throws: Never.self) { try Route(to: "http://a.b", Variables([name: path])) }
      }
    }
  }

  private func failure(_ body: () throws -> Void) -> HoneError? {
    do {
      try body()
      return nil
    } catch {
      return error as? HoneError
    }
  }
}

import Foundation
import JSON
import LanguageModels
import Networking
import Testing

@testable import HTTPModels

@Suite("Where keys may go")
struct KeyRulesTests {
  private func refused(
    _ lm: ModelConfiguration, _ rules: KeyRules = KeyRules(file: nil), trusted: Bool = true, file: String? = nil
  ) throws -> [String] {
    var asker = KeyRules.Asker()
    asker.isTrustedOnLoopback = trusted
    asker.file = file
    return try rules.refusals(lm, by: asker).map { "\($0.member) \($0.variable) \($0.host)" }
  }

  private func model(_ name: String, base: String? = nil, key: String? = nil) -> ModelConfiguration {
    var lm = ModelConfiguration(model: name)
    lm.apiBase = base
    lm.apiKeyEnv = key
    return lm
  }

  @Test("a provider's usual key goes to the provider, and every other pair is refused")
  func providers() throws {
    #expect(try refused(model("openai/gpt-4o")) == [])
    #expect(try refused(model("m", base: "https://api.openai.com/v1", key: "OPENAI_API_KEY")) == [])
    #expect(try refused(model("m", base: "https://API.openai.com:443/v1", key: "OPENAI_API_KEY")) == [])
    for (base, host) in [
      ("http://api.openai.com/v1", "api.openai.com"), ("https://api.openai.com:8443/v1", "api.openai.com:8443"),
      ("https://api.openai.com.evil.example/v1", "api.openai.com.evil.example"),
      ("https://evil.example/api.openai.com", "evil.example"), ("https://api.groq.com/openai/v1", "api.groq.com"),
    ] {
      #expect(
        try refused(model("m", base: base, key: "OPENAI_API_KEY")) == ["apiKeyEnv OPENAI_API_KEY \(host)"], "\(base)")
    }
    #expect(try refused(model("openai/gpt-4o", key: "AWS_SECRET_ACCESS_KEY")).count == 1)
    // A base URL that a request names gets no usual key.
    #expect(try refused(model("openai/gpt-4o", base: "https://evil.example/v1")) == [])
  }

  @Test("where whoever started Hone says that a provider is, its key may go, and no other")
  func moved() throws {
    let variables = Variables(["OPENAI_BASE_URL": "http://llm.example:8000/v1", "OTHER": "x"])
    let rules = KeyRules(file: nil)
    #expect(try rules.refusals(model("openai/m"), by: KeyRules.Asker(), variables).isEmpty)
    let named = model("m", base: "http://llm.example:8000/v1", key: "OPENAI_API_KEY")
    #expect(try rules.refusals(named, by: KeyRules.Asker(), variables).isEmpty)
    #expect(try rules.refusals(named, by: KeyRules.Asker(), Variables([:])).count == 1)
    for wrong in [
      model("m", base: "http://llm.example:8001/v1", key: "OPENAI_API_KEY"),
      model("m", base: "http://llm.example:8000/v1", key: "OTHER"), model("openai/m", key: "OTHER"),
    ] {
      #expect(try rules.refusals(wrong, by: KeyRules.Asker(), variables).count == 1)
    }
  }

  @Test("Azure's key goes to Azure's own domains")
  func azure() throws {
    let key = "AZURE_OPENAI_API_KEY"
    #expect(try refused(model("azure/gpt", base: "https://mine.openai.azure.com/openai/v1")) == [])
    #expect(
      try refused(model("azure/gpt", base: "https://evil.example/v1")) == ["apiKeyEnv \(key) evil.example"])
    #expect(try refused(model("azure/gpt", base: "https://openai.azure.com.evil.example/v1")).count == 1)
    #expect(try refused(model("azure/gpt", base: "http://mine.openai.azure.com/v1")).count == 1)
  }

  @Test("headers need leave of their own")
  func headers() throws {
    var lm = model("openai/gpt-4o")
    lm.headers.variables = ["X-Team": "TEAM"]
    #expect(try refused(lm) == ["headers.X-Team TEAM api.openai.com"])
    #expect(try refused(lm, KeyRules(grants: [KeyGrant("TEAM", "api.openai.com")], file: nil)) == [])
    #expect(try refused(lm, KeyRules(grants: [KeyGrant("OTHER", "api.openai.com")], file: nil)).count == 1)
  }

  @Test(
    "addresses of this machine are known by their form",
    arguments: [
      ("http://127.0.0.1:1/v1", true), ("http://127.9.9.9/v1", true), ("http://localhost:8000/v1", true),
      ("http://[::1]:8000/v1", true), ("http://0.0.0.0:1/v1", false), ("http://127.0.0.1.evil.example/v1", false),
      ("http://localhost.evil.example/v1", false), ("http://[::2]/v1", false), ("http://2130706433/v1", false),
    ])
  func loopback(base: String, isLoopback: Bool) throws {
    let lm = model("m", base: base, key: "TEAM")
    #expect(try refused(lm).isEmpty == isLoopback)
    #expect(try refused(lm, trusted: false).count == 1)
  }

  @Test("a grant is for a host or one port of it, and for a file or any request")
  func grants() throws {
    let lm = model("m", base: "https://LLM.example.org:8443/v1", key: "TEAM")
    for (grant, isEnough) in [
      (KeyGrant("TEAM", "llm.example.org"), true), (KeyGrant("TEAM", "LLM.example.org:8443"), true),
      (KeyGrant("TEAM", "llm.example.org:443"), false), (KeyGrant("TEAM", "example.org"), false),
      (KeyGrant("TEAM", "llm.example.org", file: "/w/a.hone.json"), true),
      (KeyGrant("TEAM", "llm.example.org", file: "/w/b.hone.json"), false),
    ] {
      let found = try refused(lm, KeyRules(grants: [grant], file: nil), file: "/w/a.hone.json")
      #expect(found.isEmpty == isEnough, "\(grant)")
    }
    #expect(try refused(lm, .trusting) == [])
    #expect(KeyGrant(option: "TEAM=llm.example.org:8443") == KeyGrant("TEAM", "llm.example.org:8443"))
    for wrong in ["TEAM", "=x", "TEAM=", "TE AM=x", "TEAM=http://x", "TEAM=x/y", "TEAM=x\n"] {
      #expect(KeyGrant(option: wrong) == nil, "\(wrong)")
    }
  }

  @Test("what many allow and take back at the same time is all kept, for the user alone")
  func together() throws {
    let directory = FileManager.default.temporaryDirectory.path + "/hone-keys-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let file = KeyGrantFile(path: directory + "/keys.json")
    #expect(try file.forget { _ in true } == [] && !FileManager.default.fileExists(atPath: directory))
    try file.add(KeyGrant("OLD", "a.example"))
    DispatchQueue.concurrentPerform(iterations: 40) { number in
      _ =
        try? number == 20
        ? file.forget { $0.variable == "OLD" }.isEmpty : file.add(KeyGrant("NEW\(number)", "a.example"))
    }
    #expect(try Set(file.grants().map(\.variable)) == Set((0..<40).filter { $0 != 20 }.map { "NEW\($0)" }))
    for path in [file.path, file.path + ".lock"] {
      #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
    }
  }

  @Test(
    "the line that allows a pair is safe in a shell, or is not there",
    arguments: [
      ("http://x.example;touch${IFS}a/v1", nil), ("http://$(id)/v1", nil), ("http://`id`.example/v1", nil),
      ("http://a&b/v1", nil), ("http://x.example\\y/v1", nil), ("http://-x'y/v1", nil),
      ("http://x.example:8000/v1", "hone keys allow TEAM x.example:8000"),
      ("http://[fd00::1]:8000/v1", "hone keys allow TEAM '[fd00::1]:8000'"),
    ] as [(String, String?)])
  func commands(base: String, command: String?) throws {
    var asker = KeyRules.Asker()
    asker.isTrustedOnLoopback = false
    let refusals = try KeyRules(file: nil).refusals(model("m", base: base, key: "TEAM"), by: asker)
    let message = try #require(refusals.first).message
    if let command { #expect(message.hasSuffix(": " + command)) } else { #expect(!message.contains("hone keys")) }
  }
}

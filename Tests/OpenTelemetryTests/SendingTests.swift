import Delivery
import Foundation
import JSON
import Messages
import Logging
import Testing
import Traces
import Tracking

@testable import OpenTelemetry

@Suite("What a collector is sent") struct OpenTelemetryTests {
  @Test("A model call carries the conventions' names") func namesAModelCall() throws {
    let span = Span(
      id: .random(), parent: nil, name: "LM.__call__", kind: .chatModel, start: 5, end: 9,
      inputs: .prompt(
        Prompt(
          shared: SharedMessages([ChatMessage(.system, "Be brief.")]), own: [ChatMessage(.user, "Why?")])),
      outputs: .json(["Because."]),
      attributes: [
        "model": "gemini/gemini-flash", "temperature": 0.7, "max_tokens": 50,
        "mlflow.chat.tokenUsage": ["input_tokens": 11, "output_tokens": 3, "total_tokens": 14],
      ], status: .ok)
    let attributes = GenAIAttributes.of(span)
    #expect(attributes["gen_ai.operation.name"] == "chat")
    #expect(attributes["gen_ai.provider.name"] == "gcp.gemini")
    #expect(attributes["gen_ai.request.model"] == "gemini-flash")
    #expect(attributes["gen_ai.request.temperature"] == 0.7)
    #expect(attributes["gen_ai.request.max_tokens"] == 50)
    #expect(attributes["gen_ai.usage.input_tokens"] == 11)
    #expect(attributes["gen_ai.usage.output_tokens"] == 3)
    #expect(attributes["gen_ai.system_instructions"] == #"[{"type":"text","content":"Be brief."}]"#)
    #expect(
      attributes["gen_ai.input.messages"] == #"[{"role":"user","parts":[{"type":"text","content":"Why?"}]}]"#)
    #expect(
      attributes["gen_ai.output.messages"] == #"[{"role":"assistant","parts":[{"type":"text","content":"Because."}]}]"#)
    #expect(attributes["gen_ai.prompt.version"]?.stringValue?.count == 12)
  }

  @Test("Values keep their types") func keepsTypes() {
    func typed(_ value: JSONValue) -> JSONValue? { OTLPAttributes(["a": value]).jsonValue[0]?["value"] }
    #expect(typed(9_007_199_254_740_993) == ["intValue": "9007199254740993"])
    #expect(typed(0.5) == ["doubleValue": 0.5])
    #expect(typed(true) == ["boolValue": true])
    #expect(
      typed(["a", ["b": .null]]) == [
        "arrayValue": [
          "values": [
            ["stringValue": "a"], ["kvlistValue": ["values": [["key": "b", "value": [:]]]]],
          ]
        ]
      ])
  }

  @Test("A verdict becomes an evaluation event") func sendsVerdicts() throws {
    let event = GenAIAttributes.event(
      Assessment(name: "exact_match", value: false, rationale: "wrong unit"), created: 7)
    #expect(event.name == "gen_ai.evaluation.result")
    #expect(event.time == 7_000_000)
    #expect(event.attributes["gen_ai.evaluation.score.value"] == 0.0)
    #expect(event.attributes["gen_ai.evaluation.score.label"] == "fail")
    #expect(event.attributes["gen_ai.evaluation.explanation"] == "wrong unit")
  }

  @Test("An address without a server in it is refused", arguments: ["", "collector:4318", "ftp://x", "http://"])
  func refusesAddresses(_ address: String) {
    #expect(throws: (any Error).self) { try HTTPSender(address) }
  }

  @Test("Credentials of an address are in no text") func hidesCredentials() async throws {
    let sender = try HTTPSender("http://me:secret-word@127.0.0.1:9/otlp/")
    #expect(sender.base == "http://127.0.0.1:9/otlp")
    await sender.shutdown()
  }
}

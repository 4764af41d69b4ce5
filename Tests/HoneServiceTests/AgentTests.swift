import JSON
import Schema
import Testing

@testable import HoneService

@Suite("Tools for coding agents")
struct AgentTests {
  @Test("every tool is a method, and its schema has every parameter and no reference that leads nowhere")
  func describesMethods() throws {
    for method in AgentTools.methods {
      #expect(MethodTable.method(named: method.name) != nil)
      let schema = AgentTools.schema(of: method)
      #expect(schema["properties"]?.objectValue?.keys == method.parameters.map(\.name))
      #expect(schema["required"]?.arrayValue ?? [] == method.parameters.filter(\.isRequired).map { .string($0.name) })
      let definitions = schema["$defs"]?.objectValue?.keys ?? []
      func walk(_ value: JSONValue) {
        switch value {
        case .object(let object):
          for (key, member) in object {
            if key == "$ref" {
              let name = member.stringValue?.split(separator: "/").last.map(String.init) ?? ""
              #expect(
                member.stringValue == "#/$defs/\(name)" && definitions.contains(name), "\(method.name): \(member)")
            }
            walk(member)
          }
        case .array(let elements): elements.forEach(walk)
        default: break
        }
      }
      walk(schema)
    }
  }

  @Test(
    "a request is bounded where it does not say otherwise",
    arguments: [
      ([:], ["maxCalls": 7]),
      (["lm": "openai/gpt-4o-mini"], ["maxCalls": 7, "maxCost": 0.5]),
      (["lm": "vllm/of-my-own"], ["maxCalls": 7]),
      (["lm": "openai/gpt-4o-mini", "teacher": "acme/x"], ["maxCalls": 7]),
      (["budget": ["maxCalls": 90]], ["maxCalls": 90]),
      (["budget": ["max_calls": 90, "maxSeconds": 5]], ["max_calls": 90, "maxSeconds": 5]),
      (["budget": ["maxCalls": nil]], ["maxCalls": nil]),
      (["budget": nil], nil),
      (["budget": "much"], "much"),
    ] as [(JSONObject, JSONValue)])
  func boundsRequests(params: JSONObject, budget: JSONValue) {
    #expect(AgentBudget(maxCalls: 7, maxCost: 0.5).bounding(params)["budget"] == budget)
  }
}

import Failures
package import JSON
import Schema

/// A tool that the client serves, as a model is told of it.
package struct Tool: Sendable, Hashable {
  package var name: String
  package var description: String
  /// For each argument a JSON Schema, or a word on it.
  package var arguments: JSONObject
  /// Seconds that one call may take.
  package var timeout: Double

  package static let defaultTimeout = 120.0
}

/// A program that thinks, calls a tool, looks at what came of it, and so on until it knows enough to answer.
///
/// Method: ReAct (Yao et al. 2022, arXiv 2210.03629), in the form that DSPy's state files have: a predictor `react`
/// that chooses the next tool, and one `extract.predict` that answers from the whole trajectory.
package struct ReActProgram: Sendable, Hashable {
  package var signature: Signature
  package var tools: [Tool]
  /// How many tools may be called in one execution.
  package var maxIterations: Int

  package static let defaultIterations = 20
  /// The name by which a model says that it has seen enough.
  static let finish = "finish"
  static let trajectory = Field("trajectory", description: "what was thought, called and observed so far")

  /// The signature that chooses the next tool.
  var react: Signature {
    let names = tools.map(\.name) + [Self.finish]
    return Signature(
      inputs: signature.inputs + [Self.trajectory],
      outputs: [
        Field("next_thought", description: "what is known by now, and what is still to be found out"),
        Field("next_tool_name", type: .literal(names.map(JSONValue.string)), description: "the tool to call next"),
        Field("next_tool_args", type: .dict(.string, .any), description: "its arguments, a JSON object"),
      ],
      instructions: signature.instructions + "\n\n" + toolText)
  }

  /// The signature that answers at the end.
  var extract: Signature {
    Signature(
      inputs: signature.inputs + [Self.trajectory], outputs: signature.outputs, instructions: signature.instructions)
  }

  /// What a model must know of the tools, whatever else its instructions say.
  var toolText: String {
    let outputs = signature.outputs.map { "`\($0.name)`" }.joined(separator: ", ")
    var text =
      "Work in turns. In each turn think, then call one tool; what it returns is added to the trajectory. Call "
      + "\(Self.finish) with {} as soon as the trajectory holds what is needed to give \(outputs).\nTools:"
    for tool in tools {
      let description = tool.description.isEmpty ? "" : ": \(tool.description)"
      text += "\n- \(tool.name)\(description) Arguments: \(JSONValue.object(tool.arguments).text(.spaced))"
    }
    return text + "\n- \(Self.finish): ends the turns. Arguments: {}"
  }
}

extension ReActProgram {
  /// Makes one of its members; notes every problem and then gives nil.
  static func read(_ signature: Signature, _ members: AskingMembers, at fields: FieldReader) -> ReActProgram? {
    let problems = fields.problems
    let before = problems.problems.count
    let tools = members.tools ?? []
    // Tools that are there and cannot be read are noted already.
    if tools.isEmpty, members.tools != nil || !fields.gives("tools") {
      problems.add(
        fields.place("tools"), "ReAct needs at least one tool, as in [{\"name\": \"search\", \"args\": {…}}].")
    }
    for (index, tool) in tools.enumerated() {
      let place = "\(fields.place("tools"))[\(index)].name"
      if tool.name.isEmpty || tool.name == finish {
        problems.add(place, "A tool cannot be named \"\(tool.name)\".")
      }
      if tools[..<index].contains(where: { $0.name == tool.name }) {
        problems.add(place, "Two tools are named \"\(tool.name)\".")
      }
    }
    let added = ["trajectory", Module.reasoning.name]
    for field in signature.fields where added.contains(field.name) {
      problems.add(fields.place("signature"), "ReAct adds a field \"\(field.name)\", which this signature already has.")
    }
    guard problems.problems.count == before, !tools.isEmpty else { return nil }
    return ReActProgram(
      signature: signature, tools: tools.map(\.tool), maxIterations: members.maxIterations ?? defaultIterations)
  }

  var json: JSONObject {
    var members = AskingMembers()
    members.module = "ReAct"
    members.signature = signature.json
    members.tools = tools.map { ToolMembers($0) }
    members.maxIterations = maxIterations
    return members.given
  }
}

package import JSON
package import Schema

/// The members with which a request states a program. Which of them go together `Module.read` says.
package struct ModuleMembers: SchemaObject {
  package static let members: [Member<Self>] = [
    Member(
      "module", \.module, as: moduleName,
      "How the signature is run: Predict asks once, ChainOfThought asks for the reasoning first, ReAct uses tools in between."
    ),
    Member(
      "signature", \.signature, as: Schema(.named("Signature"), "a signature, such as \"question -> answer\""),
      "Inputs -> outputs, with types as in Python: \"question, context: list[str] -> answer: int\"."),
    Member("instructions", \.instructions, "What the model is told to do."),
    Member(
      "steps", \.steps, as: Schema(.array(step)),
      "The steps of a pipeline, in order; an input takes the latest earlier output of its name."),
    Member("outputs", \.outputs, "What a pipeline gives; what its last step gives unless said."),
    Member("tools", \.tools, as: Schema(.array(Schema(.named("Tool")))), "A ReAct's tools, which the client serves."),
    Member("max_iters", \.maxIterations, in: 1...1000, "How many turns a ReAct takes at most."),
    Member("host", \.host, "The name of a program that the client runs."),
    Member(
      "predictors", \.predictors, as: Schema(.map(Schema(.named("Program")))), "A host program's predictors by name."),
    Member("inputs", \.inputs, "What a host program takes, or where a step's inputs come from."),
    Member("description", \.description, "What a host program does."),
    Member("timeout", \.timeout, in: 0.001...86_400, "Seconds that one execution of a host program may take."),
  ]

  /// The name of a module.
  package static let moduleName = Schema(
    .choice(Module.names.map { Schema.Word($0, otherNames: $0 == "ChainOfThought" ? ["CoT"] : []) }))

  /// A step of a pipeline: a module with a name, and where its inputs come from.
  private static let step = Schema(
    .object([
      Schema.Field("name", Schema(.string), isRequired: true, "The step's name."),
      Schema.Field("module", moduleName, "How the signature is run."),
      Schema.Field("signature", Schema(.named("Signature")), "Inputs -> outputs."),
      Schema.Field("instructions", Schema(.string), "What the model is told to do."),
      Schema.Field(
        "inputs", Schema(.map(Schema(.string))),
        "For inputs that are not to be found by name: step.output, or an input."),
      Schema.Field("tools", Schema(.array(Schema(.named("Tool")))), "A ReAct's tools."),
      Schema.Field("max_iters", Schema(.integer(1...1000)), "How many turns a ReAct takes at most."),
    ]))

  package var module: String?
  package var signature: JSONValue?
  package var instructions: String?
  package var steps: [JSONObject]?
  package var outputs: [String]?
  package var tools: [JSONObject]?
  package var maxIterations: Int?
  package var host: String?
  package var predictors: JSONObject?
  package var inputs: JSONValue?
  package var description: String?
  package var timeout: Double?

  package init() {}
}

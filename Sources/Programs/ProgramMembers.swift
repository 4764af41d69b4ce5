package import JSON
package import Schema

/// The members with which a request states a program. Which of them go together `Module.read` says.
package struct ProgramMembers: SchemaObject {
  package static let members: [Member<Self>] =
    Member.of(\.asked) + [
      Member(
        "steps", \.steps, as: Schema(.array(StepMembers.schema)),
        "The steps of a pipeline, in order; an input takes the latest earlier output of its name."),
      Member("outputs", \.outputs, "The pipeline's outputs; by default those of its last step."),
      Member(
        "programs", \.programs, as: Schema(.array(Schema(.named("Program")))),
        "An ensemble's programs, of one signature; each may be a reference, such as {\"run\": ID}."),
      Member("reduce", \.reduce, "How the answers of an ensemble's programs become one."),
      Member("field", \.field, "The output that an ensemble votes on; by default the last one."),
      Member("host", \.host, "The name of a program that the client runs."),
      Member(
        "predictors", \.predictors, as: Schema(.map(Schema(.named("Program")))), "A host program's predictors by name."),
      Member("inputs", \.inputs, "What a host program takes, where no signature says it."),
      Member("description", \.description, "What a host program does."),
      Member("timeout", \.timeout, in: 0.001...86_400, "Seconds that one execution of a host program may take."),
    ]

  /// What a module is that asks with a signature.
  package var asked = AskingMembers()
  package var steps: [JSONValue]?
  package var outputs: [String]?
  package var programs: [JSONValue]?
  package var reduce: EnsembleProgram.Reduce?
  package var field: String?
  package var host: String?
  package var predictors: JSONObject?
  package var inputs: [String]?
  package var description: String?
  package var timeout: Double?

  package init() {}

  /// Whether the members say what the program is made of.
  package var isStated: Bool {
    asked.signature != nil || steps != nil || programs != nil || host != nil || predictors != nil
  }
}

/// The members of a module that asks with one signature: Predict, ChainOfThought, ReAct.
package struct AskingMembers: SchemaObject {
  package static let members: [Member<Self>] = [
    Member(
      "module", \.module, as: moduleName,
      "How the signature is run: Predict asks once, ChainOfThought asks for the reasoning first, ReAct uses tools in between."
    ),
    Member(
      "signature", \.signature, as: Schema(.named("Signature"), "a signature, such as \"question -> answer\""),
      "Inputs -> outputs, with types as in Python: \"question, context: list[str] -> answer: int\"."),
    Member("instructions", \.instructions, "What the model is told to do."),
    Member("tools", \.tools, as: Schema(.array(Schema(.named("Tool")))), "A ReAct's tools, which the client serves."),
    Member("max_iters", \.maxIterations, in: 1...1000, "How many turns a ReAct takes at most."),
  ]

  /// The name of a module.
  package static let moduleName = Schema(
    .choice(Module.names.map { Schema.Word($0, otherNames: $0 == "ChainOfThought" ? ["CoT"] : []) }))

  package var module: String?
  package var signature: JSONValue?
  package var instructions: String?
  package var tools: [ToolMembers]?
  package var maxIterations: Int?

  package init() {}
}

/// A step of a pipeline: a module with a name, and where its inputs come from.
struct StepMembers: SchemaObject {
  static let members: [Member<Self>] =
    [Member("name", \.name, isRequired: true, "The step's name.")] + Member.of(\.asked) + [
      Member(
        "inputs", \.inputs, as: Schema(.map(Schema(.string))),
        "For inputs that are not to be found by name: step.output, or an input.")
    ]
  var name: String?
  var asked = AskingMembers()
  var inputs: JSONObject = [:]
}

/// A tool of a ReAct.
package struct ToolMembers: SchemaObject {
  package static let members: [Member<Self>] = [
    Member("name", \.name, isRequired: true, "The tool's name, under which the client serves it."),
    Member("description", \.description, also: ["desc"], "What it does, for the model."),
    Member(
      "args", \.arguments, also: ["arguments", "parameters"], isAlwaysWritten: true,
      "Its arguments by name, each as JSON Schema has it."),
    Member("timeout", \.timeout, in: 0.001...86_400, "Seconds that one call may take."),
  ]
  package static let summary = "A tool that the client serves."

  package var name = ""
  package var description = ""
  package var arguments: JSONObject = [:]
  package var timeout = Tool.defaultTimeout

  package init() {}

  init(_ tool: Tool) {
    name = tool.name
    description = tool.description
    arguments = tool.arguments
    timeout = tool.timeout
  }

  var tool: Tool { Tool(name: name, description: description, arguments: arguments, timeout: timeout) }
}

/// A signature, field by field.
package struct SignatureMembers: SchemaObject {
  package static let members: [Member<Self>] = [
    Member("inputs", \.inputs, as: fields, "What is given: names, as in \"question: str\", or objects."),
    Member("outputs", \.outputs, as: fields, "What is asked for, in this order."),
    Member("instructions", \.instructions, "What the model is told to do."),
  ]
  private static let fields = Schema(.array(Schema(.either([Schema(.string), FieldMembers.schema]))))

  package var inputs: [JSONValue] = []
  package var outputs: [JSONValue] = []
  package var instructions: String?

  package init() {}
}

/// One field of a signature.
struct FieldMembers: SchemaObject {
  static let members: [Member<Self>] = [
    Member("name", \.name, isRequired: true, "The field's name."),
    Member(
      "type", \.type, isAlwaysWritten: true, as: Schema(.either([Schema(.string), Schema(.map(Schema(.any)))])),
      "Its type as in Python: str, int, date, list[str], Literal['a', 'b']; or a JSON Schema, for records and bounds."),
    Member("desc", \.description, also: ["description"], "What it holds, for the model."),
    Member("prefix", \.prefix, "The label before its value; by default made from the name."),
  ]
  var name: String?
  var type: JSONValue = "str"
  var description = ""
  var prefix: String?
}

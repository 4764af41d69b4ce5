public import Failures
import Foundation
public import JSON
import Jobs
import Programs
import Schema

/// A language-model program: which predictors it has, how values flow between them, and what each is told.
///
///     let program = try Program("question, context: list[str] -> answer: int", module: .predict)
public struct Program: Sendable {
  /// How a signature is run.
  public enum Module: String, Sendable, CaseIterable {
    /// One model call.
    case predict = "Predict"
    /// One model call that asks for the reasoning first.
    case chainOfThought = "ChainOfThought"
  }

  /// What an optimizer changes of one predictor.
  public struct Predictor: Sendable, Hashable {
    /// Its name in files.
    public let name: String
    /// Inputs -> outputs.
    public let signature: String
    /// What the model is told to do.
    public var instructions: String
    /// Worked examples that the model is shown, each with the values of some or all fields.
    public var demos: [JSONObject]
  }

  private(set) var inner: Programs.Program
  private(set) var tools: [Tool] = []
  private(set) var host: Host?

  init(_ inner: Programs.Program) { self.inner = inner }

  /// A program of one signature.
  ///
  /// - Parameters:
  ///   - signature: inputs -> outputs, with types as in Python: `"question, context: list[str] -> answer: int"`.
  ///   - module: how it is run.
  ///   - instructions: what the model is told to do; follows from the signature unless given.
  /// - Throws: `invalidParams` with everything that is wrong.
  public init(
    _ signature: String, module: Module = .chainOfThought, instructions: String? = nil
  ) throws(HoneError) {
    var description: JSONObject = ["signature": .string(signature), "module": .string(module.rawValue)]
    if let instructions { description["instructions"] = .string(instructions) }
    try self.init(description: .object(description))
  }

  /// A program as a request of the service states it: an object with `module` and `signature`, or with `steps`.
  ///
  /// - Throws: `invalidParams` with everything that is wrong.
  public init(description: JSONValue) throws(HoneError) {
    let problems = ProblemList()
    guard let module = Programs.Module.read(description, path: "program", problems: problems) else {
      try problems.check("Invalid program")
      throw HoneError(.programInvalid, "The program cannot be read.")
    }
    inner = Programs.Program(module)
  }

  /// A program that thinks, calls a tool, looks at what came of it, and so on until it knows enough to answer (ReAct).
  ///
  /// - Parameters:
  ///   - signature: inputs -> outputs, with types as in Python.
  ///   - tools: what it may call.
  ///   - maxTurns: how many tools may be called in one execution.
  ///   - instructions: what the model is told to do; follows from the signature unless given.
  /// - Throws: `invalidParams` with everything that is wrong.
  public static func react(
    _ signature: String, tools: [Tool], maxTurns: Int = 20, instructions: String? = nil
  ) throws(HoneError) -> Program {
    var description: JSONObject = [
      "module": "ReAct", "signature": .string(signature), "tools": .array(tools.map(\.json)),
      "max_iters": .int(maxTurns),
    ]
    if let instructions { description["instructions"] = .string(instructions) }
    var program = try Program(description: .object(description))
    program.tools = tools
    return program
  }

  /// A program of your own code, which calls predictors wherever it needs a language model.
  ///
  /// - Parameters:
  ///   - name: what tracking calls it.
  ///   - predictors: the parts that an optimizer may change. Parts may share a tool; different tools have different
  ///     names.
  ///   - inputs: the names of what it takes.
  ///   - forward: runs it once. It may loop, branch and call predictors any number of times.
  public init(
    name: String, predictors: [String: Program], inputs: [String],
    forward: @escaping @Sendable (_ inputs: JSONObject, _ execution: Execution) async throws -> JSONObject
  ) throws(HoneError) {
    let parts = predictors.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.object($0.value.inner.module.json)) }
    try self.init(description: [
      "host": .string(name), "predictors": .object(JSONObject(parts)),
      "inputs": .array(inputs.map(JSONValue.string)),
    ])
    for (part, program) in predictors {
      for (predictor, state) in zip(program.inner.predictors, program.inner.states) {
        inner[predictor.name == "self" ? part : "\(part).\(predictor.name)"] = state
      }
    }
    for tool in predictors.sorted(by: { $0.key < $1.key }).flatMap(\.value.tools) {
      // Parts may share a tool; two tools of one name would be taken for each other.
      if let known = tools.first(where: { $0.name == tool.name }) {
        guard known.json == tool.json else {
          throw HoneError(
            .invalidParams, "Two parts of \"\(name)\" have different tools named \"\(tool.name)\".",
            remedy: "Give each tool a name of its own.")
        }
      } else {
        tools.append(tool)
      }
    }
    host = Host(name: name, forward: forward)
  }

  /// A program from a file that Hone or DSPy's `save()` wrote.
  ///
  /// - Parameters:
  ///   - path: the file's path.
  ///   - description: the program's structure, for files that do not say it (DSPy's).
  /// - Throws: `notFound`; `programInvalid` where the file does not fit.
  public init(contentsOf path: String, description: JSONValue? = nil) throws(HoneError) {
    let structure = try description.map { value throws(HoneError) in try Program(description: value).inner.module }
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw HoneError(
        .notFound, "The program file \(path) cannot be read.", remedy: "Check the path and its permissions.")
    }
    let value: JSONValue
    do throws(JSONSyntaxError) {
      value = try JSONReader.read(bytes)
    } catch {
      throw HoneError(.programInvalid, "\(path) is not JSON: \(error).")
    }
    inner = try StateFile.decode(value, module: structure, source: path).program
  }

  /// Writes a file that `Program(contentsOf:)`, `hone` and DSPy's `load()` read.
  ///
  /// - Throws: `storeUnavailable` where it cannot be written.
  public func write(to path: String) throws(HoneError) {
    try writeFile(path, Array(StateFile.text(inner).utf8))
  }

  /// What each predictor is told, in the program's order. Names and signatures stay what they are.
  public var predictors: [Predictor] {
    get {
      zip(inner.predictors, inner.states).map { predictor, state in
        Predictor(
          name: predictor.name, signature: predictor.signature.text, instructions: state.instructions,
          demos: state.demos)
      }
    }
    set {
      for predictor in newValue {
        inner[predictor.name]?.instructions = predictor.instructions
        // Rows to choose demos from stay where the demos do.
        if inner[predictor.name]?.demos != predictor.demos { inner[predictor.name]?.demos = predictor.demos }
      }
    }
  }

  /// The content of the program's file.
  public var state: JSONObject { StateFile.encode(inner) }

  /// This program with the instructions and demos of another one's file: `program.loading(result.state)`.
  ///
  /// - Throws: `programInvalid` where they do not fit.
  public func loading(_ state: JSONObject) throws(HoneError) -> Program {
    var copy = self
    copy.inner = try StateFile.decode(.object(state), module: inner.module, source: "The state").program
    return copy
  }

  /// How a request states it.
  var json: JSONValue {
    // A host's functions and tools are named by its structure.
    host == nil && tools.isEmpty
      ? ["state": .object(state)] : .object(inner.module.json.merging(["state": .object(state)]))
  }

  struct Host: Sendable {
    var name: String
    var forward: @Sendable (JSONObject, Execution) async throws -> JSONObject
  }
}

/// One execution of a program of your own code.
public struct Execution: Sendable {
  let id: String
  let executions: HostExecutions

  /// Runs one of the program's predictors, as the candidate at work has it.
  ///
  /// - Returns: a value for each output field.
  /// - Throws: what the predictor failed with.
  public func predict(_ predictor: String, _ inputs: JSONObject) async throws(HoneError) -> JSONObject {
    guard let place = executions.place(id, predictor: predictor, inputs: inputs) else { throw HostExecution.over }
    return try await place.run().outputs
  }
}

/// A function that a ReAct program may call.
public struct Tool: Sendable {
  public let name: String
  /// What it does, as the model is told.
  public let description: String
  /// For each argument a JSON Schema, or a word on it.
  public let arguments: JSONObject
  /// Seconds that one call may take.
  public let timeout: Double
  let function: @Sendable (JSONObject) async throws -> JSONValue

  /// - Parameters:
  ///   - name: what the model calls it by.
  ///   - description: what it does, as the model is told.
  ///   - arguments: for each argument a JSON Schema, or a word on it.
  ///   - timeout: seconds that one call may take.
  ///   - function: does it; what it throws is told to the model.
  public init(
    _ name: String, _ description: String, arguments: JSONObject, timeout: Double = 120,
    function: @escaping @Sendable (_ arguments: JSONObject) async throws -> JSONValue
  ) {
    self.name = name
    self.description = description
    self.arguments = arguments
    self.timeout = timeout
    self.function = function
  }

  var json: JSONValue {
    [
      "name": .string(name), "description": .string(description), "args": .object(arguments),
      "timeout": .double(timeout),
    ]
  }
}

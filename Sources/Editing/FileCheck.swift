import Failures
import HTTPModels
import HoneService
import JSON
import Jobs
import LanguageModels
import Platform
import Schema

/// Something that a program file's author should know.
struct Finding: Sendable, Hashable {
  enum Severity: Int, Sendable {
    case error = 1
    case warning = 2
  }

  var problem: Problem
  /// The bytes it is about.
  var range: Range<Int>
  var code: String
  var severity = Severity.error
}

/// Reads a program file as `compile` and `evaluate` would, and tells everything that would keep them from working.
///
/// It is their own reading that is run; no model is asked and nothing is fetched, written or opened.
struct FileCheck: Sendable {
  let service: Service
  /// From where the file's relative paths count.
  let directory: String
  let datasets: DatasetCache

  func findings(in source: SourceText) async -> [Finding] {
    let value: JSONValue
    do throws(JSONSyntaxError) {
      value = try JSONReader.read(source.bytes)
    } catch {
      let place = Problem(path: "", message: "\(error.message).")
      return [Finding(problem: place, range: Self.range(ofError: error.offset, in: source), code: "syntax")]
    }
    guard case .object(let members) = value else {
      let problem = Problem(path: "", message: "A program file holds one object, not \(value.kindName).")
      return [Finding(problem: problem, range: 0..<source.bytes.count, code: FailureKind.invalidParams.rawValue)]
    }
    let tree = JSONTree(source.bytes)
    var problems = unknownMembers(members)
    for method in Self.methods(for: members) {
      problems += await self.problems(method, members).filter { !problems.contains($0) }
    }
    var findings = problems.map { problem in
      Finding(
        problem: problem, range: tree.range(of: problem, in: source), code: FailureKind.invalidParams.rawValue)
    }
    findings += Self.repeats(in: tree.root)
    for problem in missingKeys(members) {
      findings.append(
        Finding(
          problem: problem, range: tree.range(of: problem, in: source), code: FailureKind.authentication.rawValue,
          severity: .warning))
    }
    return findings.sorted { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
  }

  /// What the method's own reading finds wrong with a request made of these members.
  func problems(_ method: Method, _ members: JSONObject) async -> [Problem] {
    var environment = CallEnvironment(baseDirectory: directory)
    environment.isCheck = true
    environment.datasets = datasets
    let request = ProgramFile.request(method.name, of: members, file: nil)
    do throws(HoneError) {
      _ = try await service.call(method.name, request, in: environment)
      return []
    } catch {
      return error.problems.isEmpty ? [Problem(path: "program", message: error.message)] : error.problems
    }
  }

  /// A file is for what it holds: an optimizer or a trainset is to be compiled, a devset to be evaluated on.
  static func methods(for members: JSONObject) -> [Method] {
    let compiles = members["optimizer"] != nil || members["trainset"] != nil
    let evaluates = members["devset"] != nil || !compiles
    return (compiles ? [.compile] : []) + (evaluates ? [.evaluate] : [])
  }

  /// Names that stand twice in one object: of the two members the last counts, which is seldom what was meant.
  private static func repeats(in node: JSONTree.Node?, path: String = "") -> [Finding] {
    switch node?.content {
    case .object(let members)?:
      var seen: Set<String> = []
      return members.flatMap { member -> [Finding] in
        let place = path.isEmpty ? member.key : "\(path).\(member.key)"
        let inner = repeats(in: member.value, path: place)
        guard !seen.insert(member.key).inserted else { return inner }
        let problem = Problem(path: place, message: "The member \"\(member.key)\" appears twice; only this one counts.")
        return [
          Finding(
            problem: problem, range: member.keyRange, code: FailureKind.invalidParams.rawValue, severity: .warning)
        ] + inner
      }
    case .array(let elements)?:
      return elements.enumerated().flatMap { repeats(in: $1, path: "\(path)[\($0)]") }
    default: return []
    }
  }

  private func unknownMembers(_ members: JSONObject) -> [Problem] {
    let names = ProgramFile.members.map(\.name)
    return members.keys.filter { !names.contains($0) && !ProgramFile.ignored.contains($0) }.map { key in
      Problem(
        path: key, message: "There is no such member here.", allowed: names.sorted(),
        suggestion: nearest(to: key, among: names), isAboutName: true)
    }
  }

  /// Models whose key the service does not have.
  private func missingKeys(_ members: JSONObject) -> [Problem] {
    ["lm", "promptModel", "teacher"].compactMap { name in
      guard let value = members[name], !value.isNull,
        let configuration = ModelConfiguration(value, path: name, problems: ProblemList()),
        configuration.client == nil, !configuration.isSimulated, let endpoint = try? Endpoint(configuration),
        endpoint.requiresKey, let variable = endpoint.keyVariable, Environment.value(variable) == nil
      else { return nil }
      let path = value["apiKeyEnv"] == nil ? (value["model"] == nil ? name : "\(name).model") : "\(name).apiKeyEnv"
      return Problem(
        path: path,
        message: "The environment variable \(variable), which should hold this model's key, is not set for the service."
      )
    }
  }

  /// The character at which reading stopped; the last one of the line or text where it is the end that came too early.
  private static func range(ofError offset: Int, in source: SourceText) -> Range<Int> {
    let bytes = source.bytes
    var start = min(offset, bytes.count)
    let isLineBreak = start < bytes.count && (bytes[start] == 0x0A || bytes[start] == 0x0D)
    if start == bytes.count || isLineBreak, start > 0 { start -= 1 }
    while start > 0, start < bytes.count, bytes[start] & 0xC0 == 0x80 { start -= 1 }
    var end = min(start + 1, bytes.count)
    while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
    return start..<end
  }
}

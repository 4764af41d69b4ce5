import Failures
import Foundation
import HTTPModels
import JSON
import JSONRPC
import Jobs
import Networking
import Platform
package import Schema
package import Tracking

extension Method {
  static let doctor = Method(
    "doctor", "Examines the home directory, the store, the socket and the models' keys, and says what it finds.",
    takes: DoctorRequest.self, gives: DoctorResult.self, example: [:]
  ) { service, request, environment throws(HoneError) in
    let repair = request.repair
    let socket = request.socket.map { $0.hasPrefix("/") ? $0 : environment.baseDirectory + "/" + $0 }
    var findings = try await StoreExamination.run(home: service.home, repair: repair)
    // Opening the store marks the runs whose process is gone.
    if repair, findings.contains(where: { $0.check == "runs" && $0.isProblem }), (try? await service.store()) != nil {
      findings = findings.map { finding in
        var finding = finding
        if finding.check == "runs", finding.isProblem { finding.isRepaired = true }
        return finding
      }
    }
    let home = URL(filePath: service.home).standardizedFileURL.resolvingSymlinksInPath().path
    findings += Surroundings.findings(socket: socket ?? SharedSocket.likelyPath(home: home), repair: repair)
    return DoctorResult(home: service.home, findings: findings)
  }
}

/// What an examination found.
package struct DoctorResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member("home", \.home, isAlwaysWritten: true, "The home directory."),
    Member("healthy", \.isHealthy, isAlwaysWritten: true, "Whether nothing needs attention."),
    Member("findings", \.findings, isAlwaysWritten: true, "What was examined, and its state."),
  ]
  package var home = ""
  package var isHealthy = true
  package var findings: [Observation] = []

  package init() {}

  init(home: String, findings: [Observation]) {
    self.home = home
    isHealthy = !findings.contains(where: \.isProblem)
    self.findings = findings
  }
}

struct DoctorRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("repair", \.repair, "Whether to repair what can be repaired safely."),
    Member("socket", \.socket, "The socket to examine; by default that of the store's shared service."),
  ]
  var repair = false
  var socket: String?
}

/// What a service meets outside its home: the socket, and the variables that name models and keys.
private enum Surroundings {
  static func findings(socket: String?, repair: Bool) -> [Observation] {
    (socket.map { [self.socket($0, repair)] } ?? []) + [models, network]
  }

  private static func socket(_ path: String, _ repair: Bool) -> Observation {
    switch SocketPath.state(of: path) {
    case .absent: return Observation("socket", .ok, "No service listens at \(path).")
    case .live(let processID):
      let who = processID.map { " (process \($0))" } ?? ""
      return Observation("socket", .ok, "A service listens at \(path)\(who).")
    case .stale:
      var finding = Observation(
        "socket", .note, "The socket at \(path) is left over from a service that is gone; the next one replaces it.")
      finding.isRepaired = repair && SocketPath.removeStale(path)
      return finding
    case .foreign(let what):
      return Observation("socket", .warning, "\(path) \(what).", remedy: "Choose another path for the socket.")
    }
  }

  /// Which variables say how endpoints are reached, never what, and whether they can be used.
  private static var network: Observation {
    let bases = Provider.all.flatMap(\.baseVariables)
    let set = (Route.variables + bases).filter { Variables.process[$0] != nil }
    let details: JSONObject = ["set": .array(set.map(JSONValue.string))]
    for url in ["https://example.org", "http://example.org"] {
      do throws(HoneError) {
        _ = try Route(to: url)
      } catch {
        return Observation("network", .warning, error.message, remedy: error.remedy, details: details)
      }
    }
    let what = set.isEmpty ? "No proxy, certificate or base URL is set" : "Set are \(set.joined(separator: ", "))"
    return Observation("network", .ok, "\(what) in the environment.", details: details)
  }

  /// Which variables are set; never to what.
  private static var models: Observation {
    var set: [String] = []
    var unset: [String] = []
    for name in Set(Provider.all.flatMap(\.keyVariables)).sorted() {
      if Environment.value(name) == nil { unset.append(name) } else { set.append(name) }
    }
    let keys = set.isEmpty ? "No provider's key is set." : "Keys are set in \(set.joined(separator: ", "))."
    let model = "$HONE_LM names \(Environment.value("HONE_LM") == nil ? "no" : "a") default model."
    return Observation(
      "models", .ok, "\(keys) \(model)",
      details: ["set": .array(set.map(JSONValue.string)), "unset": .array(unset.map(JSONValue.string))])
  }
}

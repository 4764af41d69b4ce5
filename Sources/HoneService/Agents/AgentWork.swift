import Failures
import HTTPModels
import JSON
import Jobs
import LanguageModels
import Platform
import Schema

/// Does what an agent's tools ask for, within the operator's terms.
package struct AgentWork: Sendable {
  /// Does a call in a service that outlives the agent.
  package typealias Apart = Service.StayingService

  let service: Service
  let terms: AgentTerms
  let apart: Apart

  package init(_ service: Service, terms: AgentTerms, apart: @escaping Apart) {
    self.service = service
    self.terms = terms
    self.apart = apart
  }

  func perform(
    _ method: Method, _ params: JSONObject, progress: (any ProgressSink)?
  ) async throws(HoneError) -> JSONValue {
    // What belongs to the session is not the agent's to say.
    let own = RequestFrame.stripped(params)
    let asked = ToolArguments(.object(own))
    if AgentTerms.detaches(method), asked.detach { return try await performApart(method, own, asked) }
    var environment = CallEnvironment(progress: progress, baseDirectory: terms.root.root)
    environment.asker.isTrustedOnLoopback = false
    environment.enclosure = terms.root
    environment.written = terms.written
    guard AgentTerms.spends(method) else { return try await service.call(method.name, own, in: environment) }
    environment.ceiling = terms.ceiling
    terms.ceiling.begin()
    defer { terms.ceiling.end() }
    return try await service.call(method.name, own, in: environment)
  }

  /// A detached call gets a part of what is left for itself; what it did not need comes back when its run has ended.
  private func performApart(
    _ method: Method, _ params: JSONObject, _ asked: ToolArguments
  ) async throws(HoneError) -> JSONValue {
    let bounds = asked.budget.value.flatMap { Budget.Limits.read($0, at: "budget", ProblemList()) }
    let ceiling = terms.ceiling
    let loan = try ceiling.lend(bounds ?? Budget.Limits())
    var frame = RequestFrame()
    frame.restrictsKeys = true
    frame.baseDirectory = .string(terms.root.root)
    frame.root = terms.root.root
    frame.ceiling = loan.terms
    let result: JSONValue
    do throws(HoneError) {
      result = try await apart(method.name, params.merging(frame.jsonObject))
    } catch {
      // Whether it began is not known where the service went away.
      ceiling.takeBack(loan, usage: error.kind == .clientGone ? nil : UsageReport.Entry())
      throw error
    }
    let outline = JobOutline(json: result)
    guard let run = outline?.runID, outline?.status == "RUNNING" else {
      ceiling.takeBack(loan, usage: outline?.usage?.total ?? UsageReport.Entry())
      return result
    }
    let apart = apart
    Task.detached {
      let ended = try? await apart("watchRun", ["runId": .string(run)])
      ceiling.takeBack(loan, usage: ended.flatMap { JobOutline(json: $0)?.usage?.total })
    }
    return result
  }
}

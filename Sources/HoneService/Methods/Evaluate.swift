import Failures
import JSON
import Jobs

extension Method {
  package static let evaluate = Method(
    "evaluate", "Scores a program on examples and tracks the evaluation.",
    resolving: EvaluateRequest.self, gives: JobReply<EvaluateResult>.self,
    example: [
      "program": "question -> answer", "devset": ["name": "word-problems", "split": "test", "limit": 20],
      "metric": "numeric_match", "lm": "simulated",
    ],
    isLong: true
  ) { request, resolver throws(HoneError) in
    let job = try await resolver.apart { () async throws(HoneError) in try await EvaluateJob(request, resolver) }
    if resolver.environment.isCheck { return nil }
    return try await resolver.workspace.perform(job, in: resolver.environment)
  }
}

import Failures
import JSON
import Jobs

extension Method {
  package static let compile = Method(
    "compile", "Optimizes a program's instructions and demos, and tracks the whole search.",
    resolving: CompileRequest.self, gives: JobReply<CompileResult>.self,
    example: [
      "program": "question -> answer", "optimizer": ["name": "MIPROv2", "auto": "light"],
      "trainset": ["name": "word-problems", "split": "train"], "valset": ["name": "word-problems", "split": "val"],
      "metric": "numeric_match", "lm": "simulated",
    ],
    isLong: true
  ) { request, resolver throws(HoneError) in
    let job = try await resolver.apart { () async throws(HoneError) in try await CompileJob(request, resolver) }
    if resolver.environment.isCheck { return nil }
    if let terms = job.estimate {
      return .estimated(try await CompileEstimate(job, terms).figures(resolver.workspace))
    }
    return try await resolver.workspace.perform(job, in: resolver.environment)
  }
}

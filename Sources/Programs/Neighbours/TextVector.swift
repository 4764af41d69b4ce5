import Basics
package import Failures
import JSON
package import LanguageModels
import Messages
import Traces

extension ModelClient {
  /// The vector of a text, from the model's embeddings endpoint or from the store: each text is asked for once.
  ///
  /// - Throws: what the model client throws; `malformedReply` where there are no numbers.
  package func vector(of text: String, in context: ExecutionContext) async throws(HoneError) -> [Float] {
    var call = context.call
    call.role = .embedding
    // Wherever in the run a text stands, and at whichever try, it has one vector.
    (call.scope, call.occasion, call.rollout) = ("vector", "", 0)
    var options = SamplingOptions()
    options.extra = configuration.sampling.extra
    // A vector is no text: a budget need not keep room for any.
    options.maxTokens = 1
    let span = context.trace?.begin(
      "Embedder", .embedding, parent: context.parent, inputs: .json(["text": .string(text)]),
      attributes: ["model": .string(configuration.model)])
    do throws(HoneError) {
      let answer = try await complete(Prompt([ChatMessage(.user, text)]), options: options, context: call)
      context.trace?.count(answer.reply.usage, cost: answer.cost)
      guard let numbers = answer.reply.texts.first.flatMap(Base64.numbers), !numbers.isEmpty else {
        throw HoneError(.malformedReply, "The model \(configuration.model) gave no vector.")
      }
      if let span {
        context.trace?.end(
          span, outputs: .json(["dimension": .int(numbers.count)]),
          attributes: [
            "cached": .bool(answer.source == .cache),
            "mlflow.chat.tokenUsage": [
              "input_tokens": .int(answer.reply.usage.inputTokens), "output_tokens": 0,
              "total_tokens": .int(answer.reply.usage.totalTokens),
            ],
          ])
      }
      return numbers
    } catch {
      if let span { context.trace?.end(span, error: (error.kind.rawValue, error.message)) }
      throw error
    }
  }
}

extension Program {
  /// The models that made the vectors of its rows.
  package var vectorModels: [String] {
    var models: [String] = []
    for state in states {
      guard case .model(let name, _)? = state.nearest?.neighbours.vectorizer, !models.contains(name) else { continue }
      models.append(name)
    }
    return models
  }
}

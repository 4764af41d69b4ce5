import JSON
import Failures
import HTTPModels
import LanguageModels
import Messages
import Programs
import Schema

extension RequestResolver {
  /// What makes vectors of texts, where the request names it; notes where it is not what the program's rows need. Models
  /// are never taken from a program's file.
  func vectorizer(
    _ stated: ModelConfiguration?, for program: Program?, answers: any AnswerStore
  ) -> ModelClient? {
    let place = fields.place("vectorizer")
    let needed = program?.vectorModels ?? []
    guard let stated else {
      // One that is there and cannot be read is noted already.
      if let model = needed.first, fields.object["vectorizer"] ?? .null == .null {
        problems.add(
          place,
          "The program's rows have vectors of \(model): name that model here, so that inputs are compared with them.")
      }
      return nil
    }
    if let model = needed.first(where: { $0 != stated.model }) {
      problems.add(
        Problem(
          path: place,
          message:
            "The program's rows have vectors of \(model), with which those of \(stated.model) cannot be compared. "
            + "Name that model, or compile the program again.",
          got: stated.model, allowed: needed))
      return nil
    }
    guard stated.client == nil, !stated.isSimulated else {
      problems.add(
        place,
        "Vectors come from an embeddings endpoint, such as openai/text-embedding-3-small. Leave vectorizer out, and rows "
          + "are compared by their words, without any model.")
      return nil
    }
    return client(stated, "vectorizer", knowledge: [], answers: answers, service: .embeddings)
  }
}

import AsyncHTTPClient
import Failures
import LanguageModels
import NIOCore
import NIOHTTP1
import NIOHTTPCompression

/// What a failure of the connection, rather than of the endpoint, means.
struct TransportFailure {
  let endpoint: Endpoint
  let redactor: Redactor
  let timeout: Double

  func failure(_ error: any Error) -> ModelFailure {
    if error is CancellationError || Task.isCancelled { return ModelFailure(.aborted, retry: .never) }
    if error is NIOTooManyBytesError {
      return ModelFailure(
        HoneError(
          .malformedReply, "The reply of \(endpoint.url) is larger than \(SharedHTTPClient.maximumReplySize) bytes.",
          remedy: "Make sure that \(endpoint.base) is the base URL of an OpenAI-compatible endpoint."),
        retry: .never)
    }
    if case HTTPParserError.invalidEOFState = error {
      return unreachable("it closed the connection before the reply was whole")
    }
    switch error as? HTTPClientError {
    case .cancelled?:
      return ModelFailure(.aborted, retry: .never)
    case .deadlineExceeded?, .readTimeout?, .writeTimeout?:
      return ModelFailure(
        HoneError(
          .timeout, "\(endpoint.base) did not answer within \(timeout) s.",
          remedy: "Raise the model's timeout, or check whether the endpoint is overloaded."),
        retry: .backOff)
    case .connectTimeout?, .tlsHandshakeTimeout?, .getConnectionFromPoolTimeout?:
      return unreachable("it did not accept a connection in time")
    case .remoteConnectionClosed?:
      return unreachable("it closed the connection before the reply was whole")
    default:
      let words = redactor.redact(String(describing: error))
      let isMalformed = error is HTTPParserError || error is NIOHTTPDecompression.DecompressionError
      return isMalformed ? malformed(words) : unreachable(words)
    }
  }

  private func malformed(_ why: String) -> ModelFailure {
    ModelFailure(
      HoneError(
        .malformedReply, "The reply of \(endpoint.url) is not well-formed HTTP.",
        remedy: "Make sure that \(endpoint.base) is the base URL of an OpenAI-compatible endpoint.", cause: why),
      retry: .backOff)
  }

  private func unreachable(_ why: String) -> ModelFailure {
    ModelFailure(
      HoneError(
        .languageModelUnavailable, "\(endpoint.base) could not be reached.",
        remedy: "Check that a server runs at \(endpoint.base) and that this machine can reach it.", cause: why),
      retry: .backOff)
  }
}

extension HoneError {
  static let aborted = HoneError(.cancelled, "The call to the language model was cancelled.")
}

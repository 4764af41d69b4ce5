import AsyncHTTPClient
import Failures
import LanguageModels
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import Networking

/// What a failure of the connection, rather than of the endpoint, means.
struct TransportFailure {
  let endpoint: Endpoint
  let redactor: Redactor
  let timeout: Double

  func failure(_ error: any Error) async -> ModelFailure {
    if let error = error as? HoneError { return ModelFailure(error, retry: .never) }
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
      // A certificate is the same at the next attempt.
      if let fault = await ConnectionFault.of(error, on: endpoint.route) {
        return ModelFailure(
          HoneError(
            .languageModelUnavailable, "\(place) could not be reached: \(redactor.redact(fault.what)).",
            remedy: fault.remedy),
          retry: .never)
      }
      let words = redactor.redact(ConnectionFault.words(of: error))
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

  /// The base URL, who named it, and what is in between.
  private var place: String {
    endpoint.base + (endpoint.baseVariable.map { " (of \($0))" } ?? "") + endpoint.route.words
  }

  private func unreachable(_ why: String) -> ModelFailure {
    let remedy =
      endpoint.route.proxy == nil
      ? "Check that a server runs at \(endpoint.base) and that this machine can reach it."
      : "Check the proxy, or add \(endpoint.route.address.host) to NO_PROXY if it is to be reached directly."
    return ModelFailure(
      HoneError(.languageModelUnavailable, "\(place) could not be reached.", remedy: remedy, cause: why),
      retry: .backOff)
  }
}

extension HoneError {
  static let aborted = HoneError(.cancelled, "The call to the language model was cancelled.")
}

import AsyncHTTPClient
package import Failures
import NIOCore
import NIOHTTP1

/// A document fetched over HTTP: data sets, not models.
package enum HTTPDocument {
  /// The body at `url`.
  ///
  /// - Throws: `notFound` where it cannot be had or is larger than `maximumBytes`.
  package static func fetch(_ url: String, maximumBytes: Int) async throws(HoneError) -> [UInt8] {
    do {
      let response = try await SharedHTTPClient.client(for: url).execute(
        HTTPClientRequest(url: url), timeout: .seconds(120))
      guard response.status == .ok else {
        throw HoneError(.notFound, "\(url) answered \(response.status.code).")
      }
      let body = try await response.body.collect(upTo: maximumBytes)
      return Array(body.readableBytesView)
    } catch let error as HoneError {
      throw error
    } catch {
      throw HoneError(.notFound, "\(url) cannot be fetched: \(error).", remedy: "Check the network.")
    }
  }
}

import AsyncHTTPClient
package import Failures
package import Networking
import NIOCore
import NIOHTTP1

/// A document fetched over HTTP: data sets, not models.
package enum HTTPDocument {
  /// The body at `url`.
  ///
  /// - Throws: `notFound` where it cannot be had or is larger than `maximumBytes`.
  package static func fetch(
    _ url: String, maximumBytes: Int, _ variables: Variables = .process
  ) async throws(HoneError) -> [UInt8] {
    let route = try Route(to: url, variables)
    do {
      let response = try await SharedHTTPClient.client(for: url, by: route).execute(
        route.request(url), timeout: .seconds(120))
      guard response.status == .ok else {
        throw HoneError(.notFound, "\(url) answered \(response.status.code).")
      }
      let body = try await response.body.collect(upTo: maximumBytes)
      return Array(body.readableBytesView)
    } catch let error as HoneError {
      throw error
    } catch {
      if let fault = await ConnectionFault.of(error, on: route) {
        throw HoneError(.notFound, "\(url) cannot be fetched: \(fault.what).", remedy: fault.remedy)
      }
      throw HoneError(
        .notFound, "\(url) cannot be fetched\(route.words): \(ConnectionFault.words(of: error)).",
        remedy: "Check the network.")
    }
  }
}

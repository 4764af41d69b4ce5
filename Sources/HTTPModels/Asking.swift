import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Networking

/// One request to an endpoint, sent to the path where it answers.
struct Asking {
  let target: Endpoint
  let headers: HTTPHeaders
  /// Headers that take the place of others of their name.
  let further: [(String, String)]
  let body: SendingBody
  let deadline: NIODeadline

  struct Answer {
    let status: HTTPResponseStatus
    let headers: HTTPHeaders
    let body: HTTPClientResponse.Body
    /// The beginning of the body where the status is not 200.
    var said: [UInt8] = []
    /// Whether nothing was found with a `/v1` behind the base URL, nor without.
    var isPathMissing = false
  }

  /// The answer. Where nothing is at the path and the base URL names no version, it is asked once more with `/v1` behind
  /// it: a server that does not know the path has done nothing.
  func response() async throws -> Answer {
    guard target.mayLackVersion else { return try await answer(at: target.url) }
    if VersionedPaths.contains(target.base) { return try await answer(at: target.versionedURL) }
    var first = try await answer(at: target.url)
    guard VersionedPaths.isMissing(status: Int(first.status.code), body: first.said) else { return first }
    let second = try await answer(at: target.versionedURL)
    let isMissing = VersionedPaths.isMissing(status: Int(second.status.code), body: second.said)
    if isMissing, !VersionedPaths.isAboutModel(second.said) {
      first.isPathMissing = !VersionedPaths.isAboutModel(first.said)
      return first
    }
    if second.status == .ok || isMissing { VersionedPaths.note(target.base) }
    return second
  }

  private func answer(at url: String) async throws -> Answer {
    var request = target.route.request(url)
    request.method = .POST
    request.headers.add(contentsOf: headers)
    for (name, value) in further { request.headers.replaceOrAdd(name: name, value: value) }
    // Read when a connection is there to write it to.
    request.body = .bytes(body, length: .known(Int64(body.count)))
    let client = try SharedHTTPClient.client(for: url, by: target.route)
    let response = try await client.execute(request, deadline: deadline)
    var answer = Answer(status: response.status, headers: response.headers, body: response.body)
    if response.status != .ok { answer.said = await beginning(of: response.body) }
    return answer
  }

  /// As much of an error's body as is worth reading; what fails on the way does not matter.
  private func beginning(of body: HTTPClientResponse.Body) async -> [UInt8] {
    var bytes: [UInt8] = []
    do {
      for try await part in body {
        bytes.append(contentsOf: part.readableBytesView)
        if bytes.count > 65_536 { break }
      }
    } catch {
      return bytes
    }
    return bytes
  }
}

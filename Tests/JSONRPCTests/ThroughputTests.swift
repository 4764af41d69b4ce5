import JSON
import Testing

@testable import JSONRPC

@Suite("Throughput", .timeLimit(.minutes(2)))
struct ThroughputTests {
  /// The aim is 20,000 a second in release; the bound here only catches a collapse on a busy machine.
  @Test("thousands of piped requests a second are answered over one socket")
  func echo() async throws {
    let served = try await Served.make(.unixSocket)
    let count = 20_000
    let input = (0..<count).map { request("\($0)", "work", #"{"x":1}"#) + "\n" }.joined()
    let start = ContinuousClock.now
    let output = try await served.exchange(input)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    #expect(output.utf8.count { $0 == 0x0A } == count)
    #expect(Double(count) / seconds > 2000)
    #if !DEBUG
      print("echo over one socket: \(Int(Double(count) / seconds)) requests a second")
    #endif
  }
}

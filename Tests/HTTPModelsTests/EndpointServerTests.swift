import Failures
import HTTPModels
import JSON
import LanguageModels
import Messages
import Platform
import Testing

/// Calls to a separate server process with faults, where the script of one is at hand beside the package.
@Suite("Against a server process", .enabled(if: ServerProcess.isAvailable), .timeLimit(.minutes(2)))
struct EndpointServerTests {
  @Test("thirty-two callers get every answer in spite of refusals, failures and garbage")
  func faults() async throws {
    let server = try await ServerProcess("--fault-429", "0.05", "--fault-500", "0.05", "--fault-garbage", "0.05")
    defer { server.stop() }
    var configuration = ModelConfiguration(model: "openai/sim")
    configuration.apiBase = server.base
    configuration.retries = 10
    let client = ModelClient(
      model: try ModelRegistry.make(configuration), configuration: configuration, answers: MemoryAnswerStore(),
      pacing: Pacing(now: Pacing.real.now, sleep: Pacing.real.sleep, random: { 0.02 }))
    let account = RunAccount(runID: "run")
    let texts = try await withThrowingTaskGroup(of: String.self) { group in
      for caller in 0..<32 {
        group.addTask {
          for number in 0..<10 {
            let prompt = Prompt([
              ChatMessage(.user, "[[ ## question ## ]]\n\(caller) \(number)\n\nRespond with `answer`.")
            ])
            let answer = try await client.complete(prompt, context: CallContext(account: account))
            if number == 9 { return answer.reply.texts[0] }
          }
          return ""
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(texts.count == 32 && texts.allSatisfy { $0.contains("[[ ## answer ## ]]") })
    let total = account.usage.total
    #expect(total.calls - total.failed == 320 && total.failed > 0)
    #expect(total.tokens.inputTokens > 0)
  }

  @Test("a wrong key is refused once, without further attempts")
  func key() async throws {
    let server = try await ServerProcess("--key", "right-key-1234")
    defer { server.stop() }
    var configuration = ModelConfiguration(model: "openai/sim")
    configuration.apiBase = server.base
    configuration.apiKeyEnv = "HONE_TEST_KEY_B"
    let client = ModelClient(
      model: try ModelRegistry.make(configuration), configuration: configuration, answers: MemoryAnswerStore())
    setenv("HONE_TEST_KEY_B", "wrong-key-1234", 1)
    let account = RunAccount()
    await #expect {
      try await client.complete(Prompt([ChatMessage(.user, "x")]), context: CallContext(account: account))
    } throws: { ($0 as? HoneError)?.kind == .authentication }
    #expect(account.usage.total.calls == 1)
    // Replaced while the service runs.
    setenv("HONE_TEST_KEY_B", "right-key-1234", 1)
    _ = try await client.complete(Prompt([ChatMessage(.user, "x")]), context: CallContext(account: account))
  }
}

/// A server process of a test, on a port of its own.
private final class ServerProcess {
  let base: String
  private let process: pid_t

  private static let script: String = {
    var folders = #filePath.split(separator: "/").dropLast(4)
    folders += ["shared", "tools", "simlm.py"]
    return "/" + folders.joined(separator: "/")
  }()

  static var isAvailable: Bool { access(script, R_OK) == 0 }

  init(_ arguments: String...) async throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    let (reading, writing) = (ends[0], ends[1])
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, writing, 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var words: [UnsafeMutablePointer<CChar>?] = (["python3", Self.script, "--port", "0"] + arguments).map { strdup($0) }
    words.append(nil)
    var process: pid_t = 0
    let status = posix_spawnp(&process, "python3", &actions, nil, words, nil)
    for word in words { free(word) }
    posix_spawn_file_actions_destroy(&actions)
    close(writing)
    defer { close(reading) }
    try #require(status == 0)
    self.process = process
    // The first line names the port that the system chose.
    var line: [UInt8] = []
    for _ in 0..<2000 where !line.contains(0x0A) {
      var byte: UInt8 = 0
      while read(reading, &byte, 1) == 1, byte != 0x0A { line.append(byte) }
      if byte == 0x0A { break }
      try await Task.sleep(for: .milliseconds(5))
    }
    let text = String(decoding: line, as: UTF8.self)
    let url = text.split(separator: " ").first { $0.hasPrefix("http://") }
    base = String((url ?? "").prefix { $0 != "," })
    if base.isEmpty {
      kill(process, SIGKILL)
      waitpid(process, nil, 0)
    }
    try #require(!base.isEmpty)
  }

  func stop() {
    kill(process, SIGKILL)
    waitpid(process, nil, 0)
  }
}

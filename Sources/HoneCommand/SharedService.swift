import Failures
import Foundation
import HoneService
import JSON
import JSONRPC
import Jobs
import Tracking

/// The services that `--attach` joins: one for each store, started when first needed, gone when nobody needs it.
enum SharedService {
  /// How long a service stays that nobody uses.
  static let idleSeconds = 300.0

  /// A socket connected to the service of a store.
  ///
  /// - Parameters:
  ///   - idleSeconds, durability: for the service, where it is started here.
  static func connect(
    home: String, idleSeconds: Double? = nil, durability: Durability = .power
  ) throws(HoneError) -> Int32 {
    let home = resolved(home)
    let shared = try SharedSocket(home: home)
    return try shared.connect { () throws(HoneError) in
      try start(
        [
          "serve", "--apart", "--socket", shared.path, "--home", home, "--idle-timeout",
          "\(idleSeconds ?? Self.idleSeconds)", "--durability", durability.rawValue,
        ], log: shared.logPath)
    }
  }

  /// One call to the service of a store, with paths that count from here unless it says otherwise.
  static func ask(_ method: String, _ params: JSONObject, home: String) async throws(HoneError) -> JSONValue {
    let loop = try EventLoop()
    defer { loop.stop() }
    let stream = SocketStream(try connect(home: home), peer: "the shared service", loop: loop)
    let connection = Connection(stream, handler: ForwardedProgress(), framing: .lines)
    connection.start()
    let params = Caller.located(params)
    let result: JSONValue
    do throws(CallFailure) {
      result = try await connection.request(method, params)
    } catch {
      connection.abort()
      throw error.asHoneError(method)
    }
    connection.close()
    await connection.waitUntilFinished()
    return result
  }

  /// Returns when nobody has been connected and no work been under way for that long; nobody can connect any more then.
  static func waitUntilUnused(_ server: UnixSocketServer, _ service: Service, home: String, seconds: Double) async {
    let shared = try? SharedSocket(home: resolved(home))
    var lastUse = ContinuousClock.now
    while (try? await Task.sleep(for: .seconds(min(5, max(0.05, seconds / 10))))) != nil {
      guard server.isUnused, service.workspace.isIdle else {
        lastUse = .now
        continue
      }
      guard .now - lastUse >= .seconds(seconds) else { continue }
      // A service at a path of its own has nobody who takes turns with it.
      guard let shared, shared.path == server.path else { return }
      guard let door = shared.closeTheDoor() else { continue }
      if server.isUnused { return }
      door.open()
    }
  }

  /// One path for a directory, however it is named.
  private static func resolved(_ home: String) -> String {
    URL(filePath: home).standardizedFileURL.resolvingSymlinksInPath().path
  }

  /// Starts this program apart from this process, its output going to a log.
  private static func start(_ arguments: [String], log: String) throws(HoneError) -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // A log that has grown begins anew.
    var status = stat()
    let isLong = stat(log, &status) == 0 && status.st_size > 1 << 20
    let flags = O_WRONLY | O_CREAT | (isLong ? O_TRUNC : O_APPEND)
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, flags, 0o600)
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
    var words: [UnsafeMutablePointer<CChar>?] = (["hone"] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process = pid_t()
    let result = posix_spawn(&process, "/proc/self/exe", &actions, nil, &words, environ)
    guard result == 0 else {
      throw HoneError(
        .internalError, "The service could not be started: \(String(cString: strerror(result))).",
        remedy: "Start one with hone serve --socket PATH and give that path.")
    }
    return process
  }
}

/// The working directory of another process of this user's.
func workingDirectory(of process: Int32) -> String? {
  try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")
}

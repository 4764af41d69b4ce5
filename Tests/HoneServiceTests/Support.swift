import Failures
import Foundation
import HoneService
import JSON
import Jobs
import Logging

/// A service over a fresh home directory that is removed afterwards.
func withService<Value>(
  catalog: Catalog = Catalog(), _ body: (Service) async throws -> Value
) async throws -> Value {
  let home = FileManager.default.temporaryDirectory.appendingPathComponent("hone-\(UUID().uuidString)").path
  defer { try? FileManager.default.removeItem(atPath: home) }
  let service = Service(
    home: home, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, catalog: catalog)
  do {
    let value = try await body(service)
    await service.close()
    return value
  } catch {
    await service.close()
    throw error
  }
}

extension Service {
  func ask(_ method: String, _ params: JSONObject = [:], progress: (any ProgressSink)? = nil) async throws -> JSONValue
  {
    try await call(method, params, in: CallEnvironment(progress: progress, baseDirectory: NSTemporaryDirectory()))
  }

  /// The error that a call ends with.
  func failure(_ method: String, _ params: JSONObject = [:]) async throws -> HoneError? {
    do {
      _ = try await ask(method, params)
      return nil
    } catch let error as HoneError {
      return error
    }
  }
}

/// A small compile on the embedded model.
func smallCompile(_ more: JSONObject = [:]) -> JSONObject {
  let base: JSONObject = [
    "program": "question -> answer",
    "optimizer": ["name": "MIPROv2", "auto": .null, "num_candidates": 3, "num_trials": 4, "minibatch_size": 10],
    "trainset": ["name": "word-problems", "split": "train", "limit": 20],
    "valset": ["name": "word-problems", "split": "val", "limit": 20],
    "metric": "numeric_match", "lm": "simulated", "experiment": "small", "seed": 3,
  ]
  return base.merging(more)
}

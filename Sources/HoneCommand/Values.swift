import ArgumentParser
import Datasets
import Editing
import Failures
import Foundation
import JSON

/// An argument that is JSON where it looks like it, and else a text.
func jsonOrText(_ argument: String, _ name: String) throws -> JSONValue {
  guard let first = argument.first(where: { !$0.isWhitespace }), "{[\"".contains(first) else {
    return .string(argument)
  }
  do {
    return try JSONReader.read(argument)
  } catch {
    throw ValidationError("\(name) begins like JSON but is not: \(error).")
  }
}

/// A data set argument: JSON, `gsm8k:train`, `word-problems:val`, or a file's path.
func datasetValue(_ argument: String, _ name: String) throws -> JSONValue {
  let value = try jsonOrText(argument, name)
  return Dataset.described(by: value)
}

/// A program argument: JSON, a signature's text, a run's id or a file's path.
func programValue(_ argument: String, _ name: String) throws -> JSONValue {
  let value = try jsonOrText(argument, name)
  guard case .string(let text) = value else { return value }
  if text.contains("->") { return value }
  if text.utf8.count == 32, text.allSatisfy(\.isHexDigit) { return ["run": value] }
  return ["path": value]
}

/// The JSON object in a file; `-` is standard input.
func requestFile(_ path: String) throws -> JSONObject {
  let data: Data
  if path == "-" {
    data = FileHandle.standardInput.readDataToEndOfFile()
  } else {
    guard let read = FileManager.default.contents(atPath: path) else {
      throw ValidationError("\(path) cannot be read.")
    }
    data = read
  }
  do {
    guard case .object(let object) = try JSONReader.read(data) else {
      throw ValidationError("\(path) should hold a JSON object.")
    }
    return ProgramFile.withoutPlace(object)
  } catch let error as JSONSyntaxError {
    throw ValidationError("\(path) is not JSON: \(error).")
  }
}

/// A path as it is from everywhere.
func absolutePath(_ path: String) -> String {
  path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
}

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

/// The inputs that an argument gives: a JSON object, `@FILE` or `-` for one in a file, `name=value`, or `name=@FILE` for the
/// text of a file, less the line end behind it.
func inputValues(_ argument: String) throws -> JSONObject {
  if argument == "-" { return try objectFile("-") }
  if argument.hasPrefix("@") { return try objectFile(String(argument.dropFirst())) }
  if case .object(let object) = try jsonOrText(argument, "inputs") { return object }
  guard let equals = argument.firstIndex(of: "=") else {
    throw ValidationError("\"\(argument)\" is neither name=value nor a JSON object, nor - or @FILE for one in a file.")
  }
  let name = String(argument[..<equals])
  var text = String(argument[argument.index(after: equals)...])
  if text.hasPrefix("@@") {
    text.removeFirst()
  } else if text.hasPrefix("@") {
    let path = String(text.dropFirst())
    let data: Data
    do {
      data = try content(of: path)
    } catch let error as ValidationError {
      throw ValidationError("\(error.message) (A text that begins with @ is given as \(name)=@\(text).)")
    }
    guard let read = String(validating: data, as: UTF8.self) else {
      throw ValidationError("\(path) is not text in UTF-8.")
    }
    text = read
    if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
    if text.last?.isNewline == true { text.removeLast() }
  }
  return JSONObject([(name, .string(text))])
}

/// The bytes of a file; `-` is standard input.
private func content(of path: String) throws -> Data {
  if path == "-" { return FileHandle.standardInput.readDataToEndOfFile() }
  guard let data = FileManager.default.contents(atPath: path) else { throw ValidationError("\(path) cannot be read.") }
  return data
}

/// The JSON object in a file; `-` is standard input.
private func objectFile(_ path: String) throws -> JSONObject {
  let name = path == "-" ? "Standard input" : path
  do {
    let data = try content(of: path)
    let text = data.starts(with: [0xEF, 0xBB, 0xBF]) ? data.dropFirst(3) : data
    guard case .object(let object) = try JSONReader.read(text) else {
      throw ValidationError("\(name) should hold a JSON object.")
    }
    return object
  } catch let error as JSONSyntaxError {
    throw ValidationError("\(name) is not JSON: \(error).")
  }
}

/// The request in a file; `-` is standard input.
func requestFile(_ path: String) throws -> JSONObject { ProgramFile.withoutPlace(try objectFile(path)) }

/// A path as it is from everywhere.
func absolutePath(_ path: String) -> String {
  path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
}

import Failures
package import JSON
package import Schema

/// How a configuration is kept free of secrets: they are named, and a value that comes in their place is refused
/// without being repeated.
extension ModelConfiguration {
  /// The environment variables whose values go to the endpoint and nowhere else.
  package var secretVariables: [String] { [apiKeyEnv].compactMap { $0 } + headers.variables.values.sorted() }

  /// Notes every place where a secret's value may stand.
  func noteSecrets(_ fields: FieldReader) {
    let problems = fields.problems
    for (name, value) in fields.object where Self.namesSecret(name) {
      fields.ignore(name)
      // `max_tokens` and the like are numbers, and no secrets.
      if value.intValue == nil, !value.isNull { problems.add(fields.place(name), Self.refusal) }
    }
    if let variable = apiKeyEnv, !Self.isVariableName(variable) {
      problems.add(
        fields.place("apiKeyEnv"),
        "This is not the name of an environment variable. Name the variable that holds the key, not the key.")
    }
    for (name, _) in sampling.extra {
      if let own = Self.ownMembers[Self.fold(name)] {
        problems.add("\(fields.place("extra")).\(name)", "\(own) Take it out of extra.")
      }
    }
    for (name, value) in sampling.extra {
      let isHeaders = Self.fold(name) == "headers" || Self.fold(name) == "extraheaders"
      if isHeaders || (Self.namesSecret(name) && value.stringValue != nil) {
        problems.add("\(fields.place("extra")).\(name)", isHeaders ? Self.headersRefusal : Self.refusal)
      }
    }
  }

  /// What `extra` cannot hold, folded, because it would change how much a request costs or what its reply is.
  private static let ownMembers: [String: String] = {
    let limit = "A reply's tokens are bounded by maxTokens."
    return [
      "n": "The number of completions is n.", "bestof": "The number of completions is n.",
      "candidatecount": "The number of completions is n.",
      "maxtokens": limit, "maxcompletiontokens": limit, "maxoutputtokens": limit, "maxnewtokens": limit,
      "stream": "Replies are not streamed.", "model": "The model is named by model.",
      "messages": "The messages are the program's.",
    ]
  }()

  private static let refusal =
    "A key's value is never taken. Put it into an environment variable of the service and name that in apiKeyEnv."
  fileprivate static let headersRefusal =
    "A header's value is never taken from a request, since requests are kept. Put it into an environment variable "
    + "of the service and write {\"env\": \"NAME\"}, in the member headers."

  /// Whether what is called so is a secret, going by its name.
  package static func namesSecret(_ name: String) -> Bool {
    let name = fold(name)
    return name == "key" || name == "sig" || name == "signature" || secretEndings.contains { name.hasSuffix($0) }
  }

  private static let secretEndings = [
    "apikey", "accesskey", "secretkey", "authkey", "token", "secret", "password", "authorization", "credential",
    "credentials",
  ]

  private static func fold(_ name: String) -> String { name.lowercased().filter { $0 != "_" && $0 != "-" } }

  /// Whether an environment variable may be called so. What has the shape of a key is none: it would be stored.
  package static func isVariableName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(0x30...0x39).contains(first), name.utf8.count <= 128 else { return false }
    let isWord = name.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
      default: false
      }
    }
    return isWord && Redactor().redact(name) == name && !looksRandom(name)
  }

  /// Long, with letters of both cases and several digits: a key that was put where its variable's name belongs.
  private static func looksRandom(_ name: String) -> Bool {
    name.count >= 20 && name.contains(where: \.isUppercase) && name.contains(where: \.isLowercase)
      && name.count(where: \.isNumber) >= 3
  }

  fileprivate static func isHeaderName(_ name: String) -> Bool {
    let own = ["host", "content-length", "content-type", "transfer-encoding", "connection", "accept"]
    return !name.isEmpty && name.count <= 100 && !own.contains(name.lowercased())
      && name.unicodeScalars.allSatisfy { scalar in
        scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
          || scalar == "-" || scalar == "_"
      }
  }
}

/// The `headers` of a configuration, each with the environment variable that holds its value:
/// `{"X-Team": {"env": "TEAM_TOKEN"}}`.
package struct HeaderVariables: SchemaValue, Hashable {
  package var variables: [String: String] = [:]

  package static var schema: Schema {
    let variable = Schema.Field(
      "env", String.schema, isRequired: true, "The environment variable that holds the value.")
    return Schema(.map(Schema(.object([variable]))))
  }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> HeaderVariables? {
    guard let object = value.objectValue else {
      problems.add(place, ModelConfiguration.headersRefusal)
      return nil
    }
    var headers = HeaderVariables()
    for (name, value) in object {
      guard ModelConfiguration.isHeaderName(name) else {
        problems.add(
          place, "A header's name has letters, digits and hyphens, and is none that the request itself needs.")
        continue
      }
      guard let object = value.objectValue, object.count == 1, let variable = object["env"]?.stringValue,
        ModelConfiguration.isVariableName(variable)
      else {
        problems.add("\(place).\(name)", ModelConfiguration.headersRefusal)
        continue
      }
      headers.variables[name] = variable
    }
    return headers
  }

  package var jsonValue: JSONValue {
    .object(JSONObject(variables.sorted { $0.key < $1.key }.map { ($0.key, ["env": .string($0.value)]) }))
  }
}

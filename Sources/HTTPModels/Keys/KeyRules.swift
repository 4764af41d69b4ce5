package import Failures
package import LanguageModels
package import Networking

/// Which environment variables may be sent where.
///
/// A provider's usual variable goes to that provider's own address. Anything else goes where the operator has allowed
/// it, outside of requests and workspaces: on the command line of the service, or in the user's `KeyGrantFile`. To this
/// machine's own addresses a request may name any variable, unless it comes from an agent or out of a file.
package struct KeyRules: Sendable {
  /// What the command line allows.
  package var grants: [KeyGrant]
  /// What the user has allowed. It is read whenever it counts, so that a change needs no new start.
  package var file: KeyGrantFile?
  /// Whether every request is trusted, as those of a program's own code are.
  package var trustsRequests = false

  package init(grants: [KeyGrant] = [], file: KeyGrantFile? = .ofUser) {
    self.grants = grants
    self.file = file
  }

  /// For the library, whose requests are the program's own code.
  package static var trusting: KeyRules {
    var rules = KeyRules()
    rules.trustsRequests = true
    return rules
  }

  /// What is known of whoever asks.
  package struct Asker: Sendable, Hashable {
    /// Whether it may name any variable for this machine's own addresses.
    package var isTrustedOnLoopback = true
    /// The program file that the request comes from, if an editor made it.
    package var file: String?

    package init() {}
  }

  /// A variable that a configuration would send to its endpoint without leave.
  package struct Refusal: Sendable, Hashable {
    /// The member that names it: `apiKeyEnv`, `headers.X`.
    package var member: String
    package var variable: String
    /// With a port where that is not the scheme's own.
    package var host: String

    package var message: String {
      // The host is the request's word, and the line is there to be pasted into a shell.
      guard KeyGrant(checking: variable, host) != nil else {
        return "The value of \(variable) may not be sent there: the base URL has no plain host name or address."
      }
      let word = host.hasPrefix("[") ? "'\(host)'" : host
      return
        "The value of \(variable) may not be sent to \(host). If you want that, allow it once with: "
        + "hone keys allow \(variable) \(word)"
    }
  }

  /// What keeps a configuration from being used; nothing for one without an endpoint.
  ///
  /// - Throws: `storeUnavailable` where the user's list cannot be read.
  package func refusals(
    _ configuration: ModelConfiguration, by asker: Asker, _ variables: Variables = .process
  ) throws(HoneError) -> [Refusal] {
    guard !trustsRequests, configuration.client == nil, !configuration.isSimulated,
      let endpoint = try? Endpoint(configuration, variables)
    else { return [] }
    let address = KeyAddress(endpoint.base)
    if address.isLoopback, asker.isTrustedOnLoopback { return [] }
    var asked: [(member: String, variable: String)] = []
    if let variable = endpoint.keyVariable, !Provider.owns(variable, address, variables) {
      asked.append(("apiKeyEnv", variable))
    }
    for (name, variable) in configuration.headers.variables.sorted(by: { $0.key < $1.key }) {
      asked.append(("headers.\(name)", variable))
    }
    guard !asked.isEmpty else { return [] }
    let known = grants + (try file?.grants() ?? [])
    let hasOwnPort = address.port == (address.scheme == "https" ? 443 : 80)
    return asked.compactMap { member, variable in
      if known.contains(where: { $0.covers(variable, address, file: asker.file) }) { return nil }
      return Refusal(
        member: member, variable: variable, host: hasOwnPort ? address.host : address.hostAndPort)
    }
  }
}

extension Provider {
  /// Whether the variable is a usual one of a provider that has its own address there, or has it there as whoever started
  /// Hone says in another variable.
  static func owns(_ variable: String, _ address: KeyAddress, _ variables: Variables) -> Bool {
    all.contains { provider in
      guard provider.keyVariables.contains(variable) else { return false }
      if let stated = provider.statedBase(variables), KeyAddress(stated.base) == address { return true }
      if let base = provider.base { return KeyAddress(base) == address }
      return address.scheme == "https" && provider.ownDomains.contains { address.host.hasSuffix("." + $0) }
    }
  }
}

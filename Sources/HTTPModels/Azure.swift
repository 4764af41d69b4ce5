import Networking

/// How Azure's resources are addressed: a resource has deployments, and its API versions.
enum Azure {
  static let versionVariables = ["AZURE_API_VERSION", "OPENAI_API_VERSION"]
  /// The latest version that is generally available and dated (learn.microsoft.com, "Azure OpenAI API version lifecycle").
  static let usualVersion = "2024-10-21"

  /// The base URL and query for a deployment at a resource; what names more than the resource stays as it is, but for the
  /// version that paths of deployments need.
  static func address(
    base: String, query: String, deployment: String, _ variables: Variables
  ) -> (
    base: String, query: String
  ) {
    let path = base.dropFirst(base.hasPrefix("https://") ? 8 : 7).drop { $0 != "/" }
    let version = variables.first(of: versionVariables)?.value
    let hasVersion = query.split(separator: "&").contains { $0.hasPrefix("api-version=") }
    func versioned(_ version: String) -> String {
      hasVersion ? query : (query.isEmpty ? "" : query + "&") + "api-version=" + version
    }
    if path.contains("/deployments/") { return (base, versioned(version ?? usualVersion)) }
    guard path.isEmpty else { return (base, query) }
    // Its newer API has no dated versions, and takes the deployment as the model.
    if let version, ["v1", "latest", "preview"].contains(version) {
      return (base + "/openai/v1", version == "preview" ? versioned(version) : query)
    }
    return ("\(base)/openai/deployments/\(deployment)", versioned(version ?? usualVersion))
  }
}

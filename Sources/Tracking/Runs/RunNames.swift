import Basics

/// Makes names that people can tell apart and say aloud, such as `quiet-harbor-412`.
enum RunNames {
  /// A name that follows from the run's id, so that a run made again under its id is called the same.
  static func name(for id: String) -> String {
    var hash = fnv1a(id.utf8)
    let adjective = adjectives[Int(hash % UInt64(adjectives.count))]
    hash /= UInt64(adjectives.count)
    let noun = nouns[Int(hash % UInt64(nouns.count))]
    hash /= UInt64(nouns.count)
    return "\(adjective)-\(noun)-\(100 + hash % 900)"
  }

  private static let adjectives = [
    "amber", "ancient", "autumn", "bold", "brave", "brisk", "calm", "cedar", "clear", "clever", "cobalt", "coral",
    "crisp", "daring", "deep", "eager", "early", "even", "fair", "fleet", "frosty", "gentle", "golden", "grand",
    "hazel", "honest", "humble", "icy", "ivory", "jade", "keen", "kind", "lively", "lucid", "lunar", "mellow",
    "misty", "modest", "mossy", "nimble", "noble", "northern", "opal", "patient", "plain", "polar", "proud", "quick",
    "quiet", "rapid", "rustic", "sandy", "scarlet", "silent", "silver", "sober", "solar", "steady", "stone", "sunny",
    "tidal", "velvet", "vivid", "wise",
  ]
  private static let nouns = [
    "acorn", "anchor", "aspen", "badger", "basin", "beacon", "birch", "bison", "breeze", "bridge", "brook", "canyon",
    "cliff", "cloud", "comet", "crane", "creek", "delta", "dune", "eagle", "ember", "falcon", "fern", "field", "finch",
    "fjord", "forest", "fox", "garden", "glacier", "grove", "harbor", "heron", "hill", "island", "lagoon", "lantern",
    "lark", "ledge", "lynx", "maple", "marsh", "meadow", "mesa", "otter", "owl", "pebble", "pine", "plateau", "prairie",
    "quarry", "rapids", "raven", "reef", "ridge", "river", "sparrow", "spruce", "summit", "thicket", "trail", "tundra",
    "valley", "willow",
  ]
}

import ArgumentParser

/// How many trials the report of a search shows.
struct TrialsOption: ParsableArguments {
  @Flag(help: "Show every trial of a long search, not only those kept, the best and the last ones.")
  var allTrials = false
}

public import ArgumentParser
import Tracking

/// What the store's answers survive.
struct DurabilityOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What paid answers survive: power, a power cut; process, only the end of the process.",
      discussion: "power waits for the disk before an answer is used."))
  var durability = Durability.power
}

extension Durability: ExpressibleByArgument {}

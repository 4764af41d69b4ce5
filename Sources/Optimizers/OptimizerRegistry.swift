package import Schema

/// The optimizers there are.
package enum OptimizerRegistry {
  package static let all = Registry<any Optimizer>(
    "optimizer",
    [
      BootstrapFewShot.self, BootstrapFewShotWithRandomSearch.self, Ensemble.self, KNNFewShot.self, LabeledFewShot.self,
      MIPROv2.self,
    ])
}

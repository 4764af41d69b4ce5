package import Schema

/// The optimizers there are.
package enum OptimizerRegistry {
  package static let all = Registry<any Optimizer>(
    "optimizer",
    [
      Auto.self, BootstrapFewShot.self, BootstrapFewShotWithRandomSearch.self, COPRO.self, Chain.self, Ensemble.self,
      GEPA.self,
      InferRules.self,
      KNNFewShot.self, LabeledFewShot.self, MIPROv2.self, SIMBA.self,
    ])
}

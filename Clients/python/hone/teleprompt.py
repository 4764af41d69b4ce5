"""The optimizers, under DSPy's older name for them."""

from .optimizers import BootstrapFewShot, BootstrapFewShotWithRandomSearch, BootstrapRS, Ensemble, KNNFewShot, LabeledFewShot, MIPROv2

__all__ = ["BootstrapFewShot", "BootstrapFewShotWithRandomSearch", "BootstrapRS", "Ensemble", "KNNFewShot", "LabeledFewShot", "MIPROv2"]

"""The optimizers, under DSPy's older name for them."""

from .optimizers import *  # noqa: F403
from .optimizers import __all__ as __all__

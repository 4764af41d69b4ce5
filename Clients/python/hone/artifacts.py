"""The files of runs, with MLflow's function names."""

from .defaults import download_artifacts

__all__ = ["download_artifacts"]

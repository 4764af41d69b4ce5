"""The files of runs, under MLflow's name for getting them."""

from .defaults import download_artifacts

__all__ = ["download_artifacts"]

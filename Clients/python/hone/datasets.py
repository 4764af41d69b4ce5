"""The service's built-in data sets, under their DSPy names."""

from __future__ import annotations

from typing import Any, Dict


class GSM8K:
    """Grade-school arithmetic: `GSM8K().train`, `.dev`, `.test`. The service loads it, from `path` if given."""

    def __init__(self, path: Any = None, *, limit: Any = None) -> None:
        more = {"path": path, "limit": limit}
        self._more: Dict[str, Any] = {name: value for name, value in more.items() if value is not None}

    def _split(self, name: str) -> Dict[str, Any]:
        return {"name": "gsm8k", "split": name, **self._more}

    @property
    def train(self) -> Dict[str, Any]:
        """The rows to learn from."""
        return self._split("train")

    @property
    def dev(self) -> Dict[str, Any]:
        """The rows to score on."""
        return self._split("dev")

    @property
    def test(self) -> Dict[str, Any]:
        """The rows to hold out until the end."""
        return self._split("test")


gsm8k_metric = "gsm8k_metric"

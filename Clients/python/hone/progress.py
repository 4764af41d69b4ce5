"""Shows the progress of a long call."""

from __future__ import annotations

import importlib
import sys
import threading
import time
from typing import Any, Callable, Dict, Optional, Union

from .calls import Progress
from .display import clean

ProgressLike = Union[None, bool, Progress]


def listener(progress: ProgressLike, title: str) -> Optional[Progress]:
    """The listener that shows progress: True gives a bar if tqdm is installed, else lines; a callable is used as is.

    Bars are for terminals and notebooks; otherwise lines go to standard error, few enough for a log.
    """
    if progress is None or progress is False:
        return None
    if callable(progress):
        return progress
    if is_interactive():
        bar = _bar()
        if bar is not None:
            return Bar(bar, title)
    return Lines(title)


def is_interactive() -> bool:
    """Whether output goes to a terminal or a notebook."""
    if "ipykernel" in sys.modules:
        return True
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False


def _bar() -> Optional[Callable[..., Any]]:
    try:
        made: Callable[..., Any] = importlib.import_module("tqdm.auto" if "ipykernel" in sys.modules else "tqdm").tqdm
    except ImportError:
        return None
    return made


class Bar:
    """A tqdm bar: executions done and planned, the phase, the best score, the calls."""

    def __init__(self, make: Callable[..., Any], title: str) -> None:
        self._make = make
        self._title = title
        self._bar: Any = None

    def __call__(self, report: Dict[str, Any]) -> None:
        data = report.get("data") or {}
        if report.get("kind") == "end":
            if self._bar is not None:
                self._bar.close()
            return
        if self._bar is None:
            self._bar = self._make(total=data.get("planned"), desc=self._title, unit="ex", dynamic_ncols=True)
        if data.get("planned"):
            self._bar.total = data["planned"]
        if isinstance(data.get("executions"), int):
            self._bar.n = max(self._bar.n, data["executions"])
        if data.get("phase"):
            self._bar.set_description(f"{self._title}: {clean(data['phase'], 40)}", refresh=False)
        shown = {name: data[key] for name, key in (("best", "score"), ("trial", "trial"), ("calls", "calls"))
                 if data.get(key) is not None}
        self._bar.set_postfix(shown, refresh=False)
        self._bar.refresh()


class Lines:
    """A line for each phase and each trial, and at least one every ten seconds."""

    def __init__(self, title: str, write: Optional[Callable[[str], Any]] = None) -> None:
        self._title = title
        self._write = write
        self._seen: Any = None
        self._last = 0.0
        self._lock = threading.Lock()

    def __call__(self, report: Dict[str, Any]) -> None:
        data = report.get("data") or {}
        seen = (report.get("kind"), data.get("phase"), data.get("trial"))
        with self._lock:
            if seen == self._seen and time.monotonic() - self._last < 10:
                return
            self._seen, self._last = seen, time.monotonic()
        words = report.get("message") or report.get("title") or report.get("kind")
        if words == self._title:
            return
        share = f" ({report['percentage']} %)" if report.get("percentage") is not None else ""
        line = f"{self._title}: {clean(words)}{share}\n"
        (self._write or sys.stderr.write)(line)

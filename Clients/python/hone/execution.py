"""One execution of a program whose control flow is Python: its predictors, and the client that runs them."""

from __future__ import annotations

import contextvars
import threading
from typing import TYPE_CHECKING, Any, Dict, Optional

from .errors import Cancelled

if TYPE_CHECKING:
    from .calls import Call
    from .core import Core

# Predictors that an execution under way has as its own, and how many do.
_in_use: Dict[int, int] = {}
_lock = threading.Lock()
current: contextvars.ContextVar[Optional[Execution]] = contextvars.ContextVar("hone_execution", default=None)


class Execution:
    """What a forward's predictors need; they find it in the context of the thread or task they run in."""

    def __init__(self, core: Core, execution_id: str, names: Dict[int, str], program: str) -> None:
        self.core = core
        self.id = execution_id
        self.names = names
        self.program = program
        self.is_over = False
        self.parts: Dict[int, bool] = {}
        with _lock:
            for predictor in names:
                _in_use[predictor] = _in_use.get(predictor, 0) + 1

    def end(self) -> None:
        """Ends the execution: its predictors can no longer be asked."""
        with _lock:
            if self.is_over:
                return
            self.is_over = True
            for predictor in self.names:
                _in_use[predictor] -= 1
                if not _in_use[predictor]:
                    del _in_use[predictor]

    def ask(self, name: str, inputs: Dict[str, Any]) -> Call:
        """Lets the service run a predictor with the current candidate's instructions and demos."""
        if self.is_over:
            raise Cancelled(f"The execution of {self.program} is over; {name} was not asked.")
        return self.core.submit("predict", {"executionId": self.id, "predictor": name, "inputs": inputs})


def is_in_use(predictor: Any) -> bool:
    """Whether the predictor belongs to a running execution, though not to one of this thread."""
    return id(predictor) in _in_use

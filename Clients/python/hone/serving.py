"""Functions that are offered to the service before a request names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from .callbacks import marked_kind
from .programs import Program

if TYPE_CHECKING:
    from .core import Core


def register(core: Core, functions: Sequence[Any]) -> None:
    """Serves the functions under their own names.

    Raises:
        TypeError: a function's kind is unknown.
    """
    for function in functions:
        if isinstance(function, Program):
            core.callbacks.hold("program", function, function.program_name())
            continue
        kind = marked_kind(function)
        if kind is None:
            raise TypeError(
                f"{function!r} could be a metric, a model, a tool or a proposer: mark it with @hone.metric, "
                "@hone.model, @hone.tool or @hone.proposer.")
        core.callbacks.hold(kind, function)

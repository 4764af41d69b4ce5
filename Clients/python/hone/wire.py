"""Arguments as request parameters: functions become names, programs and data sets their wire forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Tuple

from .functions import MARK, Mark, describe_tool
from .names import camel, wire_params
from .results import CompileResult, LoadedProgram, Run, RunDetails
from .values import plain, wire_dataset

if TYPE_CHECKING:
    from .callbacks import Callbacks

_MODELS = {"lm", "prompt_model", "teacher", "vectorizer"}
_PROPOSERS = {"proposer", "instruction_proposer", "instructionProposer"}
_DATASETS = {"trainset", "valset", "testset", "devset"}


class Wire:
    """Turns one request's arguments into parameters, and remembers which functions the client serves for it."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks
        self.held: List[Tuple[str, str]] = []

    def release(self) -> None:
        """Releases the request's functions once it is done."""
        self._callbacks.release(self.held)
        self.held = []

    def params(self, keywords: Dict[str, Any]) -> Dict[str, Any]:
        """The parameters of a request.

        Raises:
            TypeError: an argument cannot be sent.
        """
        made: Dict[str, Any] = {}
        for name, value in keywords.items():
            if value is None:
                continue
            if name in _DATASETS:
                value = wire_dataset(value)
            elif name == "program":
                value = self.program(value)
            elif name == "metric":
                value = self.metric(value)
            elif name in _MODELS:
                value = self.model(value)
            elif name == "optimizer":
                value = self.optimizer(value)
            else:
                value = plain(value)
            made[name] = value
        if "inputs" in made and isinstance(made.get("program"), dict):
            made["program"].pop("inputs", None)  # Whoever gives inputs says by that what the program takes.
        return wire_params(made)

    def program(self, value: Any) -> Any:
        """A program: a signature, a Program or Predictor, a result that has one, or the wire form."""
        if isinstance(value, LoadedProgram):
            return {"state": value.state}
        if isinstance(value, CompileResult):
            return {"run": value.run_id} if value.run_id else {"state": value.program}
        if isinstance(value, (Run, RunDetails)):
            return {"run": value.run_id}
        reference: Optional[Callable[[Wire], Any]] = getattr(value, "wire_reference", None)
        if reference is not None and not isinstance(value, type):
            return reference(self)
        if isinstance(value, type):
            raise TypeError(f"{value.__name__} is a class; give an instance of it: {value.__name__}().")
        if not isinstance(value, (str, dict)):
            raise TypeError(
                f"A {type(value).__name__} is not a program: give a signature, a hone.Program, or a reference.")
        return plain(value)

    def metric(self, value: Any) -> Any:
        """A metric: a name, a function, or the wire form."""
        if callable(value):
            return self._client(value, "metric")
        return plain(value)

    def model(self, value: Any) -> Any:
        """A model: its name, a function, a program's result, or the wire form."""
        if callable(value) and not isinstance(value, dict):
            return self._client(value, "model")
        if isinstance(value, dict):
            return {camel(key): plain(member) for key, member in value.items()}
        return plain(value)

    def optimizer(self, value: Any) -> Any:
        """An optimizer: its name, a hone.Optimizer, or the wire form."""
        to_wire = getattr(value, "to_wire", None)
        made = to_wire() if callable(to_wire) else value
        if not isinstance(made, dict):
            return plain(made)
        return {key: self._setting(key, member) for key, member in made.items()}

    def _setting(self, name: str, value: Any) -> Any:
        """A setting of an optimizer: some are functions, and the steps of a chain are optimizers."""
        if name in _PROPOSERS and callable(value):
            return self._client(value, "proposer")
        if name == "optimizers" and isinstance(value, dict):
            return {key: self.optimizer(step) for key, step in value.items()}
        return plain(value)

    def tool(self, value: Any) -> Any:
        """A tool of a ReAct program: a function, or the wire form."""
        if not callable(value):
            return plain(value)
        return describe_tool(value, self._hold(value, "tool"))

    def host(self, program: Any, name: str) -> str:
        """A program whose control flow this client runs; returns its name."""
        held = self._callbacks.hold("program", program, name)
        self.held.append(("program", held))
        return held

    def _client(self, function: Any, kind: str) -> Dict[str, Any]:
        mark = getattr(function, MARK, None)
        timeout = mark.timeout if isinstance(mark, Mark) else None
        name = self._hold(function, kind)
        return {"client": name, **({"timeout": timeout} if timeout is not None else {})}

    def _hold(self, function: Any, kind: str) -> str:
        name = self._callbacks.hold(kind, function)
        self.held.append((kind, name))
        return name

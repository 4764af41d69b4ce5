"""Programs: single predictors, and Python's control flow over predictors."""

from __future__ import annotations

import copy
import functools
import inspect
import json
import os
import textwrap
from typing import (
    TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, TypeVar, Union, overload,
)

from . import execution
from .examples import Prediction
from .functions import accepted
from .results import CompileResult, LoadedProgram
from .types import field_type, has_instances, instance
from .values import plain

if TYPE_CHECKING:
    from .wire import Wire

M = TypeVar("M", bound="Module")
State = Dict[str, Any]
PathLike = Union[str, "os.PathLike[str]"]


class Module:
    """A program that can be run, optimized, saved and loaded.

    Attributes:
        state: the optimized instructions and demos by predictor, in the form of DSPy's files; None if the
            program is not optimized.
        result: the result of the compile that made it, or None.
    """

    state: Optional[State] = None
    result: Optional[CompileResult] = None

    def __call__(self, **inputs: Any) -> Prediction:
        """Runs the program."""
        from . import defaults

        return defaults.run_program(self, inputs)

    async def acall(self, **inputs: Any) -> Prediction:
        """Runs the program without blocking the event loop."""
        from . import defaults

        return await defaults.run_program_async(self, inputs)

    def wire_reference(self, wire: Wire) -> Any:
        """The program in wire form."""
        raise NotImplementedError

    def with_state(self: M, state: Any) -> M:
        """A copy of the program with another state: from a file, or from a compile's result."""
        made = self.deepcopy()
        if isinstance(state, CompileResult):
            made.result = state
            state = state.program
        elif isinstance(state, LoadedProgram):
            state = state.state
        made.state = copy.deepcopy(state)
        return made

    def deepcopy(self: M) -> M:
        """A copy with its own predictors."""
        copied: M = _copied(self)
        return copied

    def dump_state(self) -> State:
        """The state; the service gives it for a program that is not optimized."""
        if self.state is not None:
            return self.state
        from . import defaults

        return defaults.initial_state(self)

    def load_state(self, state: State) -> None:
        """Loads a state in the form of DSPy's files."""
        if not isinstance(state, dict):
            raise TypeError("A state must be a dict from predictors to their instructions and demos.")
        self.state = state

    def save(self, path: PathLike) -> None:
        """Writes the state to a file that `load`, `dspy.Module.load` and the service read."""
        text = json.dumps(self.dump_state(), ensure_ascii=False, indent=2)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "\n")

    def load(self, path: PathLike) -> None:
        """Loads the state from a file of `save` or `dspy.Module.save`, or from a run's best_model.json.

        Raises:
            ValueError: the file does not contain a state.
        """
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
        if not isinstance(state, dict):
            raise ValueError(f"{os.fspath(path)} does not contain a program's state.")
        self.state = state

    def predictor_states(self) -> Dict[str, State]:
        """Each predictor's part of the state: its signature (instructions, fields) and its demos."""
        state = self.state or {}
        if "signature" in state and "demos" in state:
            return {"self": state}
        return {name: part for name, part in state.items() if isinstance(part, dict) and "demos" in part}

    @property
    def demos(self) -> List[Dict[str, Any]]:
        """The demos of all predictors in the state."""
        return [demo for part in self.predictor_states().values() for demo in part.get("demos") or []]

    @property
    def instructions_by_predictor(self) -> Dict[str, str]:
        """The instructions of all predictors in the state."""
        return {name: str((part.get("signature") or {}).get("instructions") or "")
                for name, part in self.predictor_states().items()}


class Predictor(Module):
    """One call of a model, declared by its signature: `hone.Predict("question -> answer")`.

    It is a program on its own. As an attribute of a `hone.Program` it is one of that program's predictors, and an
    optimizer gives it instructions and demos.

    A signature is a text, a signature class of DSPy, or a dict whose types can be classes: data classes, typed dicts,
    enums, dates, and Pydantic models. Outputs are then instances of them:

        hone.Predict({"inputs": {"email": str}, "outputs": {"event": Event}, "instructions": "Find the event."})
    """

    module = "Predict"

    def __init__(self, signature: Any, *, instructions: Optional[str] = None, **options: Any) -> None:
        self.signature = _signature(signature)
        self.output_types = _output_types(signature)
        self.instructions = instructions
        self.options = options

    def definition(self, wire: Wire) -> Dict[str, Any]:
        """The predictor in wire form."""
        made = {"module": self.module, "signature": self.signature, **plain(self.options)}
        return {**made, "instructions": self.instructions} if self.instructions else made

    def wire_reference(self, wire: Wire) -> Any:
        made = self.definition(wire)
        return {**made, "state": self.state} if self.state is not None else made

    def _place(self) -> Optional[Tuple[execution.Execution, str]]:
        flow = execution.current.get()
        if flow is None:
            if execution.is_in_use(self):
                raise RuntimeError(
                    f"{self!r} was called on a thread that does not belong to the execution of its program. Start such "
                    "threads' work with contextvars.copy_context().run(function, …), once for each.")
            return None
        name = flow.names.get(id(self))
        if name is None:
            raise LookupError(
                f"{self!r} is not an attribute of {flow.program}, so it can be neither optimized nor traced. "
                "Make it in __init__: self.name = …")
        return flow, name

    def __call__(self, **inputs: Any) -> Prediction:
        """Runs the predictor: with the current candidate's state in a program's forward, else on its own."""
        place = self._place()
        if place is None:
            return self._typed(super().__call__(**inputs))
        flow, name = place
        return self._typed(Prediction.from_result(flow.ask(name, plain(inputs)).result()))

    async def acall(self, **inputs: Any) -> Prediction:
        """The same, for coroutines."""
        place = self._place()
        if place is None:
            return self._typed(await super().acall(**inputs))
        flow, name = place
        return self._typed(Prediction.from_result(await flow.ask(name, plain(inputs))))

    def _typed(self, prediction: Prediction) -> Prediction:
        """The prediction with instances of the outputs' classes."""
        for one in {id(one): one for one in [prediction, *prediction.completions]}.values():
            for name, hint in self.output_types.items():
                if name in one:
                    one[name] = instance(hint, one[name])
        return prediction

    def __repr__(self) -> str:
        return f"hone.{type(self).__name__}({self.signature!r})"


class Predict(Predictor):
    """Asks the model for the outputs."""


class ChainOfThought(Predictor):
    """Lets the model reason before it gives the outputs."""

    module = "ChainOfThought"


class ReAct(Predictor):
    """Lets the model use tools, step by step, until it can give the outputs.

    Args:
        signature: inputs and outputs.
        tools: functions; their type hints and docstrings describe them to the model.
        max_iters: the most steps.
    """

    module = "ReAct"

    def __init__(
        self, signature: Any, tools: Sequence[Any] = (), max_iters: int = 20, *, instructions: Optional[str] = None,
        **options: Any,
    ) -> None:
        super().__init__(signature, instructions=instructions, max_iters=max_iters, **options)
        self.tools = list(tools)

    def definition(self, wire: Wire) -> Dict[str, Any]:
        return {**super().definition(wire), "tools": [wire.tool(tool) for tool in self.tools]}


class Program(Module):
    """A program whose control flow is Python: predictors are attributes, `forward` runs them.

        class Hop(hone.Program):
            def __init__(self):
                self.query = hone.ChainOfThought("question, notes -> query")
                self.answer = hone.ChainOfThought("question, notes -> answer")

            def forward(self, question):
                notes = []
                for _ in range(2):
                    notes += search(self.query(question=question, notes=notes).query)
                return self.answer(question=question, notes=notes)

    Attributes can also be programs, and lists and dicts of predictors. `forward` can be a coroutine function that
    awaits `self.query.acall(…)`. A class's `signature` ("question -> answer") declares the program's inputs and
    outputs; without one, `forward`'s arguments are the inputs.
    """

    signature: Optional[str] = None
    timeout: Optional[float] = None

    def forward(self, *arguments: Any, **inputs: Any) -> Any:
        """The program's code; returns the outputs as a dict or as a predictor's prediction."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def __call__(self, **inputs: Any) -> Prediction:
        """Runs the program, traced as one tree; if another program's forward calls it, as part of that one."""
        if self._is_part_of_current():
            return _prediction(self.forward(**inputs), self)
        self._check(inputs)
        return super().__call__(**inputs)

    async def acall(self, **inputs: Any) -> Prediction:
        """The same, for coroutines."""
        if self._is_part_of_current():
            value = self.forward(**inputs)
            return _prediction(await value if inspect.isawaitable(value) else value, self)
        self._check(inputs)
        return await super().acall(**inputs)

    def named_predictors(self) -> List[Tuple[str, Predictor]]:
        """The predictors with their names, as DSPy names them: `query`, `sub.query`, `hops[0]`."""
        made: List[Tuple[str, Predictor]] = []
        seen = {id(self)}
        for name, value in self._attributes():
            made += _found(name, value, seen)
        return made

    def program_name(self) -> str:
        """Its name in runs and traces."""
        return type(self).__name__

    def program_source(self) -> Optional[str]:
        """The description for the models that propose instructions: its source, else its docstring."""
        try:
            return textwrap.dedent(inspect.getsource(self.forward_of()))[:8000]
        except (OSError, TypeError):
            return inspect.getdoc(type(self)) if type(self) is not Program else None

    def input_names(self) -> List[str]:
        """The inputs that `forward` requires."""
        kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        return [p.name for p in inspect.signature(self.forward_of()).parameters.values()
                if p.kind in kinds and p.default is p.empty]

    def wire_reference(self, wire: Wire) -> Any:
        predictors = {}
        for name, predictor in self.named_predictors():
            predictors[name] = predictor.definition(wire)
        if not predictors:
            raise TypeError(
                f"The program {self.program_name()} has no predictors: declare them in __init__ "
                "(self.answer = hone.ChainOfThought(\"question -> answer\")).")
        made: Dict[str, Any] = {"host": wire.host(self, self.program_name()), "predictors": predictors}
        described = {
            "signature": self.signature, "description": self.program_source(), "timeout": self.timeout,
            "state": self.state, "inputs": None if self.signature else self.input_names() or None}
        return {**made, **{key: value for key, value in described.items() if value is not None}}

    # MARK: What callbacks need

    def forward_of(self) -> Callable[..., Any]:
        """The function that runs the program."""
        return self.forward

    def predictor_names(self) -> Dict[int, str]:
        """The predictors' names by identity."""
        return {id(predictor): name for name, predictor in self.named_predictors()}

    def run_forward(self, inputs: Dict[str, Any]) -> Any:
        """Calls forward with the inputs that it takes."""
        return self.forward(**accepted(self.forward, inputs))

    def outputs_of(self, value: Any) -> Dict[str, Any]:
        """Forward's return value as outputs."""
        return dict(plain(_prediction(value, self)))

    def _attributes(self) -> Iterator[Tuple[str, Any]]:
        yield from list(vars(self).items())

    def _check(self, inputs: Dict[str, Any]) -> None:
        try:
            inspect.signature(self.forward_of()).bind(**inputs)
        except TypeError as error:
            raise TypeError(f"{self.program_name()} was given {', '.join(inputs) or 'nothing'}: {error}") from None

    def _is_part_of_current(self) -> bool:
        flow = execution.current.get()
        if flow is None:
            return False
        if id(self) not in flow.parts:
            mine = self.predictor_names()
            flow.parts[id(self)] = bool(mine) and mine.keys() <= flow.names.keys()
        return flow.parts[id(self)]

    def __repr__(self) -> str:
        return f"{self.program_name()}({', '.join(f'{name}={made!r}' for name, made in self.named_predictors())})"


class FunctionProgram(Program):
    """A program made from a function; see `program`."""

    def __init__(
        self, function: Callable[..., Any], name: Optional[str], signature: Optional[str], timeout: Optional[float]
    ) -> None:
        functools.update_wrapper(self, function, updated=())
        self._function = function
        self._name = name or function.__name__
        self.signature = signature
        self.timeout = timeout
        self._predictors = {
            p.name: p.default for p in inspect.signature(function).parameters.values()
            if isinstance(p.default, Module)}

    def program_name(self) -> str:
        return self._name

    def forward(self, *arguments: Any, **inputs: Any) -> Any:
        return self._function(*arguments, **{**self._predictors, **inputs})

    def forward_of(self) -> Callable[..., Any]:
        return self._function

    def run_forward(self, inputs: Dict[str, Any]) -> Any:
        return self.forward(**accepted(self._function, inputs))

    def _attributes(self) -> Iterator[Tuple[str, Any]]:
        yield from self._predictors.items()


@overload
def program(function: Callable[..., Any]) -> FunctionProgram: ...


@overload
def program(
    *, name: Optional[str] = None, signature: Optional[str] = None, timeout: Optional[float] = None
) -> Callable[[Callable[..., Any]], FunctionProgram]: ...


def program(
    function: Optional[Callable[..., Any]] = None, *, name: Optional[str] = None, signature: Optional[str] = None,
    timeout: Optional[float] = None,
) -> Any:
    """Makes a program from a function; its predictors are the defaults of its arguments.

        @hone.program
        def solve(question, *, plan=hone.Predict("question -> plan"), answer=hone.Predict("question, plan -> answer")):
            return answer(question=question, plan=plan(question=question).plan)
    """
    def make(given: Callable[..., Any]) -> FunctionProgram:
        return FunctionProgram(given, name, signature, timeout)

    return make if function is None else make(function)


def _found(name: str, value: Any, seen: set[int]) -> List[Tuple[str, Predictor]]:
    if not isinstance(value, (Module, list, tuple, dict)) or id(value) in seen:
        return []
    seen.add(id(value))
    if isinstance(value, Predictor):
        return [(name, value)]
    if isinstance(value, Program):
        parts = [(f"{name}.{key}", part) for key, part in value._attributes()]
    elif isinstance(value, dict):
        parts = [(f"{name}[{key!r}]", part) for key, part in value.items()]
    elif isinstance(value, (list, tuple)):
        parts = [(f"{name}[{index}]", part) for index, part in enumerate(value)]
    else:
        return []
    return [found for key, part in parts for found in _found(key, part, seen)]


def _copied(value: Any) -> Any:
    if isinstance(value, Module):
        made = copy.copy(value)
        for key, part in vars(value).items():
            if key not in ("state", "result"):
                made.__dict__[key] = _copied(part)
        return made
    if isinstance(value, list):
        return [_copied(part) for part in value]
    if type(value) is tuple:
        return tuple(_copied(part) for part in value)
    if type(value) is dict:
        return {key: _copied(part) for key, part in value.items()}
    return value


def _prediction(value: Any, program: Program) -> Prediction:
    if isinstance(value, Prediction):
        return value
    to_dict = getattr(value, "toDict", None)
    if callable(to_dict):
        value = to_dict()
    if not isinstance(value, dict):
        is_simple = value is None or isinstance(value, (str, int, float, list, tuple))
        as_plain = value if is_simple else plain(value)
        outputs = (program.signature or "").partition("->")[2].split(",")
        name = outputs[0].partition(":")[0].strip()
        if isinstance(as_plain, dict):
            value = as_plain
        elif len(outputs) == 1 and name and value is not None:
            value = {name: value}
        else:
            raise TypeError(
                f"{program.program_name()}'s forward returned a {type(value).__name__}; it returns its outputs: a "
                "prediction, or a dict from their names to their values.")
    return Prediction(value)


def _signature(given: Any) -> Any:
    """A signature in wire form: a text as it is, a dict, or what a signature class of DSPy says."""
    if isinstance(given, str):
        return given
    if isinstance(given, dict):
        return {**given, **{side: _fields(given[side]) for side in ("inputs", "outputs") if side in given}}
    inputs, outputs = getattr(given, "input_fields", None), getattr(given, "output_fields", None)
    if isinstance(inputs, dict) and isinstance(outputs, dict):
        def fields(these: Dict[str, Any]) -> List[Dict[str, Any]]:
            return [{
                "name": name, "type": field_type(getattr(field, "annotation", str), getattr(field, "metadata", None) or ()),
                **({"description": description} if (description := _description(field, name)) else {})}
                for name, field in these.items()]

        return {"inputs": fields(inputs), "outputs": fields(outputs), "instructions": given.instructions}
    raise TypeError(f"A {type(given).__name__} is not a signature: write \"question -> answer\".")


def _fields(given: Any) -> Any:
    """The fields of one side: names with types, or a list of names and objects."""
    if isinstance(given, dict):
        return [{"name": name, "type": field_type(hint)} for name, hint in given.items()]
    if isinstance(given, (list, tuple)):
        return [{**one, "type": field_type(one["type"])} if isinstance(one, dict) and "type" in one else one
                for one in given]
    return given


def _output_types(given: Any) -> Dict[str, Any]:
    """The outputs whose values are made instances of their types."""
    hints: Dict[str, Any] = {}
    outputs = given.get("outputs") if isinstance(given, dict) else getattr(given, "output_fields", None)
    if isinstance(given, dict) and isinstance(outputs, (list, tuple)):
        hints = {one["name"]: one.get("type") for one in outputs if isinstance(one, dict) and "name" in one}
    elif isinstance(given, dict) and isinstance(outputs, dict):
        hints = outputs
    elif isinstance(outputs, dict):
        hints = {name: getattr(field, "annotation", None) for name, field in outputs.items()}
    return {name: hint for name, hint in hints.items() if has_instances(hint)}


def _description(field: Any, name: str) -> Optional[str]:
    extra = getattr(field, "json_schema_extra", None) or {}
    text = extra.get("desc")
    return text if isinstance(text, str) and text != f"${{{name}}}" else None

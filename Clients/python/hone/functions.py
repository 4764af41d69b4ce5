"""Metrics, tools, models and proposers that are plain functions: how they are named, described and called."""

from __future__ import annotations

import inspect
import math
import re
import sys
import typing
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple, TypeVar, overload

from .errors import MalformedReply, MetricFailed
from .examples import Example, Prediction, ProposalRequest, trace_steps
from .types import field_schema
from .values import plain

F = TypeVar("F", bound=Callable[..., Any])
MARK = "__hone__"


class Mark(NamedTuple):
    """What a decorator notes on a function."""

    kind: str
    name: str
    timeout: Optional[float] = None
    description: Optional[str] = None


def _decorator(
    function: Any, kind: str, name: Optional[str], timeout: Optional[float], description: Optional[str]
) -> Any:
    def mark(given: Any) -> Any:
        setattr(given, MARK, Mark(kind, name or name_of(given), timeout, description))
        return given

    return mark if function is None else mark(function)


def name_of(function: Any) -> str:
    """A function's name on the wire; by default its own name, or its class's."""
    mark = getattr(function, MARK, None)
    if isinstance(mark, Mark):
        return mark.name
    name = getattr(function, "__name__", None) or type(function).__name__
    return re.sub(r"\W+", "", name) or "function"


@overload
def metric(function: F) -> F: ...


@overload
def metric(*, name: Optional[str] = None, timeout: Optional[float] = None) -> Callable[[F], F]: ...


def metric(function: Any = None, *, name: Optional[str] = None, timeout: Optional[float] = None) -> Any:
    """Marks a function as a metric: `(example, prediction)` or `(example, prediction, trace)` to a score.

    The score is a number from 0 to 1 or a boolean, or `hone.Score(score, feedback)`, a dict of both, or a pair. The
    function itself is unchanged. `trace` is None in an evaluation; when demos are bootstrapped, it lists the
    predictors' steps. Unmarked functions work too; the decorator adds a name and a time limit in seconds.
    """
    return _decorator(function, "metric", name, timeout, None)


@overload
def model(function: F) -> F: ...


@overload
def model(*, name: Optional[str] = None, timeout: Optional[float] = None) -> Callable[[F], F]: ...


def model(function: Any = None, *, name: Optional[str] = None, timeout: Optional[float] = None) -> Any:
    """Marks a function as a language model: `(messages, **options)` to the text of the answer.

    `messages` are dicts with role and content; `options` (temperature, max_tokens …) are passed if the function takes
    them. It can return a text, several, `{"text": …, "usage": {…}}`, or what an OpenAI client returns.
    """
    return _decorator(function, "model", name, timeout, None)


@overload
def tool(function: F) -> F: ...


@overload
def tool(
    *, name: Optional[str] = None, description: Optional[str] = None, timeout: Optional[float] = None
) -> Callable[[F], F]: ...


def tool(
    function: Any = None, *, name: Optional[str] = None, description: Optional[str] = None,
    timeout: Optional[float] = None,
) -> Any:
    """Marks a function as a tool that a ReAct program can use; its type hints and docstring describe it.

    Descriptions of arguments come from an `Args:` section, from `:param name:` lines, or from `Annotated[str, "…"]`.
    """
    return _decorator(function, "tool", name, timeout, description)


@overload
def proposer(function: F) -> F: ...


@overload
def proposer(*, name: Optional[str] = None, timeout: Optional[float] = None) -> Callable[[F], F]: ...


def proposer(function: Any = None, *, name: Optional[str] = None, timeout: Optional[float] = None) -> Any:
    """Marks a function as a proposer: it writes a new instruction, or a rule, in place of the prompt model.

    It is given a hone.ProposalRequest and returns a text, or None where it has none. Use it as an optimizer's `proposer`.
    """
    return _decorator(function, "proposer", name, timeout, None)


# MARK: Calling

def _parameters(function: Any) -> Optional[Mapping[str, inspect.Parameter]]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # Some functions of C tell nothing.
        return None


def accepted(function: Any, offered: Dict[str, Any]) -> Dict[str, Any]:
    """The keyword arguments that the function takes."""
    parameters = _parameters(function)
    if parameters is None or any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return offered
    return {name: value for name, value in offered.items() if name in parameters
            and parameters[name].kind is not inspect.Parameter.POSITIONAL_ONLY}


def call_metric(function: Any, params: Dict[str, Any]) -> Any:
    """Calls a metric."""
    arguments = [Example(params.get("example") or {}), Prediction(params.get("prediction") or {})]
    trace = trace_steps(params.get("trace"))
    parameters = _parameters(function)
    positional = [p for p in (parameters or {}).values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    options = dict(params.get("options") or {})
    if parameters is None or len(positional) > 2 or any(p.kind is p.VAR_POSITIONAL for p in parameters.values()):
        # DSPy's reflective optimizers hand two more arguments to those metrics that must have them.
        required = [p for p in positional[3:] if p.default is p.empty and p.name not in options]
        return function(*arguments, trace, *[None for _ in required], **accepted(function, options))
    if "trace" in parameters:
        options["trace"] = trace
    return function(*arguments, **accepted(function, options))


# What a metric may say beside score and feedback, and how it may be spelt.
_MORE_OF_A_SCORE = {"byPredictor": ("by_predictor", "byPredictor"), "objectives": ("objectives",)}


def metric_result(name: str, value: Any) -> Any:
    """What a metric returned, as a score on the wire.

    Raises:
        MetricFailed: it is not a score.
    """
    feedback = None
    score = value
    more: Dict[str, Any] = {}
    if isinstance(value, dict):
        score, feedback = value.get("score"), value.get("feedback")
        more = {wire: plain(value[own]) for wire, names in _MORE_OF_A_SCORE.items() for own in names if value.get(own)}
    elif isinstance(value, tuple) and len(value) == 2:
        score, feedback = value
    elif not isinstance(value, (bool, int, float)) and hasattr(value, "score"):
        score, feedback = value.score, getattr(value, "feedback", None)
    score = value if score is None else score
    try:
        score = plain(score)
    except TypeError:
        score = None
    if not isinstance(score, (bool, int, float)) or isinstance(score, float) and not math.isfinite(score):
        raise MetricFailed(f"The metric {name} gave {str(value)[:200]!r}, which is not a score.", data={
            "remedy": "A metric returns a number from 0 to 1, a boolean, or hone.Score(score, feedback)."})
    if feedback is None and not more:
        return score
    return {"score": score, **({} if feedback is None else {"feedback": str(feedback)}), **more}


def call_model(function: Any, params: Dict[str, Any]) -> Any:
    """Calls a model."""
    messages, options = params.get("messages") or [], dict(params.get("options") or {})
    parameters = _parameters(function) or {}
    whole = "options" in parameters and parameters["options"].kind is not inspect.Parameter.VAR_KEYWORD
    given = {"options": options} if whole else accepted(function, options)
    if "messages" in parameters and parameters["messages"].kind is not inspect.Parameter.POSITIONAL_ONLY:
        return function(**{**given, "messages": messages})
    return function(messages, **given)


def model_result(name: str, value: Any) -> Any:
    """What a model returned, as a completion on the wire.

    Raises:
        MalformedReply: it is not a completion.
    """
    if isinstance(value, str):
        return {"text": value}
    if isinstance(value, (list, tuple)):
        return {"choices": plain(value)}
    value = plain(value) if value is not None else None
    if isinstance(value, dict):
        return value
    raise MalformedReply(f"The model {name} gave {str(value)[:200]!r}, which is not a chat completion.", data={
        "remedy": "A model returns a text, a list of texts, or {\"text\": …, \"usage\": {…}}."})


def call_tool(function: Any, params: Dict[str, Any]) -> Any:
    """Calls a tool."""
    return function(**(params.get("args") or {}))


def call_proposer(function: Any, params: Dict[str, Any]) -> Any:
    """Calls a proposer."""
    return function(ProposalRequest.from_wire(params))


def proposer_result(name: str, value: Any) -> Any:
    """What a proposer returned, as it is sent: a text, {"text": …} or None."""
    return plain(value)


# MARK: Describing

def _hints(function: Any) -> Dict[str, Any]:
    target = function if inspect.isroutine(function) or isinstance(function, type) else type(function).__call__
    try:
        if sys.version_info >= (3, 9):
            return typing.get_type_hints(target, include_extras=True)
    except Exception:  # A hint that names what is not there describes nothing; the tool works all the same.
        pass
    return {}


def _described(function: Any) -> Tuple[str, Dict[str, str]]:
    """A docstring's first paragraph, and its text for each argument."""
    lines = (inspect.getdoc(function) or "").splitlines()
    opening: List[str] = []
    arguments: Dict[str, str] = {}
    section, current, depth = None, "", 0
    for line in lines:
        text, indent = line.strip(), len(line) - len(line.lstrip())
        if found := re.match(r":param\s+(?:\S+\s+)?(\w+):\s*(.*)", text):
            section, current, depth = "param", found[1], indent
            arguments[current] = found[2]
        elif re.fullmatch(r"(Args|Arguments|Parameters|Returns|Raises|Yields|Examples?|Notes?):", text):
            section, current = text[:-1], ""
        elif section in ("Args", "Arguments", "Parameters"):
            found = re.match(r"(\w+)\s*(?:\([^)]*\))?:\s*(.*)", text)
            if found and (not current or indent <= depth):
                current, depth = found[1], indent
                arguments[current] = found[2]
            elif current and text:
                arguments[current] += " " + text
        elif section == "param" and current and text and indent > depth and not text.startswith(":"):
            arguments[current] += " " + text
        elif section is None:
            if not text and opening:
                section = "rest"
            elif text:
                opening.append(text)
        elif section == "rest" and text.startswith(":"):
            section = "rest"
    return " ".join(opening), arguments


def describe_tool(function: Any, name: str) -> Dict[str, Any]:
    """A tool in a ReAct program's list: name, description and the schemas of its arguments."""
    mark = getattr(function, MARK, None)
    mark = mark if isinstance(mark, Mark) else Mark("tool", name)
    opening, words = _described(function if inspect.isroutine(function) or function.__doc__ else type(function))
    hints = _hints(function)
    arguments: Dict[str, Any] = {}
    for parameter in (_parameters(function) or {}).values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        schema = field_schema(hints[parameter.name], lenient=True) if parameter.name in hints else {}
        if parameter.name in words:
            schema["description"] = words[parameter.name]
        if parameter.default is not parameter.empty:
            try:
                schema["default"] = plain(parameter.default)
            except TypeError:
                pass
        arguments[parameter.name] = schema
    described = {"name": name, "description": mark.description or opening, "args": arguments}
    return {**described, **({"timeout": mark.timeout} if mark.timeout is not None else {})}

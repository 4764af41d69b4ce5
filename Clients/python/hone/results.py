"""The service's results, typed: each is the dict that was sent, with its members as attributes."""

from __future__ import annotations

import base64
import json
from typing import Any, Callable, Dict, Generic, List, Optional, Tuple, Type, TypeVar, Union, overload

from .display import View, clean, cost, frame, percent

T = TypeVar("T")
R = TypeVar("R", bound="Result")


class Member(Generic[T]):
    """A member of a result as an attribute; `make` turns the wire's value into Python's."""

    def __init__(self, name: str, make: Optional[Callable[[Any], T]] = None) -> None:
        self.name = name
        self.make = make

    @overload
    def __get__(self, result: None, owner: Any) -> Member[T]: ...

    @overload
    def __get__(self, result: Dict[str, Any], owner: Any) -> T: ...

    def __get__(self, result: Optional[Dict[str, Any]], owner: Any) -> Union[T, Member[T]]:
        if result is None:
            return self
        value = result.get(self.name)
        made: Any = self.make(value) if self.make is not None else value
        return made  # type: ignore[no-any-return]


def one(kind: Type[R]) -> Callable[[Any], R]:
    """Makes a result of a member."""
    return lambda value: kind(value) if isinstance(value, dict) else kind()


def many(kind: Type[R]) -> Callable[[Any], List[R]]:
    """Makes results of a member that lists them."""
    return lambda value: [kind(item) for item in value or [] if isinstance(item, dict)]


class Result(Dict[str, Any]):
    """The dict that the service answered with. It prints as a summary; `dict(result)` shows everything."""

    def view(self) -> View:
        """The result for display."""
        return View(type(self).__name__, [(name, value) for name, value in self.items()])

    def __repr__(self) -> str:
        return self.view().text()

    def _repr_html_(self) -> str:
        return self.view().html()


def _status(result: Dict[str, Any]) -> str:
    return f"{result.get('status')}{', simulated' if result.get('simulated') else ''}"


def _replies(replies: Dict[str, int]) -> Optional[str]:
    """How many replies could not be read, were cut off or needed repair; None if all were fine."""
    parts = [f"{replies[name]} {name}" for name in ("unreadable", "cut", "repaired") if replies.get(name)]
    return f"{', '.join(parts)} of {replies.get('count')}" if parts else None


class Usage(Result):
    """The model calls, and what they cost."""

    calls = Member[int]("calls", lambda value: value or 0)
    cached = Member[int]("cached", lambda value: value or 0)
    failed = Member[int]("failed", lambda value: value or 0)
    input_tokens = Member[int]("inputTokens", lambda value: value or 0)
    output_tokens = Member[int]("outputTokens", lambda value: value or 0)
    total_tokens = Member[int]("totalTokens", lambda value: value or 0)
    cost = Member[Optional[float]]("cost")
    counted = Member[Optional[Dict[str, Any]]]("counted")
    estimated = Member[Optional[Dict[str, Any]]]("estimated")
    by_role = Member[Dict[str, Any]]("byRole", lambda value: value or {})

    def view(self) -> View:
        rows = [(role, bill.get("calls"), bill.get("totalTokens"), bill.get("cost"))
                for role, bill in self.by_role.items()]
        return View(cost(self), [], ["role", "calls", "tokens", "cost"], rows)


class Trial(Result):
    """One candidate that a search scored."""

    number = Member[int]("number")
    name = Member[str]("name")
    kind = Member[str]("kind")
    run_id = Member[Optional[str]]("runId")
    score = Member[Optional[float]]("score")
    count = Member[int]("count")
    failed = Member[int]("failed")
    coverage = Member[Optional[float]]("coverage")
    interval = Member[Optional[List[float]]]("interval")
    replies = Member[Dict[str, int]]("replies", lambda value: value or {})
    best_so_far = Member[Optional[float]]("bestSoFar")
    coordinates = Member[Dict[str, Any]]("coordinates", lambda value: value or {})
    choice = Member[Optional[str]]("choice")
    candidate = Member[Optional[Dict[str, Any]]]("candidate")


def _test(test: Optional[Dict[str, Any]]) -> Optional[str]:
    """The scores on the testset, and what can be said of them; None without one."""
    if not test:
        return None
    verdict = (test.get("comparison") or {}).get("verdict") or "the same program"
    return f"{percent(test.get('score'))}, baseline {percent(test.get('baselineScore'))}: {verdict}"


class CompileResult(Result):
    """The best program that an optimizer found, and the course of its search."""

    run_id = Member[Optional[str]]("runId")
    experiment_id = Member[Optional[str]]("experimentId")
    status = Member[str]("status")
    score = Member[Optional[float]]("score")
    interval = Member[Optional[List[float]]]("interval")
    summary = Member[Optional[str]]("summary")
    baseline_score = Member[Optional[float]]("baselineScore")
    comparison = Member[Dict[str, Any]]("comparison", lambda value: value or {})
    selection = Member[Dict[str, Any]]("selection", lambda value: value or {})
    test = Member[Optional[Dict[str, Any]]]("test")
    adapter = Member[Dict[str, Any]]("adapter", lambda value: value or {})
    replies = Member[Dict[str, int]]("replies", lambda value: value or {})
    best_run_id = Member[Optional[str]]("bestRunId")
    program = Member[Dict[str, Any]]("program", lambda value: value or {})
    program_id = Member[Optional[str]]("programId")
    artifact_uri = Member[Optional[str]]("artifactUri")
    trials = Member[List[Trial]]("trials", many(Trial))
    summary = Member[Optional[str]]("summary")
    usage = Member[Usage]("usage", one(Usage))
    seconds = Member[Optional[float]]("seconds")
    simulated = Member[bool]("simulated", bool)
    warnings = Member[List[str]]("warnings", lambda value: value or [])

    def view(self) -> View:
        facts = [
            ("baseline", percent(self.baseline_score)), ("test", _test(self.test)), ("status", _status(self)),
            ("run", self.run_id),
            ("adapter", self.adapter.get("format")), ("replies", _replies(self.replies)),
            ("program", self.artifact_uri), ("cost", cost(self.get("usage"))), ("seconds", self.seconds),
            ("warnings", "; ".join(map(str, self.warnings)))]
        rows = [(t.number, t.name, t.score, t.count, t.failed) for t in self.trials]
        return View(f"Compiled: {percent(self.score, self.interval)}", facts,
                    ["#", "trial", "score", "rows", "failed"], rows)

    def to_pandas(self) -> Any:
        """The trials as a DataFrame."""
        return frame([dict(trial) for trial in self.trials])


class ExampleResult(Result):
    """The result of one example of an evaluation."""

    index = Member[int]("index")
    score = Member[Any]("score")
    outputs = Member[Dict[str, Any]]("outputs", lambda value: value or {})
    feedback = Member[Optional[str]]("feedback")
    trace_id = Member[Optional[str]]("traceId")
    error = Member[Optional[Dict[str, Any]]]("error")


class EvaluateResult(Result):
    """A program's score on examples."""

    run_id = Member[Optional[str]]("runId")
    experiment_id = Member[Optional[str]]("experimentId")
    status = Member[str]("status")
    score = Member[Optional[float]]("score")
    count = Member[int]("count")
    failed = Member[int]("failed")
    refused = Member[int]("refused", lambda value: value or 0)
    failures = Member[Dict[str, int]]("failures", lambda value: value or {})
    coverage = Member[Optional[float]]("coverage")
    interval = Member[Optional[List[float]]]("interval")
    replies = Member[Dict[str, int]]("replies", lambda value: value or {})
    adapter = Member[Dict[str, Any]]("adapter", lambda value: value or {})
    results = Member[List[ExampleResult]]("results", many(ExampleResult))
    usage = Member[Usage]("usage", one(Usage))
    seconds = Member[Optional[float]]("seconds")
    simulated = Member[bool]("simulated", bool)
    warnings = Member[List[str]]("warnings", lambda value: value or [])

    def view(self) -> View:
        facts = [
            ("rows", self.count), ("failed", self.failed or None), ("refused", self.refused or None), ("status", _status(self)), ("run", self.run_id),
            ("adapter", self.adapter.get("format")), ("replies", _replies(self.replies)),
            ("cost", cost(self.get("usage"))), ("seconds", self.seconds),
            ("warnings", "; ".join(map(str, self.warnings)))]
        names = list(self.results[0].outputs)[-2:] if self.results else []
        rows = [(r.index, r.score, *[r.outputs.get(name) for name in names],
                 r.feedback or (r.error or {}).get("message")) for r in self.results]
        return View(f"Score: {percent(self.score, self.interval)}", facts,
                    ["#", "score", *names, "feedback"], rows, limit=10)

    def to_pandas(self) -> Any:
        """The examples as a DataFrame, one column for each output."""
        return frame([
            {"index": r.index, "score": r.score, **r.outputs, "feedback": r.feedback, "trace_id": r.trace_id,
             "error": (r.error or {}).get("message")} for r in self.results])


class PredictResult(Result):
    """What a program returned; its outputs are also attributes (`result.answer`)."""

    outputs = Member[Dict[str, Any]]("outputs", lambda value: value or {})
    completions = Member[List[Dict[str, Any]]]("completions", lambda value: value or [])
    trace_id = Member[Optional[str]]("traceId")
    replies = Member[Dict[str, int]]("replies", lambda value: value or {})
    usage = Member[Usage]("usage", one(Usage))
    simulated = Member[bool]("simulated", bool)

    def __getattr__(self, name: str) -> Any:
        outputs = self.get("outputs")
        if isinstance(outputs, dict) and name in outputs:
            return outputs[name]
        raise AttributeError(f"There is no output \"{name}\"; there are: {', '.join(outputs or [])}.")

    def view(self) -> View:
        title = "Prediction, simulated" if self.simulated else "Prediction"
        return View(title, [*self.outputs.items(), ("trace", self.trace_id)])


class Run(Result):
    """One run: a search, a candidate's evaluation, or an evaluation by itself."""

    run_id = Member[str]("runId")
    experiment_id = Member[str]("experimentId")
    name = Member[str]("name")
    status = Member[str]("status")
    start_time = Member[Optional[str]]("startTime")
    end_time = Member[Optional[str]]("endTime")
    duration = Member[Optional[float]]("duration")
    parent_run_id = Member[Optional[str]]("parentRunId")
    artifact_uri = Member[Optional[str]]("artifactUri")
    params = Member[Dict[str, str]]("params", lambda value: value or {})
    metrics = Member[Dict[str, float]]("metrics", lambda value: value or {})
    tags = Member[Dict[str, str]]("tags", lambda value: value or {})
    inputs = Member[List[Dict[str, Any]]]("inputs", lambda value: value or [])

    @property
    def score(self) -> Optional[float]:
        """The score, from the metric that this kind of run keeps it in."""
        for name in ("score", "eval", "best_score"):
            if name in self.metrics:
                return self.metrics[name]
        return None

    def view(self) -> View:
        facts = [
            ("run", self.run_id), ("status", self.status), ("started", self.start_time),
            ("seconds", self.duration), ("parent", self.parent_run_id),
            *[(f"metrics.{name}", value) for name, value in self.metrics.items()],
            *[(f"params.{name}", clean(value, 80)) for name, value in list(self.params.items())[:30]]]
        return View(f"Run {self.name}", facts)


class RunDetails(Result):
    """A run, how many children it has, and on request its metrics by step and the trials of its search."""

    run = Member[Run]("run", one(Run))
    children = Member[int]("children", lambda value: value or 0)
    history = Member[Dict[str, List[Dict[str, Any]]]]("history", lambda value: value or {})
    trials = Member[List[Trial]]("trials", many(Trial))

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.run.run_id

    @property
    def info(self) -> Run:
        """The run, under MLflow's name for this part of it."""
        return self.run

    @property
    def data(self) -> Run:
        """The run, under MLflow's name for the part that has params, metrics and tags."""
        return self.run

    def view(self) -> View:
        view = self.run.view()
        view.facts.insert(0, ("children", self.children))
        return view

    def to_pandas(self) -> Any:
        """The metrics by step as a DataFrame; ask for `history=True`."""
        return frame([{"metric": name, **point} for name, points in self.history.items() for point in points],
                     ["metric", "step", "value", "timestamp"])


class TraceInfo(Result):
    """A trace without its spans."""

    trace_id = Member[str]("traceId")
    name = Member[str]("name")
    run_id = Member[Optional[str]]("runId")
    status = Member[str]("status")
    start_time = Member[Optional[str]]("startTime")
    duration = Member[Optional[float]]("duration")
    usage = Member[Usage]("usage", one(Usage))
    assessments = Member[List[Dict[str, Any]]]("assessments", lambda value: value or [])


class Span(Result):
    """One step of an execution."""

    id = Member[str]("id")
    parent_id = Member[Optional[str]]("parentId")
    name = Member[str]("name")
    type = Member[str]("type")
    status = Member[str]("status")
    inputs = Member[Any]("inputs")
    outputs = Member[Any]("outputs")
    attributes = Member[Dict[str, Any]]("attributes", lambda value: value or {})

    @property
    def seconds(self) -> float:
        """How long it took."""
        return int((self.get("endTimeNs") or 0) - (self.get("startTimeNs") or 0)) / 1e9


class Trace(Result):
    """One execution, step by step."""

    info = Member[TraceInfo]("info", one(TraceInfo))
    spans = Member[List[Span]]("spans", many(Span))
    next_page_token = Member[Optional[str]]("nextPageToken")

    def tree(self) -> List[Tuple[int, Span]]:
        """The spans with their depths, each below its parent."""
        known = {span.id for span in self.spans}
        below: Dict[Optional[str], List[Span]] = {}
        for span in self.spans:
            below.setdefault(span.parent_id if span.parent_id in known else None, []).append(span)
        made: List[Tuple[int, Span]] = []
        waiting = [(0, span) for span in reversed(below.get(None, []))]
        while waiting:
            depth, span = waiting.pop()
            made.append((depth, span))
            waiting += [(depth + 1, child) for child in reversed(below.pop(span.id, []))]
        return made

    def view(self) -> View:
        info = self.info
        judged = ", ".join(f"{a.get('name')} = {a.get('value')}" for a in info.assessments)
        facts = [("status", info.status), ("run", info.run_id), ("cost", cost(info.get("usage"))), ("judged", judged)]
        rows = [("· " * depth + str(span.name), span.seconds * 1000, span.status, span.inputs, span.outputs)
                for depth, span in self.tree()]
        more = "… and more spans" if self.next_page_token else None
        return View(f"Trace {info.trace_id}", facts, ["span", "ms", "status", "inputs", "outputs"], rows, more, 100)

    def to_pandas(self) -> Any:
        """The spans as a DataFrame."""
        return frame([dict(span) for span in self.spans])


class Artifacts(Result):
    """The files of a run."""

    artifact_uri = Member[str]("artifactUri")
    files = Member[List[Dict[str, Any]]]("files", lambda value: value or [])

    def view(self) -> View:
        return View(f"Files of {self.artifact_uri}", [], ["path", "bytes"],
                    [(file.get("path"), file.get("size")) for file in self.files], limit=100)


class Artifact(Result):
    """A file of a run, or a part of it."""

    offset = Member[int]("offset", lambda value: value or 0)
    length = Member[int]("length", lambda value: value or 0)
    total_size = Member[int]("totalSize", lambda value: value or 0)

    @property
    def content(self) -> bytes:
        """The bytes of this part."""
        text = self.get("text")
        return text.encode("utf-8") if isinstance(text, str) else base64.b64decode(self.get("base64") or "")

    @property
    def text(self) -> str:
        """The text of this part."""
        return self.content.decode("utf-8")

    def json(self) -> Any:
        """The file parsed as JSON."""
        return json.loads(self.content)

    def view(self) -> View:
        return View(f"{self.length:,} of {self.total_size:,} bytes", [("text", self.get("text"))])


class LoadedProgram(Result):
    """A program that the service read: its structure and its state."""

    program_id = Member[str]("programId")
    module = Member[str]("module")
    signature = Member[str]("signature")
    predictors = Member[List[Dict[str, Any]]]("predictors", lambda value: value or [])
    state = Member[Dict[str, Any]]("state", lambda value: value or {})
    lm = Member[Optional[Dict[str, Any]]]("lm")
    warnings = Member[List[str]]("warnings", lambda value: value or [])

    def view(self) -> View:
        rows = [(p.get("name"), p.get("instructions"), len(p.get("demos") or [])) for p in self.predictors]
        return View(f"{self.module}: {self.signature}", [("program", self.program_id)],
                    ["predictor", "instructions", "demos"], rows)


class Range(Result):
    """From one number to another; the upper one is None if unknown."""

    least = Member[float]("min", lambda value: value or 0)
    most = Member[Optional[float]]("max")

    def __str__(self) -> str:
        least, most = (f"{number:,.4g}" if isinstance(number, float) else f"{number:,}" for number in (
            self.least, self.most or 0))
        return f"{least} or more" if self.most is None else least if least == most else f"{least} to {most}"

    def __repr__(self) -> str:
        return str(self)


class Estimate(Result):
    """The calls and cost of a compile, estimated without a call."""

    calls = Member[Range]("calls", one(Range))
    total_tokens = Member[Range]("totalTokens", one(Range))
    input_tokens = Member[Range]("inputTokens", one(Range))
    output_tokens = Member[Range]("outputTokens", one(Range))
    seconds = Member[Range]("seconds", one(Range))
    phases = Member[List[Dict[str, Any]]]("phases", lambda value: value or [])
    assumptions = Member[List[str]]("assumptions", lambda value: value or [])
    simulated = Member[bool]("simulated", bool)

    @property
    def cost(self) -> Optional[Range]:
        """In dollars; None if a model's price is unknown."""
        cost = self.get("cost")
        return Range(cost) if isinstance(cost, dict) else None

    def view(self) -> View:
        cost = f"${self.cost}" if self.cost is not None else "unknown: a price is missing"
        within = (self.get("budget") or {}).get("suffices") or {}
        facts = [("tokens", str(self.total_tokens)), ("cost", cost), ("seconds", str(self.seconds)),
                 *[(f"within {name}", word) for name, word in within.items()]]
        rows = [(phase.get("name"), phase.get("role"), str(Range(phase.get("calls") or {})),
                 str(Range(phase.get("inputTokens") or {}))) for phase in self.phases]
        return View(f"Estimate: {self.calls} calls", facts, ["phase", "asked", "calls", "input tokens"], rows,
                    more=" ".join(self.assumptions))

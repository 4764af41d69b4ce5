"""The service's methods, each declared once: its name, arguments and result.

Both clients are made from these; see `waiting` and `awaited`.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Callable, Coroutine, Dict, Generic, List, Optional, TypeVar, Union

from .results import Artifact, Artifacts, LoadedProgram, PredictResult, Result, RunDetails, Trace
from .values import plain

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec, TypedDict

    from .aio import AsyncClient
    from .calls import Progress
    from .client import Client
    from .progress import ProgressLike

    P = ParamSpec("P")

    class _Options(TypedDict, total=False):
        module: Optional[str]
        lm: Any
        adapter: Optional[str]
        experiment: Optional[str]
        vectorizer: Any
        run_name: Optional[str]
        tags: Optional[Dict[str, str]]
        autolog: Any
        budget: Optional[Dict[str, Any]]
        concurrency: Optional[int]
        max_errors: Optional[int]
        unlabeled: Optional[str]
        duplicates: Optional[str]
        progress: ProgressLike
        on_progress: Optional[Progress]
        on_partial: Optional[Progress]

    class CompileOptions(_Options, total=False):
        """More options of `compile`."""

        valset: Any
        testset: Any
        prompt_model: Any
        teacher: Any
        seed: Optional[int]
        resume: Optional[str]

    class EvaluateOptions(_Options, total=False):
        """More options of `evaluate`."""

        max_results: Optional[int]

T = TypeVar("T")


class Request(Generic[T]):
    """A method, its Python arguments, and how its result is read."""

    def __init__(self, method: str, keywords: Dict[str, Any], read: Callable[[Any], T]) -> None:
        self.method = method
        self.keywords = keywords
        self.read = read


class Requests:
    """The methods with one request and one answer."""

    @staticmethod
    def predict(
        inputs: Dict[str, Any], *, program: Any = None, program_id: Optional[str] = None, lm: Any = None,
        module: Optional[str] = None, adapter: Optional[str] = None, experiment: Optional[str] = None,
        autolog: Any = None, budget: Optional[Dict[str, Any]] = None, **options: Any,
    ) -> Request[PredictResult]:
        """Runs a program once: {outputs, traceId, usage …}; `result.answer` is an output.

        Args:
            inputs: a value for each input.
            program: a signature, a hone.Program or Predictor, a compile's result, or a reference ({"run": …}).
            program_id: a program that the service has loaded, instead of `program`.
            lm: the model's name, its settings, or a function.
            module: for a program given as a signature; `ChainOfThought` by default.
            adapter: the form of prompt and reply: "chat", "json", "plain" or "xml"; by default the program's own.
            experiment: where the trace is kept.
            autolog: False keeps no trace.
            budget: {"max_calls", "max_tokens", "max_cost", "max_seconds"}.
        """
        named = {
            "inputs": inputs, "program": program, "program_id": program_id, "lm": lm, "module": module,
            "adapter": adapter, "experiment": experiment, "autolog": autolog, "budget": budget}
        return Request("predict", {**named, **options}, PredictResult)

    @staticmethod
    def load_program(
        *, run: Optional[str] = None, path: Any = None, artifact_uri: Optional[str] = None,
        state: Optional[Dict[str, Any]] = None, signature: Any = None, module: Optional[str] = None, **options: Any,
    ) -> Request[LoadedProgram]:
        """Reads a program from one of four sources: {programId, module, signature, predictors, state …}.

        Args:
            run: the run that compiled or evaluated it.
            path: a file written by the service or DSPy.
            artifact_uri: `mlflow-artifacts:/…`
            state: the content of such a file.
            signature: inputs and outputs, if the file does not have them.
            module: likewise.
        """
        named = {
            "run": run, "path": plain(path), "artifact_uri": artifact_uri, "state": state, "signature": signature,
            "module": module}
        return Request("loadProgram", {**named, **options}, LoadedProgram)

    @staticmethod
    def save_program(
        path: Any, program: Any = None, *, program_id: Optional[str] = None, module: Optional[str] = None,
    ) -> Request[Result]:
        """Writes a program to a file that DSPy also reads: {path, programId}."""
        named = {"path": plain(path), "program": program, "program_id": program_id, "module": module}
        return Request("saveProgram", named, Result)

    @staticmethod
    def get_run(run_id: str, *, history: Optional[bool] = None, trials: Optional[bool] = None) -> Request[RunDetails]:
        """One run: {run, children}, with history each metric's values by step, with trials its search's evaluations."""
        return Request("getRun", {"run_id": run_id, "history": history, "trials": trials}, RunDetails)

    @staticmethod
    def update_run(
        run_id: str, *, name: Optional[str] = None, note: Optional[str] = None, tags: Optional[Dict[str, str]] = None,
        remove_tags: Optional[List[str]] = None,
    ) -> Request[RunDetails]:
        """Renames a run, writes its note, sets and removes tags: {run}."""
        named = {"run_id": run_id, "name": name, "note": note, "tags": tags, "remove_tags": remove_tags}
        return Request("updateRun", named, RunDetails)

    @staticmethod
    def compare_runs(run_ids: List[str]) -> Request[Result]:
        """Compares evaluations with the first of them, example by example: {baseline, comparisons}."""
        return Request("compareRuns", {"run_ids": run_ids}, Result)

    @staticmethod
    def get_usage(run_id: str) -> Request[Result]:
        """Where a run's calls, tokens and money went: {byPhase, byRole}."""
        return Request("getUsage", {"run_id": run_id}, Result)

    @staticmethod
    def list_run_keys(experiment_id: Optional[str] = None) -> Request[Result]:
        """The names of params, metrics and tags that runs have: {params, metrics, tags}."""
        return Request("listRunKeys", {"experiment_id": experiment_id}, Result)

    @staticmethod
    def delete_run(run_id: str, *, restore: Optional[bool] = None) -> Request[Result]:
        """Deletes a run and its children, or restores them: {runId, lifecycleStage}."""
        return Request("deleteRun", {"run_id": run_id, "restore": restore}, Result)

    @staticmethod
    def collect_garbage(
        *, dry_run: Optional[bool] = None, answers_older_than: Optional[float] = None,
    ) -> Request[Result]:
        """Removes deleted runs for good, and answers older than so many days; counts only with `dry_run`."""
        named = {"dry_run": dry_run, "answers_older_than": answers_older_than}
        return Request("collectGarbage", named, Result)

    @staticmethod
    def cancel_run(run_id: str) -> Request[Result]:
        """Stops a run, even of another process; returns the best so far and the cost. It can be resumed."""
        return Request("cancelRun", {"run_id": run_id}, work_result)

    @staticmethod
    def get_trace(
        trace_id: str, *, span_id: Optional[str] = None, bodies: Optional[bool] = None,
        max_spans: Optional[int] = None, page_token: Optional[str] = None,
    ) -> Request[Trace]:
        """One trace: {info, spans, nextPageToken}; with a span's id that span in full, without bodies an outline."""
        named = {
            "trace_id": trace_id, "span_id": span_id, "bodies": bodies, "max_spans": max_spans,
            "page_token": page_token}
        return Request("getTrace", named, Trace)

    @staticmethod
    def log_feedback(
        trace_id: str, name: str, value: Union[bool, float, str], *, rationale: Optional[str] = None,
        source: Optional[str] = None,
    ) -> Request[Result]:
        """Adds an assessment of an execution: {assessment}."""
        named = {"trace_id": trace_id, "name": name, "value": value, "rationale": rationale, "source": source}
        return Request("logFeedback", named, Result)

    @staticmethod
    def list_artifacts(run_id: str, path: Optional[str] = None) -> Request[Artifacts]:
        """A run's files: {artifactUri, files: [{path, size, isDirectory}]}."""
        return Request("listArtifacts", {"run_id": run_id, "path": path}, Artifacts)

    @staticmethod
    def get_artifact(
        run_id: Optional[str] = None, path: Optional[str] = None, *, artifact_uri: Optional[str] = None,
        offset: Optional[int] = None, length: Optional[int] = None,
    ) -> Request[Artifact]:
        """A file of a run, or a part of it: {text or base64, offset, length, totalSize}; `.json()`, `.content`."""
        named = {"run_id": run_id, "path": path, "artifact_uri": artifact_uri, "offset": offset, "length": length}
        return Request("getArtifact", named, Artifact)

    @staticmethod
    def doctor(*, repair: Optional[bool] = None, socket: Optional[str] = None) -> Request[Result]:
        """Checks the store and its surroundings: {healthy, findings}; with repair it fixes what is safe to fix."""
        return Request("doctor", {"repair": repair, "socket": socket}, Result)

    @staticmethod
    def discover() -> Request[Dict[str, Any]]:
        """The service's methods and schemas, as an OpenRPC document."""
        return Request("rpc.discover", {}, dict)


def work_result(value: Any) -> Any:
    """The result of a compile or an evaluation."""
    from .results import CompileResult, EvaluateResult

    if not isinstance(value, dict):
        return Result()
    return EvaluateResult(value) if "results" in value else CompileResult(value) if "trials" in value else Result(value)


def run_filter(experiment: Optional[str], filter: Optional[str], order_by: Optional[List[str]], **more: Any) -> Dict[
        str, Any]:
    """The arguments of a list method."""
    return {"experiment": experiment, "filter": filter, "order_by": order_by, **more}


def waiting(build: Callable[P, Request[T]]) -> Callable[Concatenate[Client, P], T]:
    """The method for the waiting client."""
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._ask(build(*args, **kwargs))

    _dress(method, build)
    return method


def awaited(build: Callable[P, Request[T]]) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]]:
    """The coroutine for the asynchronous client."""
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._ask(build(*args, **kwargs))

    _dress(method, build)
    return method


def _dress(method: Callable[..., Any], build: Callable[..., Any]) -> None:
    functools.update_wrapper(method, build)
    # Help and notebooks show what the caller writes and gets.
    signature = inspect.signature(build)
    answer = str(signature.return_annotation)
    answer = answer[len("Request["):-1] if answer.startswith("Request[") else answer
    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    method.__dict__["__signature__"] = signature.replace(
        parameters=[itself, *signature.parameters.values()], return_annotation=answer)
    method.__dict__.pop("__wrapped__", None)

"""The client that waits for answers; any number of threads can share one."""

from __future__ import annotations

import subprocess
from types import TracebackType
from typing import TYPE_CHECKING, Any, Dict, List, Literal, Optional, Sequence, Tuple, Type, TypeVar, Union, overload

from .calls import Call, Progress
from .core import Core
from .pages import Page
from .progress import ProgressLike
from .requests import Request, Requests, run_filter, waiting, work_result
from .results import CompileResult, Estimate, EvaluateResult, Result, Run, TraceInfo
from .serving import register
from .transport import PathLike, Pipes, Socket
from .work import RunHandle, Work

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .requests import CompileOptions, EvaluateOptions

T = TypeVar("T")
R = TypeVar("R", bound=Result)


class Client:
    """A connection to the service.

    Make one with `Client.start()` (its own service), `Client.attach()` (one service for all of the user's clients)
    or `Client.connect(path)`, and close it, best with `with`.
    Keywords are Python-style; a method passes unknown ones on, `run_name="first"` as `runName`.
    Programs, metrics, models, tools and proposers can be functions: the service calls them back on this connection.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    @classmethod
    def start(
        cls, home: Optional[PathLike] = None, *, executable: Optional[PathLike] = None,
        arguments: Sequence[str] = (), env: Optional[Dict[str, str]] = None, stderr: Any = None,
        callback_threads: int = 32,
    ) -> Client:
        """Starts `hone serve` and talks to it over pipes. It ends with this client, or with this process.

        Args:
            home: the directory of the store; by default the service's choice ($HONE_HOME, else .hone).
            executable: the program; by default $HONE, else `hone` on the PATH.
            arguments: more arguments for `hone serve`.
            env: variables for the service in addition to this process's own.
            stderr: where its logs go, as for subprocess.Popen; by default this process's.
            callback_threads: how many of the caller's functions run at once.

        Raises:
            FileNotFoundError: there is no such program.
        """
        return cls(Core(Pipes(home, executable, arguments, env, stderr), callback_threads))

    @classmethod
    def attach(
        cls, home: Optional[PathLike] = None, *, executable: Optional[PathLike] = None,
        env: Optional[Dict[str, str]] = None, stderr: Any = None, idle_timeout: Optional[float] = None, callback_threads: int = 32,
    ) -> Client:
        """Joins the user's shared service for the store; it is started if there is none and ends when unused.

        Editors, scripts and notebooks that attach see the same runs live, and a detached run continues when its client
        leaves. The service's environment, keys included, is that of the process that started it. Arguments as for
        `start`; `idle_timeout` is how many seconds a service that is started stays unused, 300 by default.
        """
        return cls(Core(Pipes(home, executable, _attached(idle_timeout), env, stderr), callback_threads))

    @classmethod
    def connect(
        cls, path: PathLike, *, timeout: Optional[float] = 10, callback_threads: int = 32
    ) -> Client:
        """Connects to the service that listens on a Unix socket (`hone serve --socket PATH`).

        Raises:
            OSError: nothing listens there.
        """
        return cls(Core(Socket(path, timeout), callback_threads))

    @property
    def process(self) -> Optional[subprocess.Popen[bytes]]:
        """The service's process, if this client started it."""
        return self._core.transport.process

    # MARK: Any method

    def submit(
        self, method: str, params: Optional[Dict[str, Any]] = None, on_progress: Optional[Progress] = None,
        on_partial: Optional[Progress] = None,
    ) -> Call:
        """Sends a request without waiting: the call's `result()` waits, and its `cancel()` cancels it.

        Args:
            method: the method's name on the wire (`listRuns`).
            params: its parameters as the wire spells them.
            on_progress: receives {kind: begin | report | end, message, percentage, data} as the work proceeds.
            on_partial: receives each finished {example} or {trial}.
        """
        return self._core.submit(method, params, on_progress, on_partial)

    def call(
        self, method: str, params: Optional[Dict[str, Any]] = None, on_progress: Optional[Progress] = None,
        on_partial: Optional[Progress] = None, timeout: Optional[float] = None,
    ) -> Any:
        """Sends a request and waits for its result. Parameters as for `submit`.

        Raises:
            HoneError: the service answered with an error.
            ConnectionLost: the service went away.
            TimeoutError: `timeout` seconds passed; the call is cancelled.
        """
        call = self.submit(method, params, on_progress, on_partial)
        try:
            return call.result(timeout)
        except TimeoutError:
            call.cancel()
            raise

    def batch(self, requests: Sequence[Tuple[str, Dict[str, Any]]], timeout: Optional[float] = None) -> List[Any]:
        """Sends (method, params) pairs as one message; the service works on them concurrently.

        Returns:
            The results in the order of the requests, with a HoneError for each that failed.
        """
        if not requests:
            return []
        return [call.outcome(timeout) for call in self._core.submit_batch(requests)]

    def notify(self, method: str, params: Optional[Dict[str, Any]] = None) -> None:
        """Sends a notification, which is not answered."""
        self._core.connection.notify(method, params)

    # MARK: The methods

    @overload
    def compile(
        self, program: Any, optimizer: Any, trainset: Any, metric: Any = None, *,
        detach: Literal[False] = False, estimate: Literal[False] = False, **options: Unpack[CompileOptions],
    ) -> CompileResult: ...

    @overload
    def compile(
        self, program: Any, optimizer: Any, trainset: Any, metric: Any = None, *,
        detach: Literal[True], **options: Unpack[CompileOptions],
    ) -> RunHandle: ...

    @overload
    def compile(
        self, program: Any, optimizer: Any, trainset: Any, metric: Any = None, *,
        estimate: Union[Literal[True], Dict[str, Any]], **options: Unpack[CompileOptions],
    ) -> Estimate: ...

    def compile(
        self, program: Any, optimizer: Any, trainset: Any, metric: Any = None, *, detach: bool = False,
        estimate: Union[bool, Dict[str, Any]] = False, progress: ProgressLike = None,
        on_progress: Optional[Progress] = None, on_partial: Optional[Progress] = None, **options: Any,
    ) -> Union[CompileResult, RunHandle, Estimate]:
        """Optimizes a program: {runId, score, baselineScore, program, artifactUri, trials, usage …}.

        Args:
            program: a signature, a hone.Program or Predictor, or a reference ({"run": …}).
            optimizer: hone.MIPROv2(…), a name, or {"name": …, …options}.
            trainset: rows (dicts, examples of DSPy, a DataFrame), a path, `"name:split"`, or {"path": …,
                "columns": {"question": "User Question"}} where columns are not called as the fields are.
            metric: a function `(example, prediction)`, a name, or {"name": …}; by default the optimizer's own.
            detach: run in the background; returns a RunHandle.
            estimate: estimate the cost without a call; {"latency": seconds, "output_tokens": n} sets what is
                known.
            progress: True shows a bar or lines; a callable receives each report.
            on_progress: also receives each report.
            on_partial: receives each {trial} and {example} when it is finished.
            options: valset, testset (rows that the search never sees), lm, prompt_model, teacher, adapter, experiment,
                run_name, tags, autolog, budget, concurrency, seed, max_errors, module; unlabeled ("skip", "refuse" or
                "score") and duplicates ("keep" or "drop") say what is done with such rows.

        Raises:
            Interrupted: Ctrl-C; the run was cancelled, and the exception has the best so far.
        """
        keywords = _compile_keywords(program, optimizer, trainset, metric, detach, estimate, options)
        work = Work(self._core, "compile", keywords, progress, on_progress, on_partial)
        result = work.result()
        if estimate:
            return Estimate(result)
        return RunHandle(self, result["runId"]) if detach else CompileResult(result)

    @overload
    def evaluate(
        self, program: Any, devset: Any, metric: Any, *, detach: Literal[False] = False,
        **options: Unpack[EvaluateOptions],
    ) -> EvaluateResult: ...

    @overload
    def evaluate(
        self, program: Any, devset: Any, metric: Any, *, detach: Literal[True], **options: Unpack[EvaluateOptions],
    ) -> RunHandle: ...

    def evaluate(
        self, program: Any, devset: Any, metric: Any, *, detach: bool = False, progress: ProgressLike = None,
        on_progress: Optional[Progress] = None, on_partial: Optional[Progress] = None, **options: Any,
    ) -> Union[EvaluateResult, RunHandle]:
        """Scores a program on examples: {runId, score, count, failed, interval, results, usage …}.

        Args as for `compile`. Options: lm, adapter, experiment, run_name, tags, autolog, budget, concurrency,
        max_errors, max_results, module, unlabeled, duplicates.
        """
        keywords = {
            "program": program, "devset": devset, "metric": metric, "detach": detach or None, **options}
        result = Work(self._core, "evaluate", keywords, progress, on_progress, on_partial).result()
        return RunHandle(self, result["runId"]) if detach else EvaluateResult(result)

    def watch_run(
        self, run_id: str, *, progress: ProgressLike = None, on_progress: Optional[Progress] = None,
        on_partial: Optional[Progress] = None,
    ) -> Any:
        """Follows a run of any process: first what has happened so far, then live; returns its result.

        Ctrl-C leaves it running.
        """
        return work_result(Work(
            self._core, "watchRun", {"run_id": run_id}, progress, on_progress, on_partial).call.result())

    def resume_run(
        self, run_id: str, *, functions: Sequence[Any] = (), detach: bool = False, progress: ProgressLike = None,
        on_progress: Optional[Progress] = None, on_partial: Optional[Progress] = None, **options: Any,
    ) -> Any:
        """Resumes a run that was stopped or whose process died; nothing is paid for twice.

        Args:
            run_id: the run.
            functions: the metrics, models, tools and programs that it calls back, under the names they had.
            detach: run in the background; returns a RunHandle.
            progress: as for `compile`, like on_progress and on_partial.
            options: budget, concurrency.
        """
        register(self._core, functions)
        keywords = {"run_id": run_id, "detach": detach or None, **options}
        result = Work(self._core, "resumeRun", keywords, progress, on_progress, on_partial).result()
        return RunHandle(self, run_id) if detach else work_result(result)

    def run_handle(self, run_id: str) -> RunHandle:
        """A handle for a detached run, even of another process."""
        return RunHandle(self, run_id)

    def serve(self, *functions: Any) -> None:
        """Offers functions and programs to the service for as long as this client is connected.

        Functions that a request names are offered automatically; use this for runs that already name them.
        """
        register(self._core, functions)

    def list_runs(
        self, experiment: Optional[str] = None, *, filter: Optional[str] = None, order_by: Optional[List[str]] = None,
        parent_run_id: Optional[str] = None, view: Optional[str] = None, max_results: Optional[int] = None,
        page_token: Optional[str] = None, **options: Any,
    ) -> Page[Run]:
        """Runs, newest first; iterating fetches all pages.

        Args:
            experiment: the experiment's name; by default all.
            filter: MLflow's language: `metrics.score > 50 and tags.team = 'docs'`.
            order_by: `["metrics.score DESC"]`.
            parent_run_id: only the candidates of that search.
            view: `active`, `deleted` or `all`.
            max_results: the most results to return.
            page_token: where to continue, from `page["nextPageToken"]`.
        """
        named = run_filter(experiment, filter, order_by, parent_run_id=parent_run_id, view=view, **options)
        return self._list("listRuns", "runs", Run, named, max_results, page_token)

    def list_traces(
        self, *, run_id: Optional[str] = None, experiment: Optional[str] = None, filter: Optional[str] = None,
        order_by: Optional[List[str]] = None, max_results: Optional[int] = None, page_token: Optional[str] = None,
        **options: Any,
    ) -> Page[TraceInfo]:
        """Traces, newest first; iterating fetches all pages. Arguments as for `list_runs`."""
        named = run_filter(experiment, filter, order_by, run_id=run_id, **options)
        return self._list("listTraces", "traces", TraceInfo, named, max_results, page_token)

    def list_results(
        self, run_ids: Optional[List[str]] = None, *, parent_run_id: Optional[str] = None, details: Optional[bool] = None,
        max_results: Optional[int] = None, page_token: Optional[str] = None,
    ) -> Page[Result]:
        """The scores of evaluations, one for each row, all pages; with `details` also what the program answered.

        One entry for each run, and another one for each page on which a run with many rows goes on."""
        named = {"run_ids": run_ids, "parent_run_id": parent_run_id, "details": details}
        return self._list("listResults", "runs", Result, named, max_results, page_token)

    def list_experiments(
        self, *, max_results: Optional[int] = None, page_token: Optional[str] = None, **options: Any
    ) -> Page[Result]:
        """Experiments, newest first; iterating fetches all pages."""
        return self._list("listExperiments", "experiments", Result, options, max_results, page_token)

    predict = waiting(Requests.predict)
    load_program = waiting(Requests.load_program)
    save_program = waiting(Requests.save_program)
    get_run = waiting(Requests.get_run)
    update_run = waiting(Requests.update_run)
    delete_run = waiting(Requests.delete_run)
    collect_garbage = waiting(Requests.collect_garbage)
    compare_runs = waiting(Requests.compare_runs)
    get_usage = waiting(Requests.get_usage)
    list_run_keys = waiting(Requests.list_run_keys)
    cancel_run = waiting(Requests.cancel_run)
    get_trace = waiting(Requests.get_trace)
    log_feedback = waiting(Requests.log_feedback)
    list_artifacts = waiting(Requests.list_artifacts)
    get_artifact = waiting(Requests.get_artifact)
    doctor = waiting(Requests.doctor)
    discover = waiting(Requests.discover)

    # MARK: Its end

    def close(self, timeout: float = 10) -> None:
        """Cancels running calls, closes the connection, and ends the service if this client started it.

        If that service works on a detached run, it ends when the run is done.
        """
        self._core.close(timeout)

    def _ask(self, request: Request[T]) -> T:
        return request.read(self._core.send(request.method, request.keywords).result())

    def _list(
        self, method: str, name: str, kind: Type[R], keywords: Dict[str, Any], max_results: Optional[int],
        page_token: Optional[str],
    ) -> Page[R]:
        def fetch(token: Optional[str]) -> Dict[str, Any]:
            page: Dict[str, Any] = self._core.send(
                method, {**keywords, "max_results": max_results, "page_token": token}).result()
            return page

        return Page(name, kind, fetch(page_token), fetch, max_results is None and page_token is None)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return self._core.describe("Client")


def _attached(idle_timeout: Optional[float]) -> List[str]:
    return ["--attach", *(["--idle-timeout", str(idle_timeout)] if idle_timeout is not None else [])]


def _compile_keywords(
    program: Any, optimizer: Any, trainset: Any, metric: Any, detach: bool, estimate: Any, options: Dict[str, Any]
) -> Dict[str, Any]:
    # An optimizer made as DSPy makes them brings its metric and its models along.
    own = optimizer.request_defaults() if hasattr(optimizer, "request_defaults") else {}
    given = {"metric": metric, **options}
    return {
        **own, "program": program, "optimizer": optimizer, "trainset": trainset, "detach": detach or None,
        "estimate": estimate or None, **{name: value for name, value in given.items() if value is not None}}


def connect(path: Optional[PathLike] = None, **options: Any) -> Client:
    """Connects to the service on a Unix socket or, without a path, to the user's shared service.

    See `Client.connect` and `Client.attach`.
    """
    return Client.attach(**options) if path is None else Client.connect(path, **options)


def start(home: Optional[PathLike] = None, **options: Any) -> Client:
    """Starts a service for this client; see `Client.start`."""
    return Client.start(home, **options)

"""The client for coroutines: the same methods, awaited."""

from __future__ import annotations

import asyncio
import subprocess
from types import TracebackType
from typing import TYPE_CHECKING, Any, Dict, List, Literal, Optional, Sequence, Tuple, Type, TypeVar, Union, overload

from .calls import Call, Progress
from .client import _attached, _compile_keywords
from .core import Core
from .pages import AsyncPage
from .progress import ProgressLike
from .requests import Request, Requests, awaited, run_filter, work_result
from .results import CompileResult, Estimate, EvaluateResult, Result, Run, TraceInfo
from .serving import register
from .transport import PathLike, Pipes, Socket
from .work import Work

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .requests import CompileOptions, EvaluateOptions

T = TypeVar("T")
R = TypeVar("R", bound=Result)


class AsyncRunHandle:
    """A detached run: watch it, cancel it, or get its result, from any process that has its id.

    Attributes:
        run_id: the run.
    """

    def __init__(self, client: AsyncClient, run_id: str) -> None:
        self.client = client
        self.run_id = run_id

    async def watch(
        self, *, progress: ProgressLike = None, on_progress: Optional[Progress] = None,
        on_partial: Optional[Progress] = None,
    ) -> Any:
        """Follows the run to its end and returns its result. Cancelling the task leaves it running."""
        return await self.client.watch_run(
            self.run_id, progress=progress, on_progress=on_progress, on_partial=on_partial)

    async def result(self) -> Any:
        """Waits for the run's result."""
        return await self.watch()

    async def cancel(self) -> Any:
        """Stops the run; returns the best so far."""
        return await self.client.cancel_run(self.run_id)

    async def resume(self, **options: Any) -> Any:
        """Resumes the run after it was stopped; options as for `resume_run`."""
        return await self.client.resume_run(self.run_id, **options)

    async def status(self) -> str:
        """RUNNING, FINISHED, FAILED or KILLED."""
        return (await self.client.get_run(self.run_id)).run.status

    def __repr__(self) -> str:
        return f"<hone.AsyncRunHandle of run {self.run_id}>"


class AsyncClient:
    """A connection to the service for coroutines: `async with hone.AsyncClient.start() as client: …`

    It has the methods of `Client`; see there. Cancelling a task cancels its call. Coroutine functions that
    serve as metrics, models, tools or programs run on the loop in which the client was made.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    @classmethod
    def start(
        cls, home: Optional[PathLike] = None, *, executable: Optional[PathLike] = None,
        arguments: Sequence[str] = (), env: Optional[Dict[str, str]] = None, stderr: Any = None,
        callback_threads: int = 32,
    ) -> AsyncClient:
        """Starts `hone serve` and talks to it over pipes; see `Client.start`."""
        return cls(Core(Pipes(home, executable, arguments, env, stderr), callback_threads, _loop()))

    @classmethod
    def attach(
        cls, home: Optional[PathLike] = None, *, executable: Optional[PathLike] = None,
        env: Optional[Dict[str, str]] = None, stderr: Any = None, idle_timeout: Optional[float] = None, callback_threads: int = 32,
    ) -> AsyncClient:
        """Joins the user's shared service for the store; see `Client.attach`."""
        return cls(Core(Pipes(home, executable, _attached(idle_timeout), env, stderr), callback_threads, _loop()))

    @classmethod
    def connect(
        cls, path: PathLike, *, timeout: Optional[float] = 10, callback_threads: int = 32
    ) -> AsyncClient:
        """Connects to the service that listens on a Unix socket; see `Client.connect`."""
        return cls(Core(Socket(path, timeout), callback_threads, _loop()))

    @property
    def process(self) -> Optional[subprocess.Popen[bytes]]:
        """The service's process, if this client started it."""
        return self._core.transport.process

    def submit(
        self, method: str, params: Optional[Dict[str, Any]] = None, on_progress: Optional[Progress] = None,
        on_partial: Optional[Progress] = None,
    ) -> Call:
        """Sends a request; the call can be awaited, and its `cancel()` cancels it. See `Client.submit`."""
        return self._core.submit(method, params, on_progress, on_partial)

    async def call(
        self, method: str, params: Optional[Dict[str, Any]] = None, on_progress: Optional[Progress] = None,
        on_partial: Optional[Progress] = None, timeout: Optional[float] = None,
    ) -> Any:
        """Sends a request and returns its result; see `Client.call`."""
        try:
            return await asyncio.wait_for(self.submit(method, params, on_progress, on_partial).answer(), timeout)
        except asyncio.TimeoutError as error:
            raise TimeoutError(f"{method} was not answered within {timeout} s") from error

    async def batch(
        self, requests: Sequence[Tuple[str, Dict[str, Any]]], timeout: Optional[float] = None
    ) -> List[Any]:
        """Sends (method, params) pairs as one message; see `Client.batch`."""
        if not requests:
            return []
        calls = self._core.submit_batch(requests)
        await asyncio.wait_for(
            asyncio.gather(*[call.answer() for call in calls], return_exceptions=True), timeout)
        return [call.outcome() for call in calls]

    def notify(self, method: str, params: Optional[Dict[str, Any]] = None) -> None:
        """Sends a notification, which is not answered."""
        self._core.connection.notify(method, params)

    @overload
    async def compile(
        self, program: Any, optimizer: Any, trainset: Any, metric: Any = None, *,
        detach: Literal[False] = False, estimate: Literal[False] = False, **options: Unpack[CompileOptions],
    ) -> CompileResult: ...

    @overload
    async def compile(
        self, program: Any, optimizer: Any, trainset: Any, metric: Any = None, *,
        detach: Literal[True], **options: Unpack[CompileOptions],
    ) -> AsyncRunHandle: ...

    @overload
    async def compile(
        self, program: Any, optimizer: Any, trainset: Any, metric: Any = None, *,
        estimate: Union[Literal[True], Dict[str, Any]], **options: Unpack[CompileOptions],
    ) -> Estimate: ...

    async def compile(
        self, program: Any, optimizer: Any, trainset: Any, metric: Any = None, *, detach: bool = False,
        estimate: Union[bool, Dict[str, Any]] = False, progress: ProgressLike = None,
        on_progress: Optional[Progress] = None, on_partial: Optional[Progress] = None, **options: Any,
    ) -> Union[CompileResult, AsyncRunHandle, Estimate]:
        """Optimizes a program; see `Client.compile`. Cancelling the task cancels the run."""
        keywords = _compile_keywords(program, optimizer, trainset, metric, detach, estimate, options)
        result = await Work(self._core, "compile", keywords, progress, on_progress, on_partial).call
        if estimate:
            return Estimate(result)
        return AsyncRunHandle(self, result["runId"]) if detach else CompileResult(result)

    @overload
    async def evaluate(
        self, program: Any, devset: Any, metric: Any, *, detach: Literal[False] = False,
        **options: Unpack[EvaluateOptions],
    ) -> EvaluateResult: ...

    @overload
    async def evaluate(
        self, program: Any, devset: Any, metric: Any, *, detach: Literal[True], **options: Unpack[EvaluateOptions],
    ) -> AsyncRunHandle: ...

    async def evaluate(
        self, program: Any, devset: Any, metric: Any, *, detach: bool = False, progress: ProgressLike = None,
        on_progress: Optional[Progress] = None, on_partial: Optional[Progress] = None, **options: Any,
    ) -> Union[EvaluateResult, AsyncRunHandle]:
        """Scores a program on examples; see `Client.evaluate`."""
        keywords = {
            "program": program, "devset": devset, "metric": metric, "detach": detach or None, **options}
        result = await Work(self._core, "evaluate", keywords, progress, on_progress, on_partial).call
        return AsyncRunHandle(self, result["runId"]) if detach else EvaluateResult(result)

    async def watch_run(
        self, run_id: str, *, progress: ProgressLike = None, on_progress: Optional[Progress] = None,
        on_partial: Optional[Progress] = None,
    ) -> Any:
        """Follows a run and returns its result; see `Client.watch_run`."""
        return work_result(await Work(
            self._core, "watchRun", {"run_id": run_id}, progress, on_progress, on_partial).call)

    async def resume_run(
        self, run_id: str, *, functions: Sequence[Any] = (), detach: bool = False, progress: ProgressLike = None,
        on_progress: Optional[Progress] = None, on_partial: Optional[Progress] = None, **options: Any,
    ) -> Any:
        """Resumes a run that was stopped; see `Client.resume_run`."""
        register(self._core, functions)
        keywords = {"run_id": run_id, "detach": detach or None, **options}
        result = await Work(self._core, "resumeRun", keywords, progress, on_progress, on_partial).call
        return AsyncRunHandle(self, run_id) if detach else work_result(result)

    def run_handle(self, run_id: str) -> AsyncRunHandle:
        """A handle for a detached run, even of another process."""
        return AsyncRunHandle(self, run_id)

    def serve(self, *functions: Any) -> None:
        """Offers functions and programs to the service for as long as this client is connected."""
        register(self._core, functions)

    async def list_runs(
        self, experiment: Optional[str] = None, *, filter: Optional[str] = None, order_by: Optional[List[str]] = None,
        parent_run_id: Optional[str] = None, view: Optional[str] = None, max_results: Optional[int] = None,
        page_token: Optional[str] = None, **options: Any,
    ) -> AsyncPage[Run]:
        """Runs, newest first: `async for run in await client.list_runs(): …`; see `Client.list_runs`."""
        named = run_filter(experiment, filter, order_by, parent_run_id=parent_run_id, view=view, **options)
        return await self._list("listRuns", "runs", Run, named, max_results, page_token)

    async def list_traces(
        self, *, run_id: Optional[str] = None, experiment: Optional[str] = None, filter: Optional[str] = None,
        order_by: Optional[List[str]] = None, max_results: Optional[int] = None, page_token: Optional[str] = None,
        **options: Any,
    ) -> AsyncPage[TraceInfo]:
        """Traces, newest first; see `Client.list_traces`."""
        named = run_filter(experiment, filter, order_by, run_id=run_id, **options)
        return await self._list("listTraces", "traces", TraceInfo, named, max_results, page_token)

    async def list_results(
        self, run_ids: Optional[List[str]] = None, *, parent_run_id: Optional[str] = None, details: Optional[bool] = None,
        max_results: Optional[int] = None, page_token: Optional[str] = None,
    ) -> AsyncPage[Result]:
        """The scores of evaluations by example; see `Client.list_results`."""
        named = {"run_ids": run_ids, "parent_run_id": parent_run_id, "details": details}
        return await self._list("listResults", "runs", Result, named, max_results, page_token)

    async def list_experiments(
        self, *, max_results: Optional[int] = None, page_token: Optional[str] = None, **options: Any
    ) -> AsyncPage[Result]:
        """Experiments, the latest first."""
        return await self._list("listExperiments", "experiments", Result, options, max_results, page_token)

    predict = awaited(Requests.predict)
    load_program = awaited(Requests.load_program)
    save_program = awaited(Requests.save_program)
    get_run = awaited(Requests.get_run)
    update_run = awaited(Requests.update_run)
    delete_run = awaited(Requests.delete_run)
    collect_garbage = awaited(Requests.collect_garbage)
    compare_runs = awaited(Requests.compare_runs)
    get_usage = awaited(Requests.get_usage)
    list_run_keys = awaited(Requests.list_run_keys)
    cancel_run = awaited(Requests.cancel_run)
    get_trace = awaited(Requests.get_trace)
    log_feedback = awaited(Requests.log_feedback)
    list_artifacts = awaited(Requests.list_artifacts)
    get_artifact = awaited(Requests.get_artifact)
    doctor = awaited(Requests.doctor)
    discover = awaited(Requests.discover)

    async def close(self, timeout: float = 10) -> None:
        """Closes the connection; see `Client.close`."""
        await asyncio.get_running_loop().run_in_executor(None, self._core.close, timeout)

    async def _ask(self, request: Request[T]) -> T:
        return request.read(await self._core.send(request.method, request.keywords))

    async def _list(
        self, method: str, name: str, kind: Type[R], keywords: Dict[str, Any], max_results: Optional[int],
        page_token: Optional[str],
    ) -> AsyncPage[R]:
        async def fetch(token: Optional[str]) -> Dict[str, Any]:
            page: Dict[str, Any] = await self._core.send(
                method, {**keywords, "max_results": max_results, "page_token": token})
            return page

        return AsyncPage(name, kind, await fetch(page_token), fetch, max_results is None and page_token is None)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return self._core.describe("AsyncClient")


def _loop() -> Optional[asyncio.AbstractEventLoop]:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:  # Made before its loop runs; coroutine functions get a loop of their own then.
        return None

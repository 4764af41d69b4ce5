"""The default client: what `hone.configure`, `hone.autolog` and `hone.set_experiment` set."""

from __future__ import annotations

import functools
import inspect
import os
import tempfile
import threading
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, TypeVar

from .client import Client
from .examples import Prediction
from .names import camel
from .optimizers import Optimizer
from .programs import Module, Program, State
from .progress import is_interactive
from .results import CompileResult, EvaluateResult
from .values import plain
from .work import RunHandle

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec

    A = ParamSpec("A")

P = TypeVar("P", bound=Module)
T = TypeVar("T")


class _Settings:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.client: Optional[Client] = None
        self.start: Dict[str, Any] = {}
        self.socket: Any = None
        self.shared = False
        self.request: Dict[str, Any] = {}


_settings = _Settings()


class LM(Dict[str, Any]):
    """A model: `hone.LM("openai/gpt-4o-mini", temperature=0.7)`.

    The service reads its key from the environment, from `api_key_env` if given; the key is never sent.
    """

    def __init__(self, model: str, **options: Any) -> None:
        if "api_key" in options:
            raise TypeError(
                "A key is not sent to the service: put it into an environment variable and name that with api_key_env.")
        renamed = {"api_base": "apiBase", "base_url": "apiBase"}
        super().__init__({"model": model, **{
            renamed.get(name, camel(name)): plain(value) for name, value in options.items() if value is not None}})


def configure(
    *, lm: Any = None, client: Optional[Client] = None, home: Any = None, socket: Any = None, executable: Any = None,
    shared: bool = False, experiment: Optional[str] = None, **request: Any,
) -> None:
    """Sets the defaults for calls.

    Args:
        lm: the model that programs run on.
        client: the client to use instead of one that is started on first use.
        home: the store's directory for a service that is started.
        socket: the socket of a service to use instead of one that is started.
        executable: the program to start.
        shared: join the user's shared service for the store instead of starting one.
        experiment: where runs and traces are kept.
        request: more options for every compile and evaluation: budget, concurrency, tags …
    """
    with _settings.lock:
        if client is not None or home is not None or socket is not None or executable is not None or shared:
            _settings.client = client
            _settings.start = {
                name: value for name, value in (("home", home), ("executable", executable)) if value is not None}
            _settings.socket = socket
            _settings.shared = shared
        for name, value in {"lm": lm, "experiment": experiment, **request}.items():
            if value is not None:
                _settings.request[name] = value


def set_experiment(name: str) -> None:
    """Sets the experiment for runs and traces from now on; it is created if there is none."""
    configure(experiment=name)


def autolog(
    *, log_compiles: bool = True, log_evals: bool = True, log_traces: bool = True,
    log_traces_from_compile: bool = True, log_traces_from_eval: bool = True, disable: bool = False,
) -> None:
    """Chooses what is tracked; by default everything."""
    with _settings.lock:
        _settings.request["autolog"] = False if disable else {
            "compiles": log_compiles, "evals": log_evals, "traces": log_traces,
            "traces_from_compile": log_traces_from_compile, "traces_from_eval": log_traces_from_eval}


def get_client() -> Client:
    """The client that programs, optimizers and the functions of this module use; started on first use."""
    with _settings.lock:
        client = _settings.client
        if client is None or client._core.is_closed:
            if _settings.socket is not None:
                client = Client.connect(_settings.socket)
            else:
                client = (Client.attach if _settings.shared else Client.start)(**_settings.start)
            _settings.client = client
        return client


def _with_defaults(options: Dict[str, Any], *names: str) -> Dict[str, Any]:
    known = {name: value for name, value in _settings.request.items() if not names or name in names}
    return {**known, **{name: value for name, value in options.items() if value is not None}}


def compile(program: Any, optimizer: Any, trainset: Any, metric: Any = None, **options: Any) -> Any:
    """Optimizes a program, with what `configure` set; see `Client.compile`."""
    return get_client().compile(program, optimizer, trainset, metric, **_with_defaults(_shown(options)))


def evaluate(program: Any, devset: Any, metric: Any, **options: Any) -> EvaluateResult:
    """Scores a program on examples, with what `configure` set; see `Client.evaluate`."""
    result: EvaluateResult = get_client().evaluate(program, devset, metric, **_with_defaults(_shown(options)))
    return result


class Evaluate:
    """An evaluation as DSPy writes it: `hone.Evaluate(devset=…, metric=…)(program)`."""

    def __init__(
        self, *, devset: Any, metric: Any = None, num_threads: Optional[int] = None, display_progress: Any = None,
        **options: Any,
    ) -> None:
        self.devset = devset
        self.metric = metric
        without_effect = ("display_table", "provide_traceback", "return_outputs", "return_all_scores")
        self.options = {
            "concurrency": num_threads, "progress": display_progress,
            **{name: value for name, value in options.items() if name not in without_effect}}

    def __call__(self, program: Any, metric: Any = None, devset: Any = None, **options: Any) -> EvaluateResult:
        """Scores the program."""
        return evaluate(
            program, self.devset if devset is None else devset, self.metric if metric is None else metric,
            **{**self.options, **options})


def _shown(options: Dict[str, Any]) -> Dict[str, Any]:
    progress = options.get("progress")
    return {**options, "progress": is_interactive() if progress is None else progress}


def compile_program(
    optimizer: Optimizer, student: P, trainset: Any, valset: Any, progress: Any, options: Dict[str, Any]
) -> P:
    """What `Optimizer.compile` does."""
    if not isinstance(student, Module):
        raise TypeError(
            f"A {type(student).__name__} is not a program of this kind; make one with hone.ChainOfThought(…), "
            "hone.Predict(…) or a class that extends hone.Program.")
    request = {"experiment", "run_name", "tags", "autolog", "budget", "concurrency", "lm", "adapter", "on_progress",
               "on_partial"}
    asked = {name: options.pop(name) for name in list(options) if name in request}
    configured = Optimizer(optimizer.name, optimizer.metric, **optimizer.settings)
    configured._request = dict(optimizer._request)
    configured._take(options)
    merged = _with_defaults({**configured.request_defaults(), **asked})
    result = get_client().compile(
        student, configured, trainset, valset=valset, **_shown({**merged, "progress": progress}))
    return student.with_state(CompileResult(result))


def _prediction_keywords(program: Module, inputs: Dict[str, Any]) -> Dict[str, Any]:
    named = {"inputs": inputs, "program": program}
    return {**_with_defaults({}, "lm", "experiment", "autolog", "budget"), **named}


def run_program(program: Module, inputs: Dict[str, Any]) -> Prediction:
    """Runs a program once."""
    return Prediction.from_result(get_client().predict(**_prediction_keywords(program, inputs)))


async def run_program_async(program: Module, inputs: Dict[str, Any]) -> Prediction:
    """Runs a program once, for coroutines."""
    call = get_client()._core.send("predict", _prediction_keywords(program, inputs))
    return Prediction.from_result(await call)


def initial_state(program: Module) -> State:
    """The service's state for a program that was not optimized."""
    client = get_client()
    if isinstance(program, Program):
        raise ValueError(f"{program!r} has no state yet: compile it, or load one.")
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "program.json")
        client.save_program(path, program)
        copied: State = dict(client.load_program(path=path).state)
        return copied


def run_handle(run_id: str) -> RunHandle:
    """A handle for a detached run, even of another process."""
    return get_client().run_handle(run_id)


def list_runs(experiment: Optional[str] = None, **options: Any) -> Any:
    """Runs, newest first; see `Client.list_runs`."""
    return get_client().list_runs(experiment, **options)


def list_traces(**options: Any) -> Any:
    """Traces, newest first; see `Client.list_traces`."""
    return get_client().list_traces(**options)


def resume_run(run_id: str, **options: Any) -> Any:
    """Resumes a run that was stopped; see `Client.resume_run`."""
    return get_client().resume_run(run_id, **options)


def _of_default(method: Callable[Concatenate[Client, A], T]) -> Callable[A, T]:
    def function(*args: A.args, **kwargs: A.kwargs) -> T:
        return method(get_client(), *args, **kwargs)

    functools.update_wrapper(function, method)
    signature = inspect.signature(method)
    function.__dict__["__signature__"] = signature.replace(parameters=list(signature.parameters.values())[1:])
    return function


get_run = _of_default(Client.get_run)
get_trace = _of_default(Client.get_trace)
get_artifact = _of_default(Client.get_artifact)
list_artifacts = _of_default(Client.list_artifacts)
load_program = _of_default(Client.load_program)
log_feedback = _of_default(Client.log_feedback)
cancel_run = _of_default(Client.cancel_run)
delete_run = _of_default(Client.delete_run)


def download_artifacts(artifact_uri: str, dst_path: Any = None) -> str:
    """Copies an artifact (`mlflow-artifacts:/…/best_model.json`) to a file and returns its path.

    Args:
        artifact_uri: the artifact, as a compile's result names it.
        dst_path: a directory; by default a new one.
    """
    directory = os.fspath(dst_path) if dst_path is not None else tempfile.mkdtemp(prefix="hone-")
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, os.path.basename(artifact_uri.rstrip("/")) or "artifact")
    with open(path, "wb") as file:
        offset = 0
        while True:
            part = get_artifact(artifact_uri=artifact_uri, offset=offset or None)
            file.write(part.content)
            offset += len(part.content)
            if not part.content or offset >= part.total_size:
                return path



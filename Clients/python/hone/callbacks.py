"""Answers the service's requests with the caller's own functions."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
import traceback
from typing import TYPE_CHECKING, Any, Awaitable, Callable, Dict, List, Optional, Tuple

from . import execution
from .errors import HoneError
from .functions import (
    MARK, Mark, call_metric, call_model, call_proposer, call_tool, metric_result, model_result, name_of, proposer_result)
from .values import plain
from .workers import Workers

if TYPE_CHECKING:
    from .core import Core

Answer = Callable[[Dict[str, Any]], None]
KINDS = {
    "metric/score": "metric", "languageModel/complete": "model", "tool/call": "tool", "program/forward": "program",
    "optimizer/propose": "proposer"}
_HERE = os.path.dirname(os.path.abspath(__file__))


class _Held:
    """A function under its name, and how many requests under way need it."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.users = 0
        self._predictors: Optional[Dict[int, str]] = None

    def predictors(self) -> Dict[int, str]:
        """A program's predictors, looked up once: its attributes may hold much else."""
        if self._predictors is None:
            found: Dict[int, str] = self.function.predictor_names()
            self._predictors = found
        return self._predictors


class _Open:
    """A callback that is not answered yet."""

    def __init__(self) -> None:
        self.is_over = False
        self.execution: Optional[execution.Execution] = None
        self.task: Optional[asyncio.Task[None]] = None


class Callbacks:
    """The functions that a client serves, by kind and name, and the callbacks under way.

    Plain functions run on threads, no more than `limit` at once; coroutine functions run on the given event loop, else
    on one of its own.
    """

    def __init__(self, core: Core, limit: int, loop: Optional[asyncio.AbstractEventLoop] = None) -> None:
        self._core = core
        self._workers = Workers(limit)
        self._loop = loop
        self._own_loop = False
        self._lock = threading.Lock()
        self._held: Dict[Tuple[str, str], _Held] = {}
        self._open: Dict[Any, _Open] = {}

    # MARK: Names

    def hold(self, kind: str, function: Any, name: Optional[str] = None) -> str:
        """Serves the function until it is released as often as it was held; returns its name on the wire.

        If a running request needs another function of that name, the name gets a number.
        """
        wanted = name or name_of(function)
        with self._lock:
            chosen, number = wanted, 1
            while (held := self._held.get((kind, chosen))) is not None and held.function is not function:
                number += 1
                chosen = f"{wanted}_{number}"
            held = self._held.setdefault((kind, chosen), _Held(function))
            held.users += 1
            return chosen

    def release(self, names: List[Tuple[str, str]]) -> None:
        """Ends what `hold` began, for each (kind, name)."""
        with self._lock:
            for key in names:
                held = self._held.get(key)
                if held is not None:
                    held.users -= 1
                    if held.users <= 0:
                        del self._held[key]

    def stop(self) -> None:
        """Starts no more callbacks."""
        self._workers.stop()
        with self._lock:
            opened, self._open = list(self._open.values()), {}
            loop, own = self._loop, self._own_loop
        for one in opened:
            self._end(one)
        if loop is not None and own:
            loop.call_soon_threadsafe(loop.stop)

    # MARK: Requests of the service (see connection.Server)

    def serve(self, call_id: Any, method: str, params: Any, answer: Answer) -> None:
        """Calls the function that the request names."""
        kind = KINDS.get(method)
        params = params if isinstance(params, dict) else {}
        name = str(params.get("name"))
        with self._lock:
            held = self._held.get((kind, name)) if kind is not None else None
            opened = _Open()
            if held is not None:
                self._open[call_id] = opened
        if kind is None or held is None:
            there = ", ".join(sorted(n for k, n in self._held if k == kind)) or "none"
            text = f"This client does not serve \"{method}\"." if kind is None else (
                f"This client serves no {kind} \"{name}\"; it serves: {there}.")
            self._workers.submit(lambda: answer({"error": {"code": -32601, "message": text}}))
            return
        function = held.function

        def settle(value: Dict[str, Any]) -> None:
            with self._lock:
                self._open.pop(call_id, None)
            self._end(opened)
            answer(value)

        if kind == "program":
            target = function.forward_of()
            flow = execution.Execution(self._core, str(params.get("executionId")), held.predictors(), name)
            opened.execution = flow
            call = lambda: _within(flow, lambda: function.run_forward(params.get("inputs") or {}))  # noqa: E731
            finish = lambda value: {"outputs": function.outputs_of(value)}  # noqa: E731
        else:
            target = function
            ask, make = {"metric": (call_metric, metric_result), "model": (call_model, model_result),
                         "tool": (call_tool, lambda _, value: {"result": plain(value)}),
                         "proposer": (call_proposer, proposer_result)}[kind]
            call = lambda: ask(function, params)  # noqa: E731
            finish = lambda value: make(name, value)  # noqa: E731
        if _is_coroutine_function(target):
            self._run_soon(opened, call, finish, settle)
        else:
            self._workers.submit(lambda: None if opened.is_over else self._run(opened, call, finish, settle))

    def cancel(self, call_id: Any) -> None:
        """The service no longer waits: drops a callback that has not started, cancels a coroutine."""
        try:
            with self._lock:
                opened = self._open.pop(call_id, None)
        except TypeError:  # An id that is none.
            return
        if opened is not None:
            self._end(opened)

    # MARK: Running

    def _run(self, opened: _Open, call: Callable[[], Any], finish: Callable[[Any], Any], settle: Answer) -> None:
        try:
            value = call()
            if inspect.isawaitable(value):  # A plain function that hands out a coroutine.
                waiting: Awaitable[Any] = value
                self._run_soon(opened, lambda: waiting, finish, settle)
                return
            answer = {"result": finish(value)}
        except BaseException as error:  # Whatever the function raises, the service must hear of it.
            answer = {"error": error_of(error)}
        self._settle(answer, settle)

    def _run_soon(self, opened: _Open, call: Callable[[], Any], finish: Callable[[Any], Any], settle: Answer) -> None:
        async def run() -> None:
            try:
                answer = {"result": finish(await call())}
            except asyncio.CancelledError:
                answer = {"error": {"code": -32800, "message": "The callback was cancelled."}}
            except BaseException as error:
                answer = {"error": error_of(error)}
            # Sending may wait for the service to read, which a loop must not.
            self._workers.submit(lambda: self._settle(answer, settle))

        def begin() -> None:
            if not opened.is_over:
                opened.task = asyncio.ensure_future(run())

        try:
            self._event_loop().call_soon_threadsafe(begin)
        except RuntimeError as error:  # The loop is closed.
            self._settle({"error": error_of(error)}, settle)

    @staticmethod
    def _settle(answer: Dict[str, Any], settle: Answer) -> None:
        try:
            settle(answer)
        except Exception as error:  # A result that JSON has nothing for.
            settle({"error": error_of(error)})

    def _end(self, opened: _Open) -> None:
        opened.is_over = True
        if opened.execution is not None:
            opened.execution.end()
        task, loop = opened.task, self._loop
        if task is not None and loop is not None and not task.done():
            try:
                loop.call_soon_threadsafe(task.cancel)
            except RuntimeError:
                pass  # The loop is closed, and the task with it.

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop, self._own_loop = asyncio.new_event_loop(), True
                loop = self._loop
                threading.Thread(target=loop.run_forever, name="hone-coroutines", daemon=True).start()
            return self._loop


def _within(flow: execution.Execution, call: Callable[[], Any]) -> Any:
    token = execution.current.set(flow)
    try:
        value = call()
    finally:
        execution.current.reset(token)
    if inspect.isawaitable(value):
        async def go_on() -> Any:
            execution.current.set(flow)  # A task's context is its own.
            return await value

        return go_on()
    return value


def _is_coroutine_function(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))


def marked_kind(function: Any) -> Optional[str]:
    """What a decorator marked the function as: metric, model, tool or proposer."""
    mark = getattr(function, MARK, None)
    return mark.kind if isinstance(mark, Mark) else None


def error_of(error: BaseException) -> Dict[str, Any]:
    """An exception as the `error` of a response; a service error keeps its kind."""
    if isinstance(error, HoneError):
        return error.to_wire()
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)
              if os.path.dirname(os.path.abspath(frame.filename)) != _HERE]
    text = "".join([*traceback.format_list(frames[-6:]), *traceback.format_exception_only(type(error), error)])
    message = str(error).strip()
    name = type(error).__name__
    return {"code": -32000, "message": f"{name}: {message}"[:2000] if message else name,
            "data": {"exception": name, "traceback": text[-2000:]}}

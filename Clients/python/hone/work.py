"""A compile or an evaluation in progress, and a detached one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Optional

from .calls import Call, Progress
from .errors import HoneError, Interrupted
from .progress import ProgressLike, listener
from .requests import work_result

if TYPE_CHECKING:
    from .client import Client
    from .core import Core


class Work:
    """A long request in progress: its call, and its run's id as soon as a report names it."""

    def __init__(
        self, core: Core, method: str, keywords: Dict[str, Any], progress: ProgressLike = None,
        on_progress: Optional[Progress] = None, on_partial: Optional[Progress] = None,
    ) -> None:
        self._core = core
        self.run_id: Optional[str] = keywords.get("run_id")
        self._listeners = [heard for heard in (listener(progress, method), on_progress) if heard is not None]
        self.call: Call = core.send(method, keywords, self._hear, on_partial)
        if keywords.get("detach"):
            core.has_detached = True

    def _hear(self, report: Dict[str, Any]) -> None:
        data = report.get("data")
        if isinstance(data, dict) and isinstance(data.get("runId"), str):
            self.run_id = data["runId"]
        for heard in self._listeners:
            heard(report)

    def result(self) -> Any:
        """Waits for the answer.

        Raises:
            Interrupted: Ctrl-C; the run is cancelled, and the exception has the best so far.
        """
        try:
            return self.call.result(cancel_when_interrupted=False)
        except KeyboardInterrupt:
            raise self._stop() from None

    def _stop(self) -> Interrupted:
        run_id, result = self.run_id, None
        try:
            if run_id is not None:
                try:
                    result = self._core.submit("cancelRun", {"runId": run_id}).result(60)
                except HoneError:
                    run_id = None  # A service that has no such method; the request itself is cancelled then.
            if run_id is None:
                self.call.cancel()
                result = self.call.result(60)
        except HoneError as error:
            run_id = error.run_id or self.run_id
        except (KeyboardInterrupt, TimeoutError, ConnectionError):
            # A second Ctrl-C waits for nothing more.
            self._cancel_quietly()
            return Interrupted(self.run_id)
        if isinstance(result, dict):
            return Interrupted(result.get("runId") or run_id, work_result(result))
        return Interrupted(run_id, None, self._best_of(run_id))

    def _best_of(self, run_id: Optional[str]) -> Optional[Dict[str, Any]]:
        if run_id is None:
            return None
        try:
            loaded = self._core.submit("loadProgram", {"run": run_id}).result(10)
        except (HoneError, TimeoutError, KeyboardInterrupt):
            return None
        return loaded.get("state") if isinstance(loaded, dict) else None

    def _cancel_quietly(self) -> None:
        try:
            self.call.cancel()
        except ConnectionError:
            pass


class RunHandle:
    """A detached run: watch it, cancel it, or get its result, from any process that has its id.

    Attributes:
        run_id: the run.
    """

    def __init__(self, client: Client, run_id: str) -> None:
        self.client = client
        self.run_id = run_id

    def watch(
        self, *, progress: ProgressLike = None, on_progress: Optional[Progress] = None,
        on_partial: Optional[Progress] = None,
    ) -> Any:
        """Follows the run to its end and returns its result. Ctrl-C leaves it running."""
        return self.client.watch_run(self.run_id, progress=progress, on_progress=on_progress, on_partial=on_partial)

    def result(self) -> Any:
        """Waits for the run's result."""
        return self.watch()

    def cancel(self) -> Any:
        """Stops the run; returns the best so far."""
        return self.client.cancel_run(self.run_id)

    def resume(self, **options: Any) -> Any:
        """Resumes the run after it was stopped; options as for `resume_run`."""
        return self.client.resume_run(self.run_id, **options)

    @property
    def status(self) -> str:
        """RUNNING, FINISHED, FAILED or KILLED."""
        return self.client.get_run(self.run_id).run.status

    def __repr__(self) -> str:
        return f"<hone.RunHandle of run {self.run_id}>"

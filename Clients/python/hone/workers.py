"""The threads that run callbacks: no more at once than allowed, and without deadlocks."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import Callable, Deque, Iterator, Optional

_local = threading.local()


class Workers:
    """A pool of daemon threads with a limit on how many work at once.

    A callback that waits for the service (such as a program's forward in `predict`) gives up its place meanwhile: the
    answer may need another callback of the same client, which must not wait behind it.
    """

    def __init__(self, limit: int, name: str = "hone-callback") -> None:
        self.limit = max(1, limit)
        self._name = name
        self._jobs: Deque[Callable[[], None]] = deque()
        self._wake = threading.Condition()
        self._idle = 0
        self._working = 0
        self._stopped = False

    def submit(self, job: Callable[[], None]) -> None:
        """Runs the job on a thread as soon as there is a free place. The job must not raise."""
        with self._wake:
            if not self._stopped:
                self._jobs.append(job)
                self._staff()

    def stop(self) -> None:
        """Drops jobs that have not started; threads end after their current job."""
        with self._wake:
            self._stopped = True
            self._jobs.clear()
            self._wake.notify_all()

    def _staff(self) -> None:
        # Called with the lock held: someone must come for the next job if there is a place for it.
        if not self._jobs or self._working >= self.limit:
            return
        if self._idle:
            self._wake.notify()
        else:
            self._working += 1
            threading.Thread(target=self._work, name=self._name, daemon=True).start()

    def _work(self) -> None:
        # A thread counts as working from its start until it waits for a job.
        _local.workers = self
        while True:
            with self._wake:
                while not self._jobs or self._working > self.limit:
                    self._working -= 1
                    self._idle += 1
                    came = self._wake.wait(10) or bool(self._jobs)
                    self._idle -= 1
                    if self._stopped or not came:
                        return
                    self._working += 1
                job = self._jobs.popleft()
                self._staff()
            job()

    @contextmanager
    def _away(self) -> Iterator[None]:
        with self._wake:
            self._working -= 1
            self._staff()
        try:
            yield
        finally:
            with self._wake:
                self._working += 1


@contextmanager
def waiting() -> Iterator[None]:
    """Wraps a wait for the service: a callback's thread lets another one work meanwhile."""
    workers: Optional[Workers] = getattr(_local, "workers", None)
    if workers is None:
        yield
        return
    with workers._away():
        yield

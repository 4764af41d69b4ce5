"""Lists that are fetched page by page."""

from __future__ import annotations

from typing import (
    Any, AsyncIterator, Awaitable, Callable, Dict, Generic, Iterator, List, Optional, Tuple, Type, TypeVar, Union,
    overload,
)

from .display import View, clean, frame
from .results import Result, Run, TraceInfo

T = TypeVar("T", bound=Result)

ROWS_SHOWN = 20


class _Listed(Generic[T]):
    """What both kinds of lists share: the items fetched so far, and their display."""

    def __init__(self, name: str, kind: Type[T], first: Dict[str, Any], whole: bool) -> None:
        self._name = name
        self._kind = kind
        self.page: Dict[str, Any] = first
        self._items: List[T] = []
        self._token: Optional[str] = None
        self._whole = whole
        self._take(first)

    def _take(self, page: Dict[str, Any]) -> None:
        self._items += [self._kind(item) for item in page.get(self._name) or []]
        self._token = page.get("nextPageToken") if self._whole else None

    def view(self) -> View:
        """The list for display."""
        shown = self._items[:ROWS_SHOWN]
        left = len(self._items) - len(shown)
        more = "… and more" if self._token else f"… and {left} more" if left else None
        columns, rows = _columns(self._kind, shown)
        return View(f"{len(self._items)}{' and more' if self._token else ''} {self._name}", [], columns, rows, more)

    def __repr__(self) -> str:
        return self.view().text()

    def _repr_html_(self) -> str:
        return self.view().html()


class Page(_Listed[T]):
    """A list that fetches further pages as you iterate: `for run in client.list_runs(): …`

    `len()`, `[-1]` and `to_pandas()` fetch everything. `page["runs"]` and `page["nextPageToken"]` are the first page as
    the service sent it. With `max_results` or a page's token, the list is that page only.
    """

    def __init__(
        self, name: str, kind: Type[T], first: Dict[str, Any], fetch: Callable[[str], Dict[str, Any]], whole: bool,
    ) -> None:
        super().__init__(name, kind, first, whole)
        self._fetch = fetch

    def _more(self) -> bool:
        if self._token is None:
            return False
        self._take(self._fetch(self._token))
        return True

    def __iter__(self) -> Iterator[T]:
        index = 0
        while index < len(self._items) or self._more():
            if index < len(self._items):
                yield self._items[index]
                index += 1

    @overload
    def __getitem__(self, key: str) -> Any: ...

    @overload
    def __getitem__(self, key: int) -> T: ...

    @overload
    def __getitem__(self, key: slice) -> List[T]: ...

    def __getitem__(self, key: Union[str, int, slice]) -> Any:
        if isinstance(key, str):
            return self.page[key]
        if isinstance(key, slice) or key < 0:
            return list(self)[key]
        while key >= len(self._items) and self._more():
            pass
        return self._items[key]

    def __len__(self) -> int:
        while self._more():
            pass
        return len(self._items)

    def __bool__(self) -> bool:
        return bool(self._items) or self._more() and bool(self._items)

    def to_pandas(self) -> Any:
        """A DataFrame with a row for each, and a column for each param, metric and tag."""
        return frame([_flat(item) for item in self])


class AsyncPage(_Listed[T]):
    """A list that fetches further pages as you iterate: `async for run in await client.list_runs(): …`"""

    def __init__(
        self, name: str, kind: Type[T], first: Dict[str, Any], fetch: Callable[[str], Awaitable[Dict[str, Any]]],
        whole: bool,
    ) -> None:
        super().__init__(name, kind, first, whole)
        self._fetch = fetch

    async def __aiter__(self) -> AsyncIterator[T]:
        index = 0
        while True:
            if index < len(self._items):
                yield self._items[index]
                index += 1
            elif self._token is not None:
                self._take(await self._fetch(self._token))
            else:
                return

    async def all(self) -> List[T]:
        """All items."""
        return [item async for item in self]

    def __getitem__(self, key: str) -> Any:
        return self.page[key]

    async def to_pandas(self) -> Any:
        """A DataFrame with a row for each, and a column for each param, metric and tag."""
        return frame([_flat(item) for item in await self.all()])


def _flat(item: Dict[str, Any]) -> Dict[str, Any]:
    made: Dict[str, Any] = {}
    for name, value in item.items():
        if name in ("params", "metrics", "tags") and isinstance(value, dict):
            made.update({f"{name}.{key}": member for key, member in value.items()})
        else:
            made[name] = value
    return made


def _columns(kind: Type[Any], items: List[Any]) -> Tuple[List[str], List[Any]]:
    if kind is Run:
        return ["run", "name", "status", "score", "started"], [
            (run.run_id, run.name, run.status, run.score, run.start_time) for run in items]
    if kind is TraceInfo:
        return ["trace", "name", "status", "seconds", "request"], [
            (info.trace_id, info.name, info.status, info.duration, clean(info.get("requestPreview"), 60))
            for info in items]
    names = list(items[0])[:5] if items else []
    return names, [[item.get(name) for name in names] for item in items]

"""How results look: as text in a terminal, as HTML in a notebook. Values are never read as markup."""

from __future__ import annotations

import html
import importlib
import unicodedata
from typing import Any, Callable, List, Optional, Sequence, Tuple

Cells = Sequence[Any]


def clean(value: Any, limit: int = 200) -> str:
    """A value on one line, without terminal control characters, cut at the limit."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:,}" if isinstance(value, int) else f"{value:.2f}" if isinstance(value, float) else str(value)
    text = " ".join(text[: limit * 4].split())
    text = "".join(letter if unicodedata.category(letter)[0] != "C" else "·" for letter in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def percent(score: Any, interval: Any = None) -> str:
    """A score, with its interval if there is one: `40.0 % (21.9–61.3)`."""
    if not isinstance(score, (int, float)):
        return "none"
    text = f"{score:.1f} %"
    if isinstance(interval, (list, tuple)) and len(interval) == 2:
        text += f" ({interval[0]:.1f}–{interval[1]:.1f})"
    return text


def cost(usage: Any) -> str:
    """The usage and cost on one line."""
    usage = usage if isinstance(usage, dict) else {}
    words = [f"{usage['calls']:,} calls"] if isinstance(usage.get("calls"), int) else []
    if words and usage.get("cached"):
        words[0] += f" (and {usage['cached']:,} from the cache)"
    words.append(f"{usage.get('totalTokens', 0):,} tokens")
    if isinstance(usage.get("cost"), (int, float)):
        words.append(f"${usage['cost']:.4f}")
    estimated = usage.get("estimated")
    if isinstance(estimated, dict):
        words.append(f"up to {estimated.get('tokens', 0):,} tokens of them estimated")
    return ", ".join(words)


class View:
    """A title, facts below it, and a table: the layout of every result."""

    def __init__(
        self, title: str, facts: Sequence[Tuple[str, Any]] = (), columns: Sequence[str] = (),
        rows: Sequence[Cells] = (), more: Optional[str] = None, limit: int = 20,
    ) -> None:
        self.title = title
        self.facts = [(clean(name, 60), value) for name, value in facts if value not in (None, "", [], {})]
        self.columns = [clean(column, 60) for column in columns]
        self.rows = list(rows[:limit])
        left = len(rows) - limit
        self.more = clean(more) if more else f"… and {left} more" if left > 0 else None

    def text(self) -> str:
        """For a terminal."""
        lines = [clean(self.title)]
        width = max((len(name) for name, _ in self.facts), default=0)
        lines += [f"  {name:<{width}}  {clean(value)}" for name, value in self.facts]
        if self.rows:
            lines += ["", *self._table(lambda value: clean(value, 60))]
        if self.more:
            lines.append(f"  {self.more}")
        return "\n".join(lines)

    def _table(self, cell: Callable[[Any], str]) -> List[str]:
        grid = [self.columns, *[[cell(value) for value in row] for row in self.rows]]
        widths = [max(len(row[column]) for row in grid) for column in range(len(self.columns))]
        right = [all(isinstance(row[column], (int, float, type(None))) for row in self.rows)
                 for column in range(len(self.columns))]

        def line(row: Sequence[str]) -> str:
            padded = [text.rjust(width) if to_right else text.ljust(width)
                      for text, width, to_right in zip(row, widths, right)]
            return ("  " + "  ".join(padded)).rstrip()

        return [line(row) for row in grid]

    def html(self) -> str:
        """For a notebook."""
        def escaped(value: Any, limit: int = 400) -> str:
            return html.escape(clean(value, limit))

        parts = [f"<div><strong>{escaped(self.title)}</strong>"]
        if self.facts:
            rows = "".join(
                f"<tr><th style=\"text-align:left\">{escaped(name)}</th>"
                f"<td style=\"text-align:left\">{escaped(value)}</td></tr>" for name, value in self.facts)
            parts.append(f"<table>{rows}</table>")
        if self.rows:
            head = "".join(f"<th>{escaped(name)}</th>" for name in self.columns)
            body = "".join(
                "<tr>" + "".join(f"<td style=\"text-align:left\">{escaped(value)}</td>" for value in row) + "</tr>"
                for row in self.rows)
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
        if self.more:
            parts.append(f"<p>{escaped(self.more)}</p>")
        return "".join(parts) + "</div>"


def frame(rows: Sequence[Any], columns: Optional[Sequence[str]] = None) -> Any:
    """A DataFrame.

    Raises:
        ImportError: pandas is not installed.
    """
    try:
        pandas = importlib.import_module("pandas")
    except ImportError as error:
        raise ImportError("to_pandas() needs pandas: pip install pandas") from error
    return pandas.DataFrame(rows, columns=columns)

"""Python values in wire form: rows, data sets and what callbacks return."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import enum
import math
import os
import re
import uuid
from decimal import Decimal
from typing import Any, Dict, Iterable, List, Optional


def plain(value: Any) -> Any:
    """The value in JSON's types: NumPy numbers, dates, paths, data classes, Pydantic models, examples …

    NaN becomes null, as in pandas.

    Raises:
        TypeError: JSON cannot represent it.
    """
    if value is None or isinstance(value, (bool, str)) and not isinstance(value, enum.Enum):
        return value
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(plain(key)): plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(member) for member in value]
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        missing = value != value  # pandas' NaT
        return None if missing else value.isoformat()
    if isinstance(value, (os.PathLike, uuid.UUID)):
        return str(value)
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() else None
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode("ascii")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    for name in ("toDict", "model_dump", "tolist", "item"):  # DSPy, Pydantic, NumPy.
        method = getattr(value, name, None)
        if callable(method) and not isinstance(value, type):
            return plain(method())
    if type(value).__module__.partition(".")[0] == "pandas":  # NA, NaT
        return None
    raise TypeError(f"JSON cannot represent a {type(value).__name__}: {str(value)[:80]!r}")


def wire_rows(rows: Iterable[Any]) -> Any:
    """Rows as a data set: a list of objects, and which members are inputs if the rows define it."""
    made: List[Dict[str, Any]] = []
    inputs: Optional[frozenset[str]] = None
    for number, row in enumerate(rows):
        names = getattr(row, "input_names", None) or getattr(row, "_input_keys", None)
        if names:
            inputs = (inputs or frozenset()) | frozenset(names)
        as_dict = row.toDict() if callable(getattr(row, "toDict", None)) else row
        if not isinstance(as_dict, dict):
            as_dict = row._asdict() if callable(getattr(row, "_asdict", None)) else plain(row)
        if not isinstance(as_dict, dict):
            raise TypeError(f"Row {number} is a {type(row).__name__}; a row needs a value for each field, like a dict.")
        made.append(plain(as_dict))
    return {"rows": made, "inputs": sorted(inputs)} if inputs else made


def wire_dataset(data: Any) -> Any:
    """A data set in wire form.

    Rows (dicts, examples of DSPy, a DataFrame, anything that yields them), a path, `"name:split"`, or the wire
    form ({"path": …, "columns": {field: column}}, {"name": …}).

    Raises:
        TypeError: it is none of these.
    """
    if data is None:
        return None
    if isinstance(data, str):
        name, colon, split = data.partition(":")
        is_name = re.fullmatch(r"[a-z0-9-]+", name) and not os.path.exists(data)
        if is_name and (not colon or re.fullmatch(r"[a-z0-9-]+", split)):
            return {"name": name, **({"split": split} if colon else {})}
        return {"path": os.path.abspath(data)}
    if isinstance(data, os.PathLike):
        return {"path": os.path.abspath(os.fspath(data))}
    if isinstance(data, dict):
        # A path of the wire's form counts from where the service runs; from here it is meant.
        path = data.get("path")
        made = {key: value if key == "rows" else plain(value) for key, value in data.items()}
        if isinstance(path, (str, os.PathLike)):
            made["path"] = os.path.abspath(os.fspath(path))
        if "rows" in made and not isinstance(made["rows"], dict):
            rows = wire_dataset(made["rows"])
            return {**rows, **{key: value for key, value in made.items() if key != "rows"}} if isinstance(
                rows, dict) else {**made, "rows": rows}
        return made
    if hasattr(data, "to_dict") and hasattr(data, "columns"):
        return wire_rows(data.to_dict("records"))
    if isinstance(data, Iterable):
        return wire_rows(data)
    raise TypeError(f"A {type(data).__name__} is not a data set: give rows, a path, or a name such as \"gsm8k:train\".")

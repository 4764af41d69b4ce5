"""Python names in wire spelling."""

from __future__ import annotations

import re
from typing import Any, Dict

# Parameters whose own members are the service's names too. Those of an optimizer, a metric or a program are the
# field's (`num_candidates`), and rows hold data: they pass as they are.
_NESTED = {"autolog", "budget", "lm", "prompt_model", "teacher", "vectorizer"}


def camel(name: str) -> str:
    """`max_results` as `maxResults`."""
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


def wire_params(keywords: Dict[str, Any]) -> Dict[str, Any]:
    """Keyword arguments as the parameters of a request; those that are None are left out."""
    params = {}
    for name, value in keywords.items():
        if value is None:
            continue
        if name in _NESTED and isinstance(value, dict):
            value = {camel(key): member for key, member in value.items()}
        params[camel(name)] = value
    return params

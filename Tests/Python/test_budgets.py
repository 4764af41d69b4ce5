"""A budget bounds what the endpoint is made to produce: by the endpoint's own count, whatever becomes of its replies."""

import random
import signal

import pytest

from conftest import wait_until
from test_faults import OPTIMIZER, ROWS, faulty  # noqa: F401
from test_kill import Service

PRICE = {"input": 3.0, "output": 15.0}
KINDS = ["429", "500", "504", "garbage", "html", "empty", "blank", "broken", "cut", "close", "late", "nousage"]


def cost(stats_tokens):
    """The most that so many tokens can cost."""
    return stats_tokens * PRICE["output"] / 1e6


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_alone_stays_within_the_tokens(client, faulty, kind):  # noqa: F811
    base, statistics = faulty({kind: 0.4})
    lm = {"model": "openai/adder", "apiBase": base, "maxTokens": 100, "timeout": 0.2, "hedge": False}
    result = client.evaluate(
        "question -> answer", ROWS, "numeric_match", lm=lm, concurrency=4, budget={"maxTokens": 6000}, max_errors=100)
    produced = statistics()["produced"]
    assert produced <= 6000, kind
    assert produced <= result["usage"]["totalTokens"] <= 6000
    if kind in ("429", "500", "blank"):
        # Nothing, or what the endpoint counted.
        assert "estimated" not in result["usage"] and result["usage"]["totalTokens"] == produced
    else:
        usage = result["usage"]
        assert usage["estimated"]["requests"] > 0
        assert usage["estimated"]["tokens"] + usage["counted"]["tokens"] == usage["totalTokens"]


@pytest.mark.parametrize("seed", range(8))
def test_any_mixture_stays_within_every_bound(client, faulty, seed):  # noqa: F811
    draw = random.Random(seed)
    shares = {kind: draw.uniform(0, 0.15) for kind in draw.sample(KINDS, 5)}
    base, statistics = faulty(shares, seed=seed)
    # A provider whose endpoint gives one completion a request, or one that gives several.
    provider = draw.choice(["openai", "groq"])
    lm = {"model": f"{provider}/adder", "apiBase": base, "maxTokens": 120, "timeout": 0.3, "price": PRICE,
          "n": draw.choice([1, 1, 3]), "hedgeAfter": draw.choice([0.005, 0.05])}
    bound = {"maxCalls": draw.randrange(20, 60), "maxTokens": draw.randrange(5_000, 30_000), "maxCost": draw.uniform(0.02, 0.3)}
    budget = {name: bound[name] for name in draw.sample(list(bound), draw.choice([1, 2, 3]))}
    concurrency = draw.choice([1, 8, 64])
    if draw.random() < 0.5:
        result = client.evaluate(
            "question -> answer", ROWS, "numeric_match", lm=lm, concurrency=concurrency, budget=budget, max_errors=100)
    else:
        result = client.compile(
            "question -> answer", OPTIMIZER, ROWS[:16], "numeric_match", valset=ROWS[16:], lm=lm, seed=seed,
            concurrency=concurrency, budget=budget)
    counts, usage = statistics(), result["usage"]
    assert counts["calls"] <= budget.get("maxCalls", 1e9)
    assert counts["calls"] <= usage["calls"]
    assert counts["produced"] <= usage["totalTokens"] <= budget.get("maxTokens", 1e9)
    assert usage["cost"] <= budget.get("maxCost", 1e9) + 1e-9


def test_what_was_paid_of_several_completions_is_used(client, faulty):  # noqa: F811
    base, statistics = faulty({"500": 0.3}, seed=5)
    lm = {"model": "groq/adder", "apiBase": base, "n": 3, "hedge": False}
    result = client.evaluate("question -> answer", ROWS, "numeric_match", lm=lm, concurrency=8)
    counts = statistics()
    assert result["failed"] == 0 and counts["500"] > 10
    # Only what failed was asked for again.
    assert counts["calls"] - counts["500"] == 3 * len(ROWS)
    assert result["usage"]["calls"] == counts["calls"] and result["usage"]["failed"] == counts["500"]


def test_calls_in_flight_at_a_kill_are_on_the_bill(executable, faulty, tmp_path):  # noqa: F811
    import urllib.request

    base, statistics = faulty({})
    urllib.request.urlopen(base.replace("/v1", "/hold?after=10")).read()
    service = Service(executable, tmp_path)
    params = {
        "program": "question -> answer", "devset": ROWS, "metric": "numeric_match", "concurrency": 8,
        "lm": {"model": "openai/adder", "apiBase": base, "price": PRICE, "hedge": False, "timeout": 100}}
    service.peer.ask("evaluate", params)
    wait_until(lambda: statistics()["held"] == 8)
    service.kill()
    urllib.request.urlopen(base.replace("/v1", "/hold")).read()
    with service.database() as db:
        run = db.execute("SELECT run_id FROM answers").fetchone()[0]
        assert db.execute("SELECT count(*), min(estimated) FROM attempts").fetchone() == (8, 1)
    service.start()
    result = service.peer.call("resumeRun", {"runId": run})
    usage = result["usage"]
    assert result["failed"] == 0
    assert (usage["calls"], usage["failed"], usage["estimated"]["requests"]) == (len(ROWS) + 8, 8, 8)
    assert usage["estimated"]["tokens"] > 0 and usage["estimated"]["cost"] > 0
    service.kill()


@pytest.mark.parametrize("name", ["n", "best_of", "max_tokens", "max_completion_tokens", "stream"])
def test_extra_options_cannot_ask_for_more(client, faulty, name):  # noqa: F811
    import hone

    base, statistics = faulty({})
    lm = {"model": "openai/adder", "apiBase": base, "extra": {name: 3}}
    with pytest.raises(hone.HoneError) as caught:
        client.predict({"question": "What is 1 plus 2?"}, program="question -> answer", lm=lm)
    assert f"lm.extra.{name}" in str(caught.value)
    assert statistics()["calls"] == 0

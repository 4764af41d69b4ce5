"""One seed, one search: however many executions run at once."""

import pytest

from tutorial import compile_small

MODEL = {"model": "simulated", "cache": False}


@pytest.fixture(scope="module")
def results(executable, tmp_path_factory):
    """The same compile at concurrency 1 and 32, and once with another seed, each in a home of its own."""
    import hone

    def run(concurrency, seed):
        with hone.Client.start(tmp_path_factory.mktemp("home"), executable=executable) as client:
            return compile_small(client, lm=MODEL, seed=seed, concurrency=concurrency)

    return run(1, 7), run(32, 7), run(32, 8)


def course(result):
    return [(t["name"], t["score"], t["count"], t["failed"], t["coordinates"]) for t in result["trials"]]


def test_concurrency_changes_no_trial(results):
    one, many, _ = results
    assert course(one) == course(many)


def test_concurrency_changes_neither_program_nor_score_nor_cost(results):
    one, many, _ = results
    assert one["program"] == many["program"]
    assert one["programId"] == many["programId"]
    assert (one["score"], one["baselineScore"]) == (many["score"], many["baselineScore"])
    assert one["usage"] == many["usage"]


def test_another_seed_is_another_search(results):
    _, many, other = results
    assert course(many) != course(other)

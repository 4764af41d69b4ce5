"""A whole optimization of grade-school arithmetic against an endpoint that counts what it is asked."""

import pytest

from conftest import GSM8K, SIMLM

pytestmark = pytest.mark.skipif(
    not (SIMLM.exists() and GSM8K.exists()), reason="the simulated endpoint and GSM8K are not beside the project")


def test_a_light_search_gains_twenty_points_within_its_calls(client, endpoint):
    base, statistics = endpoint("--data", GSM8K)
    lm = {"model": "openai/sim", "apiBase": base}
    rows = {"name": "gsm8k", "path": str(GSM8K.parent), "split": "train", "limit": 100}
    unseen = {**rows, "split": "dev", "limit": 50}
    reports = []
    result = client.compile(
        "question -> answer", {"name": "MIPROv2", "auto": "light"}, rows, "gsm8k_metric",
        valset={**rows, "offset": 100}, lm=lm, experiment="gsm8k", concurrency=16, on_progress=reports.append)
    assert result["status"] == "FINISHED" and "simulated" not in result
    assert result["score"] >= result["baselineScore"] + 20
    asked = statistics()["calls"]
    assert asked <= 695
    assert result["usage"]["calls"] == asked
    assert result["usage"]["failed"] == 0
    assert [report["kind"] for report in reports[:1] + reports[-1:]] == ["begin", "end"]

    loaded = client.load_program(run=result["runId"])
    assert loaded["lm"]["model"] == "openai/sim"
    question = "A pen costs $3 and a book costs $8. How many dollars do two pens and a book cost?"
    answer = client.predict({"question": question}, program_id=loaded["programId"], lm=lm)
    assert set(answer["outputs"]) == {"reasoning", "answer"}
    held = client.evaluate({"run": result["runId"]}, unseen, "gsm8k_metric")
    plain = client.evaluate("question -> answer", unseen, "gsm8k_metric", lm=lm)
    assert held["failed"] == plain["failed"] == 0
    assert held["score"] > plain["score"]

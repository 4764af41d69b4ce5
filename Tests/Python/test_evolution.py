"""GEPA as people of DSPy write it, and the default search, through the service."""

import json

ROWS = [{"question": f"What is {a} plus {b}?", "answer": str(a + b)} for a in range(3, 9) for b in range(2, 9)]


def test_gepa_with_dspys_arguments_and_a_metric_that_explains(start, tmp_path):
    import hone

    asked = []

    def metric(gold, pred, trace=None, pred_name=None, pred_trace=None):
        asked.append((gold["question"], pred["answer"]))
        right = str(pred["answer"]).strip() == gold["answer"]
        return hone.Score(float(right), "Right." if right else f"Expected {gold['answer']}: mind the carry.")

    client = start(tmp_path)
    optimizer = hone.GEPA(metric=metric, auto="light", reflection_lm="simulated", track_stats=True, num_threads=4)
    result = client.compile("question -> answer", optimizer, ROWS[:20], valset=ROWS[20:], lm="simulated")
    assert result["status"] == "FINISHED" and result["score"] > result["baselineScore"]
    assert "new texts" in result.summary
    # Each row of an evaluation is judged once: score and feedback are one answer.
    judged = sum(trial["count"] for trial in result["trials"])
    assert len(asked) <= judged + 24, "some of the first rows are asked for the form of prompts, too"
    written = [t for t in client.list_traces(run_id=result["runId"], max_results=1000)["traces"]
               if t["metadata"].get("phase") == "reflect"]
    assert written
    told = client.get_trace(written[0]["traceId"])
    assert "mind the carry" in json.dumps(told)
    tree = {note["number"]: note for trial in result["trials"] if (note := trial.get("candidate"))}
    assert tree[0]["parents"] == [] and any(note["verdict"] == "kept" and note["parents"] for note in tree.values())


def test_a_compile_that_names_no_optimizer_searches_by_auto(start, tmp_path):
    client = start(tmp_path)
    result = client.call("compile", {
        "program": "question -> answer", "trainset": ROWS[:20], "valset": ROWS[20:], "metric": "numeric_match",
        "lm": "simulated", "budget": {"maxCalls": 150}})
    assert result["status"] == "FINISHED" and result["usage"]["calls"] <= 150
    run = client.get_run(result["runId"])["run"]
    assert run["params"]["optimizer"] == "Auto" and run["tags"]["hone.summary"] == result["summary"]
    assert result["selection"]["scoredOn"] == "rows that did not choose"

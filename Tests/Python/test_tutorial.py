"""The tutorial, from the experiment's name to the optimized program's answer, as a client meets it."""

import itertools
import json
import re

import pytest

from tutorial import DEVSET, QUESTION, TRAINSET, VALSET, compile_small

EXPERIMENT = "DSPy optimization"


@pytest.mark.parametrize("compiles, evals, traces", itertools.product([True, False], repeat=3))
def test_each_switch_tracks_its_own_part_and_no_other(client, compiles, evals, traces):
    autolog = {"compiles": compiles, "evals": evals, "traces_from_compile": traces}
    result = compile_small(client, experiment=EXPERIMENT, autolog=autolog)
    assert result["status"] == "FINISHED"
    runs = client.list_runs(EXPERIMENT)["runs"]
    parents = [run for run in runs if run["tags"].get("hone.kind") == "compile"]
    evaluations = [run for run in runs if run["name"].startswith("eval_")]
    assert len(parents) + len(evaluations) == len(runs)

    assert [run["runId"] for run in parents] == ([result["runId"]] if compiles else [])
    assert (result["runId"] is not None) == compiles
    assert (result["artifactUri"] is not None) == compiles
    if evals:
        assert {run["runId"] for run in evaluations} == {trial["runId"] for trial in result["trials"]}
        assert result["bestRunId"] in {run["runId"] for run in evaluations}
    else:
        assert evaluations == [] and result["bestRunId"] is None
    for run in evaluations:
        assert run.get("parentRunId") == (result["runId"] if compiles else None)
    if compiles:
        # The course of the scores is the compile's own, whether or not each evaluation has a run.
        history = client.get_run(result["runId"], history=True)["history"]
        assert len(history["eval_minibatch"]) == 3

    found = client.list_traces(experiment=EXPERIMENT, max_results=1000)["traces"]
    if traces:
        assert len(found) >= sum(trial["count"] for trial in result["trials"])
        if evals:
            kept = {trace.get("runId") for trace in found}
            assert {run["runId"] for run in evaluations} <= kept
    else:
        assert found == []


def test_tracking_that_is_switched_off_whole_leaves_nothing(client):
    result = compile_small(client, experiment=EXPERIMENT, autolog=False)
    assert result["runId"] is None
    assert client.list_runs()["runs"] == [] and client.list_traces()["traces"] == []


@pytest.mark.parametrize("compiles", [True, False])
def test_without_runs_for_evaluations_nothing_names_such_a_run(client, compiles):
    result = compile_small(client, experiment=EXPERIMENT, autolog={"compiles": compiles, "evals": False})
    assert {trial.get("runId") for trial in result["trials"]} == {None}
    found = client.list_traces(experiment=EXPERIMENT, max_results=1000)["traces"]
    assert {trace.get("runId") for trace in found} == {result["runId"]}


@pytest.fixture(scope="module")
def compiled(executable, tmp_path_factory):
    """A client and the result of one compile with everything tracked."""
    import hone

    with hone.Client.start(tmp_path_factory.mktemp("home"), executable=executable) as client:
        yield client, compile_small(client, experiment=EXPERIMENT, run_name="tutorial", tags={"team": "docs"})


def artifact(client, run_id, path):
    return json.loads(client.get_artifact(run_id, path)["text"])


def child(client, result, number):
    return client.get_run(result["trials"][number]["runId"])["run"]


def test_the_experiment_is_made_by_its_name(compiled):
    client, result = compiled
    experiments = client.list_experiments()["experiments"]
    assert result["experimentId"] in {e["experimentId"] for e in experiments if e["name"] == EXPERIMENT}


def test_the_result_says_what_was_reached_and_at_what_cost(compiled):
    _, result = compiled
    assert result["simulated"] is True
    assert result["baselineScore"] == result["trials"][0]["score"]
    full = [trial["score"] for trial in result["trials"] if trial["kind"] == "eval_full"]
    assert result["score"] == max(full) >= result["baselineScore"]
    low, high = result["interval"]
    assert 0 <= low <= result["score"] <= high <= 100
    usage = result["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"] > 0
    assert usage["calls"] == sum(role["calls"] for role in usage["byRole"].values())
    names = [trial["name"] for trial in result["trials"]]
    # The program as it is and with labelled demos, the other three of four trials, and the best of these.
    assert names == ["eval_full_0", "eval_full_1", *(f"eval_minibatch_{i}" for i in range(3)), "eval_full_2"]


def test_the_parent_and_its_children_are_listed(compiled):
    client, result = compiled
    answer = client.get_run(result["runId"])
    assert answer["children"] == len(result["trials"])
    run = answer["run"]
    assert (run["name"], run["status"], run["tags"]["team"]) == ("tutorial", "FINISHED", "docs")
    children = client.list_runs(parent_run_id=result["runId"], order_by=["attributes.start_time ASC"])["runs"]
    times = [run["startTime"] for run in children]
    assert times == sorted(times)
    scores = {run["runId"]: (run["name"], run["metrics"]["eval"]) for run in children}
    assert scores == {trial["runId"]: (trial["name"], trial["score"]) for trial in result["trials"]}
    assert {run["status"] for run in children} == {"FINISHED"}


def test_runs_are_found_by_what_they_hold(compiled):
    client, result = compiled
    found = client.list_runs(EXPERIMENT, filter="tags.hone.kind = 'compile' and metrics.score >= 0")["runs"]
    assert [run["runId"] for run in found] == [result["runId"]]
    assert client.list_runs(EXPERIMENT, filter="metrics.eval > 100")["runs"] == []
    ordered = client.list_runs(parent_run_id=result["runId"], order_by=["metrics.eval DESC"])["runs"]
    scores = [run["metrics"]["eval"] for run in ordered]
    assert scores == sorted(scores, reverse=True)


def test_pages_together_hold_every_run_once(compiled):
    client, result = compiled
    seen, token = [], None
    while True:
        page = client.list_runs(parent_run_id=result["runId"], max_results=2, page_token=token)
        assert len(page["runs"]) <= 2
        seen += [run["runId"] for run in page["runs"]]
        token = page["nextPageToken"]
        if token is None:
            break
    assert sorted(seen) == sorted(trial["runId"] for trial in result["trials"])


def test_the_parent_keeps_the_optimizers_settings(compiled):
    client, result = compiled
    params = client.get_run(result["runId"])["run"]["params"]
    assert params["optimizer"] == "MIPROv2"
    assert {name: params[name] for name in ("num_candidates", "num_trials", "minibatch_size", "seed")} == {
        "num_candidates": "3", "num_trials": "4", "minibatch_size": "10", "seed": "9"}
    assert params["metric"] == "numeric_match"
    assert json.loads(params["lm_params"])["model"] == "simulated"


def test_a_child_keeps_its_instructions_and_demos(compiled):
    client, result = compiled
    with_demos = 0
    for number, trial in enumerate(result["trials"]):
        params = child(client, result, number)["params"]
        state = artifact(client, trial["runId"], "model.json")
        assert params["ChainOfThought.predict.signature.instructions"] == state["predict"]["signature"]["instructions"]
        for index, demo in enumerate(state["predict"]["demos"]):
            with_demos += 1
            for field in ("question", "answer"):
                assert params[f"ChainOfThought.predict.demos.{index}.{field}"] == demo[field]
        for name, value in trial["coordinates"].items():
            assert params[name] == str(value)
    assert with_demos > 0


def test_metrics_are_kept_by_step(compiled):
    client, result = compiled
    history = client.get_run(result["runId"], history=True)["history"]
    for kind in ("eval_full", "eval_minibatch"):
        points = history[kind]
        assert [point["step"] for point in points] == list(range(len(points)))
        assert [point["value"] for point in points] == [t["score"] for t in result["trials"] if t["kind"] == kind]
    best = [point["value"] for point in history["best_score"]]
    assert best == sorted(best) and best[-1] == result["score"]


def test_the_parents_files_hold_the_program_before_and_after_and_the_data(compiled):
    client, result = compiled
    listed = client.list_artifacts(result["runId"])
    assert result["artifactUri"] == f"{listed['artifactUri']}/best_model.json"
    names = {file["path"] for file in listed["files"]}
    assert {"best_model.json", "initial_model.json", "trainset.json", "valset.json", "trials.json"} <= names
    assert artifact(client, result["runId"], "best_model.json") == result["program"]
    assert artifact(client, result["runId"], "initial_model.json")["predict"]["demos"] == []
    trainset = artifact(client, result["runId"], "trainset.json")
    assert len(trainset["data"]) == TRAINSET["limit"]
    assert {"question", "answer"} <= set(trainset["columns"])


def test_a_childs_table_agrees_with_its_score(compiled):
    client, result = compiled
    for trial in result["trials"]:
        table = artifact(client, trial["runId"], "result_table.json")
        score = table["columns"].index("score")
        assert len(table["data"]) == trial["count"]
        assert {"example_question", "example_answer", "pred_answer", "pred_reasoning"} <= set(table["columns"])
        assert 100 * sum(bool(row[score]) for row in table["data"]) / trial["count"] == trial["score"]


def test_the_data_sets_are_inputs_with_digests(compiled):
    client, result = compiled
    inputs = client.get_run(result["runId"])["run"]["inputs"]
    assert {i["context"]: i["name"] for i in inputs} == {
        "training": "word-problems/train", "validation": "word-problems/val"}
    assert {json.loads(i["profile"])["num_rows"] for i in inputs} == {20}
    digests = {i["digest"] for i in inputs}
    assert len(digests) == 2 and all(re.fullmatch(r"[0-9a-f]{8}", digest) for digest in digests)
    again = client.evaluate("question -> answer", VALSET, "numeric_match", lm="simulated")
    kept = client.get_run(again["runId"])["run"]["inputs"]
    assert [i["digest"] for i in kept] == [i["digest"] for i in inputs if i["name"] == "word-problems/val"]


def test_a_trace_can_be_stepped_through(compiled):
    client, result = compiled
    table = artifact(client, result["bestRunId"], "result_table.json")
    row = dict(zip(table["columns"], table["data"][0]))
    trace = client.get_trace(row["trace_id"])
    info, spans = trace["info"], trace["spans"]
    assert re.fullmatch(r"tr-[0-9a-f]{32}", info["traceId"])
    assert (info["status"], info["runId"], info["spanCount"]) == ("OK", result["bestRunId"], 5)
    assert info["usage"]["totalTokens"] == info["usage"]["inputTokens"] + info["usage"]["outputTokens"]

    tree = {span["name"]: span for span in spans}
    assert [span["name"] for span in spans] == [
        "ChainOfThought.forward", "Predict.forward", "ChatAdapter.format", "LM.__call__", "ChatAdapter.parse"]
    root, predict = tree["ChainOfThought.forward"], tree["Predict.forward"]
    assert root["parentId"] is None and predict["parentId"] == root["id"]
    assert {tree[name]["parentId"] for name in ("ChatAdapter.format", "LM.__call__", "ChatAdapter.parse")} == {
        predict["id"]}
    for span in spans:
        assert span["status"] == "OK"
        assert root["startTimeNs"] <= span["startTimeNs"] <= span["endTimeNs"] <= root["endTimeNs"]

    question = row["example_question"]
    assert root["inputs"]["question"] == question
    assert root["outputs"]["answer"] == row["pred_answer"]
    assert question in json.dumps(tree["LM.__call__"]["inputs"], ensure_ascii=False)
    assert tree["ChatAdapter.parse"]["outputs"]["answer"] == row["pred_answer"]
    only = client.get_trace(row["trace_id"], span_id=predict["id"])["spans"]
    assert only == [predict]


def test_a_trace_is_assessed_by_the_metric(compiled):
    client, result = compiled
    table = artifact(client, result["bestRunId"], "result_table.json")
    for values in table["data"][:5]:
        row = dict(zip(table["columns"], values))
        assessments = client.get_trace(row["trace_id"])["info"]["assessments"]
        assert [(a["name"], bool(a["value"]), a["sourceType"]) for a in assessments] == [
            ("numeric_match", bool(row["score"]), "CODE")]


def test_the_program_is_loaded_by_run_by_artifact_and_by_state_and_answers(compiled):
    client, result = compiled
    ways = [{"run": result["runId"]}, {"artifact_uri": result["artifactUri"]}, {"state": result["program"]}]
    loaded = [client.load_program(**way) for way in ways]
    assert {program["programId"] for program in loaded} == {result["programId"]}
    for program in loaded:
        assert program["state"] == result["program"]
        assert program["module"] == "ChainOfThought"
        predictor, = program["predictors"]
        assert predictor["instructions"] == result["program"]["predict"]["signature"]["instructions"]
        assert predictor["demos"] == result["program"]["predict"]["demos"]
    by_id = client.predict({"question": QUESTION}, program_id=loaded[0]["programId"], lm="simulated")
    assert set(by_id["outputs"]) == {"reasoning", "answer"}
    by_run = client.predict({"question": QUESTION}, program={"run": result["runId"]})
    assert by_run["outputs"] == by_id["outputs"]
    assert by_run["simulated"] is True
    assert client.get_trace(by_id["traceId"])["spans"][0]["inputs"]["question"] == QUESTION


def test_the_program_outlives_the_service(start, tmp_path):
    first = start(tmp_path / "home")
    result = compile_small(first)
    first.close()
    second = start(tmp_path / "home")
    assert second.load_program(run=result["runId"])["state"] == result["program"]
    scored = second.evaluate({"run": result["runId"]}, DEVSET, "numeric_match")
    assert scored["count"] == DEVSET["limit"] and scored["simulated"] is True

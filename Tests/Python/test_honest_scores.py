"""Scores that a careful person would compute by hand, and what is said where data would fool one."""

import json
import re
import subprocess

import hone
import pytest

from scripted_endpoint import Raw, ScriptedEndpoint

PREDICT = {"module": "Predict", "signature": "question -> answer"}
RIGHT = "[[ ## answer ## ]]\n{}\n\n[[ ## completed ## ]]"


def number_asked(body):
    return int(re.findall(r"(?i)question\s+number (\d+)\b", str(body["messages"][-1]["content"]))[-1])


def rows(numbers, **more):
    return [{"question": f"Question number {n}?", "answer": f"A{n * 7919 % 1000}", **more} for n in numbers]


def copying(body):
    """Knows nothing: answers with the answer of the demo that has the same question."""
    asked = number_asked(body)
    messages = body["messages"]
    for before, after in zip(messages, messages[1:-1]):
        if before["role"] == "user" and re.search(rf"(?i)question\s+number {asked}\?", str(before["content"])):
            found = re.findall(r"\[\[ ## answer ## \]\]\s*(\S+)", after["content"])
            if found:
                return RIGHT.format(found[0])
    return RIGHT.format("unknown")


# MARK: Leaks

@pytest.mark.parametrize("optimizer", [
    {"name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": 2}, "KNNFewShot", "LabeledFewShot",
    {"name": "MIPROv2", "auto": None, "num_candidates": 3, "num_trials": 4, "minibatch": False}])
@pytest.mark.parametrize("disguise", [False, True])
def test_a_model_that_copies_its_demos_gains_nothing(client, optimizer, disguise):
    train = rows(range(20))
    val = rows(range(20))
    if disguise:
        for row in val:
            row["question"] = "  " + row["question"].replace("Question number", "QUESTION  number")
    with ScriptedEndpoint(copying) as endpoint:
        result = client.compile(PREDICT, optimizer, train, "exact_match", valset=val, lm=endpoint.model(), seed=1)
    assert result["score"] == 0 and result.get("comparison", {}).get("verdict") != "better"
    assert any("rows of the valset are in the trainset, too" in text for text in result["warnings"])


def test_without_a_valset_the_trainset_is_said_to_be_scored(client):
    with ScriptedEndpoint(copying) as endpoint:
        result = client.compile(
            PREDICT, {"name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": 2}, rows(range(12)),
            "exact_match", lm=endpoint.model(), seed=1)
    assert result["score"] == 0 and result["selection"]["scoredOn"] == "trainset"
    assert any("There is no valset" in text for text in result["warnings"])


def test_rows_that_repeat_others_are_told_and_left_out_where_that_is_wanted(client):
    long = ("The old lighthouse keeper of the northern harbour writes a letter to his sister every Sunday evening and "
            "asks her about the weather, the children and the price of fish. Question number {}?")
    train = [{"question": long.format(n), "answer": "x"} for n in range(4)]
    near = {"question": long.format(1).replace("price of fish", "price of salt"), "answer": "x"}
    other = {"question": long.format(77), "answer": "x"}  # another number: another question
    val = [train[0], near, other, *rows(range(10, 14))]
    with ScriptedEndpoint(lambda body: RIGHT.format("A")) as endpoint:
        kept = client.compile(PREDICT, "LabeledFewShot", train, "exact_match", valset=val, lm=endpoint.model())
        dropped = client.compile(
            PREDICT, "LabeledFewShot", train, "exact_match", valset=val, lm=endpoint.model(), duplicates="drop")
    told = [text for text in kept["warnings"] if "trainset" in text]
    assert len(told) == 1 and "1 of the 7 rows of the valset are in the trainset, too (valset[0] and trainset[0])" in told[0]
    assert "1 nearly so (valset[1] and trainset[1])" in told[0]
    assert [trial["count"] for trial in kept["trials"]] == [7, 7]
    assert [trial["count"] for trial in dropped["trials"]] == [5, 5] and "left out" in " ".join(dropped["warnings"])


def test_repeated_rows_of_an_evaluation_are_told(client):
    devset = rows(range(5)) + rows([0, 1])
    with ScriptedEndpoint(lambda body: RIGHT.format("A0")) as endpoint:
        kept = client.evaluate(PREDICT, devset, "exact_match", lm=endpoint.model())
        dropped = client.evaluate(PREDICT, devset, "exact_match", lm=endpoint.model(), duplicates="drop")
    assert kept["count"] == 7 and "2 of the 7 rows of the devset repeat an earlier one" in kept["warnings"][0]
    assert dropped["count"] == 5 and dropped["score"] == 20.0


# MARK: Labels

def test_rows_without_a_label_are_left_out_and_named(client):
    devset = rows(range(10))
    for row in devset[::2]:
        del row["answer"]
    devset[1]["answer"] = None
    with ScriptedEndpoint(lambda body: RIGHT.format(f"A{number_asked(body) * 7919 % 1000}")) as endpoint:
        result = client.evaluate(PREDICT, devset, "exact_match", lm=endpoint.model())
        assert {number_asked(body) for body in endpoint.bodies} == {3, 5, 7, 9}
        with pytest.raises(hone.DatasetInvalid) as caught:
            client.evaluate(PREDICT, devset, "exact_match", lm=endpoint.model(), unlabeled="refuse")
        assert [problem["path"] for problem in caught.value.problems] == [f"devset[{i}]" for i in (0, 1, 2, 4, 6, 8)]
        scored = client.evaluate(PREDICT, devset, "exact_match", lm=endpoint.model(), unlabeled="score")
    assert result["score"] == 100.0 and result["count"] == 4 and [r["index"] for r in result["results"]] == [3, 5, 7, 9]
    assert "6 of the 10 rows of the devset have no value for \"answer\"" in result["warnings"][0]
    assert "0–2, 4, 6, 8" in result["warnings"][0]
    assert scored["count"] == 10 and scored["failed"] == 6 and scored["score"] == 40.0


def test_a_resumed_search_says_again_which_rows_were_left_out(executable, client, tmp_path):
    val = rows(range(40, 60))
    for row in val[::4]:
        del row["answer"]
    state = {"calls": 0, "broke": True}

    def script(body):
        state["calls"] += 1
        if state["broke"] and state["calls"] > 25:
            raise Raw(402, {"error": {"message": "Insufficient credits."}})
        return leaning(body)

    with ScriptedEndpoint(script) as endpoint:
        stopped = client.compile(
            PREDICT, {"name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": 1}, rows(range(20)),
            "exact_match", valset=val, lm=endpoint.model(), seed=1)
        state["broke"] = False
        done = client.resume_run(stopped["runId"])
    assert (stopped["status"], done["status"]) == ("PAUSED", "FINISHED")
    told = [text for text in stopped["warnings"] if "left out: 0, 4, 8, 12, 16." in text]
    assert len(told) == 1 and told[0] in done["warnings"]
    assert all(trial["count"] == 15 for trial in done["trials"])


def test_a_set_without_any_label_is_refused_before_a_call(client):
    with ScriptedEndpoint(lambda body: RIGHT.format("A")) as endpoint:
        with pytest.raises(hone.DatasetInvalid) as caught:
            client.evaluate(PREDICT, [{"question": "q", "anwser": "A"}], "exact_match", lm=endpoint.model())
        assert not endpoint.bodies
    assert caught.value.problems[0]["suggestion"] == "anwser"


# MARK: Scale and ends

@pytest.mark.parametrize("ratings", [[87.5, 87.5, 87.5], [1, 4, 5], [-1, 0, 1]])
def test_a_metric_beyond_0_to_1_is_noticed_once(client, ratings):
    values = iter(ratings * 10)
    def rating(example, prediction):
        return next(values)

    with ScriptedEndpoint(lambda body: RIGHT.format("A")) as endpoint:
        result = client.evaluate(PREDICT, rows(range(3)), rating, lm=endpoint.model(), concurrency=1)
    told = [text for text in result["warnings"] if "metric_threshold" in text]
    assert len(told) == 1 and "rating" in told[0] and str(float(max(ratings))) in told[0]


@pytest.mark.parametrize("optimizer", [
    {"name": "MIPROv2", "auto": "light"}, {"name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": 4}])
def test_a_program_that_is_perfect_already_ends_the_search(client, optimizer):
    with ScriptedEndpoint(lambda body: RIGHT.format(f"A{number_asked(body) * 7919 % 1000}")) as endpoint:
        result = client.compile(
            PREDICT, optimizer, rows(range(10)), "exact_match", valset=rows(range(20, 30)), lm=endpoint.model(), seed=1)
    assert result["status"] == "FINISHED" and result["score"] == 100.0 and result["usage"]["calls"] <= 20
    assert any("nothing can score better" in text for text in result["warnings"])


# MARK: Honest selection

def leaning(body):
    """Right with demos on even questions, without on those that 4 divides."""
    number = number_asked(body)
    has_demos = len(body["messages"]) > 2
    return RIGHT.format(f"A{number * 7919 % 1000}" if number % (2 if has_demos else 4) == 0 else "unknown")


def test_a_testset_is_scored_once_and_never_seen_by_the_search(client, tmp_path):
    test = rows(range(200, 240))
    with ScriptedEndpoint(leaning) as endpoint:
        result = client.compile(
            PREDICT, {"name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": 2}, rows(range(20)),
            "exact_match", valset=rows(range(40, 80)), testset=test, lm=endpoint.model(), seed=1)
        asked = [number_asked(body) for body in endpoint.bodies]
        shown = [str(body["messages"][:-1]) for body in endpoint.bodies]
        again = client.compile(
            PREDICT, {"name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": 1}, rows(range(20)),
            "exact_match", valset=rows(range(40, 80)), testset=test, lm=endpoint.model(), seed=1)
    first = min(i for i, number in enumerate(asked) if number >= 200)
    assert all(number >= 200 for number in asked[first:]) and len(asked[first:]) == 80
    assert not any(re.search(r"Question number 2[0-3]\d", text) for text in shown)
    scores = result["test"]
    assert (scores["count"], scores["baselineScore"], scores["score"]) == (40, 25.0, 50.0)
    assert scores["comparison"]["verdict"] == "better" and scores["looks"] == 1
    assert scores["gap"] == result["score"] - 50.0 == 0
    assert result["selection"]["candidates"] >= 3 and result["selection"]["optimism"] > 0
    assert result["comparison"]["adjustedPValue"] >= result["comparison"]["pValue"]
    assert again["test"]["looks"] == 2 and again["test"]["comparison"]["comparisons"] == 2
    metrics = client.get_run(result["runId"])["run"]["metrics"]
    assert (metrics["test_score"], metrics["test_baseline_score"]) == (50.0, 25.0)
    estimate = client.compile(
        PREDICT, {"name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": 2}, rows(range(20)), "exact_match",
        valset=rows(range(40, 80)), testset=test, lm="simulated", estimate=True)
    assert estimate["phases"][-1]["name"] == "test" and estimate["phases"][-1]["calls"] == {"min": 40, "max": 80}


def test_no_real_gain_is_said_as_plainly_as_a_gain(executable, tmp_path):
    def noise(body):
        number = number_asked(body)
        lucky = len(body["messages"]) > 2 and 40 <= number < 60
        return RIGHT.format(f"A{number * 7919 % 1000}" if number % 4 == 0 or lucky else "unknown")

    request = {
        "program": PREDICT, "optimizer": "LabeledFewShot", "trainset": rows(range(10)), "metric": "exact_match",
        "valset": rows(range(40, 80)), "testset": rows(range(200, 240))}
    with ScriptedEndpoint(noise) as endpoint:
        (tmp_path / "r.json").write_text(json.dumps({**request, "lm": endpoint.model()}))
        done = subprocess.run(
            [executable, "compile", "r.json"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "never seen by the search): no real gain" in done.stdout
    assert re.search(r"valset +testset", done.stdout) and "valset less testset: 37.50 points" in done.stdout


def test_several_candidates_are_corrected_for_each_other(client):
    devset = rows(range(20))
    runs = []
    for shift in (0, 6, 7, 20):
        with ScriptedEndpoint(
                lambda body: RIGHT.format(f"A{number_asked(body) * 7919 % 1000}" if number_asked(body) < shift else "no")
        ) as endpoint:
            runs.append(client.evaluate(PREDICT, devset, "exact_match", lm=endpoint.model(cache=False))["runId"])
    found = [one["comparison"] for one in client.call("compareRuns", {"runIds": runs})["comparisons"]]
    raw = [one["pValue"] for one in found]
    assert raw == pytest.approx([2 / 2**6, 2 / 2**7, 2 / 2**20])
    assert [one["adjustedPValue"] for one in found] == pytest.approx([2 / 2**6, 4 / 2**7, 6 / 2**20])
    assert [one["verdict"] for one in found] == ["better", "better", "better"] and found[0]["comparisons"] == 3
    alone = client.call("compareRuns", {"runIds": runs[:2]})["comparisons"][0]["comparison"]
    assert "adjustedPValue" not in alone


# MARK: Assertions

def evaluate(executable, directory, endpoint, *options):
    (directory / "d.json").write_text(json.dumps({
        "program": PREDICT, "devset": rows(range(20)), "metric": "exact_match", "lm": endpoint.model(cache=False)}))
    return subprocess.run(
        [executable, "evaluate", "d.json", *options], cwd=directory, capture_output=True, text=True, timeout=120)


def test_assertions_decide_the_status(executable, tmp_path):
    def up_to(bound):
        return lambda body: RIGHT.format(f"A{number_asked(body) * 7919 % 1000}" if number_asked(body) < bound else "no")

    with ScriptedEndpoint(up_to(16)) as endpoint:
        good = evaluate(executable, tmp_path, endpoint, "--assert", "score >= 80", "--assert", "failed == 0")
        assert good.returncode == 0 and "holds: score >= 80" in good.stdout
        bad = evaluate(executable, tmp_path, endpoint, "--assert", "score>80", "--assert", "count <= 20")
        assert bad.returncode == 5 and "FAILS: score > 80.0: score is 80.0" in bad.stdout and "holds: count" in bad.stdout
        wrong = evaluate(executable, tmp_path, endpoint, "--assert", "skore > 1")
        assert wrong.returncode == 64 and "score" in wrong.stderr
        run = re.search(r"^run (\w+)$", good.stdout, re.M)[1]
    with ScriptedEndpoint(up_to(6)) as endpoint:
        worse = evaluate(executable, tmp_path, endpoint, "--assert-no-worse", run)
        assert worse.returncode == 5 and f"FAILS: no worse than {run}: worse on 20 rows" in worse.stdout
        assert "lower on rows 6, 7, 8" in worse.stdout
        as_json = evaluate(executable, tmp_path, endpoint, "--assert", "score > 50", "--json")
        assert as_json.returncode == 5 and json.loads(as_json.stdout)["score"] == 30.0 and "FAILS" in as_json.stderr
    with ScriptedEndpoint(up_to(15)) as endpoint:
        same = evaluate(executable, tmp_path, endpoint, "--assert-no-worse", run)
        assert same.returncode == 0 and "holds: no worse" in same.stdout


# MARK: All at once

def troubled(body):
    """Of the first 200 questions every 20th is filtered, the next cut, the next empty, the next a tool call."""
    number = number_asked(body)
    kind = number % 20
    if kind == 0:
        raise Raw(400, {"error": {"message": "The prompt triggered the content management policy.", "code": "content_filter"}})
    if kind == 1:
        return {"content": "[[ ## answer", "finish_reason": "length"}
    if kind == 2:
        return ""
    if kind == 3:
        return {"content": None, "finish_reason": "tool_calls", "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}]}
    return RIGHT.format(f"A{number * 7919 % 1000}" if number % 2 == 0 else "no")


def troubled_rows():
    devset = rows(range(200))
    for place in range(4, 200, 20):
        del devset[place]["answer"]
    for place in range(5, 200, 20):
        devset[place] = dict(devset[place + 1])
    return devset


def test_two_hundred_rows_with_every_trouble_at_once(executable, client, tmp_path):
    """Result, page and terminal say what happened, and the score is the one that is computed here by hand."""
    devset = troubled_rows()
    expected = []
    for place, row in enumerate(devset):
        number = int(re.search(r"\d+", row["question"])[0])
        kind = number % 20
        if "answer" not in row or kind == 0:
            continue  # no label: not asked; refused: says nothing of the program
        expected.append(1 if kind > 3 and number % 2 == 0 else 0)
    by_hand = round(100 * sum(expected) / len(expected), 2)

    with ScriptedEndpoint(troubled) as endpoint:
        lm = endpoint.model(temperature=0)
        result = client.evaluate(PREDICT, devset, "exact_match", lm=lm, concurrency=16)
        (tmp_path / "r.json").write_text(json.dumps({
            "program": PREDICT, "devset": devset, "metric": "exact_match", "lm": lm, "concurrency": 16}))
        shown = subprocess.run([executable, "evaluate", "r.json"], cwd=tmp_path, capture_output=True, text=True, timeout=120)

    assert result["status"] == "FINISHED" and result["score"] == by_hand
    assert (result["count"], result["failed"], result["refused"]) == (190, 40, 10)
    assert result["coverage"] == pytest.approx(180 / 190)
    kinds = {}
    for row in result["results"]:
        if row.get("error"):
            kinds[row["error"]["kind"]] = kinds.get(row["error"]["kind"], 0) + 1
    assert kinds == {"contentRefused": 10, "replyCut": 10, "replyEmpty": 10, "replyToolCall": 10}
    assert result["replies"]["cut"] >= 10
    told = "\n".join(result["warnings"])
    assert "10 of the 200 rows of the devset have no value" in told and "10 of the 190 rows of the devset repeat" in told

    assert shown.returncode == 0, shown.stderr
    assert f"score {by_hand:.2f}" in shown.stdout and "40 failed, 10 of them refused and not scored" in shown.stdout
    for words in ("10 refused by a content filter or the model", "10 cut off at the token limit", "10 without text",
                  "10 a tool call in place of an answer"):
        assert words in shown.stdout, shown.stdout
    assert told in "\n".join(line.removeprefix("warning: ") for line in shown.stdout.splitlines())
    run = client.get_run(result["runId"])["run"]
    assert run["metrics"]["eval"] == by_hand and run["metrics"]["refused"] == 10
    assert run["tags"]["hone.warnings"] == told

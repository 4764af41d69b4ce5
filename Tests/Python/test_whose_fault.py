"""Whose fault a failed call is decides what becomes of the rest: the row's, the account's, the options', the endpoint's.

Each is a case that people of the field reported, with further members of its kind.
"""

import json
import os
import re
import subprocess
import sys
import time

import hone
import pytest

from scripted_endpoint import Raw, ScriptedEndpoint

PREDICT = {"module": "Predict", "signature": "question -> answer"}
ROWS = [{"question": f"Question number {i}?", "answer": "Paris"} for i in range(12)]
RIGHT = "[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]"
FILTERED = {"error": {"message": "The response was filtered due to the prompt triggering the content management policy.",
                      "type": None, "param": "prompt", "code": "content_filter", "status": 400,
                      "innererror": {"code": "ResponsibleAIPolicyViolation"}}}


def asked_for(body, number):
    return f"Question number {number}?" in str(body["messages"][-1]["content"])


def refusals():
    flagged = {"code": 403, "message": "Your chosen model requires moderation and your input was flagged",
               "metadata": {"reasons": ["violence"], "flagged_input": "insufficient credit"}}
    return {
        "azure": Raw(400, FILTERED), "openrouter": Raw(403, {"error": flagged}),
        "gemini": Raw(200, {"promptFeedback": {"blockReason": "SAFETY"}}),
        "refusal": {"content": None, "refusal": "I can't help with that."},
        "finish_reason": {"content": "Half of", "finish_reason": "content_filter"},
        "text": "I'm sorry, but I can't assist with that request.",
    }


@pytest.mark.parametrize("form", refusals())
def test_a_refused_row_is_one_rows_affair(client, form):
    """It is counted apart, asked once, out of the score, and says why in the endpoint's words."""

    def script(body):
        if not asked_for(body, 4):
            return RIGHT
        answer = refusals()[form]
        if isinstance(answer, Raw):
            raise answer
        return answer

    with ScriptedEndpoint(script) as endpoint:
        result = client.evaluate(PREDICT, ROWS, "exact_match", lm=endpoint.model(), concurrency=1)
        asked = sum(asked_for(body, 4) for body in endpoint.bodies)
    assert (result["status"], result["score"], result["count"], result["failed"], result["refused"]) == (
        "FINISHED", 100.0, 12, 1, 1)
    assert result["coverage"] == pytest.approx(11 / 12)
    error = result["results"][4]["error"]
    assert error["kind"] == "contentRefused" and result["results"][4]["score"] is None
    if form in ("azure", "openrouter", "refusal", "text"):
        assert re.search("filtered due to|flagged|can't help|can't assist", error["message"])
    assert asked == 1


def test_a_search_goes_on_past_a_refused_row(client):
    def script(body):
        if asked_for(body, 4) or asked_for(body, 7):
            raise Raw(400, FILTERED)
        return RIGHT if "Paris" in str(body["messages"][:-1]) else RIGHT.replace("Paris", "Rome")

    with ScriptedEndpoint(script) as endpoint:
        result = client.compile(
            PREDICT, {"name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": 2}, ROWS[:8], "exact_match",
            valset=ROWS[4:], lm=endpoint.model())
    assert result["status"] == "FINISHED" and result["score"] == 100.0 and result["baselineScore"] == 0.0
    assert all(trial["refused"] == 2 for trial in result["trials"])


def test_a_run_in_which_every_row_is_refused_has_no_score(client):
    def script(body):
        raise Raw(400, FILTERED)

    with ScriptedEndpoint(script) as endpoint:
        with pytest.raises(hone.HoneError) as caught:
            client.evaluate(PREDICT, ROWS, "exact_match", lm=endpoint.model(), adapter="chat")
        assert len(endpoint.bodies) == 12
    assert caught.value.kind == "contentRefused" and "All 12 examples were refused" in str(caught.value)
    run = client.get_run(caught.value.data["runId"])["run"]
    assert run["status"] == "FAILED" and "eval" not in run["metrics"]


@pytest.mark.parametrize("answer,kind", [
    (Raw(402, {"error": {"message": "Insufficient credits. Add more in your account's settings.", "code": 402}}),
     "insufficientCredit"),
    (Raw(429, {"error": {"message": "You exceeded your current quota.", "code": "insufficient_quota"}}),
     "insufficientCredit"),
    (Raw(400, {"error": {"message": "Your credit balance is too low to access the API."}}), "insufficientCredit"),
    (Raw(429, {"error": {"message": "Rate limit exceeded: free-models-per-day."}}), "quotaExhausted"),
])
def test_an_account_that_is_empty_pauses_the_run_at_once(client, answer, kind):
    def script(body):
        if len(endpoint.bodies) > 4:
            raise answer
        return RIGHT

    with ScriptedEndpoint(script) as endpoint:
        # The form is given, so that nothing is tried before the evaluation.
        result = client.evaluate(
            PREDICT, ROWS, "exact_match", lm=endpoint.model(retries=5), concurrency=1, adapter="chat")
        asked = len(endpoint.bodies)
    words = answer.body["error"]["message"]
    assert result["status"] == "PAUSED" and result["error"]["kind"] == kind and asked == 5
    assert words in result["error"]["cause"] and (result["count"], result["failed"], result["score"]) == (5, 1, 100.0)
    assert ("credit" if kind == "insufficientCredit" else "quota") in result["error"]["remedy"].lower()
    assert result["resumeCommand"] in result["error"]["remedy"]
    tags = client.get_run(result["runId"])["run"]["tags"]
    assert words in tags["hone.error"]


def test_options_that_an_endpoint_refuses_end_the_run_at_once(client):
    def script(body):
        raise Raw(400, {"error": {"message": "Unsupported value: 'temperature' does not support 0.7 with this model.",
                                  "code": "unsupported_value", "param": "temperature"}})

    with ScriptedEndpoint(script) as endpoint:
        with pytest.raises(hone.HoneError) as caught:
            client.evaluate(PREDICT, ROWS, "exact_match", lm=endpoint.model(temperature=0.7), concurrency=1)
        assert len(endpoint.bodies) == 1
    assert caught.value.kind == "languageModelRejected" and "temperature" in caught.value.data["cause"]


def test_the_member_that_bounds_tokens_is_learned(client):
    def script(body):
        if "max_tokens" in body:
            raise Raw(400, {"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. "
                                                 "Use 'max_completion_tokens' instead.", "code": "unsupported_parameter"}})
        return RIGHT

    with ScriptedEndpoint(script) as endpoint:
        for question in "ab":
            answer = client.predict({"question": question}, program=PREDICT, lm=endpoint.model(maxTokens=100))
            assert answer["outputs"] == {"answer": "Paris"}
        members = ["max_tokens" in body for body in endpoint.bodies]
    assert members == [True, False, False]


# MARK: Replies without text

@pytest.mark.parametrize("reply,kind,words", [
    ({"content": "[[ ## reasoning ## ]]\nFirst we note that", "finish_reason": "length"}, "replyCut", "maxTokens"),
    ({"content": None, "reasoning_content": "Hm, let me", "finish_reason": "length"}, "replyCut", "maxTokens"),
    ({"content": None, "finish_reason": "tool_calls", "tool_calls": [
        {"id": "1", "type": "function", "function": {"name": "final", "arguments": "{\"answer\": \"Paris\"}"}}]},
     "replyToolCall", "tool"),
    ({"content": ""}, "replyEmpty", "template"),
])
def test_a_reply_without_an_answer_says_which_kind_it_is(client, reply, kind, words):
    with ScriptedEndpoint(lambda body: reply) as endpoint:
        with pytest.raises(hone.HoneError) as caught:
            client.predict({"question": "q"}, program="question -> answer", lm=endpoint.model(maxTokens=10, temperature=0))
        assert len(endpoint.bodies) == 1
    assert caught.value.kind == kind and words in caught.value.data["remedy"]
    if reply.get("finish_reason"):
        spans = client.get_trace(caught.value.data["traceId"])["spans"]
        reasons = [span["attributes"]["finish_reasons"] for span in spans if "finish_reasons" in span.get("attributes", {})]
        assert reasons == [[reply["finish_reason"]]]


def test_what_a_model_thought_fills_the_reasoning(client):
    reply = {"content": "[[ ## answer ## ]]\n42\n\n[[ ## completed ## ]]", "reasoning_content": "six times seven"}
    with ScriptedEndpoint(lambda body: reply) as endpoint:
        answer = client.predict({"question": "q"}, program="question -> answer", lm=endpoint.model())
    assert answer["outputs"] == {"reasoning": "six times seven", "answer": "42"}


def test_an_answer_in_the_place_of_thoughts_is_used(client):
    with ScriptedEndpoint(lambda body: {"content": None, "reasoning_content": RIGHT}) as endpoint:
        answer = client.predict({"question": "q"}, program=PREDICT, lm=endpoint.model())
        assert len(endpoint.bodies) == 1
    assert answer["outputs"] == {"answer": "Paris"}


# MARK: Waiting

def test_a_pause_of_an_hour_is_told_and_pauses_the_run(client):
    def script(body):
        raise Raw(429, {"error": {"message": "daily limit reached"}}, Retry_After="3600")

    with ScriptedEndpoint(script) as endpoint:
        began = time.monotonic()
        with pytest.raises(hone.HoneError) as caught:
            client.predict({"question": "q"}, program=PREDICT, lm=endpoint.model(retries=12))
        assert time.monotonic() - began < 5 and len(endpoint.bodies) == 1
        assert "UTC (60 min)" in str(caught.value) and "maxWait" in caught.value.data["remedy"]
        with pytest.raises(hone.HoneError) as caught:
            client.evaluate(PREDICT, ROWS, "exact_match", lm=endpoint.model(retries=12))
    assert caught.value.kind == "quotaExhausted" and "hone resume" in caught.value.data["remedy"]
    assert client.get_run(caught.value.data["runId"])["run"]["tags"]["hone.status"] == "PAUSED"


def test_a_shorter_pause_is_waited_for_and_everybody_is_told(client):
    def script(body):
        if len(endpoint.bodies) == 1:
            raise Raw(503, {"error": {"message": "maintenance, back in a moment"}}, Retry_After="3")
        return RIGHT

    heard = []
    with ScriptedEndpoint(script) as endpoint:
        began = time.monotonic()
        result = client.evaluate(
            PREDICT, ROWS[:2], "exact_match", lm=endpoint.model(retries=3), concurrency=1, adapter="chat",
            on_progress=lambda value: heard.append((time.monotonic() - began, value)))
    assert result["score"] == 100.0 and time.monotonic() - began > 3
    waits = [(at, value) for at, value in heard if (value.get("data") or {}).get("waitingUntil")]
    assert waits and waits[0][0] < 1.5, heard
    assert "until" in waits[0][1]["message"] and "maintenance, back in a moment" in waits[0][1]["message"]
    assert client.get_run(result["runId"])["run"]["tags"]["hone.waiting"].split(" ", 1)[1].startswith("waiting for http")


def test_the_terminal_tells_what_is_waited_for(executable, tmp_path):
    def script(body):
        raise Raw(429, {"error": {"message": "slow down, please"}}, Retry_After="30")

    with ScriptedEndpoint(script) as endpoint:
        process = subprocess.Popen(
            [executable, "predict", "--program", json.dumps(PREDICT), "--lm", json.dumps(endpoint.model(retries=3)),
             "question=q"], stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        began = time.monotonic()
        line = process.stderr.readline()
        process.kill()
        process.communicate()
    assert time.monotonic() - began < 5
    assert "waiting for" in line and "UTC" in line and "slow down, please" in line


def test_the_terminal_and_the_page_say_what_to_do(executable, client, tmp_path):
    def script(body):
        if len(endpoint.bodies) > 4:
            raise Raw(402, {"error": {"message": "Insufficient credits."}})
        return RIGHT

    with ScriptedEndpoint(script) as endpoint:
        (tmp_path / "r.json").write_text(json.dumps({
            "program": PREDICT, "devset": ROWS, "metric": "exact_match", "lm": endpoint.model(), "adapter": "chat",
            "concurrency": 1}))
        done = subprocess.run(
            [executable, "evaluate", "r.json", "--home", str(tmp_path / "home")], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 3
    assert "PAUSED:" in done.stdout and "Insufficient credits." in done.stdout
    assert "Add credit to the account" in done.stdout and "it goes on with: hone resume" in done.stdout
    run = client.list_runs()[0]
    assert "Add credit" in run.tags["hone.remedy"] and "Insufficient credits." in run.tags["hone.error"]


# MARK: Costs that endpoints tell

@pytest.mark.parametrize("usage", [
    {"prompt_tokens": 1000, "completion_tokens": 500, "cost": 0.004},
    {"prompt_tokens": 1000, "completion_tokens": 500, "cost": {"total_cost": 0.004, "input_tokens_cost": 0.003}},
])
def test_a_told_cost_is_the_cost_and_keeps_the_budget(client, usage):
    with ScriptedEndpoint(lambda body: {"content": RIGHT, "usage": usage}) as endpoint:
        result = client.evaluate(PREDICT, ROWS[:6], "exact_match", lm=endpoint.model(), concurrency=2)
        assert result["usage"]["cost"] == pytest.approx(0.004 * result["usage"]["calls"])
        bounded = client.evaluate(
            PREDICT, [{**row, "question": "Another: " + row["question"]} for row in ROWS], "exact_match", concurrency=4,
            lm=endpoint.model(maxTokens=600), budget={"maxCost": 0.01})
    assert bounded["status"] == "BUDGET_EXHAUSTED" and 0.004 <= bounded["usage"]["cost"] <= 0.01


def test_a_budget_of_dollars_that_cannot_be_kept_is_no_finished_run(client):
    with ScriptedEndpoint(lambda body: RIGHT) as endpoint:
        with pytest.raises(hone.HoneError) as caught:
            client.evaluate(PREDICT, ROWS[:6], "exact_match", lm=endpoint.model(), budget={"maxCost": 0.01}, concurrency=1)
        assert len(endpoint.bodies) <= 1
    assert caught.value.kind == "invalidParams" and "price" in caught.value.data["remedy"]

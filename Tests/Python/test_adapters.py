"""In which form models are asked, and how what they write is read: over the wire, with endpoints that do what models do."""

import json
import re

import hone
import pytest
from scripted_endpoint import Refusal, ScriptedEndpoint

PREDICT = {"module": "Predict", "signature": "question -> answer"}
ROWS = [{"question": f"Question number {n}?", "answer": f"A{n}"} for n in range(12)]


def form(body):
    """The form that a request asks for."""
    system = body["messages"][0]["content"]
    return "json" if "JSON object" in system else "chat" if "[[ ## answer ## ]]" in system else "other"


def number(body):
    return re.findall(r"Question number (\d+)\?", body["messages"][-1]["content"])[-1]


def knows_json(body):
    return json.dumps({"answer": "A" + number(body)}) if form(body) == "json" else "{}"


def predict(client, script, program=PREDICT, inputs=None, **options):
    with ScriptedEndpoint(script) as endpoint:
        settings = options.pop("lm", {})
        try:
            return client.predict(
                inputs or {"question": "q"}, program=program, lm=endpoint.model(**settings), **options), endpoint
        except hone.HoneError as error:
            return error, endpoint


# One reply


@pytest.mark.parametrize("text", ["Positive.", "positive.", "Label: positive", "**Positive**", "The answer is positive."])
def test_near_labels_are_read(client, text):
    program = {"module": "Predict", "signature": "question -> answer: Literal['positive', 'negative']"}
    result, endpoint = predict(client, lambda _: f"[[ ## answer ## ]]\n{text}\n\n[[ ## completed ## ]]", program)
    assert result.answer == "positive"
    assert len(endpoint.bodies) == 1


def test_what_an_endpoint_gives_as_thoughts_fills_the_reasoning(client):
    def script(_):
        return {"content": "[[ ## answer ## ]]\n42", "reasoning_content": "six times seven"}
    result, endpoint = predict(client, script, "question -> answer")
    assert result.outputs == {"reasoning": "six times seven", "answer": "42"}
    assert len(endpoint.bodies) == 1
    # Kept with the answer: the store's reply has it too.
    result, endpoint = predict(client, lambda _: "<think>six times seven</think>[[ ## answer ## ]]\n42", "question -> answer")
    assert result.outputs == {"reasoning": "six times seven", "answer": "42"}


def test_a_reply_that_came_as_thoughts_is_used(client):
    result, endpoint = predict(client, lambda _: {"content": None, "reasoning_content": "[[ ## answer ## ]]\nParis"})
    assert result.answer == "Paris"
    assert len(endpoint.bodies) == 1


def test_a_tool_call_in_place_of_an_answer_is_said(client):
    call = {"id": "1", "type": "function", "function": {"name": "final", "arguments": "{}"}}
    error, endpoint = predict(client, lambda _: {"content": None, "tool_calls": [call], "finish_reason": "tool_calls"})
    assert "called a tool" in str(error)
    assert len(endpoint.bodies) == 1


def test_a_reply_cut_off_within_its_form_is_not_asked_for_again(client):
    error, endpoint = predict(
        client, lambda _: {"content": "[[ ## reasoning ## ]]\nFirst we note that", "finish_reason": "length"},
        "question -> answer", lm={"maxTokens": 10})
    assert "cut off at the token limit" in str(error)
    assert "maxTokens" in error.remedy
    assert len(endpoint.bodies) == 1


def test_an_unreadable_reply_is_asked_for_afresh_in_another_form(client):
    program = {"module": "Predict", "signature": "question -> answer: int"}
    result, endpoint = predict(
        client, lambda body: '{"answer": 5}' if form(body) == "json" else "That is hard to say.", program)
    assert result.answer == 5
    assert [form(body) for body in endpoint.bodies] == ["chat", "json"]
    # Afresh: nothing of the first exchange is shown.
    assert [m["role"] for m in endpoint.bodies[1]["messages"]] == ["system", "user"]
    assert endpoint.bodies[1]["response_format"]["type"] == "json_schema"
    assert result.replies == {"count": 2, "unreadable": 1, "cut": 0, "repaired": 0}


def test_a_wrong_value_is_told_what_is_wrong(client):
    program = {"module": "Predict", "signature": "question -> answer: int, unit"}

    def script(body):
        amount = "7" if "cannot be used" in body["messages"][-1]["content"] else "plenty"
        return f"[[ ## answer ## ]]\n{amount}\n\n[[ ## unit ## ]]\nkg"
    result, endpoint = predict(client, script, program)
    assert result.outputs == {"answer": 7, "unit": "kg"}
    assert "`answer` should be int" in endpoint.bodies[1]["messages"][-1]["content"]


@pytest.mark.parametrize("program, words", [
    ("question -> answer: int", "The model's reply could not be read, 3 times"),
    ({"steps": [
        {"name": "plan", "module": "Predict", "signature": "question -> size: int"},
        {"name": "solve", "signature": "question, size -> answer"}]},
     'The model\'s reply to the step "plan" could not be read, 3 times'),
])
def test_the_message_names_the_step_as_the_user_knows_it(client, program, words):
    error, _ = predict(client, lambda _: "I do not know.", program)
    assert words in str(error)


def test_a_form_that_does_not_suit_the_program_is_refused(client):
    error, endpoint = predict(client, lambda _: "x", "question -> answer", adapter="plain")
    assert "plain" in str(error) and "reasoning" in str(error)
    assert not endpoint.bodies


# Runs


def test_an_evaluation_learns_the_form_and_says_so(client):
    with ScriptedEndpoint(knows_json) as endpoint:
        result = client.evaluate(PREDICT, ROWS, "exact_match", lm=endpoint.model())
    assert result.score == 100
    assert result.adapter["format"] == "json"
    assert {tried["format"] for tried in result.adapter["tried"]} == {"chat", "json", "plain", "xml"}
    assert result.replies["unreadable"] == 0
    run = client.get_run(result.run_id).run
    assert run.params["adapter"] == "json"
    assert run.metrics["unreadable"] == 0
    # The program of the run is asked in that form from now on.
    with ScriptedEndpoint(knows_json) as endpoint:
        again = client.predict({"question": "Question number 3?"}, program={"run": result.run_id}, lm=endpoint.model())
    assert again.answer == "A3"
    assert [form(body) for body in endpoint.bodies] == ["json"]


def test_a_search_learns_the_form_once_and_resumes_with_it(start, tmp_path):
    client = start(tmp_path / "home")
    with ScriptedEndpoint(knows_json) as endpoint:
        optimizer = {"name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": 3, "max_labeled_demos": 2}
        options = dict(valset=ROWS, lm=endpoint.model(), seed=1)
        whole = client.compile(PREDICT, optimizer, ROWS, "exact_match", **options)
        assert whole.status == "FINISHED" and whole.score == 100
        assert whole.program["metadata"]["hone"]["adapter"] == "json"
        assert client.get_run(whole.run_id).run.params["adapter"] == "json"
        calls = len(endpoint.bodies)
        # Stopped in the middle of learning, and gone on with: nothing is asked twice.
        other = start(tmp_path / "other")
        cut = other.compile(PREDICT, optimizer, ROWS, "exact_match", budget={"max_calls": 20}, **options)
        assert cut.status == "BUDGET_EXHAUSTED"
        rest = other.resume_run(cut.run_id, budget={"max_calls": 1000})
        assert rest.status == "FINISHED"
        assert rest.adapter == whole.adapter
        assert rest.usage.calls == whole.usage.calls
        assert len(endpoint.bodies) == 2 * calls


def test_a_search_on_a_model_that_nobody_can_read_ends_at_once(client):
    program = {"module": "Predict", "signature": "question -> answer: int"}
    rows = [{"question": f"Question number {n}?", "answer": n} for n in range(60)]
    with ScriptedEndpoint(lambda _: "It is raining outside.") as endpoint:
        result = client.compile(program, {"name": "MIPROv2", "auto": "light"}, rows, "exact_match", lm=endpoint.model())
    assert result.status == "FAILED"
    assert "could be read" in result["error"]["message"] and "raining" in result["error"]["message"]
    assert "another model" in result["error"]["remedy"]
    assert result.score is None
    assert len(endpoint.bodies) <= 52


def test_the_share_of_replies_that_cannot_be_read_stands_beside_the_score(client):
    program = {"module": "Predict", "signature": "question -> answer: int"}
    rows = [{"question": f"Question number {n}?", "answer": n} for n in range(10)]

    def script(body):
        return "Hm." if number(body) == "9" else f"[[ ## answer ## ]]\n{number(body)}"
    with ScriptedEndpoint(script) as endpoint:
        result = client.evaluate(program, rows, "exact_match", lm=endpoint.model(), adapter="chat")
    assert result.score == 90 and result.failed == 1
    # The tenth row is asked in chat, in JSON and in a plain question.
    assert result.replies == {"count": 12, "unreadable": 3, "cut": 0, "repaired": 0}
    run = client.get_run(result.run_id).run
    assert run.metrics["unreadable"] == pytest.approx(3 / 12)


def test_an_endpoint_that_takes_no_schema_is_asked_without_and_remembered(start, tmp_path):
    def script(body):
        if body.get("response_format"):
            raise Refusal(400, f"response_format {body['response_format']['type']} is not supported")
        return '{"answer": "Paris"}'

    with ScriptedEndpoint(script) as endpoint:
        client = start(tmp_path / "home")
        assert client.predict({"question": "q"}, program=PREDICT, lm=endpoint.model(), adapter="json").answer == "Paris"
        kinds = [(body.get("response_format") or {}).get("type") for body in endpoint.bodies]
        assert kinds == ["json_schema", "json_object", None]
        client.close()
        # Another process knows it from the store.
        client = start(tmp_path / "home")
        client.predict({"question": "another"}, program=PREDICT, lm=endpoint.model(), adapter="json")
        assert len(endpoint.bodies) == 4 and "response_format" not in endpoint.bodies[3]


def test_a_prompt_model_that_writes_nonsense_is_told_of_once_in_words(client):
    rows = [{"question": f"Question number {n}?", "answer": f"A{n}"} for n in range(40)]

    def script(body):
        if "[[ ## answer ## ]]" in body["messages"][0]["content"]:
            return f"[[ ## answer ## ]]\nA{number(body)}" if int(number(body)) % 2 else "[[ ## answer ## ]]\nwrong"
        return "..."
    with ScriptedEndpoint(script) as endpoint:
        result = client.compile(PREDICT, {"name": "MIPROv2", "auto": "light"}, rows, "exact_match", lm=endpoint.model())
    assert result.status == "FINISHED"
    words = [line for line in result.warnings if "instructions could not be used" in line]
    assert len(words) == 1 and "openai/m cannot write instructions: name a stronger promptModel" in words[0]
    assert not any("propose/" in line or "observe/" in line for line in result.warnings)
    # Once that is clear, no more are asked for.
    asked = sum("proposed_instruction" in body["messages"][0]["content"] for body in endpoint.bodies)
    assert asked <= 6

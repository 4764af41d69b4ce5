"""ReAct programs with the client's tools, and judges as metrics."""

import json
import re

import pytest
from test_callbacks import ROWS, connect  # noqa: F401  (a fixture)
from test_host_programs import outputs_asked
from wire import Raised, Refused

TOOLS = [
    {"name": "add", "description": "adds two numbers", "args": {"a": {"type": "integer"}, "b": {"type": "integer"}}},
    {"name": "lookup", "description": "looks a word up", "args": {"word": {"type": "string"}}}]
AGENT = {"module": "ReAct", "signature": "question -> answer", "tools": TOOLS, "max_iters": 4}


def sections(**fields):
    return {"text": "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in fields.items())}


def thinking(params):
    """Calls a tool that fails, then one that helps, then finishes."""
    text = params["messages"][-1]["content"]
    asked = outputs_asked(text)
    if "next_tool_name" not in asked:
        found = re.findall(r"observation_\d+: (\d+)", text)
        return sections(reasoning="from the tool", answer=found[-1] if found else "?")
    numbers = re.findall(r"What is (\d+) \+ (\d+)", text)[-1]
    if "observation_0" not in text:
        return sections(next_thought="a word?", next_tool_name="lookup", next_tool_args='{"word": "sum"}')
    if "observation_1" not in text:
        return sections(next_thought="add", next_tool_name="add", next_tool_args=json.dumps({"a": int(numbers[0]), "b": int(numbers[1])}))
    return sections(next_thought="done", next_tool_name="finish", next_tool_args="{}")


def tool(params):
    if params["name"] == "add":
        return {"result": params["args"]["a"] + params["args"]["b"]}
    raise Raised("there is no dictionary")


def test_a_react_program(connect):  # noqa: F811
    peer = connect(tool_call=tool, languageModel_complete=thinking)
    result = peer.call("evaluate", {"program": AGENT, "devset": ROWS, "metric": "exact_match", "lm": {"client": "m"}})
    assert result["score"] == 100.0 and result["usage"]["calls"] == 4 * len(ROWS)
    outputs = result["results"][1]["outputs"]
    assert outputs["answer"] == "4" and outputs["reasoning"] == "from the tool"
    trajectory = outputs["trajectory"]
    assert trajectory["tool_name_0"] == "lookup" and "there is no dictionary" in trajectory["observation_0"]
    assert trajectory["tool_args_1"] == {"a": 2, "b": 2} and trajectory["observation_1"] == 4
    assert trajectory["tool_name_2"] == "finish" and "thought_3" not in trajectory
    spans = peer.call("getTrace", {"traceId": result["results"][1]["traceId"]})["spans"]
    by_id = {span["id"]: span for span in spans}
    shape = [(span["name"], span["type"], by_id[span["parentId"]]["name"] if span["parentId"] else None) for span in spans]
    assert shape[0] == ("ReAct.forward", "CHAIN", None)
    assert ("Tool.lookup", "TOOL", "ReAct.forward") in shape and ("Tool.add", "TOOL", "ReAct.forward") in shape
    assert ("ChainOfThought.forward", "CHAIN", "ReAct.forward") in shape
    failed = next(span for span in spans if span["name"] == "Tool.lookup")
    assert failed["status"] == "ERROR" and "there is no dictionary" in failed["statusMessage"]
    called = next(span for span in spans if span["name"] == "Tool.add")
    assert called["inputs"] == {"a": 2, "b": 2} and called["outputs"] == 4
    # The model was told what tools there are.
    system = peer.asked[0]["params"]["messages"][0]["content"]
    assert all(word in system for word in ("adds two numbers", "lookup", "finish", '"integer"'))


def test_turns_are_bounded(connect):  # noqa: F811
    def restless(params):
        asked = outputs_asked(params["messages"][-1]["content"])
        if "next_tool_name" in asked:
            return sections(next_thought="more", next_tool_name="add", next_tool_args='{"a": 1, "b": 1}')
        return sections(reasoning="enough", answer="2")

    peer = connect(tool_call=tool, languageModel_complete=restless)
    result = peer.call("predict", {"program": AGENT, "inputs": {"question": "What is 1 + 1?"}, "lm": {"client": "m"}})
    assert result["outputs"]["answer"] == "2" and result["usage"]["calls"] == 5


def test_tools_that_nobody_serves(connect):  # noqa: F811
    peer = connect(languageModel_complete=thinking)
    peer.call("initialize", {"capabilities": {"callbacks": {"tools": ["look_up", "add"]}}})
    with pytest.raises(Refused) as failure:
        peer.call("predict", {"program": AGENT, "inputs": {"question": "What is 1 + 1?"}, "lm": {"client": "m"}})
    assert failure.value.code == -32602 and failure.value.data["problems"][0]["suggestion"] == "look_up"
    with pytest.raises(Refused) as failure:
        connect(languageModel_complete=thinking).call("predict", {"program": AGENT, "inputs": {"question": "What is 1 + 1?"}, "lm": {"client": "m"}})
    assert failure.value.kind == "programInvalid" and "tool/call" in str(failure.value)


def test_a_react_compiles_and_dspy_loads_it(connect, tmp_path):  # noqa: F811
    dspy = pytest.importorskip("dspy")
    peer = connect(tool_call=tool, languageModel_complete=thinking)
    compiled = peer.call("compile", {
        "program": AGENT, "optimizer": {"name": "BootstrapFewShot", "max_bootstrapped_demos": 2, "max_labeled_demos": 2},
        "trainset": ROWS[:6], "valset": ROWS[6:10], "metric": "exact_match", "lm": {"client": "m"}})
    assert list(compiled["program"]) == ["react", "extract.predict", "metadata"]
    demos = [demo for demo in compiled["program"]["react"]["demos"] if demo.get("augmented")]
    assert demos and set(demos[0]) == {"augmented", "question", "trajectory", "next_thought", "next_tool_name", "next_tool_args"}
    path = str(tmp_path / "agent.json")
    peer.call("saveProgram", {"programId": compiled["programId"], "path": path})

    def add(a: int, b: int) -> int:
        """adds two numbers"""
        return a + b

    def lookup(word: str) -> str:
        """looks a word up"""
        raise ValueError

    theirs = dspy.ReAct("question -> answer", tools=[add, lookup])
    theirs.load(path)
    assert "adds two numbers" in theirs.react.signature.instructions
    assert len(theirs.react.demos) == len(compiled["program"]["react"]["demos"])
    names = [field["prefix"] for field in compiled["program"]["react"]["signature"]["fields"]]
    assert names == [field["prefix"] for field in theirs.dump_state()["react"]["signature"]["fields"]]
    theirs.save(str(tmp_path / "theirs.json"))
    loaded = peer.call("loadProgram", {"path": str(tmp_path / "theirs.json"), **AGENT})
    assert [predictor["name"] for predictor in loaded["predictors"]] == ["react", "extract.predict"]


def test_instructions_without_the_tools_get_them_back(connect):  # noqa: F811
    peer = connect(tool_call=tool, languageModel_complete=thinking)
    state = peer.call("loadProgram", {"state": peer.call("compile", {
        "program": AGENT, "optimizer": {"name": "LabeledFewShot", "k": 1}, "trainset": ROWS[:2], "metric": "exact_match",
        "lm": {"client": "m"}})["program"]})["state"]
    state["react"]["signature"]["instructions"] = "Think hard."
    peer.asked.clear()
    result = peer.call("predict", {"program": {"state": state}, "inputs": {"question": "What is 1 + 1?"}, "lm": {"client": "m"}})
    assert result["outputs"]["answer"] == "2"
    system = peer.asked[0]["params"]["messages"][0]["content"]
    assert "Think hard." in system and "adds two numbers" in system


def test_a_react_within_a_host_program(connect):  # noqa: F811
    peer = None

    def forward(params):
        outputs = peer.call("predict", {"executionId": params["executionId"], "predictor": "agent", "inputs": params["inputs"]})["outputs"]
        return {"outputs": {"answer": outputs["answer"]}}

    peer = connect(tool_call=tool, languageModel_complete=thinking, program_forward=forward)
    result = peer.call("compile", {
        "program": {"host": "P", "signature": "question -> answer", "predictors": {"agent": AGENT}},
        "optimizer": {"name": "BootstrapFewShot", "max_bootstrapped_demos": 1}, "trainset": ROWS[:4], "valset": ROWS[4:8],
        "metric": "exact_match", "lm": {"client": "m"}})
    assert result["score"] == 100.0
    assert list(result["program"]) == ["agent.react", "agent.extract.predict", "metadata"]


# Judges


def judging(params):
    text = params["messages"][-1]["content"]
    asked = outputs_asked(text)
    if "grade" in asked or "score" in asked:
        sections_given = dict(re.findall(r"\[\[ ## (\w+) ## \]\]\n(.*)", text))
        right = sections_given["answer"] == sections_given["expected_answer"]
        return sections(reasoning="compared", **{name: {"grade": "5" if right else "2", "score": "yes" if right else "no"}[name] for name in asked if name in ("grade", "score")},
                        **({"feedback": "as it should be" if right else "look again"} if "feedback" in asked else {}))
    number = int(text.split("What is ")[-1].split(" ")[0])
    return sections(reasoning="r", answer=str(2 * number + (number % 4 == 0)))


@pytest.mark.parametrize("judge, score", [
    ({"signature": "question, answer, expected_answer -> score: bool, feedback"}, 75.0),
    ({"signature": "question, answer, expected_answer -> score, feedback", "module": "Predict"}, 75.0),
    ({"signature": "answer, expected_answer -> grade: int, feedback", "range": [1, 5]}, 81.25),
    ({"signature": "answer, expected_answer -> feedback, grade: float", "threshold": 4, "field": "grade"}, 75.0)])
def test_judges(connect, judge, score):  # noqa: F811
    peer = connect(languageModel_complete=judging)
    result = peer.call("evaluate", {
        "program": "question -> answer", "devset": ROWS, "metric": {"judge": {**judge, "name": "strict"}}, "lm": {"client": "m"}})
    assert result["score"] == score and result["failed"] == 0
    assert result["usage"]["byRole"]["judge"]["calls"] == len(ROWS)
    assert result["results"][3]["feedback"] == "look again"
    trace = peer.call("getTrace", {"traceId": result["results"][3]["traceId"]})
    assessment = trace["info"]["assessments"][0]
    assert assessment["name"] == "strict" and assessment["sourceType"] == "LLM_JUDGE"
    by_id = {span["id"]: span for span in trace["spans"]}
    span = next(span for span in trace["spans"] if span["name"] == "judge.strict")
    assert span["type"] == "EVALUATOR" and by_id[span["parentId"]] == trace["spans"][0]
    assert any(by_id.get(inner["parentId"]) == span for inner in trace["spans"])


def test_a_judge_of_its_own_model_and_its_budget(connect):  # noqa: F811
    peer = connect(languageModel_complete=judging)
    request = {
        "program": "question -> answer", "devset": ROWS, "lm": {"client": "m"}, "concurrency": 1, "budget": {"maxCalls": 11},
        "metric": {"judge": {"signature": "guess, expected_answer, answer -> score", "lm": {"client": "wise"}, "inputs": {"guess": "prediction.answer"}}}}
    result = peer.call("evaluate", request)
    assert result["status"] == "BUDGET_EXHAUSTED" and result["usage"]["calls"] == 11
    assert {m["params"]["name"] for m in peer.asked} == {"m", "wise"}


def test_what_is_wrong_with_a_judge(connect):  # noqa: F811
    peer = connect(languageModel_complete=judging)
    with pytest.raises(Refused) as failure:
        peer.call("evaluate", {"program": "question -> answer", "devset": ROWS, "lm": {"client": "m"}, "metric": {
            "judge": {"signature": "answer -> score", "field": "scoer", "inputs": {"anser": "prediction.answer"}, "treshold": 1}}})
    places = {problem["path"]: problem for problem in failure.value.data["problems"]}
    assert places["metric.judge.treshold"]["suggestion"] == "threshold"
    with pytest.raises(Refused) as failure:
        peer.call("evaluate", {"program": "question -> answer", "devset": ROWS, "lm": {"client": "m"}, "metric": {
            "judge": {"signature": "answer -> score", "field": "scoer", "inputs": {"anser": "prediction.answer"}}}})
    places = {problem["path"]: problem for problem in failure.value.data["problems"]}
    assert places["metric.judge.field"]["suggestion"] == "score" and places["metric.judge.inputs.anser"]["suggestion"] == "answer"
    # Where nothing could be judged there is no score.
    with pytest.raises(Refused) as failure:
        peer.call("evaluate", {"program": "question -> answer", "devset": ROWS[:3], "lm": {"client": "m"}, "metric": {
            "judge": {"signature": "solution -> score"}}})
    assert failure.value.data["kind"] == "metricFailed" and "\"solution\"" in str(failure.value)

"""A client's metric with feedback and a client's proposer in optimizations of programs of several steps."""

import re

import pytest

import hone

ROWS = [{"question": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(24)]
STEPS = {"steps": [
    {"name": "plan", "module": "Predict", "signature": "question -> plan"},
    {"name": "work", "module": "Predict", "signature": "question, plan -> draft"},
    {"name": "say", "module": "Predict", "signature": "question, draft -> answer"},
]}


def asked(text):
    names = re.findall(r"\[\[ ## (\w+) ## \]\]", text.rpartition("Respond with")[2])
    return [name for name in names if name != "completed"]


def sections(**values):
    return "".join(f"[[ ## {name} ## ]]\n{value}\n\n" for name, value in values.items()) + "[[ ## completed ## ]]"


@hone.model
def follower(messages, **options):
    """Adds rightly where each step was told to mind its work, else one too many."""
    system, text = messages[0]["content"], messages[-1]["content"]
    number = int(re.findall(r"What is (\d+)", text)[-1])
    wanted = asked(text)
    minds = "MIND" in system
    if "next_tool_name" in wanted:
        if "observation_0" in text:
            return sections(next_thought="done", next_tool_name="finish", next_tool_args="{}")
        given = number if minds else number + 1
        return sections(next_thought="add", next_tool_name="double", next_tool_args=f'{{"number": {given}}}')
    if "answer" in wanted and "observation_0" in text:
        return sections(reasoning="seen", answer=re.findall(r"observation_0[^\d]*(\d+)", text)[-1])
    if "answer" in wanted:
        draft = re.findall(r"\[\[ ## draft ## \]\]\n(\d+)", text)
        return sections(answer=int(draft[-1]) if minds else int(draft[-1]) + 1000)
    if "draft" in wanted:
        return sections(draft=2 * number if minds and "careful" in text else 2 * number + number % 2)
    return sections(**{name: "careful" if minds else "quick" for name in wanted})


@hone.metric
def judged(example, prediction):
    right = str(example.answer) == str(prediction.answer)
    if right:
        return hone.Score(1.0, "right")
    return {"score": 0.5 if str(prediction.answer).endswith(example.answer[-1]) else 0.0, "feedback": "wrong",
            "by_predictor": {"say": "The sum comes out a thousand too high."}}


class Writer:
    """Writes an instruction, and remembers for what."""

    def __init__(self):
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        return f"MIND what you are given. Version {len(self.requests)}."


def double(number: int) -> int:
    """Doubles a number."""
    return 2 * number


@pytest.mark.parametrize("name", ["GEPA", "auto"])
def test_a_program_of_three_predictors(client, name):
    writer = Writer()
    settings = {"max_metric_calls": 250} if name == "GEPA" else {"max_bootstrapped_demos": 0, "max_labeled_demos": 0}
    optimizer = hone.Optimizer(name, metric=judged, proposer=writer, **settings)
    result = client.compile(
        STEPS, optimizer, ROWS[:12], valset=ROWS[12:], lm=follower, adapter="chat", budget={"maxCalls": 900})
    assert result.score > result.baseline_score
    assert result.usage.calls > 0 and writer.requests
    request = writer.requests[0]
    assert request.kind == ("instruction" if name == "GEPA" else "rule") and request.limit > 0
    assert {one.predictor for one in writer.requests} <= {"plan", "work", "say"}
    told = [row.feedback for one in writer.requests for row in one.rows if one.predictor == "say" and row.score == 0]
    assert told and set(told) == {"The sum comes out a thousand too high."}
    row = request.rows[0]
    assert row.example.question and row.inputs.question == row.example.question and row.outputs and row.prediction.answer
    assert "MIND" in str(result.program)


def test_a_react_program(client):
    writer = Writer()
    agent = hone.ReAct("question -> answer", tools=[double], max_iters=3)
    optimizer = hone.GEPA(metric=judged, instruction_proposer=writer, max_metric_calls=150)
    result = client.compile(agent, optimizer, ROWS[:12], valset=ROWS[12:], lm=follower, adapter="chat")
    assert result.score == 100 and result.baseline_score < 100
    assert writer.requests[0].rows[0].inputs is not None


def test_a_chain_of_optimizers(client):
    writer = Writer()
    chain = hone.BetterTogether(
        metric=judged, strategy="first -> GEPA",
        optimizers={"first": hone.Optimizer("LabeledFewShot", k=2),
                    "GEPA": hone.GEPA(proposer=writer, max_metric_calls=200)})
    result = client.compile(STEPS, chain, ROWS[:12], valset=ROWS[12:], lm=follower, adapter="chat")
    assert writer.requests and result.score > result.baseline_score
    assert "GEPA (2 of 2)" in result.summary


def test_a_resumed_run_asks_a_proposer_nothing_twice(client):
    asked_of = []

    @hone.proposer(name="pen", timeout=30)
    def pen(request):
        asked_of.append((request.predictor, request.instruction, tuple(str(row.example) for row in request.rows)))
        return f"MIND what you are given. {request.predictor} {len(request.instruction)}."

    optimizer = {"name": "GEPA", "max_metric_calls": 250, "proposer": pen}
    whole = client.compile(
        STEPS, optimizer, ROWS[:12], valset=ROWS[12:], metric=judged, lm=follower, adapter="chat")
    before = list(asked_of)
    asked_of.clear()
    part = client.compile(
        STEPS, optimizer, ROWS[:12], valset=ROWS[12:], metric=judged, lm=follower, adapter="chat",
        budget={"maxTokens": 30_000}, seed=0)
    rest = client.resume_run(part.run_id, functions=[pen, judged, follower], budget={"maxTokens": 100_000_000})
    assert rest.score == whole.score
    assert asked_of == before

"""A Python program with a loop, an if, a tool and a metric of its own, compiled with MIPROv2 over the wire and in dspy."""

import json
import random

import pytest
from conftest import GSM8K, SIMLM
from wire import Peer

pytestmark = pytest.mark.skipif(not (SIMLM.exists() and GSM8K.exists()), reason="needs the simulated endpoint and GSM8K")


def rows():
    found = []
    for line in open(GSM8K, encoding="utf-8"):
        row = json.loads(line)
        found.append({"question": row["question"], "answer": row["answer"].split("####")[1].strip().replace(",", "")})
    random.Random(0).shuffle(found)
    return found[:50], found[200:300]


class Checksum:
    """The program's tool: knows of each question the sum of its answer's digits modulo 3, as a unit test might."""

    def __init__(self, *sets):
        self.known = {row["question"]: self.of(row["answer"]) for rows in sets for row in rows}
        self.calls = 0

    @staticmethod
    def of(answer):
        return sum(int(digit) for digit in str(answer) if digit.isdigit()) % 3

    def __call__(self, question, answer):
        self.calls += 1
        return self.known[question] == self.of(answer)


def solve(question, plan, answer, check):
    """The program: plan, answer, check; once more, with another plan, if the check fails."""
    rejected = []
    for _ in range(2):
        hint = plan(question=question, rejected=rejected)
        result = answer(question=question, hint=hint)
        if check(question, result):
            break
        rejected.append(result)
    return result


def metric(example, prediction):
    return str(example["answer"]) == str(prediction).strip()


def ours(executable, home, base, trainset, valset):
    check, peer = Checksum(trainset, valset), None

    def forward(params):
        def call(predictor, output):
            return lambda **inputs: peer.call(
                "predict", {"executionId": params["executionId"], "predictor": predictor, "inputs": inputs})["outputs"][output]
        question = params["inputs"]["question"]
        return {"outputs": {"answer": solve(question, call("plan", "hint"), call("answer", "answer"), check)}}

    peer = Peer.started(executable, home, handlers={
        "program/forward": forward,
        "metric/score": lambda params: metric(params["example"], params["prediction"]["answer"])})
    result = peer.call("compile", {
        "program": {"host": "Solver", "signature": "question -> answer", "predictors": {
            "plan": "question, rejected: list[str] -> hint",
            "answer": {"module": "ChainOfThought", "signature": "question, hint -> answer"}}},
        "optimizer": {"name": "MIPROv2", "auto": "light"}, "trainset": trainset, "valset": valset, "seed": 9,
        "metric": {"client": "same"}, "lm": {"model": "openai/sim", "apiBase": base, "apiKeyEnv": "HOME"}}, timeout=300)
    peer.close()
    assert check.calls > 500
    return result


def theirs(base, trainset, valset, monkeypatch):
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "true")
    dspy = pytest.importorskip("dspy")
    check = Checksum(trainset, valset)

    class Solver(dspy.Module):
        def __init__(self):
            super().__init__()
            self.plan = dspy.Predict("question, rejected: list[str] -> hint")
            self.answer = dspy.ChainOfThought("question, hint -> answer")

        def forward(self, question):
            return dspy.Prediction(answer=solve(
                question, lambda **inputs: self.plan(**inputs).hint, lambda **inputs: self.answer(**inputs).answer, check))

    def score(example, prediction, trace=None):
        return metric(example, prediction.answer)

    examples = [[dspy.Example(**row).with_inputs("question") for row in rows] for rows in (trainset, valset)]
    with dspy.context(lm=dspy.LM("openai/sim", api_key="x", api_base=base, cache=False)):
        best = dspy.MIPROv2(metric=score, auto="light", num_threads=8, seed=9).compile(Solver(), trainset=examples[0], valset=examples[1])
    return best


def test_it_improves_as_in_dspy(executable, tmp_path, endpoint, monkeypatch):
    trainset, valset = rows()
    base, _ = endpoint("--data", GSM8K)
    result = ours(executable, tmp_path / "home", base, trainset, valset)
    dspy_best = theirs(base, trainset, valset, monkeypatch)
    print("ours", result["baselineScore"], result["score"], "dspy", dspy_best.score, result["usage"]["calls"])
    gain = result["score"] - result["baselineScore"]
    dspy_gain = dspy_best.score - result["baselineScore"]
    assert gain >= 10
    assert gain >= dspy_gain - 3
    path = tmp_path / "best.json"
    path.write_text(json.dumps(result["program"]))
    dspy_best.load(str(path))
    for name, predictor in dspy_best.named_predictors():
        assert predictor.signature.instructions == result["program"][name]["signature"]["instructions"]
        assert len(predictor.demos) == len(result["program"][name]["demos"])

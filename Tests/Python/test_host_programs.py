"""Programs whose control flow the client runs: a loop and an if around predictors that Hone optimizes."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from test_callbacks import connect  # noqa: F401  (a fixture)
from wire import Peer, Raised, Refused, Silent

ROWS = [{"question": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(1, 17)]
PROGRAM = {
    "host": "Adder", "signature": "question -> answer",
    "predictors": {
        "plan": "question, failed: list[str] -> hint",
        "solve": {"module": "ChainOfThought", "signature": "question, hint -> answer"}},
    "description": "Tries up to three times, each time with a new hint, until the answer is even."}


def outputs_asked(text):
    """The sections that a request asks for, from its reminder."""
    reminder = text.split("Respond with")[-1]
    return [part.split(" ## ]]")[0] for part in reminder.split("[[ ## ")[1:] if not part.startswith("completed")]


def model(params):
    """Answers rightly from the second hint on; the first attempt at a multiple of three is odd."""
    text = params["messages"][-1]["content"]
    number = int(text.split("What is ")[-1].split(" ")[0])
    fields = {}
    for name in outputs_asked(text):
        if name == "hint":
            fields[name] = "carefully" if '"' in text.split("[[ ## failed ## ]]")[-1].split("Respond")[0] else "quickly"
        elif name == "answer":
            fields[name] = str(2 * number + (number % 3 == 0 and "quickly" in text))
        else:
            fields[name] = "words"
    return {"text": "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in fields.items())}


class Program:
    """The client's side of `Adder`."""

    def __init__(self):
        self.peer, self.executions, self.tool_calls = None, [], 0

    def is_even(self, answer):
        self.tool_calls += 1
        return int(answer) % 2 == 0

    def __call__(self, params):
        execution, question = params["executionId"], params["inputs"]["question"]
        self.executions.append(params)

        def predict(predictor, **inputs):
            return self.peer.call("predict", {"executionId": execution, "predictor": predictor, "inputs": inputs})["outputs"]

        failed = []
        for _ in range(3):
            hint = predict("plan", question=question, failed=failed)["hint"]
            answer = predict("solve", question=question, hint=hint)["answer"]
            if self.is_even(answer):
                break
            failed.append(answer)
        return {"outputs": {"answer": answer, "attempts": len(failed) + 1}}


@pytest.fixture
def host(connect):  # noqa: F811
    """A peer that serves the program, with its side of it."""
    def host(forward=None, **handlers):
        program = Program()
        peer = connect(program_forward=forward or program, languageModel_complete=handlers.pop("model", model), **handlers)
        program.peer = peer
        return peer, program
    return host


def evaluation(**more):
    return {"program": PROGRAM, "devset": ROWS, "metric": "exact_match", "lm": {"client": "m"}, "experiment": "host", **more}


def test_an_evaluation_runs_the_clients_code(host):
    peer, program = host()
    result = peer.call("evaluate", evaluation())
    assert result["score"] == 100.0 and result["failed"] == 0
    assert all(set(params["inputs"]) == {"question"} for params in program.executions)
    assert len({params["executionId"] for params in program.executions}) == len(ROWS)
    # Every third row takes a second attempt: two more calls.
    assert result["usage"]["calls"] == 2 * len(ROWS) + 2 * 5
    assert result["results"][2]["outputs"] == {"answer": "6", "attempts": 2}
    spans = peer.call("getTrace", {"traceId": result["results"][2]["traceId"]})["spans"]
    by_id = {span["id"]: span for span in spans}
    names = [(span["name"], span["type"], by_id[span["parentId"]]["name"] if span["parentId"] else None) for span in spans]
    assert names[0] == ("Adder.forward", "CHAIN", None)
    assert names.count(("Predict.forward", "LLM", "Adder.forward")) == 2
    assert names.count(("ChainOfThought.forward", "CHAIN", "Adder.forward")) == 2
    assert names.count(("Predict.forward", "LLM", "ChainOfThought.forward")) == 2
    for part in (("ChatAdapter.format", "PARSER"), ("LM.__call__", "CHAT_MODEL"), ("ChatAdapter.parse", "PARSER")):
        assert names.count((*part, "Predict.forward")) == 4
    assert spans[0]["inputs"] == {"question": ROWS[2]["question"]} and spans[0]["outputs"]["answer"] == "6"


def test_the_whole_program_once(host):
    peer, program = host()
    result = peer.call("predict", {"program": PROGRAM, "inputs": {"question": "What is 3 + 3?"}, "lm": {"client": "m"}})
    assert result["outputs"] == {"answer": "6", "attempts": 2} and result["traceId"]
    with pytest.raises(Refused) as failure:
        peer.call("predict", {"program": PROGRAM, "inputs": {"qestion": "?"}, "lm": {"client": "m"}})
    assert failure.value.data["problems"][0]["suggestion"] == "question"


def test_inputs_without_a_signature(host):
    """Then they are the data set's, else what some predictor takes and none gives."""
    bare = {key: PROGRAM[key] for key in ("host", "predictors")}
    rows = [{**row, "note": "x"} for row in ROWS[:2]]
    peer, program = host()
    peer.call("evaluate", evaluation(program=bare, devset=rows))
    assert [set(params["inputs"]) for params in program.executions] == [{"question"}] * 2
    program.executions.clear()
    peer.call("evaluate", evaluation(program=bare, devset={"rows": rows, "inputs": ["question", "note"]}))
    assert [set(params["inputs"]) for params in program.executions] == [{"question", "note"}] * 2
    program.executions.clear()
    peer.call("predict", {"program": bare, "inputs": {"question": ROWS[0]["question"], "k": 3}, "lm": {"client": "m"}})
    assert program.executions[0]["inputs"] == {"question": ROWS[0]["question"], "k": 3}


def test_bad_programs_are_one_examples_result(host):
    peer = None

    def forward(params):
        number = int(params["inputs"]["question"].split()[2])
        if number == 1:
            raise ValueError("one is too few")
        if number == 2:
            return ["no", "outputs"]
        if number == 3:
            return {"outputs": {"anwser": "6"}}
        if number == 4:
            raise Silent
        if number == 5:
            peer.call("predict", {"executionId": params["executionId"], "predictor": "slove", "inputs": {}})
        if number == 6:
            peer.call("predict", {"executionId": params["executionId"], "predictor": "solve", "inputs": {"hint": "?"}})
        if number == 7:
            # A predictor's failure that is let through.
            peer.call("predict", {"executionId": params["executionId"], "predictor": "plan", "inputs": {"question": "What is 7 + 7?", "failed": []}})
        if number == 8:
            # A failure that is caught, and a failure of its own.
            try:
                peer.call("predict", {"executionId": params["executionId"], "predictor": "plan", "inputs": {"question": "What is 7 + 7?", "failed": []}})
            except Refused:
                raise Raised("all is lost", kind="myOwn") from None
        if number == 9:
            peer.send({"jsonrpc": "2.0", "id": peer.answering.id, "result": {"outputs": {"answer": "18"}}})
        return {"outputs": {"answer": str(2 * number)}}

    def failing(params):
        if "What is 7 +" in params["messages"][-1]["content"]:
            raise Raised("too long", kind="contextWindowExceeded")
        return model(params)

    peer, _ = host(forward, model=failing)
    result = peer.call("evaluate", evaluation(program={**PROGRAM, "timeout": 1}))
    errors = {row["index"] + 1: row["error"] for row in result["results"] if "error" in row}
    assert {number: error["kind"] for number, error in errors.items()} == {
        1: "programFailed", 2: "programFailed", 3: "programFailed", 4: "programFailed", 5: "programFailed",
        6: "programFailed", 7: "contextWindowExceeded", 8: "programFailed"}
    assert "one is too few" in errors[1]["message"] and "\"answer\"" in errors[3]["message"]
    assert "1.0 s" in errors[4]["message"] and "slove" in errors[5]["message"] and "all is lost" in errors[8]["message"]
    assert result["score"] == 50.0
    silent = next(m["id"] for m in peer.asked if m["method"] == "program/forward" and "What is 4 " in m["params"]["inputs"]["question"])
    assert peer.cancelled == {silent}


def test_predict_within_an_execution_is_checked(host):
    seen = {}

    def forward(params):
        execution = params["executionId"]
        for key, request in {
                "name": {"predictor": "slove", "inputs": {}}, "inputs": {"predictor": "solve", "inputs": {"hint": "", "qestion": ""}},
                "member": {"predictor": "solve", "inputs": {}, "lm": "simulated"}, "nothing": {"inputs": {}}}.items():
            try:
                peer.call("predict", {"executionId": execution, **request})
            except Refused as refused:
                seen[key] = refused
        seen["execution"] = execution
        both = [peer.ask("predict", {"executionId": execution, "predictor": name, "inputs": {"question": "What is 1 + 1?", "hint": "a"}})
                for name in ("solve", "solve.predict")]
        seen["both"] = [future.result(20)["outputs"]["answer"] for future in both]
        return {"outputs": {"answer": "2"}}

    peer, _ = host(forward)
    assert peer.call("evaluate", evaluation(devset=ROWS[:1]))["score"] == 100.0
    assert {seen[key].code for key in ("name", "inputs", "member", "nothing")} == {-32602}
    assert seen["name"].data["problems"][0]["suggestion"] == "solve"
    assert seen["inputs"].data["problems"][0]["suggestion"] == "qestion"
    assert seen["nothing"].data["problems"][0]["path"] == "predictor"
    assert seen["both"] == ["2", "2"]
    with pytest.raises(Refused) as failure:
        peer.call("predict", {"executionId": seen["execution"], "predictor": "solve", "inputs": {"question": "?", "hint": ""}})
    assert failure.value.kind == "notFound" and failure.value.code == -32803


def test_an_execution_that_is_over_ends_its_calls(host):
    """The program answers while a predictor of its is still at work: that one is ended."""
    seen, waiting = [], threading.Event()

    def forward(params):
        seen.append(peer.ask("predict", {"executionId": params["executionId"], "predictor": "plan", "inputs": {"question": "What is 1 + 1?", "failed": []}}))
        assert waiting.wait(20)
        return {"outputs": {"answer": "2"}}

    def slow(params):
        waiting.set()
        raise Silent

    peer, _ = host(forward, model=slow)
    assert peer.call("evaluate", evaluation(devset=ROWS[:1]))["score"] == 100.0
    with pytest.raises(Refused) as failure:
        seen[0].result(20)
    assert failure.value.kind == "notFound"


def test_cancelling_reaches_the_program(host):
    begun = threading.Event()

    def forward(params):
        begun.set()
        raise Silent

    peer, _ = host(forward)
    request = peer.ask("evaluate", evaluation())
    assert begun.wait(20)
    peer.cancel(request)
    with pytest.raises(Refused) as failure:
        request.result(20)
    assert failure.value.code == -32800
    assert {m["id"] for m in peer.asked if m["method"] == "program/forward"} == peer.cancelled


@pytest.mark.parametrize("optimizer", [
    {"name": "LabeledFewShot", "k": 2}, {"name": "BootstrapFewShot", "max_bootstrapped_demos": 2, "max_labeled_demos": 2},
    {"name": "BootstrapFewShotWithRandomSearch", "max_bootstrapped_demos": 2, "num_candidate_programs": 2},
    {"name": "MIPROv2", "auto": None, "num_candidates": 3, "num_trials": 4, "minibatch": False}],
    ids=lambda optimizer: optimizer["name"])
def test_every_optimizer(host, optimizer):
    peer, _ = host(metric_score=lambda params: params["prediction"]["answer"] == params["example"]["answer"])
    result = peer.call("compile", {
        "program": PROGRAM, "optimizer": optimizer, "trainset": ROWS[:8], "valset": ROWS[8:], "metric": {"client": "right"},
        "lm": {"client": "m"}, "experiment": "host"})
    assert result["score"] == 100.0
    state = result["program"]
    assert list(state) == ["plan", "solve.predict", "metadata"]
    if optimizer["name"] == "BootstrapFewShot":
        plans = [demo for demo in state["plan"]["demos"] if demo.get("augmented")]
        solutions = [demo for demo in state["solve.predict"]["demos"] if demo.get("augmented")]
        assert len(plans) == len(solutions) == 2
        assert set(plans[0]) == {"augmented", "question", "failed", "hint"}
        assert set(solutions[0]) == {"augmented", "question", "hint", "reasoning", "answer"}
        traces = [m["params"]["trace"] for m in peer.asked if m["method"] == "metric/score" and m["params"]["trace"]]
        assert [step["predictor"] for step in traces[0]] == ["plan", "solve.predict"]


def test_proposals_see_the_program(host):
    prompts = []

    def seeing(params):
        text = "\n".join(message["content"] for message in params["messages"])
        if "What is " not in params["messages"][-1]["content"] or "proposed_instruction" in text:
            prompts.append(text)
            return {"text": "\n".join(f"[[ ## {name} ## ]]\nwords" for name in outputs_asked(params["messages"][-1]["content"]))}
        return model(params)

    peer, _ = host(model=seeing)
    peer.call("compile", {
        "program": PROGRAM, "optimizer": {"name": "MIPROv2", "auto": None, "num_candidates": 3, "num_trials": 3, "minibatch": False},
        "trainset": ROWS[:8], "metric": "exact_match", "lm": {"client": "m"},
        # A row that nobody gets right: where all are right, nothing is proposed.
        "valset": [*ROWS[8:12], {"question": "What is 40 + 2?", "answer": "unknown"}]})
    proposals = [prompt for prompt in prompts if "[[ ## proposed_instruction ## ]]" in prompt]
    assert proposals and all("until the answer is even" in prompt and "Adder" in prompt for prompt in proposals)


def test_the_same_at_any_concurrency(host):
    programs = []
    for concurrency in (1, 8):
        peer, _ = host()
        result = peer.call("compile", {
            "program": PROGRAM, "optimizer": {"name": "MIPROv2", "auto": None, "num_candidates": 3, "num_trials": 5, "minibatch_size": 4},
            "trainset": ROWS[:8], "valset": ROWS[8:], "metric": "exact_match", "lm": {"client": "m"}, "concurrency": concurrency})
        programs.append((result["program"], result["score"], [trial["score"] for trial in result["trials"]], result["usage"]["calls"]))
    assert programs[0] == programs[1]


def test_saved_programs(host, tmp_path):
    peer, _ = host()
    compiled = peer.call("compile", {
        "program": PROGRAM, "optimizer": {"name": "BootstrapFewShot", "max_bootstrapped_demos": 2}, "trainset": ROWS[:8],
        "valset": ROWS[8:], "metric": "exact_match", "lm": {"client": "m"}})
    path = str(tmp_path / "adder.json")
    peer.call("saveProgram", {"programId": compiled["programId"], "path": path})
    for reference in ({"path": path}, {"run": compiled["runId"]}, {"artifactUri": compiled["artifactUri"]}):
        loaded = peer.call("loadProgram", reference)
        assert loaded["programId"] == compiled["programId"] and loaded["signature"] == "question -> answer"
        assert [predictor["name"] for predictor in loaded["predictors"]] == ["plan", "solve.predict"]
        assert peer.call("evaluate", evaluation(program=reference))["score"] == 100.0
    answered = peer.call("predict", {"programId": compiled["programId"], "inputs": {"question": "What is 3 + 3?"}, "lm": {"client": "m"}})
    assert answered["outputs"]["answer"] == "6"
    # A run is tracked under the program's name, as MLflow's own DSPy integration does it.
    params = peer.call("getRun", {"runId": compiled["bestRunId"]})["run"]["params"]
    assert any(name.startswith("Adder.solve.predict.demos.0") for name in params)


def test_state_files_are_dspys(host, tmp_path):
    """A dspy.Module with the same attributes loads our file, and we load its."""
    dspy = pytest.importorskip("dspy")

    class Adder(dspy.Module):
        def __init__(self):
            super().__init__()
            self.plan = dspy.Predict("question, failed: list[str] -> hint")
            self.solve = dspy.ChainOfThought("question, hint -> answer")

    peer, _ = host()
    compiled = peer.call("compile", {
        "program": PROGRAM, "optimizer": {"name": "BootstrapFewShot", "max_bootstrapped_demos": 2}, "trainset": ROWS[:8],
        "valset": ROWS[8:], "metric": "exact_match", "lm": {"client": "m"}})
    ours = str(tmp_path / "ours.json")
    peer.call("saveProgram", {"programId": compiled["programId"], "path": ours})
    module = Adder()
    module.load(ours)
    for name, predictor in module.named_predictors():
        assert [dict(demo) for demo in predictor.demos] == compiled["program"][name]["demos"]
        assert predictor.signature.instructions == compiled["program"][name]["signature"]["instructions"]
    module.plan.signature = module.plan.signature.with_instructions("Hint at it.")
    module.solve.predict.demos = module.solve.predict.demos[:1]
    theirs = str(tmp_path / "theirs.json")
    module.save(theirs)
    loaded = peer.call("loadProgram", {"path": theirs, **{key: PROGRAM[key] for key in ("host", "signature", "predictors")}})
    assert loaded["predictors"][0]["instructions"] == "Hint at it."
    assert len(loaded["predictors"][1]["demos"]) == 1 and "warnings" not in loaded


def test_bad_specifications_are_named(host):
    peer, _ = host()
    with pytest.raises(Refused) as failure:
        peer.call("evaluate", evaluation(program={
            "host": "Adder", "signature": "question - answer", "predictors": {"plan": "question > hint", "self": "a -> b"}, "timout": 1}))
    places = {problem["path"] for problem in failure.value.data["problems"]}
    assert {"program.signature", "program.predictors.plan", "program.predictors.self", "program.timout"} <= places


def test_a_client_that_does_not_serve_it_is_told(host, connect):  # noqa: F811
    peer = connect(languageModel_complete=model)
    with pytest.raises(Refused) as failure:
        peer.call("evaluate", evaluation())
    assert failure.value.kind == "programInvalid" and "program/forward" in str(failure.value)
    other = connect(languageModel_complete=model)
    other.call("initialize", {"capabilities": {"callbacks": {"programs": ["Addre"]}}})
    with pytest.raises(Refused) as failure:
        other.call("evaluate", evaluation())
    assert failure.value.code == -32602 and failure.value.data["problems"][0]["suggestion"] == "Addre"


def compile_request(**more):
    return {
        "program": PROGRAM, "optimizer": {"name": "MIPROv2", "auto": None, "num_candidates": 3, "num_trials": 5, "minibatch_size": 4},
        "trainset": ROWS[:8], "valset": ROWS[8:], "metric": {"client": "right"}, "lm": {"client": "m"}, **more}


def test_a_resumed_run_asks_nothing_again(host):
    """A client goes away in the middle of a compile; another takes the run up, and is asked what is left only."""
    def right(params):
        # One row is never right: a program that has all right ends the search.
        return params["prediction"]["answer"] == params["example"]["answer"] != ROWS[-1]["answer"]

    peer, _ = host(metric_score=right)
    whole = peer.call("compile", compile_request())
    questions = [(m["method"], json.dumps(m["params"].get("inputs") or m["params"].get("messages") or m["params"]["prediction"])) for m in peer.asked]

    scored = []

    def dying(params):
        scored.append(params)
        if len(scored) == 17:
            threading.Thread(target=first.close).start()
            raise Silent
        return right(params)

    first, _ = host(metric_score=dying)
    with pytest.raises((ConnectionError, Refused)):
        first.call("compile", compile_request(experiment="left"))
    second, _ = host(metric_score=right)
    deadline = time.monotonic() + 20
    while (run := second.call("listRuns", {"experiment": "left", "filter": "tags.`hone.kind` = 'compile'"})["runs"][0])["status"] == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert run["tags"]["hone.status"] == "INTERRUPTED"
    resumed = second.call("resumeRun", {"runId": run["runId"]})
    assert resumed["status"] == "FINISHED"
    assert (resumed["program"], resumed["score"]) == (whole["program"], whole["score"])
    # What was on its way when the client went is asked again; all else once.
    asked = len(first.asked) + len(second.asked)
    assert len(questions) <= asked <= len(questions) + 3 * 8
    assert len(second.asked) < len(questions) - 17
    # The traces of what was replayed are as whole as the others.
    for trace in second.call("listTraces", {"runId": resumed["bestRunId"]})["traces"]:
        names = [span["name"] for span in second.call("getTrace", {"traceId": trace["traceId"]})["spans"]]
        assert names[0] == "Adder.forward" and "LM.__call__" in names


def test_more_evaluations_than_a_connection_has_places_do_not_wait_for_each_other(host):
    """Each waits for the client, whose every execution asks back; and more data comes than may wait in line."""
    done = threading.Semaphore(0)

    def forward(params):
        done.acquire()  # not before every evaluation has been sent
        answer = peer.call("predict", {
            "executionId": params["executionId"], "predictor": "solve",
            "inputs": {"question": params["inputs"]["question"], "hint": "carefully"}})["outputs"]["answer"]
        return {"outputs": {"answer": answer}}

    peer, _ = host(forward=forward)
    peer.pool = ThreadPoolExecutor(600)
    padding = {"note": "x" * 100_000}
    evaluations = [peer.ask("evaluate", evaluation(devset=[{**ROWS[n % 16], **(padding if n >= 256 else {})}]))
                   for n in range(320)]
    # Whoever only wants to know something does not wait either.
    assert peer.call("listExperiments")["experiments"]
    for _ in evaluations:
        done.release()
    results = [asked.result(120) for asked in evaluations]
    assert all(result["score"] == 100.0 and result["failed"] == 0 for result in results)

"""Programs that show the nearest rows, and programs that vote: compiled, kept, loaded by Hone and by DSPy, run."""

import base64
import json
import re
import struct
import zlib

import hone
import pytest

from scripted_endpoint import Raw, ScriptedEndpoint

PREDICT = {"module": "Predict", "signature": "question -> answer"}
TOWNS = {"Paris": "Seine", "London": "Thames", "Rome": "Tiber", "Cairo": "Nile", "Vienna": "Danube"}
TRAIN = [row for town, river in TOWNS.items() for row in (
    {"question": f"Which river flows through {town}?", "answer": river},
    {"question": f"How many people live in {town}?", "answer": f"many in {town}"})]


def said(answer):
    return f"[[ ## answer ## ]]\n{answer}\n\n[[ ## completed ## ]]"


def asked(body):
    return re.findall(r"(?:Which river|How many)[^?]*\?", body["messages"][-1]["content"])[-1]


def shown(body):
    """The questions of the demos, in order."""
    text = "\n".join(message["content"] for message in body["messages"][1:-1] if message["role"] == "user")
    return re.findall(r"(?:Which river|How many)[^?]*\?", text)


def rivers_only(body):
    """Knows the rivers, and nothing of people."""
    town = re.findall(r"through (\w+)", asked(body))
    return said(TOWNS[town[0]] if town and town[0] in TOWNS else "nobody knows")


@pytest.fixture
def endpoint():
    with ScriptedEndpoint(rivers_only) as endpoint:
        yield endpoint


@pytest.fixture
def compiled(client, endpoint):
    return client.compile(PREDICT, {"name": "KNNFewShot", "k": 2}, TRAIN, "exact_match", lm=endpoint.model())


# MARK: KNNFewShot

def test_each_row_is_asked_once_and_calls_show_the_nearest(client, endpoint, compiled, tmp_path):
    assert sorted(asked(body) for body in endpoint.bodies) == sorted(row["question"] for row in TRAIN)
    assert all(asked(body) not in shown(body) for body in endpoint.bodies)
    path = tmp_path / "nearest.json"
    client.save_program(path, {"state": compiled["program"]})
    loaded = client.load_program(path=str(path))
    assert loaded["state"] == compiled["program"]
    endpoint.bodies.clear()
    for program in ({"path": str(path)}, {"run": compiled["runId"]}, {"programId": loaded["programId"]}):
        client.predict({"question": "How many people live in Cairo now?"}, program=program, lm=endpoint.model(cache=False))
    assert len(endpoint.bodies) == 3
    for body in endpoint.bodies:
        assert shown(body)[-1] == "How many people live in Cairo?"
        assert len(shown(body)) == 2 and "How many" in shown(body)[0]
    # What the metric accepted is shown as it was answered, what it did not as the row has it.
    demos = compiled["program"]["metadata"]["hone"]["neighbours"][0]["rows"]
    assert [bool(row.get("demos")) for row in demos] == [True, False] * len(TOWNS)


def test_a_second_time_nothing_is_asked(client, endpoint, compiled):
    before = len(endpoint.bodies)
    again = client.compile(PREDICT, {"name": "KNNFewShot", "k": 2}, TRAIN, "exact_match", lm=endpoint.model())
    assert again["program"] == compiled["program"] and len(endpoint.bodies) == before


def test_rows_that_are_scored_are_not_shown_themselves(client, endpoint, compiled):
    endpoint.bodies.clear()
    result = client.evaluate({"run": compiled["runId"]}, TRAIN, "exact_match", lm=endpoint.model())
    assert result["score"] == 50
    assert all(asked(body) not in shown(body) and len(shown(body)) == 2 for body in endpoint.bodies)


def test_the_trace_says_which_rows_were_nearest(client, endpoint, compiled):
    prediction = client.predict(
        {"question": "Which river flows through Rome?"}, program={"run": compiled["runId"]}, lm=endpoint.model())
    spans = client.get_trace(prediction["traceId"])["spans"]
    found = next(span for span in spans if span["name"] == "KNN.nearest")
    assert found["type"] == "RETRIEVER"
    first = found["outputs"][0]
    assert first["page_content"] == "question: Which river flows through Rome?" and first["metadata"]["similarity"] == 1.0


def test_dspy_loads_the_file_with_the_first_rows_as_demos(client, compiled, tmp_path):
    dspy = pytest.importorskip("dspy")
    path = tmp_path / "nearest.json"
    client.save_program(path, {"run": compiled["runId"]})
    program = dspy.Predict("question -> answer")
    program.load(path)
    assert [demo["question"] for demo in program.demos] == [row["question"] for row in TRAIN[:2]]
    with dspy.context(lm=dspy.utils.DummyLM([{"answer": "x"}])):
        assert program(question="q").answer == "x"
    program.save(tmp_path / "again.json")
    # What DSPy saves has these demos for good.
    again = client.load_program(path=str(tmp_path / "again.json"), **PREDICT)
    assert len(again["predictors"][0]["demos"]) == 2 and "hone" not in again["state"]["metadata"].get("neighbours", {})


def test_vectors_of_another_kind_are_refused(client, endpoint, compiled, tmp_path):
    state = json.loads(json.dumps(compiled["program"]))
    state["metadata"]["hone"]["neighbours"][0]["vectorizer"] = "tfidf-of-tomorrow"
    with pytest.raises(hone.HoneError) as caught:
        client.predict({"question": "q"}, program={"state": state}, lm=endpoint.model())
    assert caught.value.kind == "programInvalid"
    assert "tfidf-of-tomorrow" in str(caught.value) and "Compile the program again" in caught.value.remedy


def test_the_estimate_counts_every_row(client, endpoint):
    estimate = client.compile(
        PREDICT, {"name": "KNNFewShot", "k": 2, "max_rounds": 2}, TRAIN, "exact_match", lm=endpoint.model(), estimate=True)
    assert estimate["calls"] == {"min": len(TRAIN), "max": 2 * len(TRAIN)}
    assert endpoint.bodies == []


# MARK: Vectors of a model

def vector(text):
    """Towns by their place in the list; what is asked makes no difference."""
    numbers = [float(town in text) for town in TOWNS]
    return numbers if any(numbers) else [0.1] * len(TOWNS)


def embedding(body, numbers=vector):
    if "input" not in body:
        return rivers_only(body)
    (text,) = body["input"]
    raise Raw(200, {"object": "list", "data": [{"index": 0, "embedding": numbers(text)}], "model": body["model"],
                    "usage": {"prompt_tokens": 7, "total_tokens": 7}})


@pytest.fixture
def embedder():
    with ScriptedEndpoint(embedding) as endpoint:
        yield endpoint


def made(endpoint):
    """The texts that vectors were asked for."""
    assert all(path == "/v1/embeddings" for path, body in zip(endpoint.paths, endpoint.bodies) if "input" in body)
    return [body["input"][0] for body in endpoint.bodies if "input" in body]


def vectorizer(endpoint, model="openai/e", **settings):
    return {"model": model, "apiBase": endpoint.base, "retries": 0, **settings}


def test_rows_are_compared_by_a_model_s_vectors(client, embedder):
    search = dict(
        program=PREDICT, optimizer={"name": "KNNFewShot", "k": 2}, trainset=TRAIN, metric="exact_match",
        lm=embedder.model(), vectorizer=vectorizer(embedder, extra={"dimensions": 5}))
    estimate = client.compile(**search, estimate=True)
    assert estimate["byRole"]["embedding"]["calls"] == {"min": len(TRAIN), "max": len(TRAIN)}
    assert embedder.bodies == []
    compiled = client.compile(**search)
    assert sorted(made(embedder)) == sorted(f"question: {row['question']}" for row in TRAIN)
    assert next(body for body in embedder.bodies if "input" in body) == {
        "model": "e", "input": [made(embedder)[0]], "dimensions": 5}
    assert compiled["usage"]["byRole"]["embedding"]["calls"] == len(TRAIN)
    kept = compiled["program"]["metadata"]["hone"]["neighbours"][0]
    assert (kept["vectorizer"], kept["dimension"], "idf" in kept) == ("openai/e", 5, False)

    program = {"state": compiled["program"]}
    embedder.bodies.clear()
    embedder.paths.clear()
    asking = dict(program=program, lm=embedder.model(cache=False), vectorizer=search["vectorizer"])
    for _ in range(2):
        prediction = client.predict({"question": "Which river, please, flows through Rome?"}, **asking)
    assert len(made(embedder)) == 1, "a text's vector is kept"
    chat = [body for body in embedder.bodies if "messages" in body]
    assert len(chat) == 2 and all("Rome" in question for body in chat for question in shown(body))
    assert prediction["usage"]["byRole"]["embedding"]["cached"] == 1
    spans = [span["name"] for span in client.get_trace(prediction["traceId"])["spans"]]
    assert spans[:3] == ["KNN.forward", "KNN.nearest", "Embedder"]
    # Done again, nothing is asked.
    before = len(embedder.bodies)
    assert client.compile(**search)["program"] == compiled["program"] and len(embedder.bodies) == before


@pytest.mark.parametrize("given, words", [
    (None, "have vectors of openai/e: name that model here"),
    ("openai/other", "those of openai/other cannot be compared"), ("simulated", "cannot be compared")])
def test_other_vectors_than_the_rows_are_refused_before_any_call(client, embedder, given, words):
    compiled = client.compile(
        PREDICT, "KNNFewShot", TRAIN, "exact_match", lm=embedder.model(), vectorizer=vectorizer(embedder))
    before = len(embedder.bodies)
    named = {} if given is None else {"vectorizer": vectorizer(embedder, given)}
    program = {"run": compiled["runId"]}
    for ask in (lambda: client.predict({"question": "q"}, program=program, lm=embedder.model(), **named),
                lambda: client.evaluate(program, TRAIN, "exact_match", lm=embedder.model(), **named),
                lambda: client.compile(program, "LabeledFewShot", TRAIN, "exact_match", lm=embedder.model(), **named)):
        with pytest.raises(hone.HoneError) as caught:
            ask()
        assert [problem["path"] for problem in caught.value.problems] == ["vectorizer"] and words in str(caught.value)
    assert len(embedder.bodies) == before


def test_vectors_of_another_length_are_told(client, embedder):
    compiled = client.compile(
        PREDICT, "KNNFewShot", TRAIN, "exact_match", lm=embedder.model(), vectorizer=vectorizer(embedder))
    with ScriptedEndpoint(lambda body: embedding(body, lambda text: [1.0, 0.0])) as other:
        with pytest.raises(hone.HoneError) as caught:
            client.predict(
                {"question": "q"}, program={"run": compiled["runId"]}, lm=other.model(), vectorizer=vectorizer(other))
    assert caught.value.kind == "programInvalid" and "vectors of 2 numbers; the program's rows have 5" in str(caught.value)


def test_vectors_that_no_file_should_hold_are_told_before_the_rest_is_paid(client):
    with ScriptedEndpoint(lambda body: embedding(body, lambda text: [1.0] * 600_000)) as endpoint:
        result = client.compile(
            PREDICT, "KNNFewShot", TRAIN, "exact_match", lm=endpoint.model(), vectorizer=vectorizer(endpoint))
        assert len(endpoint.bodies) == 1
    assert result["status"] == "FAILED"
    assert "at most 8 such rows, and the trainset has 10" in json.dumps(result["error"])


@pytest.mark.parametrize("reply, kind", [
    ({"data": []}, "malformedReply"), ({"data": [{"embedding": ["x"]}]}, "malformedReply"),
    ({"data": [{"embedding": "AAAA"}]}, "malformedReply"), ({"error": {"message": "busy"}}, "languageModelUnavailable")])
def test_replies_without_a_vector_are_told(client, reply, kind):
    def odd(body):
        raise Raw(200, reply)

    with ScriptedEndpoint(odd) as endpoint:
        with pytest.raises(hone.HoneError) as caught:
            client.compile(
                PREDICT, "KNNFewShot", TRAIN[:2], "exact_match", lm="simulated", vectorizer=vectorizer(endpoint))
    assert caught.value.kind == kind


def test_vectors_in_base_64_are_read_and_count_towards_the_budget(client):
    def packed(body):
        return embedding(body, lambda text: base64.b64encode(struct.pack("<5f", *vector(text))).decode())

    with ScriptedEndpoint(packed) as endpoint:
        search = dict(
            program=PREDICT, optimizer="KNNFewShot", trainset=TRAIN, metric="exact_match", lm=endpoint.model(),
            vectorizer=vectorizer(endpoint))
        stopped = client.compile(**search, budget={"max_calls": 4})
        assert stopped["status"] == "BUDGET_EXHAUSTED" and len(endpoint.bodies) == 4
        resumed = client.resume_run(stopped["runId"], budget={"max_calls": 100})
        assert resumed["status"] == "FINISHED" and len(made(endpoint)) == len(TRAIN)
        assert client.compile(**search)["program"] == resumed["program"]
        assert len(made(endpoint)) == len(set(made(endpoint))) == len(TRAIN)


# MARK: Ensembles

def person(body):
    """Three programs: one that is right about Rome, one about all, one about none; their instructions tell."""
    system = body["messages"][0]["content"]
    town = re.findall(r"through (\w+)", asked(body))[0]
    if "roman" in system:
        return said(TOWNS[town] if town == "Rome" else "Lethe")
    return said(TOWNS[town] if "all rivers" in system else "Styx")


def program(instructions):
    return {**PREDICT, "instructions": instructions}


def test_programs_vote_and_the_trace_says_how(client, tmp_path):
    with ScriptedEndpoint(person) as endpoint:
        first = tmp_path / "first.json"
        client.save_program(first, program("You are a roman."))
        loaded = client.load_program(path=str(first))
        ensemble = {"module": "Ensemble", "programs": [
            {"path": str(first)}, program("You know all rivers."), {"programId": loaded["programId"]},
            program("You know nothing.")]}
        # The same program twice is asked once where answers are kept, and has two votes.
        prediction = client.predict({"question": "Which river flows through Paris?"}, program=ensemble, lm=endpoint.model())
        assert prediction["outputs"] == {"answer": "Lethe"} and len(endpoint.bodies) == 3
        spans = client.get_trace(prediction["traceId"])["spans"]
        root = next(span for span in spans if span["name"] == "Ensemble.forward")
        assert root["attributes"]["confidence"] == 0.5 and root["attributes"]["votes"] == 2
        assert sorted(span["name"] for span in spans if re.fullmatch(r"programs\[\d\]", span["name"])) == [
            f"programs[{i}]" for i in range(4)]
        result = client.evaluate(
            ensemble, [row for row in TRAIN if row["answer"] in TOWNS.values()], "exact_match",
            lm=endpoint.model(cache=False))
        assert result["score"] == 20


def test_an_ensemble_is_a_file_that_hone_and_dspy_load(client, tmp_path):
    dspy = pytest.importorskip("dspy")
    with ScriptedEndpoint(person) as endpoint:
        path = tmp_path / "ensemble.json"
        client.save_program(path, {"module": "Ensemble", "programs": [
            program("You are a roman."), program("You know all rivers."),
            {"module": "ChainOfThought", "signature": "question -> answer"}]})
        loaded = client.load_program(path=str(path))
        assert loaded["module"] == "Ensemble" and loaded["signature"] == "question -> answer"
        assert [predictor["name"] for predictor in loaded["predictors"]] == [
            "programs[0]", "programs[1]", "programs[2].predict"]

        class Ensemble(dspy.Module):
            def __init__(self):
                super().__init__()
                self.programs = [
                    dspy.Predict("question -> answer"), dspy.Predict("question -> answer"),
                    dspy.ChainOfThought("question -> answer")]

        theirs = Ensemble()
        theirs.load(path)
        assert theirs.programs[1].signature.instructions == "You know all rivers."
        theirs.save(tmp_path / "theirs.json")
        back = client.load_program(path=str(tmp_path / "theirs.json"), module="Ensemble", programs=[
            PREDICT, PREDICT, {"module": "ChainOfThought", "signature": "question -> answer"}])
        assert back["predictors"] == loaded["predictors"]


def test_a_resumed_evaluation_has_the_programs_that_its_references_named(client, tmp_path):
    rivers = [row for row in TRAIN if row["answer"] in TOWNS.values()]
    with ScriptedEndpoint(person) as endpoint:
        path = tmp_path / "all.json"
        client.save_program(path, program("You know all rivers."))
        stopped = client.evaluate(
            {"module": "Ensemble", "programs": [{"path": str(path)}, program("You are a roman.")]}, rivers, "exact_match",
            lm=endpoint.model(), adapter="chat", budget={"max_calls": 4})
        assert stopped["status"] == "BUDGET_EXHAUSTED"
        client.save_program(path, program("You know nothing."))
        resumed = client.resume_run(stopped["runId"], budget={"max_calls": 100})
        assert resumed["status"] == "FINISHED" and resumed["score"] == 100
        assert len(endpoint.bodies) == 2 * len(rivers)


@pytest.mark.parametrize("programs, place", [
    ([], "program.programs"), ([PREDICT, {"module": "Predict", "signature": "text -> answer"}], "program.programs[1]"),
    ([PREDICT, {"host": "mine", "predictors": {"p": "question -> answer"}}], "program.programs[1]"),
    ([{"signature": "question ->> answer"}, PREDICT], "program.programs[0].signature")])
def test_what_does_not_vote_together_is_refused(client, programs, place):
    with pytest.raises(hone.HoneError) as caught:
        client.predict({"question": "q"}, program={"module": "Ensemble", "programs": programs}, lm="simulated")
    assert place in [problem["path"] for problem in caught.value.problems]


def test_a_search_s_candidates_become_an_ensemble_at_no_call(client):
    others = {"Kinshasa": "Congo", "Kyiv": "Dnipro", "Budapest": "Danube", "Baghdad": "Tigris", "Lyon": "Rhone"}
    rivers = [{"question": f"Which river flows through {town}?", "answer": river} for town, river in others.items()]

    def by_demos(body):
        """Knows the trainset's rivers, and of the others all but one, which follows from the demos."""
        town = (re.findall(r"through (\w+)", asked(body)) or [""])[0]
        missing = list(others)[zlib.crc32("".join(shown(body)).encode()) % len(others)]
        return said({**TOWNS, **others, missing: "Styx"}.get(town, "nobody knows"))

    with ScriptedEndpoint(by_demos) as endpoint:
        search = client.compile(
            PREDICT, {"name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": 8,
                      "max_labeled_demos": 0}, TRAIN, "exact_match", valset=rivers, lm=endpoint.model(), seed=1, adapter="chat")
        before = len(endpoint.bodies)
        optimizer = {"name": "Ensemble", "run": search["runId"], "size": 5}
        result = client.compile(PREDICT, optimizer, TRAIN, "exact_match", lm=endpoint.model(), adapter="chat")
        assert len(endpoint.bodies) == before and result["score"] is None
        scored = client.compile(
            PREDICT, optimizer, TRAIN, "exact_match", valset=rivers, lm=endpoint.model(), adapter="chat")
        # The votes' answers are in the store, too.
        assert len(endpoint.bodies) == before
        assert scored["program"] == result["program"]
        assert "programs[2]" in scored["program"] and (search["score"], scored["score"]) == (80, 100)
        # The client's own student runs as what became of it.
        student = hone.Predict("question -> answer").with_state(result["program"])
        prediction = client.predict({"question": rivers[0]["question"]}, program=student, lm=endpoint.model())
        assert "answer" in prediction["outputs"]


def test_an_ensemble_of_a_run_that_is_none_is_refused(client):
    with pytest.raises(hone.HoneError) as caught:
        client.compile(PREDICT, {"name": "Ensemble", "run": "0" * 32}, TRAIN, "exact_match", lm="simulated")
    assert [problem["path"] for problem in caught.value.problems] == ["optimizer.run"]

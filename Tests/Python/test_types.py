"""Types that people have: dates, and records as data classes, typed dicts, Pydantic models and JSON Schemas."""

import dataclasses
import datetime
import enum
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated, Any, Dict, List, Literal, Optional, TypedDict, Union

import pytest

import hone
from hone.types import field_schema, field_type, instance


@pytest.fixture
def says():
    """Starts a model that answers with the texts given, the last one again and again; gives its lm and its prompts."""
    servers = []

    def begin(*texts):
        prompts = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                prompts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                text = texts[min(len(prompts), len(texts)) - 1]
                data = json.dumps({
                    "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": 1, "completion_tokens": 1}}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return {"model": "openai/m", "apiBase": f"http://127.0.0.1:{server.server_port}/v1", "cache": False}, prompts

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()


# MARK: Dates


@pytest.mark.parametrize("kind, text, value", [
    ("date", "2024-02-29", "2024-02-29"), ("date", "29 February 2024", "2024-02-29"),
    ("datetime", "2024-02-29T10:00:00Z", "2024-02-29T10:00:00Z"), ("Optional[date]", "None", None),
    ("list[date]", '["2024-02-29", "March 1, 2024"]', ["2024-02-29", "2024-03-01"]),
])
def test_a_date_is_an_output(client, says, kind, text, value):
    lm, prompts = says(f"[[ ## day ## ]]\n{text}\n\n[[ ## completed ## ]]")
    program = {"module": "Predict", "signature": f"email -> day: {kind}"}
    assert client.predict(program=program, inputs={"email": "On 29 February 2024."}, lm=lm).day == value
    assert len(prompts) == 1 and ("YYYY-MM-DD" in json.dumps(prompts) or kind in json.dumps(prompts))


def test_a_date_of_two_meanings_is_asked_for_again(client, says):
    lm, prompts = says("[[ ## day ## ]]\n03/04/2024", "[[ ## day ## ]]\n2024-04-03")
    program = {"module": "Predict", "signature": "email -> day: date"}
    assert client.predict(program=program, inputs={"email": "x"}, lm=lm).day == "2024-04-03" and len(prompts) == 2
    assert "should be date" in json.dumps(prompts[1])


def test_a_date_is_an_input(client, says):
    lm, prompts = says("[[ ## age ## ]]\n3")
    client.predict(
        program={"module": "Predict", "signature": "born: date, now: Optional[datetime] -> age: int"},
        inputs={"born": datetime.date(2021, 2, 3), "now": datetime.datetime(2024, 3, 4, 5, 6)}, lm=lm)
    assert "2021-02-03" in json.dumps(prompts) and "2024-03-04T05:06:00" in json.dumps(prompts)


# MARK: Records


class Kind(enum.Enum):
    PARTY = "party"
    MEETING = "meeting"


@dataclasses.dataclass
class Guest:
    name: str
    age: Annotated[Optional[int], "In years."] = None


@dataclasses.dataclass
class Event:
    """Something that takes place."""

    title: str = dataclasses.field(metadata={"description": "What it is called.", "min_length": 1})
    day: datetime.date
    kind: Kind
    guests: List[Guest] = dataclasses.field(default_factory=list)
    rating: float = dataclasses.field(default=3.0, metadata={"ge": 0, "lt": 6})


SIGNATURE = {"inputs": {"email": str}, "outputs": {"event": Event}, "instructions": "Find the event."}
REPLY = {"title": "Birthday", "day": "29 February 2024", "kind": "Party", "guests": [{"name": "Ann", "age": "31"}]}


def test_a_data_class_is_a_fields_type(start, says, tmp_path, monkeypatch):
    lm, prompts = says("[[ ## event ## ]]\n" + json.dumps({**REPLY, "rating": 9}), "[[ ## event ## ]]\n" + json.dumps(REPLY))
    hone.configure(client=start(tmp_path / "home"), lm=lm)
    find = hone.Predict(SIGNATURE)
    event = find(email="Ann, 31, comes to the birthday on 29 February.").event
    assert event == Event("Birthday", datetime.date(2024, 2, 29), Kind.PARTY, [Guest("Ann", 31)], 3.0)
    text = json.dumps(prompts[0])
    assert all(word in text for word in ("What it is called.", "In years.", "Find the event.", "Something that takes place."))
    assert "`event.rating` should be less than 6, got 9" in json.dumps(prompts[1])


def test_the_program_is_kept_with_its_types(start, says, tmp_path):
    lm, _ = says("[[ ## event ## ]]\n" + json.dumps(REPLY))
    client = start(tmp_path / "home")
    rows = [{"email": "a", "event": Event("Birthday", datetime.date(2024, 2, 29), Kind.PARTY, [Guest("Ann", 31)], 3.0)},
            {"email": "b", "event": Event("Birthday", datetime.date(2024, 3, 1), Kind.PARTY, [Guest("Ann", 31)], 3.0)}]
    result = client.evaluate(hone.Predict(SIGNATURE), rows, "json_match", lm=lm)
    # Four of five fields are right in the second.
    assert result.score == pytest.approx(90)
    find = hone.Predict(SIGNATURE)
    hone.configure(client=client, lm=lm)
    find.save(tmp_path / "state.json")
    state = json.loads((tmp_path / "state.json").read_text())
    assert state["signature"]["fields"][1] == {"prefix": "Event:", "description": "${event}"}
    assert client.load_program(path=tmp_path / "state.json").module == "Predict"


@pytest.mark.parametrize("hint, words", [
    (str, "str"), (datetime.date, "date"), (Optional[datetime.datetime], "Union[datetime, None]"), (List[int], "list[int]"),
    (Dict[str, List[float]], "dict[str, list[float]]"), (Literal["a", "it's"], "Literal['a', 'it\\'s']"),
    (Kind, "Literal['party', 'meeting']"), (Any, "Any"), ("list[str]", "list[str]"), (Union[int, str], "Union[int, str]"),
])
def test_a_plain_hint_stays_in_words(hint, words):
    assert field_type(hint) == words


class Place(TypedDict, total=False):
    city: str
    zip: Annotated[str, "Five digits."]


def test_hints_are_described_and_values_are_made_of_them():
    schema = field_schema(List[Event])["items"]
    assert schema["required"] == ["title", "day", "kind"]
    assert schema["properties"]["rating"] == {
        "type": "number", "minimum": 0, "exclusiveMaximum": 6, "default": 3.0}
    assert field_schema(Place) == {
        "type": "object", "title": "Place", "required": [],
        "properties": {"city": {"type": "string"}, "zip": {"type": "string", "description": "Five digits."}}}
    assert instance(Optional[List[datetime.datetime]], ["2024-02-29T10:00:00Z"]) == [
        datetime.datetime(2024, 2, 29, 10, tzinfo=datetime.timezone.utc)]
    assert instance(Dict[str, Kind], {"a": "party"}) == {"a": Kind.PARTY}
    assert instance(Event, None) is None and instance("date", "2024-02-29") == "2024-02-29"


def test_a_type_that_no_field_can_have_is_refused_at_once():
    @dataclasses.dataclass
    class Node:
        next: "Optional[Node]" = None

    globals()["Node"] = Node
    for hint in (Node, object, threading.Thread, List[complex]):
        with pytest.raises(TypeError):
            hone.Predict({"inputs": {"a": str}, "outputs": {"b": hint}})


def test_the_simulation_knows_the_types_as_well(start, tmp_path):
    hone.configure(client=start(tmp_path / "home"), lm="simulated")
    made = hone.Predict({
        "inputs": {"email": str},
        "outputs": {"day": datetime.date, "when": datetime.datetime, "at": datetime.time, "event": Event}})(email="x")
    assert isinstance(made.day, datetime.date) and isinstance(made.when, datetime.datetime)
    assert isinstance(made.at, datetime.time) and isinstance(made.event, Event)


# MARK: Pydantic and DSPy


def test_a_pydantic_model_is_a_fields_type(start, says, tmp_path):
    pydantic = pytest.importorskip("pydantic")

    class Person(pydantic.BaseModel):
        name: str = pydantic.Field(description="Full name.", max_length=30)
        born: Optional[datetime.date] = None
        email: str = pydantic.Field(pattern=r"^[^@]+@[^@]+$")

    class Meeting(pydantic.BaseModel):
        model_config = {"extra": "forbid"}
        topic: Literal["a", "b"]
        people: List[Person] = pydantic.Field(min_length=1)
        price: pydantic.condecimal(ge=0) = 0

    reply = {"topic": "a", "people": [{"name": "Ann", "born": "2000-01-02", "email": "a@b"}], "price": 1.5}
    lm, prompts = says(
        "[[ ## meeting ## ]]\n" + json.dumps({**reply, "people": [{"name": "Ann", "email": "nobody"}]}),
        "[[ ## meeting ## ]]\n" + json.dumps(reply))
    hone.configure(client=start(tmp_path / "home"), lm=lm)
    made = hone.Predict({"inputs": {"email": str}, "outputs": {"meeting": Meeting}})(email="x").meeting
    assert isinstance(made, Meeting) and made.people[0].born == datetime.date(2000, 1, 2) and made.price == 1.5
    assert "`meeting.people[0].email` should be a text that matches" in json.dumps(prompts[1])
    listed = hone.Predict({"inputs": {"email": str}, "outputs": {"people": List[Person]}})
    assert listed.signature["outputs"][0]["type"]["type"] == "array"

    class Tree(pydantic.BaseModel):
        children: "List[Tree]" = []

    Tree.model_rebuild(_types_namespace={"Tree": Tree, "List": List})
    with pytest.raises(hone.HoneError, match="recursive"):
        hone.Predict({"inputs": {"email": str}, "outputs": {"tree": Tree}})(email="x")


def test_a_signature_class_of_dspy_keeps_its_types(start, says, tmp_path):
    dspy = pytest.importorskip("dspy")

    class Find(dspy.Signature):
        """Find the event."""

        email: str = dspy.InputField()
        event: Event = dspy.OutputField(desc="the event")
        day: datetime.date = dspy.OutputField()
        stars: int = dspy.OutputField(ge=1, le=5)

    lm, prompts = says("\n".join([
        "[[ ## event ## ]]", json.dumps(REPLY), "[[ ## day ## ]]", "2024-02-29", "[[ ## stars ## ]]", "4"]))
    hone.configure(client=start(tmp_path / "home"), lm=lm)
    found = hone.Predict(Find)(email="x")
    assert found.event.kind is Kind.PARTY and found.day == datetime.date(2024, 2, 29) and found.stars == 4
    assert "at least 1, at most 5" in json.dumps(prompts[0])
    # DSPy reads the state of such a program, and Hone reads DSPy's.
    program = hone.Predict(Find)
    program.save(tmp_path / "hone.json")
    loaded = dspy.Predict(Find)
    loaded.load(str(tmp_path / "hone.json"))
    assert loaded.signature.instructions == "Find the event."
    loaded.save(str(tmp_path / "dspy.json"))
    program.load(tmp_path / "dspy.json")
    assert program(email="x").event.kind is Kind.PARTY

"""The conversations of Protocol/transcripts, word by word, and the page that explains the protocol."""

import json
import re
import shutil
import subprocess

import pytest
from conftest import ROOT
from transcripts import play

PROTOCOL = ROOT / "Protocol"
TRANSCRIPTS = sorted((PROTOCOL / "transcripts").glob("*.jsonl"))
DOCUMENT = json.loads((PROTOCOL / "openrpc.json").read_text(encoding="utf-8"))


def load(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(path, executable, tmp_path):
    lines = load(path)
    assert set(lines[0]) == {"about", "framing"}
    messages = []
    play(lines, executable, tmp_path, messages.append)
    check_schemas(lines, messages)


def check_schemas(lines, messages):
    """What a method answered, and what a callback asked and was answered, fits the schemas of openrpc.json."""
    jsonschema = pytest.importorskip("jsonschema")

    def check(value, schema):
        jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(value)

    flat = [frame for line in lines if "frame" in line for frame in (line["frame"] if isinstance(line["frame"], list) else [line["frame"]])]
    asked = {frame["id"]: frame["method"] for frame in flat if isinstance(frame, dict) and "method" in frame and "id" in frame and isinstance(frame["id"], (int, str))}
    results = {method["name"]: method["result"]["schema"] for method in DOCUMENT["methods"]}
    callbacks = {callback["name"]: callback for callback in DOCUMENT["x-callbacks"]}
    notifications = {message["name"]: message for message in DOCUMENT["x-notifications"]["fromService"]}
    for message in [inner for outer in messages for inner in (outer if isinstance(outer, list) else [outer])]:
        if "result" in message and asked.get(message["id"]) in results:
            check(message["result"], results[asked[message["id"]]])
        elif "method" in message:
            check(message["params"], (callbacks if "id" in message else notifications)[message["method"]]["params"])
        elif "error" in message:
            kind = (message["error"].get("data") or {}).get("kind")
            assert kind is None or kind in DOCUMENT["x-errorKinds"]


def test_transcripts_cover_the_protocol():
    """Every callback and notification, both framings, a batch, and each code of an error are in some transcript."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in TRANSCRIPTS)
    for message in DOCUMENT["x-callbacks"] + DOCUMENT["x-notifications"]["fromService"]:
        assert f'"method":"{message["name"]}"' in text, message["name"]
    for name in ("headers", "lines"):
        assert f'"framing":"{name}"' in text
    for code in (-32700, -32600, -32601, -32602, -32800, -32803):
        assert f'"code":{code}' in text, code


def test_examples_fit_their_schemas():
    jsonschema = pytest.importorskip("jsonschema")

    def check(value, schema):
        jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(value)

    for method in DOCUMENT["methods"]:
        schemas = {param["name"]: param["schema"] for param in method["params"]}
        for example in method.get("examples", []):
            for param in example["params"]:
                check(param["value"], schemas[param["name"]])
    messages = DOCUMENT["x-callbacks"] + DOCUMENT["x-notifications"]["fromService"] + DOCUMENT["x-notifications"]["fromClient"]
    for message in messages:
        for example in message["examples"]:
            check(example["params"], message["params"])
            if "result" in message:
                check(example["result"], message["result"])


def test_schema_files_stand_by_themselves():
    jsonschema = pytest.importorskip("jsonschema")
    referencing = pytest.importorskip("referencing")
    files = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (PROTOCOL / "schemas").glob("*.json")}
    registry = referencing.Registry().with_resources(
        [(name, referencing.Resource.from_contents(schema)) for name, schema in files.items()])
    for schema in files.values():
        jsonschema.Draft202012Validator.check_schema(schema)

    def valid(name, value):
        return jsonschema.Draft202012Validator(files[name], registry=registry).is_valid(value)

    assert valid("Program.json", {"host": "p", "predictors": {"answer": "question -> answer"}})
    assert not valid("HostProgram.json", {"host": "p"})
    assert valid("MetricAnswer.json", {"score": 0.5, "feedback": "half"}) and not valid("MetricAnswer.json", "0.5")


def test_the_page_is_true(executable, tmp_path):
    """The bytes and the client that README.md shows work as they stand."""
    page = (PROTOCOL / "README.md").read_text(encoding="utf-8")
    for asked, answered in re.findall(r"```\n→ (\{.*\})\n← (\{.*\})\n```", page):
        done = subprocess.run(
            [executable, "serve", "--home", str(tmp_path / "home")], input=asked.encode() + b"\n", capture_output=True)
        assert done.stdout.decode() == answered + "\n"
        assert f"Content-Length: {len(asked)}\\r\\n" in page
    script = re.search(r"```js\n(.*?)```", page, re.S).group(1)
    assert len(script.splitlines()) <= 30
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    (tmp_path / "client.js").write_text(script, encoding="utf-8")
    done = subprocess.run(
        [node, "client.js"], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        env={"HONE": executable, "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr
    assert re.search(r"score \d", done.stdout)

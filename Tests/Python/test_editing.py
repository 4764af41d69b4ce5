"""The language server for program files, as an editor meets it: raw frames in and out."""

import json
import socket

import pytest

from lsp import Editor, part, position

PROGRAM = {
    "program": "question -> answer",
    "optimizer": {"name": "MIPROv2", "auto": None, "num_candidates": 3, "num_trials": 4, "minibatch_size": 10},
    "trainset": {"name": "word-problems", "split": "train", "limit": 20},
    "valset": {"name": "word-problems", "split": "val", "limit": 20},
    "devset": {"path": "rows.jsonl"},
    "metric": "numeric_match",
    "lm": "simulated",
    "experiment": "editing",
    "seed": 3,
}
ROWS = [{"question": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(12)]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "a folder, Größe 😀"
    folder.mkdir()
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    return folder


@pytest.fixture
def launch(executable, tmp_path):
    editors = []

    def launch(**options):
        editor = Editor([executable, "serve", "--home", str(tmp_path / "home")], tmp_path, **options)
        editors.append(editor)
        return editor

    yield launch
    for editor in editors:
        editor.close()


@pytest.fixture
def editor(launch):
    return launch(capabilities={"window": {"workDoneProgress": True}})


def write(folder, name="p.hone.json", **members):
    path = folder / name
    path.write_text(json.dumps({**PROGRAM, **members}, indent=2, ensure_ascii=False))
    return path


def test_a_good_file_has_no_diagnostics_and_looking_at_it_makes_no_store(editor, folder, tmp_path):
    path = write(folder)
    uri = editor.open(path)
    assert editor.diagnostics(uri, 1) == []
    hover = editor.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": position(path.read_text(), "program")})
    assert "question -> reasoning, answer" in hover["contents"]["value"]
    assert not (tmp_path / "home").exists()


# What is wrong, what of the text is marked, and a part of the message.
WRONG = [
    ({"program": "question -> answer: itn"}, "itn", "Unknown type"),
    ({"program": "question, question -> answer"}, "question", "appears twice"),
    ({"program": "quest\u00f6ion \U0001f600 answer"}, '"quest\u00f6ion \U0001f600 answer"', "exactly one"),
    ({"program": {"signature": "question -> answer", "modul": "Predict"}}, '"modul"', '"module"'),
    ({"module": "ChainOfThougt"}, '"ChainOfThougt"', '"ChainOfThought"'),
    ({"metric": "exact_mach"}, '"exact_mach"', '"exact_match"'),
    ({"metric": {"name": "exact_match", "feild": "answer"}}, '"feild"', '"field"'),
    ({"metric": {"name": "exact_match", "field": "anwser"}}, '"anwser"', '"answer"'),
    ({"optimizer": {"name": "MIPRO2"}}, '"MIPRO2"', '"MIPROv2"'),
    ({"optimizer": {"name": "LabeledFewShot", "kk": 3}}, '"kk"', "no such member"),
    ({"optimizer": {"name": "LabeledFewShot", "k": "three"}}, '"three"', "whole number"),
    ({"lm": "opnai/gpt-4o-mini"}, '"opnai/gpt-4o-mini"', "openai"),
    ({"lm": {"model": "openai/x", "temprature": 1}}, '"temprature"', '"temperature"'),
    ({"devset": {"path": "rowz.jsonl"}}, '"rowz.jsonl"', "cannot be read"),
    ({"devset": {"path": "rows.jsonl", "limt": 3}}, '"limt"', '"limit"'),
    ({"devset": [{"question": "a", "answer": "b"}, {"qestion": "a", "answer": "b"}]}, None, '"question"'),
    ({"budget": {"maxCalls": -1}}, "-1", "at least 0"),
    ({"trianset": []}, '"trianset"', '"trainset"'),
    ({"tags": {"a.b": 1}}, "1", "string"),
]


@pytest.mark.parametrize("members,marked,message", WRONG, ids=[json.dumps(case[0]) for case in WRONG])
def test_each_mistake_is_marked_where_it_stands(editor, folder, members, marked, message):
    path = write(folder, **members)
    text = path.read_text()
    uri = editor.open(path)
    found = editor.diagnostics(uri, 1)
    assert len(found) == 1, found
    assert message in found[0]["message"]
    assert found[0]["severity"] == 1 and found[0]["source"] == "hone"
    if marked:
        assert part(text, found[0]["range"]) == marked
    else:
        assert json.loads(part(text, found[0]["range"])) == {"qestion": "a", "answer": "b"}


def test_a_member_that_stands_twice_is_told(editor, folder):
    path = write(folder)
    text = path.read_text().replace('"lm": "simulated"', '"lm": "simulated", "lm": "simulated"')
    uri = editor.open(path, text)
    found = editor.diagnostics(uri, 1)
    assert [(item["severity"], part(text, item["range"])) for item in found] == [(2, '"lm"')]
    assert "appears twice" in found[0]["message"]


def test_hover_is_plain_for_an_editor_that_wants_it_so(launch, folder):
    editor = launch(capabilities={"textDocument": {"hover": {"contentFormat": ["plaintext"]}}})
    path = write(folder)
    uri = editor.open(path)
    editor.execute("hone.evaluate", uri)
    contents = editor.request("textDocument/hover", {
        "textDocument": {"uri": uri}, "position": position(path.read_text(), "program")})["contents"]
    assert contents["kind"] == "plaintext" and "Last evaluation: " in contents["value"]
    assert not set("`*") & set(contents["value"].replace("`question`", ""))


def test_malformed_rows_are_marked_at_the_file_that_has_them(editor, folder):
    (folder / "bad.jsonl").write_text('{"question": "a", "answer": "b"}\n{"question": \n')
    path = write(folder, devset={"path": "bad.jsonl"})
    uri = editor.open(path)
    found = editor.diagnostics(uri, 1)
    assert part(path.read_text(), found[0]["range"]) == '"bad.jsonl"'
    assert found[0]["data"]["path"] == "devset.rows[1]", found


def test_all_problems_come_at_once_and_the_key_that_is_missing_is_a_warning(editor, folder, monkeypatch):
    path = write(folder, metric="f11", lm="openai/gpt-4o-mini", devset={"path": "none.csv"}, seed="x")
    uri = editor.open(path)
    found = editor.diagnostics(uri, 1)
    assert sorted(item["data"]["path"] for item in found) == ["devset.path", "lm", "metric", "seed"]
    assert [item["severity"] for item in found if item["data"]["path"] == "lm"] == [2]
    assert "OPENAI_API_KEY" in str(found)


def test_diagnostics_follow_the_typing_with_exact_places(editor, folder):
    path = write(folder, experiment="😀 Größe")
    text = path.read_text()
    uri = editor.open(path)
    assert editor.diagnostics(uri, 1) == []
    # Behind characters of two, three and four bytes on the same line, by parts of the text.
    line = text.split("\n").index('  "experiment": "😀 Größe",')
    at = len('  "experiment": "😀 Größe",'.encode("utf-16-le")) // 2
    insert = {"range": {"start": {"line": line, "character": at}, "end": {"line": line, "character": at}}}
    editor.change(uri, 2, {**insert, "text": ' "metrik": "f1",'})
    found = editor.diagnostics(uri, 2)
    changed = text.replace('Größe",', 'Größe", "metrik": "f1",')
    assert [part(changed, item["range"]) for item in found] == ['"metrik"']
    assert found[0]["range"]["start"] == {"line": line, "character": at + 1}
    # Taken back, and a comma with it: the text is no JSON.
    start = {"line": line, "character": at - 1}
    editor.change(uri, 3, {"range": {"start": start, "end": {"line": line, "character": at + len(' "metrik": "f1",')}}, "text": ""})
    found = editor.diagnostics(uri, 3)
    assert [item["code"] for item in found] == ["syntax"]
    assert found[0]["range"]["start"]["line"] == line + 1
    editor.change(uri, 4, {"text": text})
    assert editor.diagnostics(uri, 4) == []
    # What appears and goes on disk counts when the file is saved.
    (folder / "rows.jsonl").write_text("")
    editor.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    editor.wait(lambda: editor.notifications[-1]["params"].get("diagnostics"))
    editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    editor.wait(lambda: editor.notifications[-1]["params"] == {"uri": uri, "diagnostics": []})


@pytest.mark.parametrize("text", ["", "{", '{"program": ', '{"metric": "f1" "lm"', "[1]", '{"a": "', "{]", '{"😀": }'])
def test_a_text_that_is_no_object_has_one_error_within_it(editor, folder, text):
    path = folder / "broken.hone.json"
    path.write_text(text)
    uri = editor.open(path)
    found = editor.diagnostics(uri, 1)
    assert len(found) == 1
    assert text == "" or part(text, found[0]["range"]) != ""


def complete(editor, uri, text, needle):
    return editor.request("textDocument/completion", {
        "textDocument": {"uri": uri}, "position": position(text, needle, after=True)})


def test_completion_offers_what_the_reading_would_take(editor, folder):
    def labels(text, needle):
        path = folder / "c.hone.json"
        editor.notify("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})
        uri = editor.open(path, text)
        return {item["label"]: item for item in complete(editor, uri, text, needle)}

    assert {"program", "metric", "devset", "budget"} <= set(labels('{"', '{"'))
    present = labels('{"metric": "f1", }', '"f1", ')
    assert "program" in present and "metric" not in present
    assert present["program"]["textEdit"]["newText"] == '"program": '
    metrics = labels('{"metric": ""}', '"metric": "')
    assert {"exact_match", "f1", "regex"} <= set(metrics)
    assert metrics["f1"]["textEdit"] == {
        "range": {"start": {"line": 0, "character": 11}, "end": {"line": 0, "character": 13}}, "newText": '"f1"'}
    assert {"exact_match"} <= set(labels('{"metric": {"name": "ex"}}', '"ex'))
    assert {"MIPROv2", "LabeledFewShot"} <= set(labels('{"optimizer": \n "seed": 1}', ": "))
    options = labels('{"optimizer": {"name": "MIPROv2", "m"}}', '"m')
    assert {"max_bootstrapped_demos", "minibatch_size"} <= set(options) and "name" not in options
    assert "Default: 4." in options["max_bootstrapped_demos"]["detail"]
    assert set(labels('{"optimizer": {"name": "MIPROv2", "auto": "l"}}', '"l')) == {"light", "medium", "heavy"}
    assert {"Predict", "ChainOfThought"} <= set(labels('{"program": {"signature": "a -> b", "module": "P"}}', '"P'))
    assert {"simulated", "openai/", "ollama/"} <= set(labels('{"lm": "o"}', '"o'))
    assert "rows.jsonl" in labels('{"devset": {"path": "r"}}', '"r')
    assert {"word-problems", "gsm8k", "rows.jsonl"} <= set(labels('{"devset": ', ": "))
    assert {"train", "test"} <= set(labels('{"devset": {"name": "word-problems", "split": "t"}}', '"t'))
    typed = '{"program": {"signature": {"inputs": ["a"], "outputs": [{"name": "b", "type": "d"}]}}}'
    assert {"date", "datetime", "list", "Optional"} <= set(labels(typed, '"d'))
    assert {"maxCalls", "maxCost"} <= set(labels('{"budget": {ma}}', "ma"))
    assert {"true", "false"} == set(labels('{"autolog": {"evals": }}', "evals\": "))


def test_hover_tells_what_stands_there(editor, folder):
    path = write(folder)
    text = path.read_text()
    uri = editor.open(path)

    def hover(needle):
        answer = editor.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": position(text, needle)})
        return answer and answer["contents"]["value"]

    assert "12 rows" in hover('"devset"') and "What is 0 + 0?" in hover('"devset"')
    assert "number is the expected one" in hover('"numeric_match"')
    assert "Default: 35." in hover('"minibatch_size"')
    assert "instructions and demo sets together" in hover('"MIPROv2"')
    assert "simulation" in hover('"simulated"')
    assert hover("\n") is None


def test_a_quick_fix_mends_a_misspelt_name(editor, folder):
    path = write(folder, metric="exact_mach", lmm="simulated")
    text = path.read_text()
    uri = editor.open(path)
    found = editor.diagnostics(uri, 1)
    actions = editor.request("textDocument/codeAction", {
        "textDocument": {"uri": uri}, "range": found[0]["range"],
        "context": {"diagnostics": found}})
    edits = [edit for action in actions if "edit" in action for edit in action["edit"]["changes"][uri]]
    assert [(part(text, edit["range"]), edit["newText"]) for edit in edits] == [
        ('"exact_mach"', '"exact_match"'), ('"lmm"', '"lm"')]
    commands = [action["command"]["command"] for action in actions if "command" in action]
    assert commands == ["hone.evaluate", "hone.compile", "hone.loadBest"]
    only = editor.request("textDocument/codeAction", {
        "textDocument": {"uri": uri}, "range": found[0]["range"],
        "context": {"diagnostics": found, "only": ["quickfix"]}})
    assert len(only) == 2


def test_evaluate_compile_and_load_the_best_program(editor, folder):
    path = write(folder)
    text = path.read_text()
    uri = editor.open(path)
    # The text in the editor counts, not the one on disk.
    editor.change(uri, 2, {"text": text.replace('"numeric_match"', '"exact_match"')})
    scored = editor.execute("hone.evaluate", uri)
    assert scored["count"] == 12 and scored["status"] == "FINISHED"
    created = [request["params"]["token"] for request in editor.requests]
    assert len(created) == 1
    kinds = [value["kind"] for value in editor.progress(created[0])]
    assert kinds[0] == "begin" and kinds[-1] == "end"
    run = editor.request("getRun", {"runId": scored["runId"]})["run"]
    assert run["params"]["metric"] == "exact_match"
    assert run["tags"]["hone.file"] == str(path)

    best = editor.execute("hone.compile", {"uri": uri, "metric": "numeric_match"}, workDoneToken="mine")
    assert best["status"] == "FINISHED"
    values = editor.progress("mine")
    assert values[0]["title"] == "Compiling p.hone.json" and values[0]["cancellable"]
    assert [value["percentage"] for value in values if "percentage" in value] == sorted(
        value["percentage"] for value in values if "percentage" in value)
    messages = [m["params"]["message"] for m in editor.notifications if m["method"] == "window/showMessage"]
    assert len(messages) == 2 and messages[1].startswith("Compiled p.hone.json: ")

    hover = editor.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": position(text, '"program"')})
    assert best["runId"] in hover["contents"]["value"] and f"{best['score']:.2f}" in hover["contents"]["value"]
    lenses = editor.request("textDocument/codeLens", {"textDocument": {"uri": uri}})
    assert [lens["command"]["title"] for lens in lenses][:2] == ["Evaluate", "Compile"]
    assert lenses[-1]["command"]["title"].startswith(f"last: {best['score']:.2f}")

    editor.change(uri, 3, {"text": text})
    loaded = editor.execute("hone.loadBest", uri)
    assert loaded["runId"] == best["runId"] and loaded["applied"] is False
    [edit] = loaded["edit"]["changes"][uri]
    assert part(text, edit["range"]) == '"question -> answer"'
    new = text.replace('"question -> answer"', edit["newText"], 1)
    assert json.loads(new)["program"]["signature"] == "question -> answer"
    editor.change(uri, 4, {"range": edit["range"], "text": edit["newText"]})
    assert editor.diagnostics(uri, 4) == []
    # The file's program is the run's, for every method that takes a program.
    state = editor.request("loadProgram", {"run": best["runId"]})
    program = json.loads(new)["program"]
    same = editor.execute("hone.diff", {"left": {"uri": uri}, "right": {"run": best["runId"]}})
    assert same["diff"] == ""
    other = editor.execute("hone.diff", {"left": "question -> answer", "right": {"uri": uri}})
    assert "+++ p.hone.json" in other["diff"] and other["right"]["text"].count("demo ") >= 0
    answer = editor.request("predict", {"program": program, "inputs": {"question": "What is 1 + 1?"}, "lm": "simulated"})
    assert "answer" in answer["outputs"]
    assert state["predictors"][0]["instructions"] == program["state"]["predict"]["signature"]["instructions"]

    tree = editor.execute("hone.runs", {"uri": uri})
    assert [node["kind"] for node in tree["runs"]] == ["compile", "evaluate"]
    assert len(tree["runs"][0]["children"]) == len(best["trials"])
    assert editor.execute("hone.runs", {"uri": uri, "onlyFile": True})["runs"][0]["file"] == str(path)
    assert editor.execute("hone.runs", {"uri": uri, "onlyFile": True})["more"] is False
    first = editor.execute("hone.runs", {"uri": uri, "onlyFile": True, "limit": 1})
    assert len(first["runs"]) == 1 and first["more"] is True
    outline = editor.execute("hone.trace", {"runId": scored["runId"]})
    assert len(outline["traces"]) == 12
    depths = [line["depth"] for line in outline["lines"]]
    assert depths[0] == 0 and max(depths) >= 3
    assert all(after - before <= 1 for before, after in zip(depths, depths[1:]))
    assert "LM.__call__" in outline["text"]


def test_the_edit_is_applied_by_an_editor_that_can(launch, folder):
    editor = launch(capabilities={"workspace": {"applyEdit": True}})
    editor.answers["workspace/applyEdit"] = {"applied": True}
    path = write(folder)
    uri = editor.open(path)
    assert editor.error("workspace/executeCommand", {"command": "hone.loadBest", "arguments": [uri]})["code"] == -32803
    editor.execute("hone.compile", {"uri": uri, "optimizer": "LabeledFewShot"})
    loaded = editor.execute("hone.loadBest", uri)
    assert loaded["applied"] is True
    [request] = [request for request in editor.requests if request["method"] == "workspace/applyEdit"]
    assert request["id"] >= 10**9
    assert request["params"]["edit"] == loaded["edit"]
    # Without the capability, no progress was begun of our own accord.
    assert editor.progress() == []


@pytest.fixture
def silence():
    """The base URL of an endpoint that takes requests and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


@pytest.mark.parametrize("way", ["token", "request", "command"])
def test_a_compile_is_cancelled(editor, folder, silence, way):
    path = write(folder, lm={"model": "openai/sim", "apiBase": silence})
    uri = editor.open(path)
    id = editor.send("workspace/executeCommand", {
        "command": "hone.compile", "arguments": [{"uri": uri}], "workDoneToken": "t"})
    editor.wait(lambda: len(editor.progress("t")) > 1)
    if way == "token":
        editor.notify("window/workDoneProgress/cancel", {"token": "t"})
    elif way == "request":
        editor.notify("$/cancelRequest", {"id": id})
    else:
        assert editor.execute("hone.cancel", uri) == {"cancelled": 1}
    error = editor.response(id, 30)["error"]
    assert error["code"] == -32800
    assert editor.progress("t")[-1] == {"kind": "end", "message": "cancelled"}
    run = editor.request("getRun", {"runId": error["data"]["runId"]})["run"]
    assert run["tags"]["hone.status"] == "CANCELLED"


def test_mistakes_of_the_client_are_told(editor, folder):
    unknown = editor.error("workspace/executeCommand", {"command": "hone.compil", "arguments": []})
    assert unknown["code"] == -32602 and unknown["data"]["problems"][0]["suggestion"] == "hone.compile"
    assert editor.error("workspace/executeCommand", {"command": "hone.compile", "arguments": []})["code"] == -32602
    missing = (folder / "none.hone.json").as_uri()
    gone = editor.error("workspace/executeCommand", {"command": "hone.evaluate", "arguments": [missing]})
    assert gone["data"]["kind"] == "notFound"
    path = write(folder)
    typo = editor.error("workspace/executeCommand", {"command": "hone.evaluate", "arguments": [{"uri": path.as_uri(), "lmm": "simulated"}]})
    assert typo["data"]["problems"][0]["suggestion"] == "lm"
    wrong = write(folder, metric="exact_mach")
    refused = editor.error("workspace/executeCommand", {"command": "hone.evaluate", "arguments": [wrong.as_uri()]})
    assert refused["data"]["problems"][0]["path"] == "metric"

"""Data files and answers as people bring them: each is taken as it is meant, or called what it is."""

import gzip
import json
import subprocess

import pytest

import hone
from scripted_endpoint import ScriptedEndpoint


def program(signature):
    return {"module": "Predict", "signature": signature}


def reply(**outputs):
    fields = "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in outputs.items())
    return fields + "\n\n[[ ## completed ## ]]"


@pytest.fixture
def evaluate(client, tmp_path):
    """Scores a model that always gives the same reply: (content of a file or a data set, reply, …) -> result, prompts."""

    def evaluate(data, answer, signature="question -> answer", metric="exact_match", name="rows.csv", **options):
        if isinstance(data, (str, bytes)):
            path = tmp_path / name
            path.write_bytes(data if isinstance(data, bytes) else data.encode())
            data = {"path": str(path), **options}
        with ScriptedEndpoint(lambda _: answer) as endpoint:
            result = client.evaluate(program(signature), data, metric, lm=endpoint.model(), concurrency=1)
            return result, endpoint.bodies

    return evaluate


@pytest.mark.parametrize("type, cells, answer, score", [
    ("bool", ("1", "0"), "True", 50), ("bool", ("yes", "no"), "yes", 50), ("bool", ("TRUE", "FALSE"), "False", 50),
    ("bool", ("1.0", "0.0"), "1", 50), ("float", ("0.50", "0.5"), "0.5", 100), ("float", ("0.50", "5"), ".5", 50),
    ("int", ("3.0", "4"), "3", 50), ("int", ("007", "7"), "7", 100), ("list[str]", ('["a","b"]', "['a', 'b']"), '["a", "b"]', 100),
    ("list[int]", ("[1, 2]", "[2, 1]"), "[1, 2]", 50), ("Literal['Yes', 'No']", ("yes", "NO"), "Yes", 50),
    ("dict[str, int]", ('{"a": 1}', '{"a": 2}'), '{"a": 1}', 50), ("str", ("1", "0"), "1", 50),
    ("Optional[int]", ("3", "4"), "3", 50),
])
@pytest.mark.parametrize("form", ["csv", "jsonl", "inline"])
def test_what_is_right_is_read_as_the_output_type(evaluate, type, cells, answer, score, form):
    rows = [{"word": f"w{n}", "expected": cell} for n, cell in enumerate(cells)]
    if form == "csv":
        data = "word,expected\n" + "".join('{word},"{0}"\n'.format(r["expected"].replace('"', '""'), **r) for r in rows)
    elif form == "jsonl":
        data = "".join(json.dumps(row) + "\n" for row in rows)
    else:
        data = rows
    result, _ = evaluate(data, reply(expected=answer), f"word -> expected: {type}")
    assert result["score"] == score and not result.get("warnings")


def test_numbers_for_flags_and_a_renamed_label_are_read_too(evaluate):
    rows = [{"w": "a", "gold": 1}, {"w": "b", "gold": 0}]
    metric = {"name": "exact_match", "expectedField": "gold"}
    assert evaluate(rows, reply(ok="True"), "w -> ok: bool", metric)[0]["score"] == 50
    for name in ("json_match", "f1", "contains"):
        rows = [{"w": "a", "ok": "1"}, {"w": "b", "ok": "no"}]
        assert evaluate(rows, reply(ok="True"), "w -> ok: bool", name)[0]["score"] == 50


def test_what_is_no_value_of_the_type_is_told_before_anything_is_scored(evaluate):
    result, _ = evaluate("w,ok\na,1\nb,maybe\n", reply(ok="True"), "w -> ok: bool")
    assert result["score"] == 50
    assert result["warnings"] == ['1 row has a "ok" that is no bool and is compared as it stands: devset[1]: "maybe".']


def test_demos_show_the_value_of_the_type(client, tmp_path):
    (tmp_path / "train.csv").write_text("w,tags\na,\"['x', 'y']\"\nb,[]\n")
    with ScriptedEndpoint(lambda _: reply(tags='["x"]')) as endpoint:
        compiled = client.compile(
            program("w -> tags: list[str]"), "LabeledFewShot", {"path": str(tmp_path / "train.csv")}, "exact_match",
            lm=endpoint.model())
    demos = compiled["program"]["demos"]
    assert sorted(demo["tags"] for demo in demos) == [[], ["x", "y"]]


def test_a_metric_of_ones_own_gets_its_own_rows_and_a_file_s_typed(client, tmp_path):
    (tmp_path / "rows.csv").write_text("w,ok\na,1\nb,0\n")
    seen = []

    def metric(example, prediction):
        seen.append(example["ok"])
        return example["ok"] == prediction["ok"]

    with ScriptedEndpoint(lambda _: reply(ok="True")) as endpoint:
        options = {"lm": endpoint.model(), "concurrency": 1}
        assert client.evaluate(program("w -> ok: bool"), {"path": str(tmp_path / "rows.csv")}, metric, **options)["score"] == 50
        client.evaluate(program("w -> ok: bool"), [{"w": "a", "ok": "yes"}], metric, **options)
    assert seen == [True, False, "yes"]


@pytest.mark.parametrize("text, name", [
    (",question,answer\n0,Capital of France?,Paris\n", "index.csv"),
    ("Unnamed: 0,question,answer\n0,Capital of France?,Paris\n", "index.csv"),
    ("question;answer\nCapital of France?;Paris\n", "rows.csv"), ("question\tanswer\nCapital of France?\tParis\n", "rows.csv"),
    ("\ufeffquestion,answer\r\nCapital of France?,Paris\r\n", "rows.csv"),
    ("question\tanswer\r\nCapital of France?\tParis\r\n".encode("utf-16"), "unicode.txt"),
    ("question,answer\nCapital of France?,Paris\n".encode("utf-16-be"), "rows.csv"),
    ('[\n{"question":"Capital of France?","answer":"Paris"}\n]', "rows.jsonl"),
    ('{"question":"Capital of France?","answer":"Paris"}\n', "rows.csv"),
    ('{"question":"Capital of France?","answer":"Paris","w":NaN}\n', "nan.jsonl"),
    ('[{"question":"Capital of France?","answer":"Paris","w":-Infinity}]', "nan.json"),
    (gzip.compress(b"question,answer\nCapital of France?,Paris\n"), "rows.csv.gz"),
    (gzip.compress(b'{"question":"Capital of France?","answer":"Paris"}\n'), "rows"),
])
def test_files_are_read_as_they_come(evaluate, text, name):
    result, bodies = evaluate(text, reply(answer="Paris"), name=name)
    assert result["score"] == 100
    assert "Capital of France?" in bodies[0]["messages"][-1]["content"]


@pytest.mark.parametrize("content, name, words", [
    (b"PAR1....PAR1", "train.parquet", ["train.parquet holds Parquet", "read_parquet('train.parquet')", "lines=True"]),
    (b"PAR1....PAR1", "train.csv", ["train.csv holds Parquet"]),
    (b"PK\3\4....[Content_Types].xml", "rows.xlsx", ["an Excel workbook", "read_excel('rows.xlsx')"]),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "rows.jsonl", ["Git LFS", "git lfs pull"]),
    (b"<!DOCTYPE html>\n<html>", "rows.json", ["a web page"]),
    (b"\x80\x04\x95\x00\x00", "rows.pkl", ["pickle"]), (b"SQLite format 3\0", "rows.db", ["SQLite"]),
    (gzip.compress(b"question,answer\n" * 50)[:-6], "rows.csv.gz", ["not whole"]),
    ('{"question":NaN,"answer":"Paris"}\n', "nan.jsonl", ["question", "NaN is no value"]),
    (",,question,answer\n0,0,q,Paris\n", "rows.csv", ["Column 2 has no name"]),
])
def test_what_cannot_be_read_is_called_what_it_is(evaluate, content, name, words):
    with pytest.raises(hone.HoneError) as caught:
        evaluate(content, reply(answer="Paris"), name=name)
    assert caught.value.kind == "datasetInvalid"
    said = json.dumps([problem["message"] for problem in caught.value.problems])
    assert all(word in said for word in words), said


NAMED = "User Question,Expected Answer\nCapital of France?,Paris\n"
COLUMNS = {"question": "User Question", "answer": "Expected Answer"}


def test_a_column_may_have_another_name_than_the_field(evaluate, executable, tmp_path):
    result, bodies = evaluate(NAMED, reply(answer="Paris"), name="named.csv", columns=COLUMNS)
    assert result["score"] == 100 and "Capital of France?" in bodies[0]["messages"][-1]["content"]
    rows = {"rows": [{"User Question": "Capital of France?", "Expected Answer": "Paris"}], "columns": COLUMNS}
    assert evaluate(rows, reply(answer="Paris"))[0]["score"] == 100
    with pytest.raises(hone.HoneError) as caught:
        evaluate(NAMED, reply(answer="Paris"), columns={**COLUMNS, "question": "Question"})
    (problem,) = caught.value.problems
    assert problem["path"] == "devset.columns.question"
    assert problem["allowed"] == ["User Question", "Expected Answer"]
    (tmp_path / "named.csv").write_text(NAMED)
    with ScriptedEndpoint(lambda _: reply(answer="Paris")) as endpoint:
        done = subprocess.run(
            [executable, "evaluate", "--program", "question -> answer", "--module", "Predict", "--metric", "exact_match",
             "--devset", json.dumps({"path": "named.csv", "columns": COLUMNS}), "--lm", json.dumps(endpoint.model()),
             "--home", str(tmp_path / "home"), "--json"],
            cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["score"] == 100


@pytest.mark.parametrize("gold, answer, metric, score", [
    ("A", "A", "f1", 100), ("", "", "f1", 100), ("the", "The.", "f1", 100), ("東京都", "東京", "f1", 80),
    ("-5", "5", "exact_match", 0), ("-5", "5", "accuracy", 0), ("-5", "-5.", "exact_match", 100), ("3.5", "35", "em", 0),
    ("C#", "C++", "exact_match", 0), ("x > 0", "x < 0", "exact_match", 0), ("50%", "50", "exact_match", 0),
    ("-5", "5", {"name": "exact_match", "normalization": "dspy"}, 100), ("-5", "5", "f1", 0),
    ("東京", "「東京」。", "exact_match", 100), ("Paris", "**Paris**.", "exact_match", 100),
])
def test_texts_are_compared_by_what_they_mean(evaluate, gold, answer, metric, score):
    rows = [{"question": "q", "answer": gold}]
    assert evaluate(rows, reply(answer=answer), metric=metric)[0]["score"] == score

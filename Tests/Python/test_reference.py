"""What `hone optimizers`, `hone metrics` and `hone models` say, and the Python classes made from it."""

import inspect
import json
import os
import subprocess
import sys

import pytest

import hone
from conftest import ROOT


def said(executable, *words):
    return subprocess.run([executable, *words], check=True, capture_output=True, text=True).stdout


def test_every_setting_is_listed_with_its_kind_its_default_and_a_sentence(executable):
    text = said(executable, "optimizers", "mipro_v2")
    line = next(line for line in text.splitlines() if line.startswith("auto "))
    assert "light | medium | heavy" in line and '"light"' in line and "size of the search" in line
    assert "pattern" in said(executable, "metrics", "regex")
    models = said(executable, "models")
    assert "$OPENAI_API_KEY" in models and "hedgeAfter" in models
    refused = subprocess.run([executable, "metrics", "exct"], capture_output=True, text=True)
    assert refused.returncode != 0 and "exact_match" in refused.stderr


def test_the_client_has_the_optimizers_that_the_service_has(executable):
    script = [sys.executable, str(ROOT / "scripts" / "generate-optimizers"), "--check"]
    checked = subprocess.run(script, env={**os.environ, "HONE": executable}, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    for entry in json.loads(said(executable, "optimizers", "--json")):
        parameters = inspect.signature(getattr(hone, entry["name"])).parameters
        assert set(entry["options"]) <= set(parameters)
        for name, option in entry["options"].items():
            assert repr(parameters[name].default) == repr(option.get("default")), name


def test_a_misspelt_setting_is_refused_where_it_is_written():
    with pytest.raises(TypeError, match="'autos'.*Did you mean 'auto'"):
        hone.MIPROv2(metric="exact_match", autos="light")
    # What is left out is left to the service; what DSPy has beside is taken.
    search = hone.MIPROv2(metric="exact_match", num_candidates=3, num_trials=5, auto=None, num_threads=4, verbose=True)
    assert search.to_wire() == {"name": "MIPROv2", "auto": None, "num_candidates": 3, "num_trials": 5}
    assert search.request_defaults() == {"metric": "exact_match", "concurrency": 4}
    assert hone.LabeledFewShot(3).to_wire() == {"name": "LabeledFewShot", "k": 3}

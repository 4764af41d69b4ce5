"""Compiles and evaluations on additions, over the endpoint that solves them: what the tests of lost work share."""

import json
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROWS = [{"question": f"What is {a} plus {b}?", "answer": str(a + b)}
        for a, b in ((7 * i % 89 + 3, 11 * i % 97 + 2) for i in range(60))]
MIPRO = {"name": "MIPROv2", "auto": None, "num_candidates": 4, "num_trials": 6, "minibatch_size": 8,
         "minibatch_full_eval_steps": 3}
RANDOM_SEARCH = {"name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": 4, "max_labeled_demos": 4}
OPTIMIZERS = {
    "MIPROv2": MIPRO, "RandomSearch": RANDOM_SEARCH, "Race": {**RANDOM_SEARCH, "validation": "race"},
    "COPRO": {"name": "COPRO", "breadth": 8, "depth": 3},
    "InferRules": {"name": "InferRules", "num_candidates": 6, "max_labeled_demos": 4}}


class Endpoint:
    """A process that serves the additions' endpoint."""

    def __init__(self, **settings):
        words = [f"{name}={value}" for name, value in settings.items()]
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("faulty_endpoint.py")), *words], stdout=subprocess.PIPE,
            text=True)
        self.base = self.process.stdout.readline().strip()

    def get(self, path):
        with urllib.request.urlopen(self.base.replace("/v1", path), timeout=10) as reply:
            return json.load(reply)

    @property
    def stats(self):
        return self.get("/stats")

    @property
    def calls(self):
        return self.stats["calls"]

    def fail(self, **shares):
        """How it fails from now on."""
        self.get("/faults?" + "&".join(f"{name.lstrip('_')}={part}" for name, part in shares.items()))

    @contextmanager
    def holding(self, after):
        """Answers that many calls more, and lets the rest wait until the block ends: what is under way stays so."""
        self.get(f"/hold?after={after}")
        try:
            yield
        finally:
            self.get("/hold")

    def lm(self, **more):
        return {"model": "openai-compatible/adder", "apiBase": self.base, "hedge": False, **more}

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def compile_params(endpoint, optimizer=MIPRO, *, val=20, lm=None, **more):
    return {
        "program": "question -> answer", "optimizer": optimizer, "trainset": ROWS[:16], "valset": ROWS[16:16 + val],
        "metric": "numeric_match", "lm": endpoint.lm(**(lm or {})), "seed": 3, "concurrency": 8, **more}


def course(result):
    """A search, as far as two searches that are the same must agree."""
    return [(t["number"], t["name"], t["score"], t["count"], t["failed"], t["coverage"], t["coordinates"])
            for t in result["trials"]]


def outcome(result):
    return (result["status"], result["score"], result["baselineScore"], result["program"], course(result))

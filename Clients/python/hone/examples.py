"""Rows, inputs and outputs in Python: dicts whose members are also attributes."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, NamedTuple, Optional


class Example(Dict[str, Any]):
    """A row of data: a dict whose members are also attributes (`example.answer`).

    Access a member named like a dict method (`items`, `keys`, `values`, `get` …) as `example["items"]`.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            known = ", ".join(self) or "none"
            raise AttributeError(f"There is no \"{name}\" here; there are: {known}.") from None

    def with_inputs(self, *names: str) -> Example:
        """The same row, with the named members as a program's inputs."""
        made = type(self)(self)
        dict.__setattr__(made, "_input_keys", frozenset(names))
        return made

    def inputs(self) -> Example:
        """The members that are a program's inputs."""
        names = self.input_names
        return Example({name: value for name, value in self.items() if names is None or name in names})

    def labels(self) -> Example:
        """The members that are not a program's inputs."""
        names = self.input_names or frozenset(self)
        return Example({name: value for name, value in self.items() if name not in names})

    @property
    def input_names(self) -> Optional[frozenset[str]]:
        """The names given to `with_inputs`, or None."""
        return self.__dict__.get("_input_keys")

    def toDict(self) -> Dict[str, Any]:  # noqa: N802, DSPy's name for it
        """A plain dict of the members."""
        return dict(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.items())})"


class Prediction(Example):
    """What a program or a predictor returned: its outputs as members, with its inputs.

    Attributes:
        trace_id: the execution's trace, or None if none is kept.
        usage: {calls, totalTokens, cost …} if the service returned it.
        completions: all the answers, if the model was asked for several.
    """

    @property
    def trace_id(self) -> Optional[str]:
        """The execution's trace."""
        return self.__dict__.get("_trace_id")

    @property
    def usage(self) -> Dict[str, Any]:
        """What it cost."""
        return self.__dict__.get("_usage") or {}

    @property
    def completions(self) -> List[Prediction]:
        """All the answers."""
        return self.__dict__.get("_completions") or [self]

    @classmethod
    def from_result(cls, result: Dict[str, Any]) -> Prediction:
        """The prediction in a `predict`'s result."""
        made = cls(result.get("outputs") or {})
        made.__dict__["_trace_id"] = result.get("traceId")
        made.__dict__["_usage"] = result.get("usage")
        made.__dict__["_completions"] = [cls(one) for one in result.get("completions") or []]
        return made


class Score(NamedTuple):
    """What a metric can return instead of a number: a score and the reason for it."""

    score: float
    feedback: Optional[str] = None


class ProposalRow(NamedTuple):
    """A row that a proposer is shown, and what came of it."""

    example: Example
    inputs: Optional[Example]
    outputs: Optional[Prediction]
    prediction: Prediction
    score: Optional[float]
    feedback: Optional[str]
    error: Optional[str]


class ProposalRequest(NamedTuple):
    """What a proposer is asked: to write an instruction, or a rule to add to it, for one predictor."""

    kind: str
    predictor: str
    signature: str
    instruction: str
    rows: List[ProposalRow]
    rejected: List[str]
    limit: int

    @classmethod
    def from_wire(cls, params: Dict[str, Any]) -> ProposalRequest:
        """The request in the parameters of `optimizer/propose`."""
        rows = [
            ProposalRow(
                Example(row.get("example") or {}), Example(row["inputs"]) if "inputs" in row else None,
                Prediction(row["outputs"]) if "outputs" in row else None, Prediction(row.get("prediction") or {}),
                row.get("score"), row.get("feedback"), row.get("error"))
            for row in params.get("rows") or []]
        return cls(
            str(params.get("kind")), str(params.get("predictor")), str(params.get("signature")),
            str(params.get("instruction") or ""), rows, list(params.get("rejected") or []), int(params.get("limit") or 0))


class TraceStep(NamedTuple):
    """One predictor's part in an execution, as a metric's `trace` lists them."""

    predictor: str
    inputs: Example
    outputs: Prediction


def trace_steps(trace: Any) -> Optional[List[TraceStep]]:
    """The trace of a callback as steps; None if there is none, as in an evaluation."""
    if not isinstance(trace, list):
        return None

    def steps() -> Iterator[TraceStep]:
        for step in trace:
            if isinstance(step, dict):
                yield TraceStep(
                    str(step.get("predictor")), Example(step.get("inputs") or {}),
                    Prediction(step.get("outputs") or {}))

    return list(steps())

"""Optimizers as DSPy writes them: made with a metric and settings, used with `compile`.

Made by scripts/generate-optimizers from what the service declares; do not edit.
"""

from __future__ import annotations

from typing import Any, List, Optional

from .optimizer import Optimizer, default

__all__ = ["BootstrapFewShot", "BootstrapFewShotWithRandomSearch", "BootstrapRS", "Ensemble", "KNNFewShot", "LabeledFewShot", "MIPROv2", "Optimizer"]


class BootstrapFewShot(Optimizer):
    """Runs the program on the trainset and shows the executions that the metric accepts as demos."""

    def __init__(
        self, metric: Any = None, *, metric_threshold: Optional[float] = default(None),
        max_bootstrapped_demos: int = default(4), max_labeled_demos: int = default(16), max_rounds: int = default(1),
        max_errors: int = default(10), **others: Any,
    ) -> None:
        """
        Args:
            metric: what is right: a name, {"name": …, …options}, or a function of your own.
            metric_threshold: The score from which an execution is good enough to be a demo; null means any score but
                0.
            max_bootstrapped_demos: How many demos, at most, come from executions that the metric accepted.
            max_labeled_demos: How many demos, at most, are rows of the trainset as they are.
            max_rounds: How often a row is tried, each time with fresh answers.
            max_errors: How many rows may fail before the search stops.
            others: what DSPy's optimizer of that name takes beside (num_threads, prompt_model, teacher …).
        """
        super().__init__("BootstrapFewShot", metric)
        self._accept({
            "metric_threshold": metric_threshold, "max_bootstrapped_demos": max_bootstrapped_demos,
            "max_labeled_demos": max_labeled_demos, "max_rounds": max_rounds, "max_errors": max_errors,
        }, others)


class BootstrapFewShotWithRandomSearch(Optimizer):
    """Bootstraps many demo sets from shuffled trainsets and keeps the one that scores best on the valset."""

    def __init__(
        self, metric: Any = None, *, max_bootstrapped_demos: int = default(4), max_labeled_demos: int = default(16),
        max_rounds: int = default(1), num_candidate_programs: int = default(16), max_errors: int = default(10),
        stop_at_score: Optional[float] = default(None), metric_threshold: Optional[float] = default(None),
        **others: Any,
    ) -> None:
        """
        Args:
            metric: what is right: a name, {"name": …, …options}, or a function of your own.
            max_bootstrapped_demos: How many demos, at most, come from executions that the metric accepted.
            max_labeled_demos: How many demos, at most, are rows of the trainset as they are.
            max_rounds: How often a row is tried, each time with fresh answers.
            num_candidate_programs: How many demo sets are made from shuffled trainsets.
            max_errors: How many rows may fail before the search stops.
            stop_at_score: The score, in percent, at which the search ends.
            metric_threshold: The score from which an execution is good enough to be a demo; null means any score but
                0.
            others: what DSPy's optimizer of that name takes beside (num_threads, prompt_model, teacher …).
        """
        super().__init__("BootstrapFewShotWithRandomSearch", metric)
        self._accept({
            "max_bootstrapped_demos": max_bootstrapped_demos, "max_labeled_demos": max_labeled_demos,
            "max_rounds": max_rounds, "num_candidate_programs": num_candidate_programs, "max_errors": max_errors,
            "stop_at_score": stop_at_score, "metric_threshold": metric_threshold,
        }, others)


class Ensemble(Optimizer):
    """Makes an ensemble of the programs that a finished search scored, chosen by the answers it kept. Asks no
    model."""

    def __init__(
        self, metric: Any = None, *, run: Optional[str] = default(None), size: int = default(3),
        reduce: str = default('majority'), field: Optional[str] = default(None), **others: Any,
    ) -> None:
        """
        Args:
            metric: what is right: a name, {"name": …, …options}, or a function of your own.
            run: The id of a finished compile run, whose candidates are chosen from.
            size: How many programs vote, at most; fewer where more are right no more often.
            reduce: How their answers become one. One of majority.
            field: The output that is voted on; by default the last one.
            others: what DSPy's optimizer of that name takes beside (num_threads, prompt_model, teacher …).
        """
        super().__init__("Ensemble", metric)
        self._accept({
            "run": run, "size": size, "reduce": reduce, "field": field,
        }, others)


class KNNFewShot(Optimizer):
    """Bootstraps every row of the trainset once; each call is shown the demos of the rows nearest to its inputs."""

    def __init__(
        self, metric: Any = None, *, k: int = default(3), k_candidates: Optional[List[Any]] = default(None),
        metric_threshold: Optional[float] = default(None), max_bootstrapped_demos: int = default(4),
        max_labeled_demos: int = default(16), max_rounds: int = default(1), max_errors: int = default(10),
        **others: Any,
    ) -> None:
        """
        Args:
            metric: what is right: a name, {"name": …, …options}, or a function of your own.
            k: How many rows each call is shown.
            k_candidates: Numbers of rows to try in place of k, each in one evaluation of the valset; the best stays,
                of equals the first.
            metric_threshold: The score from which an execution is good enough to be a demo; null means any score but
                0.
            max_bootstrapped_demos: How many demos, at most, come from executions that the metric accepted.
            max_labeled_demos: How many demos, at most, are rows of the trainset as they are.
            max_rounds: How often a row is tried, each time with fresh answers.
            max_errors: How many rows may fail before the search stops.
            others: what DSPy's optimizer of that name takes beside (num_threads, prompt_model, teacher …).
        """
        super().__init__("KNNFewShot", metric)
        self._accept({
            "k": k, "k_candidates": k_candidates, "metric_threshold": metric_threshold,
            "max_bootstrapped_demos": max_bootstrapped_demos, "max_labeled_demos": max_labeled_demos,
            "max_rounds": max_rounds, "max_errors": max_errors,
        }, others)


class LabeledFewShot(Optimizer):
    """Shows rows of the trainset as demos, as they are. Asks no model."""

    def __init__(
        self, k: int = default(16), *, sample: bool = default(True), **others: Any,
    ) -> None:
        """
        Args:
            k: How many demos each predictor gets, at most.
            sample: Whether the demos are chosen at random; otherwise they are the first rows.
            others: what DSPy's optimizer of that name takes beside (num_threads, prompt_model, teacher …).
        """
        super().__init__("LabeledFewShot", None)
        self._accept({
            "k": k, "sample": sample,
        }, others)


class MIPROv2(Optimizer):
    """Searches instructions and demo sets together: proposes instructions from data and program, bootstraps demos,
    and tries combinations under a statistical model of what scores well."""

    def __init__(
        self, metric: Any = None, *, auto: Optional[str] = default('light'),
        num_candidates: Optional[int] = default(None), num_trials: Optional[int] = default(None),
        max_bootstrapped_demos: int = default(4), max_labeled_demos: int = default(4), seed: int = default(9),
        init_temperature: float = default(1.0), metric_threshold: Optional[float] = default(None),
        max_errors: int = default(10), minibatch: bool = default(True), minibatch_size: int = default(35),
        minibatch_full_eval_steps: int = default(5), program_aware_proposer: bool = default(True),
        data_aware_proposer: bool = default(True), tip_aware_proposer: bool = default(True),
        fewshot_aware_proposer: bool = default(True), history_aware_proposer: bool = default(True),
        view_data_batch_size: int = default(10), **others: Any,
    ) -> None:
        """
        Args:
            metric: what is right: a name, {"name": …, …options}, or a function of your own.
            auto: The size of the search. Null lets num_candidates and num_trials decide, as giving them does. One of
                light, medium, heavy.
            num_candidates: How many instructions, and how many demo sets, each predictor can choose from.
            num_trials: How many combinations are tried.
            max_bootstrapped_demos: How many demos, at most, come from executions that the metric accepted.
            max_labeled_demos: How many demos, at most, are rows of the trainset as they are.
            seed: The seed of everything random; the same seed and answers give the same search.
            init_temperature: The temperature at which instructions are proposed.
            metric_threshold: The score from which an execution is good enough to be a demo; null means any score but
                0.
            max_errors: How many rows may fail before the search stops.
            minibatch: Whether trials are scored on a part of the valset, and only the best of them on all of it.
            minibatch_size: How many rows of the valset a trial is scored on.
            minibatch_full_eval_steps: After how many trials the best combination so far is scored on the whole
                valset.
            program_aware_proposer: Whether proposals are made from a description of the program.
            data_aware_proposer: Whether proposals are made from a summary of the trainset.
            tip_aware_proposer: Whether each proposal is given a hint at a style of its own.
            fewshot_aware_proposer: Whether proposals are made from bootstrapped demos.
            history_aware_proposer: Whether later proposals are made from the best attempts so far.
            view_data_batch_size: How many rows one request of the data summary shows.
            others: what DSPy's optimizer of that name takes beside (num_threads, prompt_model, teacher …).
        """
        super().__init__("MIPROv2", metric)
        self._accept({
            "auto": auto, "num_candidates": num_candidates, "num_trials": num_trials,
            "max_bootstrapped_demos": max_bootstrapped_demos, "max_labeled_demos": max_labeled_demos, "seed": seed,
            "init_temperature": init_temperature, "metric_threshold": metric_threshold, "max_errors": max_errors,
            "minibatch": minibatch, "minibatch_size": minibatch_size,
            "minibatch_full_eval_steps": minibatch_full_eval_steps, "program_aware_proposer": program_aware_proposer,
            "data_aware_proposer": data_aware_proposer, "tip_aware_proposer": tip_aware_proposer,
            "fewshot_aware_proposer": fewshot_aware_proposer, "history_aware_proposer": history_aware_proposer,
            "view_data_batch_size": view_data_batch_size,
        }, others)


BootstrapRS = BootstrapFewShotWithRandomSearch

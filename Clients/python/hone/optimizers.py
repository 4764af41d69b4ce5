"""Optimizers as DSPy writes them: made with a metric and settings, used with `compile`.

Made by scripts/generate-optimizers from what the service declares; do not edit.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from .optimizer import Optimizer, default

__all__ = ["Auto", "BetterTogether", "BootstrapFewShot", "BootstrapFewShotWithRandomSearch", "BootstrapRS", "COPRO", "Chain", "Ensemble", "GEPA", "InferRules", "KNNFewShot", "LabeledFewShot", "MIPROv2", "Optimizer", "SIMBA", "auto", "chain"]


class Auto(Optimizer):
    """Chooses by itself: writes rules from failures, gathers demos, learns from every answer which of them help, and
    confirms the result on rows that did not choose it."""

    def __init__(
        self, metric: Any = None, *, auto: str = default('light'), seed: int = default(0),
        max_bootstrapped_demos: int = default(8), max_labeled_demos: int = default(16),
        metric_threshold: Optional[float] = default(None), max_rules: int = default(40),
        max_prompt_chars: int = default(8000), proposer: Optional[Any] = default(None), **others: Any,
    ) -> None:
        """
        Args:
            metric: what is right: a name, {"name": …, …options}, or a function of your own.
            auto: How many calls of all roles the search may plan with where the budget has no maxCalls: about 700,
                1500 or 3000 for a program of one step. One of light, medium, heavy.
            seed: The seed of everything random; the same seed and answers give the same search.
            max_bootstrapped_demos: How many demos, at most, come from executions that the metric accepted.
            max_labeled_demos: How many demos, at most, are rows of the trainset as they are.
            metric_threshold: The score from which an execution is good enough to be a demo; null means any score but
                0.
            max_rules: How many rules may be written; 0 leaves the instructions as they are.
            max_prompt_chars: The most characters that a step's instructions may have.
            proposer: A function of the client that writes the rules in place of the prompt model: {"client": NAME}.
            others: what DSPy's optimizer of that name takes beside (num_threads, prompt_model, teacher …).
        """
        super().__init__("Auto", metric)
        self._accept({
            "auto": auto, "seed": seed, "max_bootstrapped_demos": max_bootstrapped_demos,
            "max_labeled_demos": max_labeled_demos, "metric_threshold": metric_threshold, "max_rules": max_rules,
            "max_prompt_chars": max_prompt_chars, "proposer": proposer,
        }, others)


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
        validation: str = default('full'), **others: Any,
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
            validation: Whether every candidate is scored on all rows (full), or only as long as it may still be the
                best (race). One of full, race.
            others: what DSPy's optimizer of that name takes beside (num_threads, prompt_model, teacher …).
        """
        super().__init__("BootstrapFewShotWithRandomSearch", metric)
        self._accept({
            "max_bootstrapped_demos": max_bootstrapped_demos, "max_labeled_demos": max_labeled_demos,
            "max_rounds": max_rounds, "num_candidate_programs": num_candidate_programs, "max_errors": max_errors,
            "stop_at_score": stop_at_score, "metric_threshold": metric_threshold, "validation": validation,
        }, others)


class COPRO(Optimizer):
    """Searches instructions, predictor by predictor: each batch is written with the scores of earlier attempts in
    view."""

    def __init__(
        self, metric: Any = None, *, breadth: int = default(10), depth: int = default(3),
        init_temperature: float = default(1.4), seed: int = default(0), **others: Any,
    ) -> None:
        """
        Args:
            metric: what is right: a name, {"name": …, …options}, or a function of your own.
            breadth: How many instructions a batch has; in the first, the program's own is one of them.
            depth: How many batches are written for each predictor.
            init_temperature: The temperature at which instructions are proposed.
            seed: The seed of everything random; the same seed and answers give the same search.
            others: what DSPy's optimizer of that name takes beside (num_threads, prompt_model, teacher …).
        """
        super().__init__("COPRO", metric)
        self._accept({
            "breadth": breadth, "depth": depth, "init_temperature": init_temperature, "seed": seed,
        }, others)


class Chain(Optimizer):
    """Lets several optimizers search one after the other, each from the best program so far."""

    def __init__(
        self, metric: Any = None, *, strategy: Optional[str] = default(None),
        optimizers: Optional[Dict[str, Any]] = default(None), valset_ratio: float = default(0.3),
        seed: int = default(0), **others: Any,
    ) -> None:
        """
        Args:
            metric: what is right: a name, {"name": …, …options}, or a function of your own.
            strategy: The steps in their order: "BootstrapFewShot -> GEPA".
            optimizers: The settings of the steps, by the name that the strategy has for them; a step of another name
                says in "name" which optimizer it is.
            valset_ratio: Which part of the trainset is set aside for scoring where there is no valset.
            seed: The seed of the steps that have one and whose settings name none.
            others: what DSPy's optimizer of that name takes beside (num_threads, prompt_model, teacher …).
        """
        super().__init__("Chain", metric)
        self._accept({
            "strategy": strategy, "optimizers": optimizers, "valset_ratio": valset_ratio, "seed": seed,
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


class GEPA(Optimizer):
    """Lets the prompt model read what went wrong and rewrite the instructions; keeps a pool of candidates that are
    each best on some rows."""

    def __init__(
        self, metric: Any = None, *, auto: Optional[str] = default(None),
        max_full_evals: Optional[int] = default(None), max_metric_calls: Optional[int] = default(None),
        reflection_minibatch_size: int = default(3), candidate_selection_strategy: str = default('pareto'),
        component_selector: str = default('round_robin'), frontier_type: str = default('instance'),
        use_merge: bool = default(True), max_merge_invocations: int = default(5),
        skip_perfect_score: bool = default(True), perfect_score: float = default(1.0),
        add_format_failure_as_feedback: bool = default(False), parents_per_step: int = default(1),
        proposals_per_parent: int = default(1), validation: str = default('race'), delta: float = default(0.03),
        alpha: float = default(0.2), remember_rejections: bool = default(True),
        proposer: Optional[Any] = default(None), max_prompt_chars: int = default(8000), seed: int = default(0),
        **others: Any,
    ) -> None:
        """
        Args:
            metric: what is right: a name, {"name": …, …options}, or a function of your own.
            auto: The size of the search, where neither max_full_evals nor max_metric_calls is given. One of light,
                medium, heavy.
            max_full_evals: The budget as evaluations of trainset and valset together.
            max_metric_calls: The budget as rows that programs are scored on.
            reflection_minibatch_size: How many rows of the trainset the prompt model is shown at a time.
            candidate_selection_strategy: Which candidate is gone on from. One of pareto, current_best,
                epsilon_greedy, top_k_pareto.
            component_selector: Which steps are rewritten at a time. One of round_robin, all.
            frontier_type: What candidates may each be the best at. One of instance, objective, hybrid, cartesian.
            use_merge: Whether candidates of one ancestor are merged, step by step.
            max_merge_invocations: How many merges are tried, at most.
            skip_perfect_score: Whether rows that are all perfect are passed over.
            perfect_score: The score of a perfect row.
            add_format_failure_as_feedback: Whether replies that could not be read are shown, with the form that was
                asked for.
            parents_per_step: How many candidates are gone on from at the same time.
            proposals_per_parent: How many rewritings of each are tried at the same time, each from rows of its own.
            validation: Whether every candidate is scored on all rows (full), or only as long as it may still be the
                best (race). One of full, race.
            delta: In a race, the mean gain (0 to 1) below which a child is as good as none.
            alpha: In a race, how probable it may be that a child of that gain is dropped.
            remember_rejections: Whether the prompt model is shown what was tried from the same candidate and did not
                help.
            proposer: A function of the client that writes the instructions in place of the prompt model: {"client":
                NAME}.
            max_prompt_chars: The most characters that instructions may have.
            seed: The seed of everything random; the same seed and answers give the same search.
            others: what DSPy's optimizer of that name takes beside (num_threads, prompt_model, teacher …).
        """
        super().__init__("GEPA", metric)
        self._accept({
            "auto": auto, "max_full_evals": max_full_evals, "max_metric_calls": max_metric_calls,
            "reflection_minibatch_size": reflection_minibatch_size,
            "candidate_selection_strategy": candidate_selection_strategy, "component_selector": component_selector,
            "frontier_type": frontier_type, "use_merge": use_merge, "max_merge_invocations": max_merge_invocations,
            "skip_perfect_score": skip_perfect_score, "perfect_score": perfect_score,
            "add_format_failure_as_feedback": add_format_failure_as_feedback, "parents_per_step": parents_per_step,
            "proposals_per_parent": proposals_per_parent, "validation": validation, "delta": delta, "alpha": alpha,
            "remember_rejections": remember_rejections, "proposer": proposer, "max_prompt_chars": max_prompt_chars,
            "seed": seed,
        }, others)


class InferRules(Optimizer):
    """Bootstraps demos, infers rules from solved rows, and keeps those with which the program scores best."""

    def __init__(
        self, metric: Any = None, *, num_candidates: int = default(10), num_rules: int = default(10),
        max_bootstrapped_demos: int = default(4), max_labeled_demos: int = default(16), max_rounds: int = default(1),
        max_errors: int = default(10), metric_threshold: Optional[float] = default(None), seed: int = default(0),
        **others: Any,
    ) -> None:
        """
        Args:
            metric: what is right: a name, {"name": …, …options}, or a function of your own.
            num_candidates: How many programs get rules of their own.
            num_rules: How many rules, at most, a predictor gets.
            max_bootstrapped_demos: How many demos, at most, come from executions that the metric accepted.
            max_labeled_demos: How many demos, at most, are rows of the trainset as they are.
            max_rounds: How often a row is tried, each time with fresh answers.
            max_errors: How many rows may fail before the search stops.
            metric_threshold: The score from which an execution is good enough to be a demo; null means any score but
                0.
            seed: The seed of everything random; the same seed and answers give the same search.
            others: what DSPy's optimizer of that name takes beside (num_threads, prompt_model, teacher …).
        """
        super().__init__("InferRules", metric)
        self._accept({
            "num_candidates": num_candidates, "num_rules": num_rules,
            "max_bootstrapped_demos": max_bootstrapped_demos, "max_labeled_demos": max_labeled_demos,
            "max_rounds": max_rounds, "max_errors": max_errors, "metric_threshold": metric_threshold, "seed": seed,
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
        view_data_batch_size: int = default(10), validation: str = default('full'), **others: Any,
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
            validation: Whether every candidate is scored on all rows (full), or only as long as it may still be the
                best (race). One of full, race.
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
            "view_data_batch_size": view_data_batch_size, "validation": validation,
        }, others)


class SIMBA(Optimizer):
    """Tries batches of rows several times and learns from where the program once succeeded and once failed: by demos,
    and by rules that the prompt model writes."""

    def __init__(
        self, metric: Any = None, *, bsize: int = default(32), num_candidates: int = default(6),
        max_steps: int = default(8), max_demos: int = default(4), demo_input_field_maxlen: int = default(100000),
        temperature_for_sampling: float = default(0.2), temperature_for_candidates: float = default(0.2),
        seed: int = default(0), **others: Any,
    ) -> None:
        """
        Args:
            metric: what is right: a name, {"name": …, …options}, or a function of your own.
            bsize: How many rows of the trainset a step looks at.
            num_candidates: How often each row of a step is tried, and how many new programs a step makes.
            max_steps: How many steps there are.
            max_demos: How many demos a predictor has at most; with 0 only rules are learned.
            demo_input_field_maxlen: How many characters of an input a demo keeps.
            temperature_for_sampling: How much chance decides which programs try a batch; low: the best do.
            temperature_for_candidates: How much chance decides which programs new ones are made from; low: the best
                are.
            seed: The seed of everything random; the same seed and answers give the same search.
            others: what DSPy's optimizer of that name takes beside (num_threads, prompt_model, teacher …).
        """
        super().__init__("SIMBA", metric)
        self._accept({
            "bsize": bsize, "num_candidates": num_candidates, "max_steps": max_steps, "max_demos": max_demos,
            "demo_input_field_maxlen": demo_input_field_maxlen, "temperature_for_sampling": temperature_for_sampling,
            "temperature_for_candidates": temperature_for_candidates, "seed": seed,
        }, others)


auto = Auto


BootstrapRS = BootstrapFewShotWithRandomSearch


BetterTogether = Chain


chain = Chain

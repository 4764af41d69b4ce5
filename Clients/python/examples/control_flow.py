"""Optimizes a program that has a loop and an if, with its own metric and tool, all in plain Python.

    python examples/control_flow.py                              # offline, on the simulated model
    python examples/control_flow.py --lm openai/gpt-4o-mini
"""

import argparse
import ast
import operator
import re
from typing import Any, Optional

import hone

QUESTION = (
    "Samir makes 55 pies for a market stall; making one costs $1. At the end of the day 5 are unsold, and the others "
    "went for $5 each. How many dollars of profit did Samir make?")
SIGNS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


@hone.tool
def calculate(expression: str) -> float:
    """Works out an arithmetic expression.

    Args:
        expression: numbers, + - * / and parentheses.
    """
    def value(node: ast.AST) -> float:
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return node.value
        if isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
            return float(SIGNS[type(node.op)](value(node.left), value(node.right)))
        raise ValueError(f"{expression!r} is not arithmetic")

    return value(ast.parse(expression, mode="eval").body)


def mistake(reasoning: str, answer: str) -> Optional[str]:
    """What is wrong with a solution: an equation that does not hold, or an answer that no equation gives."""
    results = []
    for left, right in re.findall(r"([\d.]+(?: [-+*/] [\d.]+)+) = (\d+(?:\.\d+)?)", reasoning):
        try:
            if abs(calculate(left) - float(right)) > 0.01:
                return f"{left} is not {right}."
        except (ValueError, SyntaxError, ZeroDivisionError):
            return f"{left} cannot be worked out."
        results.append(right)
    return None if answer.strip() in results else "The reasoning does not lead to the answer."


class CarefulSolver(hone.Program):
    """Solves a problem, checks the arithmetic with a calculator, and tries again where it is wrong."""

    signature = "question -> answer"

    def __init__(self, attempts: int = 3) -> None:
        self.attempts = attempts
        self.solve = hone.ChainOfThought("question -> answer")
        self.repair = hone.ChainOfThought("question, attempt, mistake -> answer")

    def forward(self, question: str) -> Any:
        solution = self.solve(question=question)
        for _ in range(self.attempts):
            wrong = mistake(solution.reasoning, solution.answer)
            if wrong is None:
                break
            solution = self.repair(question=question, attempt=solution.reasoning, mistake=wrong)
        return {"reasoning": solution.reasoning, "answer": solution.answer}


@hone.metric
def right_number(example: Any, prediction: Any, trace: Any = None) -> hone.Score:
    """Whether the last number of the answer is the expected one."""
    numbers = re.findall(r"-?\d+(?:\.\d+)?", str(prediction.answer).replace(",", ""))
    if numbers and float(numbers[-1]) == float(example.answer):
        return hone.Score(1)
    return hone.Score(0, f"Expected {example.answer}.")


def main() -> None:
    """Scores the program, optimizes it, and scores it again on problems that the search has not seen."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lm", default="simulated")
    parser.add_argument("--home", help="the directory of the store; .hone by default")
    parser.add_argument("--auto", default="light", choices=["light", "medium", "heavy"])
    arguments = parser.parse_args()

    hone.configure(lm=arguments.lm, home=arguments.home, experiment="control flow")
    program = CarefulSolver()
    evaluate = hone.Evaluate(devset="word-problems:test", metric=right_number)
    before = evaluate(program)

    optimizer = hone.MIPROv2(metric=right_number, auto=arguments.auto)
    optimized = optimizer.compile(program, trainset="word-problems:train", valset="word-problems:val")
    print(optimized.result)
    for name, instructions in optimized.instructions_by_predictor.items():
        print(f"\n{name}: {instructions}")

    after = evaluate(optimized)
    print(f"\nUnseen problems: {before.score} before, {after.score} after")
    optimized.save("careful_solver.json")

    again = CarefulSolver()
    again.load("careful_solver.json")
    answer = again(question=QUESTION)
    print(f"\n{QUESTION}\n{answer.reasoning}\n{answer.answer} (trace {answer.trace_id})")


if __name__ == "__main__":
    main()

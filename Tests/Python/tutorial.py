"""The small compile that several tests run: MIPROv2 on the embedded word problems and the embedded model."""

OPTIMIZER = {"name": "MIPROv2", "auto": None, "num_candidates": 3, "num_trials": 4, "minibatch_size": 10}
TRAINSET = {"name": "word-problems", "split": "train", "limit": 20}
VALSET = {"name": "word-problems", "split": "val", "limit": 20}
DEVSET = {"name": "word-problems", "split": "test", "limit": 10}
QUESTION = "A baker fills 6 trays with 7 rolls each. How many rolls does the baker make?"


def compile_small(client, **options):
    settings = {"lm": "simulated", "valset": VALSET, **options}
    return client.compile("question -> answer", OPTIMIZER, TRAINSET, "numeric_match", **settings)

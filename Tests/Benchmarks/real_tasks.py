#!/usr/bin/env python3
"""Small tasks for small real models, made here from templates: the same rows for the same seed.

    python3 real_tasks.py                     # shows some rows of each task
    python3 real_tasks.py --write DIR         # writes DIR/TASK/train.jsonl, val.jsonl and test.jsonl
    python3 real_tasks.py --data DIR          # shows a label task of one's own: such files with members text and label

label: what a customer of a bicycle shop wants, one of eight; number: a question that takes one step; extraction: the city of a
sentence; record: three facts about a person. No row is in two splits.
"""

import argparse
import itertools
import json
import random
from pathlib import Path

PARTS = ["brakes", "chain", "back wheel", "front light", "gears", "saddle", "pedals", "tyres", "handlebar", "bell"]
GOODS_SOLD = ["bicycle", "helmet", "child seat", "city bike", "racing bike", "trailer", "lock", "pump", "basket", "rain jacket"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
HOURS = ["nine", "ten", "noon", "half past two", "four", "five", "six", "eight in the evening"]
AMOUNTS = ["20 euros", "35 euros", "50 euros", "80 euros", "100 euros"]
TOWNS = ["Lund", "Graz", "Ghent", "Bergen", "Parma", "Leeds", "Cork", "Basel"]
WHO = ["my sister", "my father", "a friend", "my neighbour", "our trainee", "my son"]

# What each of a bicycle shop's customers wants, in at least ten ways.
INTENTS = {
    "repair": [
        "Can you repair the {part} of my bike?", "The {part} broke on {day}. Do you fix that?",
        "How long does a repair of the {part} take?", "My bike needs a repair: the {part} rattle and squeak.",
        "Something is wrong with the {part}, please repair it.", "Is the repair of my {good} finished?",
        "Could someone fix the {part} by {day}?", "I bent the {part}. Can that be repaired?",
        "Please call me when my {good} is repaired.", "The {part} came loose again after your repair."],
    "delivery": [
        "When will my delivery arrive?", "The delivery of the {good} was planned for {day} and nobody came.",
        "Do you deliver a {good} to {town}?", "Can the delivery be moved to {day}?",
        "What does delivery to {town} take in days?", "The driver left the {good} with {who} instead of me.",
        "I'd like to change the address for the delivery of my {good}.", "Is delivery to {town} possible before {day}?",
        "My {good} was sent last {day} and has not arrived.", "Where is my parcel with the {good}?"],
    "refund": [
        "I want a refund for the {good}.", "How do I get my money back for the {good}?",
        "I sent the {good} back on {day} and still wait for the refund.", "Is a refund possible without the receipt?",
        "The {good} does not fit, please refund it.", "You refunded only {amount} for my {good}.",
        "Can {who} return the {good} and get a refund?", "When is the refund of {amount} paid?",
        "I'd like to return the {good} and have my money back.", "May I have a refund instead of another {good}?"],
    "price": [
        "What is the price of the {good}?", "How much is a {good}?", "Is the price of the {good} going down after {day}?",
        "Do you have a {good} at a price below {amount}?", "What does a new {good} cost?",
        "The price on the label of the {good} differs from the one online.", "Is {amount} the full price of this {good}?",
        "Can you make me a better price for the {good}?", "How expensive is your cheapest {good}?",
        "Which {good} has the lowest price?"],
    "rental": [
        "I'd like to rent a {good} for {day}.", "What do you ask for the rental of a {good} until {day}?",
        "Do you rent out a {good} as well?", "Can I extend the rental of my {good} to {day}?",
        "Is a {good} for rent this {day}?", "May {who} bring the rental bike back?",
        "We want to rent four bikes from {day} on.", "Do I need a deposit to rent a {good}?",
        "Could I take the rental bike to {town}?", "I would like to cancel the rental on {day}."],
    "opening_hours": [
        "Are you open on {day}?", "When do you open on {day}?", "What are your opening hours?",
        "Is the shop open at {hour}?", "Until when are you open on {day}?", "Do you open before {hour} on {day}?",
        "What time do you close on {day}?", "Is the shop in {town} open at {hour} as well?",
        "Are your opening hours different on {day}?", "Will you still be open at {hour} on {day}?"],
    "gift_card": [
        "Can I buy a gift card for {who}?", "How long is my gift card valid?", "I lost the gift card that {who} gave me.",
        "Is it possible to pay for a {good} with a gift card?", "I'd like a gift card of {amount}.",
        "How much is left on my gift card?", "Do you send a gift card to {town} by post?",
        "My gift card of {amount} is not accepted online.", "Can a gift card be used in {town} too?",
        "I want to give {who} a gift card for {day}."],
    "job": [
        "Are you looking for staff? I want a job in your shop.", "I'd like to apply for the job in {town}.",
        "Is the job as a mechanic still free?", "Do you have a job for {who} on {day}?",
        "To whom do I send my application for the job?", "Can I work for you as a student from {day} on?",
        "What do you pay in the job in {town}?", "I applied for a job on {day} and heard nothing.",
        "Does the job start at {hour} in the morning?", "Would you have a summer job for {who}?"],
}
OPENINGS = ["", "", "", "", "Hello! ", "Good morning. ", "Excuse me. ", "Hi! "]
CLOSINGS = ["", "", "", "", " Thank you.", " Please let me know."]
WORDS = {"part": PARTS, "good": GOODS_SOLD, "day": DAYS, "hour": HOURS, "amount": AMOUNTS, "town": TOWNS, "who": WHO}

NAMES = ["Tom", "Anna", "Lucas", "Mia", "Omar", "Sara", "Ben", "Lena", "Ivan", "Ruth", "Paul", "Nora", "Hugo", "Ella",
         "Karim", "Julia", "Peter", "Rosa", "Felix", "Ines", "Marta", "David", "Clara", "Simon"]
CITIES = ["Lisbon", "Paris", "Berlin", "Madrid", "Rome", "Vienna", "Oslo", "Tokyo", "Cairo", "Lima", "Dublin", "Prague",
          "Athens", "Boston", "Chicago", "Toronto", "Sydney", "Delhi", "Seoul", "Nairobi", "Geneva", "Munich", "Milan",
          "Havana", "Warsaw", "Zurich", "Porto", "Lyon", "Denver", "Seattle"]
THINGS = ["apples", "books", "coins", "pens", "eggs", "cards", "stamps", "shells", "candles", "marbles"]
GOODS = ["jacket", "bicycle", "lamp", "phone", "chair", "clock", "table", "kettle", "suitcase", "guitar"]
JOBS = ["baker", "teacher", "nurse", "driver", "painter", "farmer", "lawyer", "cook", "gardener", "pilot"]

SUMS = [
    ("{name} has {a} {things} and buys {b} more. How many {things} does {name} have now?", lambda a, b: a + b),
    ("{a} {things} lie on the table, and {name} puts {b} beside them. How many {things} are there?", lambda a, b: a + b),
    ("{name} found {a} {things} in the morning and {b} in the evening. How many {things} is that?", lambda a, b: a + b),
    ("{name} had {c} {things} and gave {b} away. How many {things} are left?", lambda a, b: a),
    ("Of {c} {things}, {b} are broken. How many {things} are whole?", lambda a, b: a),
    ("{name} packs {a} bags with {b} {things} each. How many {things} is that?", lambda a, b: a * b),
    ("One box holds {a} {things}. How many {things} are in {b} boxes?", lambda a, b: a * b),
    ("{name} bought a {good} in {city} for {price} dollars. How many dollars did the {good} cost?", None),
]
SENTENCES = [
    "Last summer {name} travelled to {city} with her brother.", "The train from {city} was late again on {day}.",
    "{name} has lived in {city} for ten years.", "We met {name} at a small café in {city}.",
    "The conference takes place in {city} this autumn.", "{name} opened a bakery near the river in {city}.",
    "It rained all week in {city}, so {name} stayed at home.", "My uncle {name} studied medicine in {city}.",
    "On {day} the museum in {city} is closed.", "{name} sent us a card from {city}.",
    "A {job} from {city} won the race on {day}.", "Flights to {city} are cheaper on {day}, {name} says."]
FACTS = [
    "{name}, {age}, works as a {job} in {city}.", "{name} is a {age} year old {job} from {city}.",
    "In {city} lives {name}, a {job}, who is {age} years old.", "{name} moved to {city} at the age of {age} to become a {job}.",
    "The new {job} is {name}, {age} years old, from {city}.", "At {age}, {name} still works as a {job} in {city}.",
    "{city}: the {job} {name} turned {age} on {day}.", "Our {job} in {city} is called {name} and is {age}."]


class Task:
    """A signature, its rows by split, and the metric that compares them."""

    def __init__(self, name, signature, rows, metric):
        self.name, self.signature, self.metric = name, signature, metric
        self.train, self.val, self.test = rows
        left, right = signature.split("->")
        self.inputs = [part.split(":")[0].strip() for part in left.split(",")]
        self.outputs = [name for name in self.train[0] if name not in self.inputs]
        self.labels = sorted({row["label"] for row in self.train}) if "Literal" in right else []

    def right(self, row, outputs):
        """Whether every output is the row's, but for case and outer punctuation."""
        return all(_same(row[name], outputs.get(name)) for name in self.outputs)


def _same(expected, given):
    if isinstance(expected, int):
        try:
            return float(given) == expected
        except (TypeError, ValueError):
            return False
    return str(expected).casefold() == str(given).strip(" \n.\"'").casefold()


def label_signature(labels):
    return f"text -> label: Literal[{', '.join(repr(label) for label in sorted(labels))}]"


def _filled(template, draw):
    chosen = {word: draw.choice(values) for word, values in WORDS.items()}
    text = template.format(**chosen)
    opening, closing = draw.choice(OPENINGS), draw.choice(CLOSINGS)
    return f"{opening}{text[:1].upper()}{text[1:]}{closing}"


def label(seed=0, each=40):
    """Eight intents with `each` messages: a quarter to train on, a quarter to choose on, half to report on."""
    draw = random.Random(f"label {seed}")
    splits = ([], [], [])
    for intent, templates in INTENTS.items():
        texts = _distinct(lambda template: _filled(template, draw), templates, each)
        draw.shuffle(texts)
        bounds = (0, each // 4, each // 2, each)
        for split, (first, end) in zip(splits, itertools.pairwise(bounds)):
            split += [{"text": text, "label": intent} for text in texts[first:end]]
    for split in splits:
        draw.shuffle(split)
    return Task("label", label_signature(INTENTS), splits, "exact_match")


def _distinct(make, templates, count):
    """`count` different results, the templates in turn."""
    found = {}
    for template in itertools.cycle(templates):
        if len(found) == count:
            return list(found)
        found.setdefault(make(template))


def _split(name, signature, rows, metric):
    return Task(name, signature, (rows[:80], rows[80:160], rows[160:]), metric)


def number(seed=0, count=320):
    draw = random.Random(f"number {seed}")

    def make(kind):
        template, answer = kind
        a, b, price = draw.randint(2, 9), draw.randint(2, 9), draw.randint(11, 95)
        text = template.format(name=draw.choice(NAMES), things=draw.choice(THINGS), good=draw.choice(GOODS),
                               city=draw.choice(CITIES), a=a, b=b, c=a + b, price=price)
        return text, answer(a, b) if answer else price

    rows = [{"question": text, "answer": answer} for text, answer in _distinct(make, SUMS, count)]
    draw.shuffle(rows)
    return _split("number", "question -> answer: int", rows, "numeric_match")


def extraction(seed=0, count=320):
    draw = random.Random(f"extraction {seed}")

    def make(template):
        city = draw.choice(CITIES)
        return template.format(name=draw.choice(NAMES), day=draw.choice(DAYS), job=draw.choice(JOBS), city=city), city

    rows = [{"sentence": text, "city": city} for text, city in _distinct(make, SENTENCES, count)]
    draw.shuffle(rows)
    return _split("extraction", "sentence -> city: str", rows, "exact_match")


def record(seed=0, count=320):
    draw = random.Random(f"record {seed}")

    def make(template):
        name, age, city = draw.choice(NAMES), draw.randint(19, 78), draw.choice(CITIES)
        text = template.format(name=name, age=age, city=city, job=draw.choice(JOBS), day=draw.choice(DAYS))
        return text, name, age, city

    rows = [dict(zip(("text", "name", "age", "city"), made)) for made in _distinct(make, FACTS, count)]
    draw.shuffle(rows)
    return _split("record", "text -> name: str, age: int, city: str", rows, None)


MAKERS = {"label": label, "number": number, "extraction": extraction, "record": record}


def load(directory):
    """A label task from a folder: train.jsonl, val.jsonl and test.jsonl with members text and label."""
    splits = []
    for split in ("train", "val", "test"):
        with open(Path(directory) / f"{split}.jsonl", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines if line.strip()]
        splits.append([{"text": row["text"], "label": row["label"]} for row in rows])
    labels = {row["label"] for rows in splits for row in rows}
    return Task(Path(directory).resolve().name, label_signature(labels), splits, "exact_match")


def tasks(names=None, data=None, seed=0):
    """The tasks of these names, all unless said, and those of the folders in `data`."""
    return [*(MAKERS[name](seed) for name in (MAKERS if names is None else names)), *(load(folder) for folder in data or [])]


def write(task, directory):
    """Writes a task's rows as JSON lines."""
    place = Path(directory) / task.name
    place.mkdir(parents=True, exist_ok=True)
    for split in ("train", "val", "test"):
        with open(place / f"{split}.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in getattr(task, split))
    return place


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", action="append", choices=MAKERS, help="one of them; all unless said")
    parser.add_argument("--data", action="append", help="a folder with a label task")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", help="a folder to write to")
    options = parser.parse_args()
    names = options.task if options.task or not options.data else []
    for task in tasks(names, options.data, options.seed):
        if options.write:
            print(write(task, options.write), task.signature, sep="\t")
            continue
        print(f"{task.name}: {task.signature}  ({len(task.train)} + {len(task.val)} + {len(task.test)} rows)")
        for row in task.train[:5]:
            print("   ", json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()

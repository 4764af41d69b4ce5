"""A small endpoint with a mind of its own: it solves additions, the better the better it is told, and fails as asked.

What it answers depends on the prompt alone, so that two searches can be compared; when it fails depends on the seed.
    python faulty_endpoint.py hang=0.1 garbage=0.1 seed=3 delay=0.01
prints its base URL, then serves. GET /stats tells how often it was asked, how it failed, how many requests are and were
at most open, what tokens it counted and what it produced, answered or not; GET /faults?hang=1 changes how it fails from now on; GET /hold?after=60 answers
that many calls more and lets the rest wait until GET /hold.
"""

import asyncio
import hashlib
import json
import random
import re
import sys

SKILLS = ["step by step", "bare number", "check the figures", "name the unknown", "keep units", "be careful"]
FAULTS = [
    "429", "500", "504", "garbage", "hang", "html", "empty", "blank", "broken", "cut", "close", "late", "nousage", "unreadable",
]


def share(*parts):
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=7).digest()
    return int.from_bytes(digest, "big") / 2**56


class Endpoint:
    def __init__(self, shares, seed, delay):
        self.shares, self.random, self.delay = shares, random.Random(seed), delay
        self.counts = {"calls": 0, "open": 0, "held": 0, "mostOpen": 0, "tokens": 0, "produced": 0}
        self.last = None

    def fault(self):
        draw = self.random.random()
        for name, part in self.shares.items():
            if draw < part:
                return name
            draw -= part
        return None

    @staticmethod
    def text(messages):
        system = "\n".join(m["content"] for m in messages if m["role"] == "system")
        prompt = "\n".join(m["content"] for m in messages)
        sums = re.findall(r"What is (\d+) plus (\d+)\?", messages[-1]["content"])
        if "proposed_instruction" in prompt:
            skills = [s for s in SKILLS if share("skill", s, prompt) < 0.4]
            return "[[ ## proposed_instruction ## ]]\nAdd the numbers: " + ", ".join(skills) + ".\n\n[[ ## completed ## ]]"
        if "natural_language_rules" in prompt:
            rules = "\n".join(f"Always {s} here." for s in SKILLS if share("skill", s, prompt) < 0.4)
            return f"[[ ## natural_language_rules ## ]]\nAdd both numbers.\n{rules}\n\n[[ ## completed ## ]]"
        if sums and "[[ ## answer ## ]]" in prompt:
            a, b = map(int, sums[-1])
            skill = 0.3 + 0.12 * sum(s in system for s in SKILLS) + 0.03 * sum(m["role"] == "assistant" for m in messages)
            answer = a + b if share("difficulty", a, b) < skill else a + b + 1
            return f"[[ ## reasoning ## ]]\n{a} and {b}.\n\n[[ ## answer ## ]]\n{answer}\n\n[[ ## completed ## ]]"
        names = dict.fromkeys(re.findall(r"`\[\[ ## (\w+) ## \]\]`|\[\[ ## (\w+) ## \]\]", prompt.split("Respond with")[-1]))
        fields = [a or b for a, b in names if (a or b) != "completed"]
        return "\n\n".join(f"[[ ## {name} ## ]]\nAdditions of two numbers." for name in fields or ["answer"])

    async def answer(self, head, body, reader, writer):
        def send(status, text, headers=""):
            data = text if isinstance(text, bytes) else text.encode()
            writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(data)}\r\n{headers}\r\n".encode() + data)

        if head.startswith("GET /stats"):
            return send(200, json.dumps(self.counts))
        if head.startswith("GET /faults?"):
            words = head.split()[1].partition("?")[2].split("&")
            self.shares = {name: float(part) for name, _, part in (word.partition("=") for word in words if word)}
            return send(200, "{}")
        if head.startswith("GET /hold"):
            after = head.split()[1].partition("after=")[2]
            self.last = self.counts["calls"] + int(after) if after else None
            return send(200, "{}")
        counts = self.counts
        counts["calls"] += 1
        counts["open"] += 1
        counts["mostOpen"] = max(counts["mostOpen"], counts["open"])
        try:
            if await self.let_pass(counts["calls"], reader):
                await self.complete(body, send, reader, writer)
        finally:
            counts["open"] -= 1

    async def let_pass(self, number, reader):
        """Waits while calls from this one on are held; false if its client has gone by then."""
        if self.last is None or number <= self.last:
            return True
        self.counts["held"] += 1
        while self.last is not None and number > self.last and not reader.at_eof():
            await asyncio.sleep(0.01)
        self.counts["held"] -= 1
        return not reader.at_eof()

    async def complete(self, body, send, reader, writer):
        fault = self.fault()
        if self.delay:
            await asyncio.sleep(self.delay * self.random.uniform(0.5, 1.5))
        if fault:
            self.counts[fault] = self.counts.get(fault, 0) + 1
        if fault == "429":
            return send(429, '{"error": {"message": "slow down"}}', "retry-after: 0.02\r\n")
        if fault == "500":
            return send(500, '{"error": {"message": "oops"}}', "retry-after: 0.02\r\n")
        # From here on the endpoint has done its work, whatever its client hears of it.
        asked = json.loads(body)
        text = self.text(asked["messages"])
        texts = [text] * asked.get("n", 1)
        usage = {"prompt_tokens": len(body) // 4, "completion_tokens": len(texts) * (len(text) // 4)}
        self.counts["produced"] += sum(usage.values())
        if fault == "504":
            return send(504, "<html>Gateway Timeout</html>")
        if fault == "garbage":
            return send(200, '{"choices": [{"mess')
        if fault == "html":
            return send(200, "<html>Bad Gateway</html>", "content-type: text/html\r\n")
        if fault == "empty":
            return send(200, '{"choices": []}')
        if fault == "hang":
            # Until the client gives up.
            await reader.read(1)
            return None
        if fault == "close":
            return writer.close()
        if fault == "broken":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{\"choices\": [")
            return writer.close()
        if fault == "late":
            await asyncio.sleep(0.4)
        self.counts["tokens"] += sum(usage.values())
        choices = [{"message": {"role": "assistant", "content": "" if fault == "blank" else text}, "finish_reason": "stop"}
                   for text in texts]
        reply = json.dumps({"choices": choices} if fault == "nousage" else {"choices": choices, "usage": usage})
        if fault == "cut":
            writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(reply)}\r\n\r\n{reply[:len(reply) // 2]}".encode())
            return writer.close()
        return send(200, reply)

    async def serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1")
                length = re.search(r"content-length:\s*(\d+)", head, re.I)
                body = await reader.readexactly(int(length.group(1)) if length else 0)
                await self.answer(head, body, reader, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def main():
    settings = dict(word.split("=") for word in sys.argv[1:])
    seed = int(settings.pop("seed", 0))
    delay = float(settings.pop("delay", 0))
    endpoint = Endpoint({name: float(part) for name, part in settings.items()}, seed, delay)
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())

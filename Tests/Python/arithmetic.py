"""An OpenAI-compatible endpoint that can add: a language model for tests that need a real HTTP one.

It answers "What is A plus B?" in the fields that the prompt asks for. Sums above 12 it gets right only if the prompt
tells it to be careful or shows it worked examples, so that an optimizer finds something.
"""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def fields_of(prompt):
    """The output fields that the prompt asks for, in order."""
    asked = prompt.rsplit("Respond with the corresponding output fields", 1)[-1]
    return [name for name in re.findall(r"\[\[ ## (\w+) ## \]\]", asked) if name != "completed"]


def answer(messages):
    prompt = messages[-1]["content"]
    everything = "\n".join(message["content"] for message in messages)
    question = re.findall(r"What is (\d+) plus (\d+)\?", prompt)
    first, second = (int(number) for number in question[-1]) if question else (1, 1)
    total = first + second
    demonstrations = sum(message["role"] == "assistant" for message in messages)
    if total > 12 and "careful" not in everything.lower() and demonstrations < 2:
        total -= 10
    texts = {
        "reasoning": f"{first} and {second} make {total}.", "answer": str(total),
        "proposed_instruction": "Be careful: add the units first, then carry the ten.",
    }
    parts = [f"[[ ## {name} ## ]]\n{texts.get(name, 'Sums of two numbers, told in words.')}" for name in fields_of(prompt)]
    return "\n\n".join(parts + ["[[ ## completed ## ]]"])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = answer(request["messages"])
        choices = [
            {"index": index, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
            for index in range(request.get("n") or 1)]
        body = json.dumps({
            "id": "sum", "object": "chat.completion", "created": 0, "model": "sums", "choices": choices,
            "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def serve():
    """Starts the endpoint; gives the server, to be shut down, and its base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/v1"

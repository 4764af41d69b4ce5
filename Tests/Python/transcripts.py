"""Plays a transcript of Protocol/transcripts against a service: what the client says is said, what the service says is
compared. Protocol/README.md explains the lines."""

import json
import re
import subprocess
import threading

KINDS = {
    "any": lambda value: True, "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict), "list": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool)}
PLACE = re.compile(r"<(\w+)(?::(\w+))?>")


class Mismatch(AssertionError):
    pass


def match(pattern, value, known, path="$"):
    """Whether a value is as a pattern has it; names what the pattern names."""
    if isinstance(pattern, str) and (place := PLACE.fullmatch(pattern)):
        kind, name = place.groups()
        if kind in KINDS:
            if not KINDS[kind](value):
                raise Mismatch(f"{path}: expected {kind}, got {value!r}")
            if name:
                known[name] = value
            return
        pattern = known[kind]
    if isinstance(pattern, str) and pattern.startswith("~"):
        if not isinstance(value, str) or pattern[1:] not in value:
            raise Mismatch(f"{path}: expected a text with {pattern[1:]!r}, got {value!r}")
    elif isinstance(pattern, dict):
        if not isinstance(value, dict):
            raise Mismatch(f"{path}: expected an object, got {value!r}")
        for key, member in pattern.items():
            if key not in value:
                raise Mismatch(f"{path}.{key} is missing in {value!r}")
            match(member, value[key], known, f"{path}.{key}")
    elif isinstance(pattern, list):
        if not isinstance(value, list) or len(value) != len(pattern):
            raise Mismatch(f"{path}: expected {len(pattern)} elements, got {value!r}")
        for index, (inner, element) in enumerate(zip(pattern, value)):
            match(inner, element, known, f"{path}[{index}]")
    elif pattern != value or isinstance(pattern, bool) != isinstance(value, bool):
        raise Mismatch(f"{path}: expected {pattern!r}, got {value!r}")


def filled(frame, known):
    """A client's frame with what was named before."""
    if isinstance(frame, str) and (place := PLACE.fullmatch(frame)):
        return known[place.group(1)]
    if isinstance(frame, dict):
        return {key: filled(member, known) for key, member in frame.items()}
    return [filled(element, known) for element in frame] if isinstance(frame, list) else frame


class Service:
    """A service of its own on standard input and output."""

    def __init__(self, executable, home):
        self.process = subprocess.Popen(
            [executable, "serve", "--home", str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=str(home))
        self.guard = threading.Timer(60, self.process.kill)
        self.guard.start()

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def read(self, framing):
        """The next frame's bytes; none at the end."""
        line = self.process.stdout.readline()
        if not line or framing == "lines":
            return line
        headers = line
        while line not in (b"\r\n", b""):
            line = self.process.stdout.readline()
            headers += line
        found = re.fullmatch(rb"Content-Length: (\d+)\r\n\r\n", headers)
        assert found, f"a frame begins with {headers!r}"
        return self.process.stdout.read(int(found.group(1)))

    def close(self):
        self.guard.cancel()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=30)


def play(lines, executable, home, see=lambda frame: None):
    """Plays the lines; `see` is shown each of the service's messages."""
    head, *lines = lines
    framing, known, held = head["framing"], {}, None
    service = Service(executable, home)
    try:
        for number, line in enumerate(lines, 2):
            try:
                if line["from"] == "client":
                    if "bytes" in line:
                        service.write(line["bytes"].encode())
                    elif "frame" in line:
                        body = json.dumps(filled(line["frame"], known), ensure_ascii=False, separators=(",", ":")).encode()
                        head = b"" if framing == "lines" else b"Content-Length: %d\r\n\r\n" % len(body)
                        service.write(head + body + (b"\n" if framing == "lines" else b""))
                    if line.get("end"):
                        service.process.stdin.close()
                    continue
                while True:
                    if held is None:
                        held = service.read(framing)
                        if held:
                            see(json.loads(held))
                    if line.get("end"):
                        assert held == b"", f"there is more: {held!r}"
                        assert service.process.wait(timeout=30) == line.get("status", 0)
                        break
                    assert held, "the service ended"
                    if "bytes" in line:
                        assert held == line["bytes"].encode(), f"got {held!r}"
                        held = None
                        break
                    try:
                        match(line["match"], json.loads(held), known)
                        held = None
                    except Mismatch:
                        if not line.get("any"):
                            raise
                        break
                    if not line.get("any"):
                        break
            except AssertionError as error:
                raise AssertionError(f"line {number}: {error}") from None
        if held:
            raise AssertionError(f"more came: {held!r}")
    finally:
        service.close()

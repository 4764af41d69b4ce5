"""How messages are separated in a stream of bytes: Content-Length headers, or lines."""

from __future__ import annotations

from typing import IO, Optional, Protocol


class Framing(Protocol):
    """One way to put messages into a stream and take them out."""

    def pack(self, body: bytes) -> bytes:
        """The bytes that carry a message."""

    def read(self, stream: IO[bytes]) -> Optional[bytes]:
        """The next message's bytes; None at the stream's end.

        Raises:
            ValueError: the bytes are not a message of this framing.
        """


class HeaderFraming:
    """The base protocol of LSP: `Content-Length: N`, an empty line, N bytes."""

    def pack(self, body: bytes) -> bytes:
        """The bytes that carry a message."""
        return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)

    def read(self, stream: IO[bytes]) -> Optional[bytes]:
        """The next message's bytes; None at the stream's end."""
        length: Optional[int] = None
        while True:
            line = stream.readline()
            if not line:
                return None
            if line in (b"\r\n", b"\n"):
                break
            name, colon, value = line.partition(b":")
            if not colon:
                raise ValueError(f"not a header: {line[:100]!r}")
            if name.strip().lower() == b"content-length":
                length = int(value)
        if length is None:
            raise ValueError("a message without a Content-Length")
        body = stream.read(length)
        return body if len(body) == length else None


class LineFraming:
    """One message per line."""

    def pack(self, body: bytes) -> bytes:
        """The bytes that carry a message."""
        return body + b"\n"

    def read(self, stream: IO[bytes]) -> Optional[bytes]:
        """The next message's bytes; None at the stream's end."""
        while True:
            line = stream.readline()
            if not line:
                return None
            if body := line.strip():
                return body

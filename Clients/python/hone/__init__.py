"""A client of Hone, the service that optimizes, runs and tracks language-model programs.

`Client.start()` runs a service of its own over pipes; `Client.connect(path)` talks to one that listens on a Unix
socket.
"""

from .calls import Call
from .client import Client
from .errors import ConnectionLost, HoneError

__all__ = ["Call", "Client", "ConnectionLost", "HoneError"]
__version__ = "0.1.0"

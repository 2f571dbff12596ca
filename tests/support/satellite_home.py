"""A home on loopback, for what a satellite posts to it, and for what CloudFormation is told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

HOME_STACK_ID: Final = "arn:aws:cloudformation:us-east-1:123456789012:stack/bedrock-quota/51af3dc0"


@dataclass
class FakeHome:
    """Home's function URL and CloudFormation's address for answers; it keeps what it was sent."""

    url: str
    statuses: list[int] = field(default_factory=list)
    """Of the next answers; 200 once there are none."""
    words: str = '{"done": true}'
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    """What CloudFormation was told."""


@contextmanager
def a_home() -> Iterator[FakeHome]:
    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.asked.append(self.body())
            found.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.answer(found.statuses.pop(0) if found.statuses else 200, found.words)

        def do_PUT(self) -> None:
            found.told.append(self.body())
            self.answer(200, "")

        def body(self) -> Any:
            return json.loads(self.rfile.read(int(self.headers["content-length"])))

        def answer(self, status: int, words: str) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(words)))
            self.end_headers()
            self.wfile.write(words.encode())

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answering)
    found = FakeHome(f"http://127.0.0.1:{server.server_port}/")
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()

"""Lambda's runtime API for one function's process, and an AWS that refuses everything.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import queue
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DEADLINE = 30
"""Seconds that an event may take."""


class Quiet(ThreadingHTTPServer):
    """A server that does not mind a client that is killed."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing."""


@dataclass(slots=True)
class Lambda:
    """The server's side.

    Attributes:
        ready: is set once the process asks for its first event, or has failed.
        events: what it is to be asked.
        answers: what it answered, after `response` or `error`.
    """

    ready: threading.Event = field(default_factory=threading.Event)
    events: "queue.Queue[bytes]" = field(default_factory=queue.Queue)
    answers: "queue.Queue[tuple[str, bytes]]" = field(default_factory=queue.Queue)

    def serve(self) -> ThreadingHTTPServer:
        """Start on a free port."""
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_: object) -> None:
                """Nothing."""

            def do_GET(self) -> None:
                api.ready.set()
                event = api.events.get()
                deadline = str(int((time.time() + DEADLINE) * 1000))
                self._answer(200, event, {
                    "Lambda-Runtime-Aws-Request-Id": "1", "Lambda-Runtime-Deadline-Ms": deadline,
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:1:function:f",
                    "Lambda-Runtime-Trace-Id": "Root=1-0-0", "Content-Type": "application/json",
                })  # fmt: skip

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if "/runtime/" not in self.path:
                    self._answer(400, b'{"__type": "AccessDeniedException"}', {})
                    return
                self._answer(202, b"{}", {})
                if self.path.endswith(("/response", "/error")):
                    api.answers.put((self.path.rpartition("/")[2], body))
                    api.ready.set()

            def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        server = Quiet(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

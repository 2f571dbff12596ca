"""A console on a deployment of fakes, and a visitor who sends it requests as a browser does."""

import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from cli_world import Shell
from quota_enforcer.console.look import Look
from quota_enforcer.console.page import Desk
from quota_enforcer.console.playground import Answered, Playground
from quota_enforcer.console.serve import Serving


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Site:
    """A console that answers, and the cookie that it has given."""

    address: str
    shell: Shell
    calls: list[tuple[str, ...]] = field(default_factory=list)
    cookie: str = ""

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc

    @property
    def base(self) -> str:
        return f"http://{self.host}"

    def enter(self) -> Answer:
        """Open the address that was printed."""
        answer = self.send("GET", self.address.removeprefix(self.base))
        self.cookie = answer.headers.get("set-cookie", "").partition(";")[0]
        return answer

    def get(self, path: str) -> Answer:
        return self.send("GET", path)

    def post(self, path: str, **form: str) -> Answer:
        """As a form of one of its pages does."""
        more = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.base}
        return self.send("POST", path, urlencode(form), more)

    def send(
        self, method: str, path: str, body: str | bytes = "", more: Mapping[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection(self.host, timeout=30)
        headers = {"Cookie": self.cookie} if self.cookie else {}
        connection.request(method, path, body or None, {**headers, **(more or {})})
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        text = answer.read().decode()
        connection.close()
        return Answer(answer.status, found, text)


@contextmanager
def a_site(shell: Shell, *, sandbox: bool = False) -> Iterator[Site]:
    calls: list[tuple[str, ...]] = []

    def call(*given: str) -> Answered:
        calls.append(given)
        if given[1] == "lots":
            raise ValueError("'lots' is no number of tokens")
        return Answered(f"IAM refused {given[0]}", refused=True)

    playground = Playground(("user/alice",), {"sonnet": "s"}, call, lambda to: calls.append((to,)))
    with Serving(Desk(Look(shell.find()), playground if sandbox else None)) as serving:
        yield Site(serving.address, shell, calls)

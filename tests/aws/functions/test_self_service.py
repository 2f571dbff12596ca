"""The self-service function by its URL: a signed request, and each refusal in its own words."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from quota_enforcer.aws.functions.function_url import (
    MayNotAsk,
    NotAnswered,
    NoUrl,
    ask,
    checked_region,
)
from quota_enforcer.cli.terminal.errors import explain

CREDENTIALS = Credentials("AKIDEXAMPLE", "secret", "token")
URL = "https://abcdefgh.lambda-url.eu-central-1.on.aws/"


@dataclass
class Url:
    """A function URL on this machine; `got` are the headers of each request."""

    address: str = ""
    status: int = 200
    kind: str = ""
    body: bytes = b"{}"
    got: list[dict[str, str]] = field(default_factory=list)

    def refuses(self, status: int, kind: str, said: Any) -> None:
        self.status, self.kind, self.body = status, kind, json.dumps(said).encode()


@pytest.fixture
def url() -> Iterator[Url]:
    answering = Url()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

        def do_GET(self) -> None:
            answering.got.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(answering.status)
            if answering.kind:
                self.send_header("x-amzn-ErrorType", answering.kind)
            self.send_header("Content-Length", str(len(answering.body)))
            self.end_headers()
            self.wfile.write(answering.body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    answering.address = f"http://127.0.0.1:{server.server_address[1]}/"
    yield answering
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_request_is_signed_for_lambda_in_the_urls_region(url: Url) -> None:
    url.body = b'{"standings": []}'
    assert ask(url.address, CREDENTIALS, "eu-west-1") == {"standings": []}
    (got,) = url.got
    assert got["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/lambda/aws4_request" in got["authorization"]
    assert got["x-amz-security-token"] == "token"
    assert "secret" not in str(got)


def test_a_url_names_its_region() -> None:
    assert checked_region(URL, "us-east-1") == "eu-central-1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abcdefgh",
        "http://abcdefgh.lambda-url.eu-central-1.on.aws/",
        "https://abcdefgh.lambda-url.eu-central-1.on.aws.evil.example/",
        "https://evil.example/abcdefgh.lambda-url.eu-central-1.on.aws",
        "https://abcdefgh.lambda-url.eu-central-1.on.aws/?principal=user/bob",
        "http://127.0.0.1:1/#x",
        "https://127.0.0.1/",
        "http://10.0.0.1/",
        "ftp://127.0.0.1/",
    ],
)
def test_nothing_is_sent_to_what_is_no_function_url(text: str) -> None:
    with pytest.raises(NoUrl, match="the stack's output MeUrl"):
        ask(text, CREDENTIALS, "us-east-1")


@pytest.mark.parametrize("kind", ["AccessDeniedException", ""])
def test_who_may_not_ask_hears_it_in_awss_words(url: Url, kind: str) -> None:
    url.refuses(403, kind, {"Message": "Forbidden"})
    with pytest.raises(MayNotAsk, match="Forbidden"):
        ask(url.address, CREDENTIALS, None)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("ExpiredTokenException", "your AWS session has expired"),
        ("InvalidSignatureException", "AWS does not know these credentials"),
        ("UnrecognizedClientException", "AWS does not know these credentials"),
    ],
)
def test_credentials_that_are_no_good_are_explained(url: Url, kind: str, words: str) -> None:
    url.refuses(403, f"{kind}:http://internal.amazon.com/", {"message": "no"})
    with pytest.raises(ClientError) as refused:
        ask(url.address, CREDENTIALS, None)
    assert words in str(explain(refused.value))


@pytest.mark.parametrize("status", [400, 403])
def test_the_functions_own_words_are_told(url: Url, status: int) -> None:
    url.refuses(status, "", {"error": "you are of account 999999999999"})
    with pytest.raises(NotAnswered, match=f"answered {status}: you are of account 999999999999"):
        ask(url.address, CREDENTIALS, None)


@pytest.mark.parametrize("body", [b"Internal Server Error", b"[]", b""])
def test_a_function_that_fails_is_told(url: Url, body: bytes) -> None:
    url.status, url.body = 502, body
    with pytest.raises(NotAnswered, match="answered 502: no reason given"):
        ask(url.address, CREDENTIALS, None)

"""The embedded AWS for the demo and the tests: accounts, Regions, IAM that decides, simulated time.

with EmbeddedAws() as aws:
    aws.deploy(Path("template.yaml"), "bedrock-quota", {"Mode": "enforce"})
    aws.set_time(aws.time + timedelta(minutes=5))
    report = aws.fire_schedule("bedrock-quota")
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import boto3

from quota_enforcer.clock import told
from quota_enforcer.local import deploy as stacks
from quota_enforcer.local import schedules
from quota_enforcer.local.process import RunningServer, Server
from quota_enforcer.local.sessions import ROOT_SECRET, Sessions

_SETTLES: Final = 900.0
"""Seconds that functions may take: as long as the slowest of ours."""
_RESETS: Final = 60.0
"""Seconds that it may take to end all functions' workers, on a busy machine too."""


@dataclass(frozen=True, slots=True)
class Ended:
    """An asynchronous invocation that is over.

    Attributes:
        function: the function's name.
        event: what it was given.
        attempts: how often it was tried.
        answer: what it returned; None if it failed.
        error: what Lambda answered for its last failure; None if it succeeded.
        log: what it logged, the last time that it was tried.
    """

    function: str
    event: Any
    attempts: int
    answer: Any = None
    error: Any = None
    log: str = ""


@dataclass(frozen=True, slots=True)
class KeptState:
    """A state of everything in the account that one can go back to, and its time."""

    number: int
    time: datetime


@dataclass(frozen=True, slots=True)
class Happened:
    """A request that the server answered, or a run of a function.

    Attributes:
        what: `dynamodb:GetItem`, `lambda:POST /2015-03-31/functions/...`, or `run:NAME`.
        who: the ARN of the caller; empty of a run.
        began: seconds of the server's own clock, which only goes forward.
        ended: likewise.
    """

    what: str
    who: str
    began: float
    ended: float


class EmbeddedAws:
    """A running AWS of our own; leave it (`with`, or `stop`) and nothing of it remains.

    Attributes:
        account_id: the account that everything is in unless told otherwise; any other 12 digits
            are another account, which is there as soon as it is used.
        region: the Region, likewise.
    """

    account_id: str = "123456789012"
    region: str = "us-east-1"

    def __init__(self, start: datetime | None = None) -> None:
        """Nothing runs yet; `start` is the simulated time to begin with (default: the real one)."""
        self._start = start
        self._server: RunningServer | None = None
        self._own: Server | None = None
        self._sessions = Sessions(self.account_id, self.region)
        self._schedules = schedules.Known()

    @classmethod
    def attached(cls, endpoint: str, clock_file: Path) -> Self:
        """One that another process has started; stopping this leaves it running."""
        found = cls()
        found._server = RunningServer(endpoint, clock_file)
        return found

    def __enter__(self) -> Self:
        if self._server is None:
            self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            ServerError: it did not start.
        """
        self._server = self._own = Server(self.account_id, self.region)
        try:
            self.set_time(self._start or datetime.now(UTC))
            self._own.wait_until_healthy()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server, and remove its files; harmless if it does not run."""
        own, self._own, self._server = self._own, None, None
        self._sessions.close()
        if own is not None:
            own.stop()

    def reset(self, at: datetime | None = None) -> None:
        """Forget everything in the account, and set the clock (default: the real time)."""
        self.settle()  # else what still runs would find, and change, the new account
        self._running.get("/_ministack/reset", "POST", _RESETS)
        self._schedules.forget()
        self._sessions.close_all_but_root()
        self.set_time(at or self._start or datetime.now(UTC))

    def keep(self) -> KeptState:
        """Keep the state of everything, for `go_back`; it lives as long as the server."""
        self.settle()
        number = json.loads(self._running.get("/_quota_enforcer/keep", "POST", _RESETS))
        return KeptState(number, self.time)

    def go_back(self, kept: KeptState) -> None:
        """Forget what happened since; functions begin cold, and the clock stands still there."""
        self.settle()
        self._running.get(f"/_quota_enforcer/back/{kept.number}", "POST", _RESETS)
        self._schedules.forget()
        self._sessions.close_all_but_root()
        self.set_time(kept.time)

    @property
    def endpoint(self) -> str:
        """The address of every service."""
        return self._running.endpoint

    @property
    def folder(self) -> Path | None:
        """Where the server's temporary files are, if it is our own."""
        return self._own.folder if self._own else None

    @property
    def clock_file(self) -> Path:
        """The simulated clock, see `quota_enforcer.clock`."""
        return self._running.clock_file

    @property
    def server_log(self) -> str:
        """What our own server has said so far, for the message of a failed test."""
        return self._own.log() if self._own else ""

    @property
    def time(self) -> datetime:
        """The simulated time, in UTC."""
        return told(self._running.clock_file.read_text(encoding="ascii"))

    def set_time(self, moment: datetime, *, running: bool = False) -> None:
        """Move the simulated clock, forwards or back; it stands still there, or runs on from there.

        Raises:
            ValueError: the moment has no time zone.
        """
        if moment.tzinfo is None:
            raise ValueError(f"simulated time {moment}: expected one with a time zone, such as UTC")
        file = self._running.clock_file
        draft = file.with_suffix(".draft")
        shown = [moment.astimezone(UTC), *([datetime.now(UTC)] if running else [])]
        draft.write_text(" ".join(each.isoformat() for each in shown), encoding="ascii")
        draft.replace(file)  # in one step: a reader never sees half an instant

    def session(self, account_id: str = "", region: str = "") -> boto3.Session:
        """A session of an account's root, who may do everything there."""
        return self.session_for(account_id or self.account_id, ROOT_SECRET, region=region)

    def session_for(
        self,
        access_key_id: str,
        secret_access_key: str,
        session_token: str | None = None,
        region: str = "",
    ) -> boto3.Session:
        """A session with someone's credentials; its clients find the embedded AWS by themselves."""
        return self._sessions.session_for(
            self.endpoint, access_key_id, secret_access_key, session_token, region
        )

    def client(self, service: str, session: boto3.Session | None = None) -> Any:
        """A client of the service, for root or for whom the session is; made once and kept."""
        return (session or self.session()).client(service)  # type: ignore[call-overload]

    def environment(self) -> dict[str, str]:
        """The environment that points a subprocess, such as our command line, here as root.

        It is complete but for what the caller adds: only PATH, HOME and the locale are ours.
        """
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | {
            "AWS_ACCESS_KEY_ID": self.account_id,
            "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "QUOTA_ENFORCER_CLOCK_FILE": str(self._running.clock_file),
        }

    def deploy(
        self,
        template_path: Path,
        stack_name: str,
        parameters: dict[str, str] | None = None,
        session: boto3.Session | None = None,
    ) -> dict[str, str]:
        """Create or update the stack, and return its outputs; it goes where the session is.

        Raises:
            StackError: it failed; the message names the resources and their reasons.
        """
        self._schedules.forget()
        return stacks.deploy(
            self.client("cloudformation", session),
            self.client("s3", session),
            template_path,
            stack_name,
            parameters,
        )

    def delete(self, stack_name: str, session: boto3.Session | None = None) -> None:
        """Delete the stack.

        Raises:
            StackError: a resource could not be deleted.
        """
        self._schedules.forget()
        stacks.delete(self.client("cloudformation", session), stack_name)

    def settle(self) -> list[Ended]:
        """Wait until no asynchronous invocation is in flight, and return those that have ended.

        That is what a subscription delivered, what was invoked with InvocationType=Event, and what
        these invoked in turn; the list has those that ended since it was asked for last, at most
        the last 1,000.
        """
        answer = json.loads(self._running.get("/_quota_enforcer/settle", patience=_SETTLES))
        return [Ended(**each) for each in answer]

    def journal(self) -> list[Happened]:
        """What the server was asked, and which functions ran, since it was asked for last.

        At most the last 5,000 of it, in the order in which it ended.
        """
        answer = json.loads(self._running.get("/_quota_enforcer/journal"))
        return [Happened(**each) for each in answer]

    def fire_schedule(self, stack_name: str, schedule: str | None = None) -> Any:
        """Fire the stack's schedule at the simulated time, and return what its target answered.

        `schedule` is its logical id in the template, if the stack has several.

        Raises:
            LookupError: the stack has no such schedule, or several, or it is disabled.
            FunctionError: the function raised.
        """
        clients = schedules.Clients(
            self.client("cloudformation"),
            self.client("scheduler"),
            self.client("sts"),
            self.session_for,
            self._schedules,
        )
        return schedules.fire(clients, stack_name, schedule, self.time)

    @property
    def _running(self) -> RunningServer:
        if self._server is None:
            raise RuntimeError("the embedded AWS does not run: use it in a `with` statement")
        return self._server

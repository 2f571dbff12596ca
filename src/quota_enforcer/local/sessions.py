"""Sessions and clients that find the embedded AWS by themselves; made once and kept."""

import os
from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

ROOT_SECRET: Final = "root"  # noqa: S105 - the server takes the account id as the root's key
_CONFIG: Final = Config(retries={"total_max_attempts": 1}, read_timeout=180)
_NO_PROFILE: Final[dict[str, Any]] = {
    "profile": (None, [], None, None),
    "config_file": (None, [], os.devnull, None),
    "credentials_file": (None, [], os.devnull, None),
}
"""Session variables (file key, environment, default, type): the user's AWS settings stay out."""
_LOADER: Final = Loader(include_default_search_paths=True)
"""Shared, so that each service's model is read once and not once a session."""


class KeptSession(boto3.Session):
    """Makes one client for each service, since making one takes longer than most calls."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._kept: dict[str, Any] = {}

    def client(self, service_name: str, *arguments: Any, **options: Any) -> Any:
        """The kept client; a new one where anything is asked for but the service."""
        if arguments or options:
            return super().client(service_name, *arguments, **options)  # type: ignore[call-overload]
        if service_name not in self._kept:
            self._kept[service_name] = super().client(service_name)  # type: ignore[call-overload]
        return self._kept[service_name]

    def close(self) -> None:
        for client in self._kept.values():
            client.close()
        self._kept.clear()


class Sessions:
    """By access key; `root` is the account's own, which may do everything."""

    def __init__(self, root: str, region: str) -> None:
        self._root = root
        self._region = region
        self._sessions: dict[tuple[str, str], KeptSession] = {}

    def session_for(
        self,
        endpoint: str,
        access_key_id: str,
        secret_access_key: str,
        session_token: str | None = None,
        region: str = "",
    ) -> KeptSession:
        key = access_key_id, region or self._region
        if (known := self._sessions.get(key)) is not None:
            return known
        core = botocore.session.Session(_NO_PROFILE)
        core.register_component("data_loader", _LOADER)
        core.get_component("config_store").set_config_variable("endpoint_url", endpoint)
        core.set_default_client_config(_CONFIG)
        session = KeptSession(
            access_key_id,
            secret_access_key,
            session_token,
            region_name=key[1],
            botocore_session=core,
        )
        self._sessions[key] = session
        return session

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def close_all_but_root(self) -> None:
        for key in [key for key in self._sessions if key[0] != self._root]:
            self._sessions.pop(key).close()

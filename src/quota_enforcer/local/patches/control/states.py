"""A state of the whole account that is kept, and come back to as often as one likes.

`KEEP` answers the number of what it kept; `BACK` with that number after it goes back there. So a
test begins on a stack that was deployed once, and a deployment takes longer than most tests.
Functions' workers are no part of it: they end, and begin again as after a deployment.
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

import asyncio
import io
import json
import pickle
import sys
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from ministack import app as emulator
from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict

KEEP: Final = "/_quota_enforcer/keep"
BACK: Final = "/_quota_enforcer/back/"
"""The paths of the server: POST them while nothing is in flight."""

_SCOPED: Final = (AccountScopedDict, AccountRegionScopedDict)
_PLAIN: Final = (bool, int, float, str, type(None))
_STORES: Final = (*_SCOPED, dict, list, set, deque)

Name = tuple[str, str]
"""A module of the emulator, and a variable in it."""

_kept: Final[list[bytes]] = []


def with_states(app: Any) -> Any:
    """The server's application, with the paths KEEP and BACK."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        path: str = scope.get("path", "")
        if path == KEEP:
            answer = await _alone(_keep)
        elif path.startswith(BACK):
            answer = await _alone(_go_back, int(path.removeprefix(BACK)))
        else:
            await app(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    return serve


async def _alone(do: Any, *what: Any) -> Any:
    async with emulator._get_reset_lock():  # other requests wait for it
        return await asyncio.to_thread(do, *what)


def _keep() -> int:
    stores = dict(_stores())
    names = {id(store): name for name, store in stores.items() if isinstance(store, _STORES)}
    held = {}
    for name, store in stores.items():
        content = _content(store)
        try:
            _pickled({name: content}, names)
        except (TypeError, AttributeError, pickle.PicklingError):
            continue  # locks, workers and the like, which are as they are
        held[name] = content
    _kept.append(_pickled(held, names))
    return len(_kept) - 1


def _go_back(number: int) -> None:
    emulator._reset_all_state()  # which ends the workers too
    for (module, variable), content in _Unpickler(io.BytesIO(_kept[number])).load().items():
        store = _now((module, variable))
        if isinstance(store, _STORES):
            _fill(store, content)
        else:
            setattr(sys.modules[module], variable, content)


def _now(name: Name) -> Any:
    module, variable = name
    return getattr(sys.modules[module], variable)


def _stores() -> Iterator[tuple[Name, Any]]:
    """The variables in which the emulator has its state: no constants, functions or modules."""
    for module in [name for name in sys.modules if name.startswith("ministack.")]:
        for variable, value in list(vars(sys.modules[module]).items()):
            state = variable.islower() and not variable.startswith("__")
            if state and isinstance(value, _STORES + _PLAIN):
                yield (module, variable), value


def _content(store: Any) -> Any:
    if isinstance(store, _SCOPED):
        return dict(store._data)
    return store if isinstance(store, _PLAIN) else store.copy()


def _fill(store: Any, content: Any) -> None:
    """The same object with the content, since others hold it too."""
    if isinstance(store, _SCOPED):
        store = store._data
    store.clear()
    if isinstance(store, (list, deque)):
        store.extend(content)
    else:
        store.update(content)


def _pickled(held: dict[Name, Any], names: dict[int, Name]) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer, names).dump(held)
    return buffer.getvalue()


class _Pickler(pickle.Pickler):
    """A store in another is named, not copied."""

    def __init__(self, file: io.BytesIO, names: dict[int, Name]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._names = names

    def persistent_id(self, value: Any) -> Name | None:
        return self._names.get(id(value))


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, name: Name) -> Any:
        return _now(name)

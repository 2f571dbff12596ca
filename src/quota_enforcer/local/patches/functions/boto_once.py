"""What boto3 finds out again for each session, client or request, a process finds out once.

A script too: `fork_server`, which imports nothing of ours, runs it.
"""

import contextlib
from functools import cache, lru_cache
from typing import Any, Final

_KEPT: Final = 2_000
"""Handlers that are remembered: more than all clients of a process have."""


def install() -> None:
    """Remember it from now on.

    - The model of a service, the class that a client is made of, and the TLS settings, which are
      alike for all clients.
    - The names that events have today, and whether a handler of theirs takes any arguments.
    - The proxies of the environment, for each address; and the words of the user agent.

    And what handles the events of a session is not copied for a client: both have the same, of
    which each copies what it changes.
    """
    with contextlib.suppress(ImportError):
        _install()


def _install() -> None:
    import botocore.client  # noqa: PLC0415 - a function's package: not everybody has it
    import botocore.endpoint  # noqa: PLC0415 - likewise
    import botocore.hooks  # noqa: PLC0415 - likewise
    import botocore.httpsession  # noqa: PLC0415 - likewise
    import botocore.session  # noqa: PLC0415 - likewise
    import botocore.useragent  # noqa: PLC0415 - likewise

    for module, name in (
        (botocore.endpoint, "get_environ_proxies"),
        (botocore.httpsession, "create_urllib3_context"),
        (botocore.session, "create_loader"),
        (botocore.useragent, "sanitize_user_agent_string_component"),
    ):
        setattr(module, name, cache(getattr(module, name)))
    _by_its_first_argument(botocore.client.ClientCreator, "_create_client_class")
    hooks: Any = botocore.hooks
    _by_its_first_argument(hooks.EventAliaser, "_alias_event_name")
    takes_any = lru_cache(_KEPT)(hooks.accepts_kwargs)
    hooks.accepts_kwargs = lambda handler: takes_any(getattr(handler, "__func__", handler))
    _share_until_changed(hooks._PrefixTrie)  # noqa: SLF001 - there is no public one


def _by_its_first_argument(kind: Any, method: str) -> None:
    """Let all objects of a class share what a method of theirs answers."""
    plain = getattr(kind, method)
    known: dict[str, Any] = {}

    def answered(self: Any, first: str, *more: Any) -> Any:
        if first not in known:
            known[first] = plain(self, first, *more)
        return known[first]

    setattr(kind, method, answered)


def _share_until_changed(trie_kind: Any) -> None:
    """What one has changed since it was copied says `own`, in its nodes too."""

    def copied(trie: Any) -> Any:
        twin = trie_kind()
        twin.__dict__.update(vars(trie))
        twin.own, trie.own = object(), object()
        return twin

    def changing(plain: Any) -> Any:
        def change(trie: Any, key: str, *more: Any, **named: Any) -> None:
            if "own" in vars(trie):
                _own_the_way(trie, key)
            plain(trie, key, *more, **named)

        return change

    trie_kind.__copy__ = copied
    for name in ("append_item", "remove_item"):
        setattr(trie_kind, name, changing(getattr(trie_kind, name)))


def _own_the_way(trie: Any, key: str) -> None:
    """Let a trie have the nodes from its root to a key for itself."""
    node = trie._root = _owned(trie._root, trie.own)  # noqa: SLF001 - likewise
    for part in key.split("."):
        if part not in node["children"]:
            return
        child = _owned(node["children"][part], trie.own)
        node["children"][part] = child
        node = child


def _owned(node: dict[str, Any], own: object) -> dict[str, Any]:
    if node.get("own") is own:
        return node
    values = node["values"]
    return {
        "chunk": node["chunk"],
        "values": values and type(values)(*(each[:] for each in values)),
        "children": dict(node["children"]),
        "own": own,
    }

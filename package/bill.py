"""Writes the bill of materials of what Lambda gets: each package, its licence, its files' hashes.

`cyclonedx-py` says what is installed and under which licence; the hashes that a lock file allows
are added here, so that whoever has the bill can check what they have. What is in one and not in
the other, or has no licence, is an error.
https://cyclonedx.org/docs/1.6/json/
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

_LOCKED: Final = re.compile(
    r"^([\w.-]+)==([\w.+!-]+)((?: \\\n +--hash=sha256:\w{64})+)$", re.MULTILINE
)


def bill(installed: dict[str, Any], locked: str) -> dict[str, Any]:
    """The bill; raises ValueError with all that is wrong."""
    hashes = {_key(name, version): _hashes(of) for name, version, of in _LOCKED.findall(locked)}
    found = {_key(each["name"], each["version"]): each for each in installed["components"]}
    wrong = sorted(_wrong(found, hashes))
    if wrong:
        raise ValueError("; ".join(wrong))
    for key, component in found.items():
        references = component.setdefault("externalReferences", [])
        references.append(
            {
                "type": "distribution",
                "url": f"pkg:pypi/{key[0]}@{key[1]}",
                "comment": "the files that may be installed",
                "hashes": [{"alg": "SHA-256", "content": each} for each in hashes[key]],
            }
        )
    return installed


def _wrong(
    found: dict[tuple[str, str], Any], locked: dict[tuple[str, str], list[str]]
) -> Iterator[str]:
    for name, version in found.keys() ^ locked.keys():
        yield f"{name} {version} is locked or installed, and not both"
    for (name, version), component in found.items():
        if not component.get("licenses"):
            yield f"{name} {version} does not say its licence"


def _hashes(text: str) -> list[str]:
    return re.findall(r"sha256:(\w{64})", text)


def _key(name: str, version: str) -> tuple[str, str]:
    """As package indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower(), version


if __name__ == "__main__":
    lock, target = map(Path, sys.argv[1:])
    written = bill(json.load(sys.stdin), lock.read_text(encoding="utf-8"))
    target.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    for each in written["components"]:
        names = {
            of.get("expression") or of["license"].get("id") or of["license"]["name"]
            for of in each["licenses"]
        }
        print(f"{each['name']} {each['version']}: {', '.join(sorted(names))}")  # noqa: T201

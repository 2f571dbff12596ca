"""Puts a release together: `python package/release.py FOLDER`, after `make package`.

The folder gets the wheel of the command line, an archive of the stack that needs no build, the
bill of materials of its functions, this version's section of the changelog, and checksums of all.
The same source gives the same bytes.
"""

import hashlib
import re
import sys
import zipfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
BUILT: Final = ROOT / ".aws-sam/build"
"""What `sam build` made: a folder for each function, all of them with the same files."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a zip archive knows."""
_CODE: Final = "CodeUri: src/"
_BESIDE: Final = ("satellite.yaml", "LICENSE", "SECURITY.md")
"""What the archive holds as it stands in the source."""


class ReleaseError(ValueError):
    """Something cannot be released; the message says what, and what to do."""


def stack_files(root: Path = ROOT, built: Path = BUILT) -> dict[str, bytes]:
    """What is in the archive of the stack: the template, its code, and what belongs to them."""
    template = (root / "template.yaml").read_text(encoding="utf-8")
    if template.count(_CODE) != 1:
        raise ReleaseError(
            f"template.yaml says {_CODE!r} {template.count(_CODE)} times: expected once, for all "
            "functions"
        )
    files = {
        "template.yaml": template.replace(_CODE, "CodeUri: code/").encode(),
        "README.md": (root / "package/stack.md").read_bytes(),
    }
    files |= {name: (root / name).read_bytes() for name in _BESIDE}
    return files | {f"code/{name}": data for name, data in _code(built).items()}


def _code(built: Path) -> dict[str, bytes]:
    """The code, which is the same for each function."""
    functions = sorted(each for each in built.glob("*Function") if each.is_dir())
    if not functions:
        raise ReleaseError(f"no function is built in {built}: run `make package` first")
    first, *others = (dict(_files(each)) for each in functions)
    for folder, other in zip(functions[1:], others, strict=True):
        if other != first:
            raise ReleaseError(
                f"{folder.name} is built from other files than {functions[0].name}: "
                "run `make package` again"
            )
    return first


def _files(folder: Path) -> list[tuple[str, bytes]]:
    found = sorted(each for each in folder.rglob("*") if each.is_file())
    return [(each.relative_to(folder).as_posix(), each.read_bytes()) for each in found]


def archive(files: dict[str, bytes], path: Path) -> None:
    """Write them as a zip archive, the same bytes for the same files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            written.writestr(entry, data)


def section(changelog: str, version: str) -> str:
    """What the changelog says of a version; before it is released, what is under Unreleased."""
    for title in (rf"\[?{re.escape(version)}\]?.*", "Unreleased"):
        found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
        if found and found[1].strip():
            return found[1].strip() + "\n"
    raise ReleaseError(f"CHANGELOG.md has no section for {version}, and none that is unreleased")


def checksums(folder: Path) -> str:
    """As `sha256sum --check` reads them."""
    return "".join(
        f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n"
        for each in sorted(folder.iterdir())
        if each.suffix
    )


def main(folder: Path) -> None:
    [wheel] = folder.glob("*.whl")
    version = wheel.name.split("-")[1]
    archive(stack_files(), folder / f"quota-enforcer-stack-{version}.zip")
    bill = (ROOT / ".aws-sam/bill.cdx.json").read_bytes()
    (folder / f"quota-enforcer-stack-{version}.cdx.json").write_bytes(bill)
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    (folder / "CHANGES.md").write_text(section(changelog, version), encoding="utf-8")
    (folder / "SHA256SUMS").write_text(checksums(folder), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

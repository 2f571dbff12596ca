"""What the packages are made of, and what a scanner of the template is not asked."""

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

import pytest
import yaml

from template_source import TEMPLATE

ROOT = TEMPLATE.parent
PACKAGE = ROOT / "package"
LOCKS = [ROOT / "requirements.lock", ROOT / "src/requirements.txt", *PACKAGE.glob("*.lock")]
PINNED = re.compile(r"^[\w.-]+==\S+", re.MULTILINE)
LOCKED = """\
one-package==1.0 \\
    --hash=sha256:{a} \\
    --hash=sha256:{b}
other==2.0.1 \\
    --hash=sha256:{c}
""".format(**{name: name * 64 for name in "abc"})


def components(*several: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "components": [
            {"name": name, "version": version}
            | ({"licenses": [{"license": {"id": licence}}]} if licence else {})
            for name, version, licence in several
        ]
    }


@pytest.fixture(scope="module")
def script() -> Any:
    """`package/bill.py`, which is a script."""
    spec = spec_from_file_location("bill", PACKAGE / "bill.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    sys.modules["bill"] = module
    spec.loader.exec_module(module)
    return module


def test_each_package_has_its_licence_and_the_hashes_that_are_locked(script: Any) -> None:
    installed = components(("One_Package", "1.0", "MIT"), ("other", "2.0.1", "Apache-2.0"))
    first, second = script.bill(installed, LOCKED)["components"]
    [files] = first["externalReferences"]
    assert files["url"] == "pkg:pypi/one-package@1.0"
    assert [each["content"] for each in files["hashes"]] == ["a" * 64, "b" * 64]
    assert [each["content"] for each in second["externalReferences"][0]["hashes"]] == ["c" * 64]


@pytest.mark.parametrize(
    ("installed", "wrong"),
    [
        ([("one-package", "1.0", "MIT")], "other 2.0.1 is locked or installed, and not both"),
        (
            [("one-package", "1.0", "MIT"), ("other", "2.0.1", ""), ("third", "3", "MIT")],
            "other 2.0.1 does not say its licence; third 3 is locked or installed, and not both",
        ),
    ],
)
def test_what_is_not_locked_or_has_no_licence_is_an_error(
    script: Any, installed: list[tuple[str, str, str]], wrong: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(wrong)):
        script.bill(components(*installed), LOCKED)


def test_the_lock_of_the_functions_is_read_whole(script: Any) -> None:
    lock = (ROOT / "src/requirements.txt").read_text(encoding="utf-8")
    pinned = [each.split("==") for each in PINNED.findall(lock)]
    installed = components(*((name, version, "MIT") for name, version in pinned))
    bill = script.bill(installed, lock)
    hashes = [each["externalReferences"][0]["hashes"] for each in bill["components"]]
    assert len(hashes) == len(pinned) > 5
    assert sum(map(len, hashes)) == lock.count("--hash=sha256:")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_package_that_is_installed_anywhere_has_hashes(lock: Any) -> None:
    text = lock.read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    assert entries
    assert [each for each in entries if "==" not in each or "--hash=sha256:" not in each] == []


def test_every_environment_is_installed_by_hash_alone() -> None:
    make = (ROOT / "Makefile").read_text(encoding="utf-8")
    installs = re.findall(r"^.*pip (?:install|sync)\b.*$", make, re.MULTILINE)
    ours = [each for each in installs if "--editable ." in each]
    assert len(ours) == 1
    assert [each for each in installs if "--require-hashes" not in each] == ours


@pytest.mark.parametrize("file", ["scan.yaml", "scan-satellite.yaml"])
def test_no_check_is_skipped_without_its_reason(file: str) -> None:
    text = (PACKAGE / file).read_text(encoding="utf-8")
    reasons = dict(re.findall(r"^  - (CKV\w+)  # (.+)$", text, re.MULTILINE))
    skipped = yaml.safe_load(text)["skip-check"]
    assert list(reasons) == skipped
    assert [each for each, why in reasons.items() if len(why) < 40] == []


def test_a_check_is_skipped_for_the_whole_template_only() -> None:
    """In the template itself nobody would look for reasons."""
    assert "checkov" not in TEMPLATE.read_text(encoding="utf-8").lower()


def test_what_says_who_passes_is_run_before_a_change_lands() -> None:
    assert "make scan" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")

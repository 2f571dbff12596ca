"""A SAM template as the plain CloudFormation that AWS's transform makes of it."""

import hashlib
import io
import logging
import zipfile
from pathlib import Path
from typing import Any, Final

import boto3
import yaml
from samtranslator.yaml_helper import intrinsics_multi_constructor

import quota_enforcer

REGION: Final = "us-east-1"
"""The Region that the template is transformed for."""
BUCKET: Final = "quota-enforcer-code"
"""The bucket that function code is taken from."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a zip archive knows: the same code always gives the same bytes."""
_NOT_CODE: Final = frozenset({"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"})

Transformed = tuple[dict[str, Any], dict[str, bytes]]
"""A template after the transform, and the archives it names by their key in the bucket."""


class _Loader(yaml.CSafeLoader):
    """Knows CloudFormation's tags, such as !Ref; in C, which is ten times as fast."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


def parsed(template: str) -> dict[str, Any]:
    """A template as it is written, its short intrinsics in their long form."""
    result: dict[str, Any] = yaml.load(template, _Loader)  # noqa: S506 - it is a safe loader
    return result


def transformed(template_path: Path, parameters: dict[str, str] | None = None) -> dict[str, Any]:
    """The template after the SAM transform, with code at `s3://BUCKET/...`; nothing is uploaded.

    Raises:
        samtranslator.model.exceptions.InvalidDocumentException: SAM refuses the template.
    """
    return transformed_with_code(template_path, parameters)[0]


def transformed_with_code(
    template_path: Path, parameters: dict[str, str] | None = None
) -> Transformed:
    """The same, with the archives."""
    from samtranslator.parser.parser import Parser  # noqa: PLC0415 - half a second, and who reads needs none
    from samtranslator.translator.translator import Translator  # noqa: PLC0415 - likewise

    template = parsed(template_path.read_text(encoding="utf-8"))
    archives: dict[str, bytes] = {}
    functions = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]
    shared = template.get("Globals", {}).get("Function", {})
    for properties in (shared, *functions):
        if isinstance(folder := properties.get("CodeUri"), str) and "://" not in folder:
            archive = _code(template_path, folder)
            key = f"{hashlib.sha256(archive).hexdigest()}.zip"
            archives[key] = archive
            properties["CodeUri"] = f"s3://{BUCKET}/{key}"
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    translator = Translator(None, Parser(), boto_session=boto3.Session(region_name=REGION))
    result: dict[str, Any] = translator.translate(
        template, parameter_values=dict(parameters or {}), get_managed_policy_map=dict
    )
    return result, archives


def _code(template: Path, folder: str) -> bytes:
    """Of a template that was installed with the package, the package is the code."""
    package = Path(quota_enforcer.__file__).parent
    if template.is_relative_to(package):
        return archived(package.parent, package.name)
    return archived(template.parent / folder)


def archived(folder: Path, only: str = ".") -> bytes:
    """The source in a folder, or only in one inside of it, as a zip archive.

    The same files give the same bytes. Dependencies are not in it: the embedded AWS runs functions
    with its own interpreter.

    Raises:
        NotADirectoryError: there is no such folder.
    """
    if not (folder / only).is_dir():
        raise NotADirectoryError(f"CodeUri {folder}: expected a folder with the function's code")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((folder / only).rglob("*")):
            name = path.relative_to(folder)
            if not path.is_file() or _NOT_CODE & set(name.parts) or path.suffix == ".pyc":
                continue
            entry = zipfile.ZipInfo(name.as_posix(), _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()

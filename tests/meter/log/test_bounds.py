"""What a forged delivery or record can blow up, and what it cannot."""

import gzip
import json
from base64 import b64encode
from typing import Any

import pytest

from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.core.principal import identify
from quota_enforcer.meter.log import delivery
from quota_enforcer.meter.log.delivery import Undecodable, decode
from quota_enforcer.meter.log.fields import MOST_OF_MODEL, Damaged, model

ACCOUNT = "111122223333"


def packed(value: Any) -> str:
    return b64encode(gzip.compress(json.dumps(value).encode())).decode()


def test_a_gzip_that_expands_beyond_the_bound_is_no_delivery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert delivery.LARGEST == 64 << 20
    monkeypatch.setattr(delivery, "LARGEST", 1 << 20)
    bomb = b64encode(gzip.compress(b" " * (delivery.LARGEST + 1))).decode()
    assert len(bomb) < delivery.LARGEST // 500
    with pytest.raises(Undecodable, match="expands to more than 1 MiB"):
        decode(bomb)


def test_as_much_as_the_bound_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"messageType": "CONTROL_MESSAGE"}
    monkeypatch.setattr(delivery, "LARGEST", len(json.dumps(said)))
    assert decode(packed(said)).control
    monkeypatch.setattr(delivery, "LARGEST", len(json.dumps(said)) - 1)
    with pytest.raises(Undecodable, match="expands"):
        decode(packed(said))


def test_a_gzip_that_is_cut_off_says_so() -> None:
    whole = gzip.compress(b'{"messageType": "CONTROL_MESSAGE"}')
    for length in range(len(whole)):
        with pytest.raises(Undecodable):
            decode(b64encode(whole[:length]).decode())


def test_a_model_is_as_long_as_a_key_of_the_ledger_can_hold() -> None:
    assert model({"modelId": "m" * MOST_OF_MODEL}) == "m" * MOST_OF_MODEL
    with pytest.raises(Damaged, match=r"modelId is .* 513 characters: expected at most 512"):
        model({"modelId": "m" * (MOST_OF_MODEL + 1)})


@pytest.mark.parametrize("form", ["user/{}", "assumed-role/{}/s1", "assumed-role/r/{}"])
def test_a_name_is_as_long_as_iam_allows(form: str) -> None:
    service = "iam" if form.startswith("user") else "sts"
    arn = f"arn:aws:{service}::{ACCOUNT}:{form}"
    identify(arn.format("n" * 64), ACCOUNT)
    with pytest.raises(EnforcerError, match="at most 64"):
        identify(arn.format("n" * 65), ACCOUNT)

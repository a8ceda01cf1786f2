"""Signatures, checked by code that knows nothing of ours; the vector was made with openssl."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.control.callbacks.call_signature import signed

PAGE = Path(__file__).parents[4] / "docs" / "callbacks.md"
SECRETS = ["a new secret, 中文", "the secret before it", "somebody else's secret"]


def test_time_and_body_are_signed_by_each_secret() -> None:
    fields = signed(["new secret", "old secret"], b'{"a":1}', 1_796_000_000)
    wanted = [
        hmac.new(secret, b'1796000000.{"a":1}', hashlib.sha256).hexdigest() for secret in (b"new secret", b"old secret")
    ]
    assert fields == {
        "Tidegate-Timestamp": "1796000000",
        "Tidegate-Signature": f"v1={wanted[0]}, v1={wanted[1]}",
    }


def test_against_openssl() -> None:
    # printf '1796000000.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef
    (field,) = [
        value for name, value in signed(["0123456789abcdef"], b'{"a":1}', 1_796_000_000).items() if "Sig" in name
    ]
    assert field == "v1=d067bdc6f6c708857dce13d68b9e73d2bbe11179886cc8183c0e189ab0fefc1b"


def test_another_time_is_another_signature() -> None:
    assert signed(["s"], b"x", 1)["Tidegate-Signature"] != signed(["s"], b"x", 2)["Tidegate-Signature"]


def test_without_a_secret_nothing_is_signed() -> None:
    assert signed([], b"x", 1) == {}


def documented(language: str) -> str:
    """The receiver's code, as docs/callbacks.md has it."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


BODY = '{"房":"1"}\n\x00'.encode()


@pytest.mark.parametrize(("secret", "late", "genuine"), [(0, 0, True), (1, 0, True), (2, 0, False), (0, 301, False)])
def test_receivers_verify_it_as_the_page_says_in_python(secret: int, late: int, genuine: bool) -> None:
    known: dict[str, Any] = {}
    exec(documented("python"), known)  # the page's own words
    fields = signed(SECRETS[:2], BODY, int(time.time()) - late)
    assert known["genuine"](SECRETS[secret], fields, BODY) is genuine
    assert known["genuine"](SECRETS[secret], fields, BODY + b" ") is False


@pytest.mark.parametrize(("secret", "genuine"), [(0, True), (1, True), (2, False)])
def test_receivers_verify_it_as_the_page_says_in_the_shell(tmp_path: Path, secret: int, genuine: bool) -> None:
    (tmp_path / "body").write_bytes(BODY)
    fields = signed(SECRETS[:2], BODY, 1_796_000_000)
    done = subprocess.run(
        ["sh", "-c", documented("sh")], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={
            "PATH": os.environ["PATH"], "SECRET": SECRETS[secret], "STAMP": fields["Tidegate-Timestamp"],
            "SIGNATURE": fields["Tidegate-Signature"],
        },
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("genuine\n" if genuine else "", "")

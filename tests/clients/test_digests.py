import hashlib
import io
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto_client.digests import digest_field, sha256_in, sha256_of
from recto_client.errors import retry_after
from recto_client.sending import pauses


@given(st.binary(max_size=2000))
def test_digest_field_read_again_gives_the_digest(content: bytes) -> None:
    sha256, size_bytes = sha256_of(io.BytesIO(content))
    assert (sha256, size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert sha256_in(f"sha-512=:AAAA:, {digest_field(sha256)}") == sha256


@pytest.mark.parametrize("field", ["", "sha-512=:AAAA:", "sha-256", "sha-256=AAAA", "sha-256=:?:", "sha-256=:AAA:"])
def test_digest_field_without_a_sha256_gives_none(field: str) -> None:
    assert sha256_in(field) is None


@pytest.mark.parametrize(
    ("given_value", "seconds"), [("5", 5.0), (" 0 ", 0.0), ("", None), ("soon", None), ("-3", None), ("²", None)]
)
def test_retry_after_takes_seconds_and_nothing_else(given_value: str, seconds: float | None) -> None:
    headers = [(b"Retry-After", given_value.encode())]
    assert retry_after(httpx.Response(503, headers=headers)) == seconds


def test_retry_after_takes_a_date() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    seconds = retry_after(httpx.Response(503, headers={"Retry-After": moment}))
    assert seconds is not None
    assert 95 < seconds <= 100


def test_pauses_double_up_to_half_a_minute() -> None:
    made = pauses()
    for longest_s in (0.5, 1, 2, 4, 8, 16, 30, 30, 30):
        assert longest_s / 2 <= next(made) <= longest_s

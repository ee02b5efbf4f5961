"""What may stand in a setting: types whose validators say in a message what is right."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, Field

from recto.outbound.guard import parse_allow_list
from recto.storage_setup import parse_url

_MIN_METRICS_TOKEN_CHARACTERS: Final = 16


def _base_path(value: str) -> str:
    if value and not value.startswith("/"):
        raise ValueError("must be empty or start with a slash")
    return value.rstrip("/")


def _allow_list(value: str) -> str:
    parse_allow_list(value)
    return value


def _storage_path(value: Path) -> Path:
    if "?" in str(value):
        raise ValueError("must not contain '?', which a database URL cannot hold")
    return value


def _store_url(value: str) -> str:
    if value:
        parse_url(value)
    return value


def _store_address(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^/?#\s]+/?", value):
        raise ValueError("must be empty or an address without a path, such as https://s3.example.org")
    return value.rstrip("/")


def _origins(value: str) -> str:
    for origin in value.split():
        if not re.fullmatch(r"https?://[^/\s]+", origin):
            raise ValueError("must be empty or origins joined by spaces, such as https://scans.example.org")
    return value


def _metrics_token(value: str) -> str:
    if value and len(value) < _MIN_METRICS_TOKEN_CHARACTERS:
        raise ValueError(f"must be empty or have at least {_MIN_METRICS_TOKEN_CHARACTERS} characters")
    return value


def _shaped(pattern: str, shape: str) -> AfterValidator:
    """Empty, or of the pattern, which `shape` describes."""

    def check(value: str) -> str:
        if value and not re.fullmatch(pattern, value):
            raise ValueError(f"must be empty or {shape}")
        return value

    return AfterValidator(check)


def _header(value: str) -> str:
    if value and not re.fullmatch(r"[A-Za-z0-9-]{1,64}", value):
        raise ValueError("must be empty or the name of a header, such as Remote-User")
    if value.lower() in ("authorization", "cookie", "host"):
        raise ValueError("must be a header that only the proxy sets")
    return value


def _networks(value: str) -> str:
    for network in value.split():
        ip_network(network)  # its ValueError says what is wrong
    return value


Positive: TypeAlias = Annotated[float, Field(gt=0)]
BasePath: TypeAlias = Annotated[str, AfterValidator(_base_path)]
AllowedHosts: TypeAlias = Annotated[str, AfterValidator(_allow_list)]
StoragePath: TypeAlias = Annotated[Path, AfterValidator(_storage_path)]
StoreUrl: TypeAlias = Annotated[str, AfterValidator(_store_url)]
StoreAddress: TypeAlias = Annotated[str, AfterValidator(_store_address)]
Origins: TypeAlias = Annotated[str, AfterValidator(_origins)]
MetricsToken: TypeAlias = Annotated[str, AfterValidator(_metrics_token)]
TraceEndpoint: TypeAlias = Annotated[
    str, _shaped(r"https?://[^/\s]+/\S+", "a whole address, such as http://127.0.0.1:4318/v1/traces")
]
# Without TLS only to this machine: whoever sits on the way could sign in as anybody.
Issuer: TypeAlias = Annotated[
    str,
    _shaped(
        r"https://[^/\s?#]+[^\s?#]*|http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?[^\s?#]*",
        "an https address such as https://id.example.org (http only for this machine)",
    ),
]
HeaderName: TypeAlias = Annotated[str, AfterValidator(_header)]
Networks: TypeAlias = Annotated[str, AfterValidator(_networks)]
WebAddress: TypeAlias = Annotated[
    str, _shaped(r"https?://[^\s]+|/[^\s]*", "an address, such as https://id.example.org/sign-out")
]
SchedulerAddress: TypeAlias = Annotated[
    str, _shaped(r"(tcp|tls|ws|wss)://[^\s]+", "a Dask scheduler's address, such as tcp://10.0.0.1:8786")
]

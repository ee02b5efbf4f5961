"""config.toml and the RECTO_* environment -> one typed, frozen Settings.

Defaults live in the shipped config.toml alone. On top of it come the file that RECTO_CONFIG names and then variables called
RECTO_<SECTION>_<KEY>. An unknown key, a missing one or a bad value is a SettingsError that names it and where it was set.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from recto.errors import SettingsError
from recto.outbound.guard import AllowList, parse_allow_list
from recto.setting_layers import DEFAULTS_FILE, ENVIRONMENT, PREFIX, read_layers
from recto.setting_values import (
    AllowedHosts,
    BasePath,
    HeaderName,
    Issuer,
    MetricsToken,
    Networks,
    Origins,
    Positive,
    SchedulerAddress,
    StoragePath,
    StoreAddress,
    StoreUrl,
    TraceEndpoint,
    WebAddress,
)
from recto.storage_setup import S3Place, StorageSetup, parse_url
from recto.time_limits import TimeLimits

_MOST_LINK_LIFETIME_S = 604800
"""Seven days: a presigned link of S3 cannot live longer."""
_MOST_OBJECT_BYTES = 5 * 1024**3
"""What a store copies, and takes from a client, in one request."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ServerSettings(_Section):
    """[server]"""

    host: str
    port: int = Field(ge=0, le=65535)
    base_path: BasePath
    trusted_proxies: int = Field(ge=0)
    secure_cookies: bool
    allowed_origins: Origins
    max_upload_bytes: int = Field(gt=0)
    max_batch_documents: int = Field(ge=1)
    max_batch_bytes: int = Field(gt=0)
    max_wait_s: Positive
    retry_after_s: int = Field(ge=1)
    link_lifetime_s: int = Field(ge=1)
    session_lifetime_s: int = Field(ge=60)
    secret_key: str = Field(repr=False)
    idempotency_lifetime_s: int = Field(ge=1)
    stop_timeout_s: float = Field(ge=0)


class LimitsSettings(_Section):
    """[limits]"""

    sign_in_failures_per_name: int = Field(ge=1)
    sign_in_failures_per_address: int = Field(ge=1)
    sign_in_window_s: int = Field(ge=1)
    sign_ins_per_minute: int = Field(ge=0)
    tokens_per_hour: int = Field(ge=0)
    uploads_per_minute: int = Field(ge=0)
    header_timeout_s: Positive
    body_timeout_s: Positive
    min_body_bytes_per_s: int = Field(ge=0)


class DatabaseSettings(_Section):
    """[database]"""

    url: str = Field(repr=False)
    busy_timeout_s: Positive
    watch_interval_s: Positive
    event_lifetime_s: Positive


class FileStorageSettings(_Section):
    """[file_storage]"""

    path: StoragePath
    url: StoreUrl
    endpoint_url: StoreAddress
    public_url: StoreAddress
    region: str
    path_style: bool
    access_key_id: str
    secret_access_key: str = Field(repr=False)
    timeout_s: Positive
    upload_lifetime_s: int = Field(ge=1, le=_MOST_LINK_LIFETIME_S)
    min_free_bytes: int = Field(ge=0)
    sweep_after_s: Positive
    sweep_interval_s: float = Field(ge=0)

    @property
    def setup(self) -> StorageSetup:
        """What every process opens the File Storage with."""
        return StorageSetup(self.path, self.min_free_bytes, self._place() if self.url else None)

    def _place(self) -> S3Place:
        bucket, prefix = parse_url(self.url)
        return S3Place(
            bucket,
            prefix,
            self.endpoint_url,
            self.public_url,
            self.region,
            self.path_style,
            self.access_key_id,
            self.secret_access_key,
            self.timeout_s,
        )

    @model_validator(mode="after")
    def _keys_go_together(self) -> "FileStorageSettings":
        if bool(self.access_key_id) != bool(self.secret_access_key):
            raise ValueError("access_key_id and secret_access_key have to be set both, or neither")
        return self


class QueueSettings(_Section):
    """[queue]"""

    max_unfinished_per_user: int = Field(ge=1)
    max_unfinished: int = Field(ge=1)
    max_stored_bytes_per_user: int = Field(ge=0)
    lease_s: Positive
    renew_s: Positive
    max_attempts: int = Field(ge=1)
    retry_delay_s: float = Field(ge=0)

    @model_validator(mode="after")
    def _renewal_fits_lease(self) -> "QueueSettings":
        if self.renew_s * 2 > self.lease_s:
            raise ValueError("renew_s must be at most half of lease_s, or a late renewal loses the job")
        return self


class WorkerSettings(_Section):
    """[worker]"""

    processes: int = Field(ge=0)
    poll_interval_s: Positive
    page_timeout_s: Positive
    page_timeout_s_per_megapixel: float = Field(ge=0)
    job_timeout_s: Positive
    job_timeout_s_per_page: float = Field(ge=0)
    pages_per_process: int = Field(ge=1)
    niceness: int = Field(ge=0, le=19)
    process_memory_bytes: int = Field(ge=0)

    @property
    def time_limits(self) -> TimeLimits:
        """How long work on a document may take."""
        return TimeLimits(
            self.page_timeout_s, self.page_timeout_s_per_megapixel, self.job_timeout_s, self.job_timeout_s_per_page
        )


class ClusterSettings(_Section):
    """[cluster]"""

    scheduler: SchedulerAddress
    min_nodes: int = Field(ge=0)
    max_nodes: int = Field(ge=1)
    document_cache_path: str
    document_cache_bytes: int = Field(ge=0)

    @model_validator(mode="after")
    def _least_fits_most(self) -> "ClusterSettings":
        if self.min_nodes > self.max_nodes:
            raise ValueError("min_nodes must be at most max_nodes")
        return self


class OcrSettings(_Section):
    """[ocr]"""

    engine: Literal["auto", "tesserocr", "pytesseract"]
    tessdata_path: str
    languages: str = Field(min_length=2)
    max_pages: int = Field(ge=1)
    max_page_px: int = Field(ge=1)
    max_document_px: int = Field(ge=1)


class OutboundSettings(_Section):
    """[outbound]"""

    webhooks: bool
    allowed_hosts: AllowedHosts
    document_urls: bool
    document_timeout_s: Positive

    @property
    def allow_list(self) -> AllowList:
        """What may be reached although it is not public."""
        return parse_allow_list(self.allowed_hosts)


class AdminSettings(_Section):
    """[admin]"""

    username: str = Field(min_length=1)
    password: str = Field(repr=False)


class OidcSettings(_Section):
    """[oidc]"""

    issuer: Issuer
    client_id: str
    client_secret: str = Field(repr=False)
    title: str = Field(min_length=1)
    scopes: str
    name_claim: str = Field(min_length=1)
    create_users: bool
    admin_claim: str
    admin_value: str

    @model_validator(mode="after")
    def _is_complete(self) -> "OidcSettings":
        if self.issuer and not self.client_id:
            raise ValueError("issuer is set, so client_id is needed as well")
        if "openid" not in self.scopes.split():
            raise ValueError("scopes need 'openid' among them")
        if bool(self.admin_claim) is not bool(self.admin_value):
            raise ValueError("admin_claim and admin_value go together: set both or neither")
        return self


class ProxySignInSettings(_Section):
    """[proxy_sign_in]"""

    header: HeaderName
    trusted_addresses: Networks
    create_users: bool
    groups_header: HeaderName
    admin_group: str
    sign_out_url: WebAddress

    @model_validator(mode="after")
    def _is_complete(self) -> "ProxySignInSettings":
        if self.header and not self.trusted_addresses.split():
            raise ValueError("header is set, so trusted_addresses has to name the proxy")
        if bool(self.groups_header) is not bool(self.admin_group):
            raise ValueError("groups_header and admin_group go together: set both or neither")
        return self


class RetentionSettings(_Section):
    """[retention]"""

    default_s: int = Field(ge=0)
    longest_s: int = Field(ge=0)
    check_interval_s: Positive


class MetricsSettings(_Section):
    """[metrics]"""

    loopback: bool
    token: MetricsToken = Field(repr=False)


class TracingSettings(_Section):
    """[tracing]"""

    endpoint: TraceEndpoint


class LogSettings(_Section):
    """[log]"""

    level: Literal["debug", "info", "warning", "error"]
    format: Literal["text", "json"]
    audit_lifetime_s: int = Field(ge=1)


class Settings(_Section):
    """All settings. Paths are absolute."""

    server: ServerSettings
    limits: LimitsSettings
    database: DatabaseSettings
    file_storage: FileStorageSettings
    queue: QueueSettings
    worker: WorkerSettings
    cluster: ClusterSettings
    ocr: OcrSettings
    outbound: OutboundSettings
    admin: AdminSettings
    oidc: OidcSettings
    proxy_sign_in: ProxySignInSettings
    retention: RetentionSettings
    metrics: MetricsSettings
    tracing: TracingSettings
    log: LogSettings

    @model_validator(mode="after")
    def _documents_fit_store(self) -> "Settings":
        if self.file_storage.url and self.server.max_upload_bytes > _MOST_OBJECT_BYTES:
            raise ValueError(
                f"server.max_upload_bytes must be at most {_MOST_OBJECT_BYTES:,} where file_storage.url is set"
            )
        if self.file_storage.url and self.server.link_lifetime_s > _MOST_LINK_LIFETIME_S:
            raise ValueError(
                f"server.link_lifetime_s must be at most {_MOST_LINK_LIFETIME_S:,} where file_storage.url is set"
            )
        return self

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the database: the one that was set, or recto.db beside the documents."""
        return self.database.url or f"sqlite:///{self.file_storage.path / 'recto.db'}"


def load_settings(environ: Mapping[str, str], defaults_file: Path = DEFAULTS_FILE) -> Settings:
    """Settings for this environment; SettingsError says which key is wrong, where it was set and what is right."""
    given = read_layers(environ, defaults_file)
    path = given.values.get("file_storage", {}).get("path")
    if isinstance(path, str) and path:
        given.values["file_storage"]["path"] = (defaults_file.parent / path).resolve()
    try:
        return Settings.model_validate(given.values)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(error, given.sources, defaults_file))) from error


def _fields_of(section: Any) -> list[str]:
    return list(section.model_fields)


def _names(section: Any) -> str:
    return ", ".join(_fields_of(section))


def _explain(error: ValidationError, sources: dict[tuple[str, str], str], defaults_file: Path) -> list[str]:
    lines = []
    for problem in error.errors():
        section, key = (*map(str, problem["loc"]), "", "")[:2]
        if not section:
            lines.append(
                f"{problem['msg'].removeprefix('Value error, ')}."
            )  # it names the settings that do not go together
            continue
        where = _where(section, key, _source(sources, section, key) or str(defaults_file))
        if problem["type"] == "extra_forbidden":
            siblings = _names(Settings.model_fields[section].annotation) if key else _names(Settings)
            lines.append(f"{where}: there is no such setting. Known here: {siblings}.")
        elif problem["type"] == "missing":
            lines.append(f"{where}: the setting is missing. Take its line from the config.toml that Recto ships.")
        else:
            # A whole section, or what is secret or may hold a password, is not repeated.
            is_shown = key and (section, key) != ("database", "url") and not re.search("password|secret|^token$", key)
            given = f" (it is {problem['input']!r})" if is_shown else ""
            lines.append(f"{where}: {problem['msg'].removeprefix('Value error, ')}{given}.")
    return lines


def _source(sources: dict[tuple[str, str], str], section: str, key: str) -> str | None:
    """Where the key was set; for a whole section, where the last of its keys was set."""
    if key:
        return sources.get((section, key))
    return next((source for (name, _), source in reversed(sources.items()) if name == section), None)


def _where(section: str, key: str, source: str) -> str:
    if source != ENVIRONMENT:
        return f"{section}.{key} in {source}" if key else f"{section} in {source}"
    return f"{PREFIX}{section}_{key}".upper() if key else f"{section} in the environment"

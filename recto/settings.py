"""config.toml and the RECTO_* environment -> one typed, frozen Settings.

Defaults live in the shipped config.toml alone. On top of it come the file that RECTO_CONFIG names and then variables called
RECTO_<SECTION>_<KEY>. An unknown key, a missing one or a bad value is a SettingsError that names it and where it was set.
"""

import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from recto.errors import SettingsError
from recto.outbound.guard import AllowList, parse_allow_list
from recto.storage_setup import S3Place, StorageSetup, parse_url
from recto.time_limits import TimeLimits

PROJECT_FOLDER = Path(__file__).resolve().parent.parent
DEFAULTS_FILE = PROJECT_FOLDER / "config.toml"
CONFIG_VARIABLE = "RECTO_CONFIG"
PREFIX = "RECTO_"
OF_THE_CLIENT = frozenset({"RECTO_URL", "RECTO_TOKEN"})
"""Variables of the command `recto`, which may be set beside the service's own."""
_ENVIRONMENT = "environment"

_MOST_LINK_LIFETIME_S = 604800
"""Seven days: a presigned link of S3 cannot live longer."""
_MOST_OBJECT_BYTES = 5 * 1024**3
"""What a store copies, and takes from a client, in one request."""
MIN_METRICS_TOKEN_CHARACTERS = 16
_Positive = Annotated[float, Field(gt=0)]


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
    if value and len(value) < MIN_METRICS_TOKEN_CHARACTERS:
        raise ValueError(f"must be empty or have at least {MIN_METRICS_TOKEN_CHARACTERS} characters")
    return value


def _endpoint(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^/\s]+/\S+", value):
        raise ValueError("must be empty or a whole address, such as http://127.0.0.1:4318/v1/traces")
    return value


def _issuer(value: str) -> str:
    """Without TLS only to this machine: whoever sits on the way could sign in as anybody."""
    if value and not re.fullmatch(
        r"https://[^/\s?#]+[^\s?#]*|http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?[^\s?#]*", value
    ):
        raise ValueError(
            "must be empty or an https address such as https://id.example.org (http only for this machine)"
        )
    return value


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


def _web_address(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^\s]+|/[^\s]*", value):
        raise ValueError("must be empty or an address, such as https://id.example.org/sign-out")
    return value


def _scheduler(value: str) -> str:
    if value and not re.fullmatch(r"(tcp|tls|ws|wss)://[^\s]+", value):
        raise ValueError("must be empty or a Dask scheduler's address, such as tcp://10.0.0.1:8786")
    return value


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ServerSettings(_Section):
    """[server]"""

    host: str
    port: int = Field(ge=0, le=65535)
    base_path: Annotated[str, AfterValidator(_base_path)]
    trusted_proxies: int = Field(ge=0)
    secure_cookies: bool
    allowed_origins: Annotated[str, AfterValidator(_origins)]
    max_upload_bytes: int = Field(gt=0)
    max_batch_documents: int = Field(ge=1)
    max_batch_bytes: int = Field(gt=0)
    max_wait_s: _Positive
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
    header_timeout_s: _Positive
    body_timeout_s: _Positive
    min_body_bytes_per_s: int = Field(ge=0)


class DatabaseSettings(_Section):
    """[database]"""

    url: str = Field(repr=False)
    busy_timeout_s: _Positive
    watch_interval_s: _Positive
    event_lifetime_s: _Positive


class FileStorageSettings(_Section):
    """[file_storage]"""

    path: Annotated[Path, AfterValidator(_storage_path)]
    url: Annotated[str, AfterValidator(_store_url)]
    endpoint_url: Annotated[str, AfterValidator(_store_address)]
    public_url: Annotated[str, AfterValidator(_store_address)]
    region: str
    path_style: bool
    access_key_id: str
    secret_access_key: str = Field(repr=False)
    timeout_s: _Positive
    upload_lifetime_s: int = Field(ge=1, le=_MOST_LINK_LIFETIME_S)
    min_free_bytes: int = Field(ge=0)
    sweep_after_s: _Positive
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
    lease_s: _Positive
    renew_s: _Positive
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
    poll_interval_s: _Positive
    page_timeout_s: _Positive
    page_timeout_s_per_megapixel: float = Field(ge=0)
    job_timeout_s: _Positive
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

    scheduler: Annotated[str, AfterValidator(_scheduler)]
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
    allowed_hosts: Annotated[str, AfterValidator(_allow_list)]
    document_urls: bool
    document_timeout_s: _Positive

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

    issuer: Annotated[str, AfterValidator(_issuer)]
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

    header: Annotated[str, AfterValidator(_header)]
    trusted_addresses: Annotated[str, AfterValidator(_networks)]
    create_users: bool
    groups_header: Annotated[str, AfterValidator(_header)]
    admin_group: str
    sign_out_url: Annotated[str, AfterValidator(_web_address)]

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
    check_interval_s: _Positive


class MetricsSettings(_Section):
    """[metrics]"""

    loopback: bool
    token: Annotated[str, AfterValidator(_metrics_token)] = Field(repr=False)


class TracingSettings(_Section):
    """[tracing]"""

    endpoint: Annotated[str, AfterValidator(_endpoint)]


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
    values = _read(defaults_file)
    sources = {(section, key): str(defaults_file) for section in values for key in values[section]}
    own_file = environ.get(CONFIG_VARIABLE)
    layers: list[tuple[str, dict[str, dict[str, Any]]]] = []
    if own_file:
        layers.append((own_file, _read(Path(own_file))))
    layers.append((_ENVIRONMENT, _from_environment(environ)))
    for source, layer in layers:
        for section, keys in layer.items():
            for key, value in keys.items():
                values.setdefault(section, {})[key] = value
                sources.pop((section, key), None)
                sources[section, key] = source  # in the order in which they were set
    path = values.get("file_storage", {}).get("path")
    if isinstance(path, str) and path:
        values["file_storage"]["path"] = (defaults_file.parent / path).resolve()
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(error, sources, defaults_file))) from error


def _read(file: Path) -> dict[str, dict[str, Any]]:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"Cannot read the settings file {file}: {error.strerror}. Check the path in {CONFIG_VARIABLE}."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not valid TOML: {error}.") from error
    for section, keys in values.items():
        if not isinstance(keys, dict):
            raise SettingsError(f"{file}: '{section}' stands outside a section. Sections are {_names(Settings)}.")
    return values


def _from_environment(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """{section: {key: text}} of the RECTO_* variables; one that names no setting is an error."""
    known = {
        f"{PREFIX}{section}_{key}".upper(): (section, key)
        for section, field in Settings.model_fields.items()
        for key in _fields_of(field.annotation)
    }
    values: dict[str, dict[str, Any]] = {}
    for name, value in environ.items():
        if not name.startswith(PREFIX) or name == CONFIG_VARIABLE or name in OF_THE_CLIENT:
            continue
        if name not in known:
            raise SettingsError(
                f"{name} in the environment names no setting. Settings are listed in config.toml and docs/settings.md."
            )
        section, key = known[name]
        values.setdefault(section, {})[key] = value
    return values


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
    if source != _ENVIRONMENT:
        return f"{section}.{key} in {source}" if key else f"{section} in {source}"
    return f"{PREFIX}{section}_{key}".upper() if key else f"{section} in the environment"

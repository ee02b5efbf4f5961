import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from recto.errors import SettingsError
from recto.setting_layers import DEFAULTS_FILE
from recto.settings import Settings, load_settings

DEFAULTS = tomllib.loads(DEFAULTS_FILE.read_text(encoding="utf-8"))


def own_file(folder: Path, text: str) -> dict[str, str]:
    """The environment that names a settings file with that text."""
    file = folder / "own.toml"
    file.write_text(text, encoding="utf-8")
    return {"RECTO_CONFIG": str(file)}


def message(environ: dict[str, str], defaults_file: Path = DEFAULTS_FILE) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, defaults_file)
    return caught.value.detail


def test_every_key_of_the_file_is_a_field_and_the_other_way_round() -> None:
    fields: dict[str, Any] = {name: field.annotation for name, field in Settings.model_fields.items()}
    assert {name: list(keys) for name, keys in DEFAULTS.items()} == {
        name: list(section.model_fields) for name, section in fields.items()
    }


def test_every_line_of_the_file_has_a_comment() -> None:
    lines = [line for line in DEFAULTS_FILE.read_text(encoding="utf-8").splitlines() if "=" in line and line[0] != "#"]
    assert len(lines) == sum(map(len, DEFAULTS.values()))
    assert all(" # " in line for line in lines)


def test_settings_without_environment_are_the_shipped_defaults() -> None:
    settings = load_settings({})
    assert settings.server.port == DEFAULTS["server"]["port"]
    assert settings.file_storage.path == DEFAULTS_FILE.parent / "storage"
    assert settings.database_url == f"sqlite:///{DEFAULTS_FILE.parent}/storage/recto.db"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings({}).server.port = 1


def test_environment_wins_over_the_own_file_which_wins_over_the_default(tmp_path: Path) -> None:
    environ = own_file(tmp_path, "[server]\nport = 9001\nretry_after_s = 7\n")
    server = load_settings(environ | {"RECTO_SERVER_PORT": "9002"}).server
    assert (server.port, server.retry_after_s, server.host) == (9002, 7, "127.0.0.1")


def test_variables_of_other_programs_are_left_alone() -> None:
    assert load_settings({"PATH": "/bin", "RECTOR": "x"}) == load_settings({})


def test_absolute_storage_path_is_taken_as_it_is(tmp_path: Path) -> None:
    settings = load_settings({"RECTO_FILE_STORAGE_PATH": str(tmp_path)})
    assert settings.file_storage.path == tmp_path
    assert settings.database_url == f"sqlite:///{tmp_path}/recto.db"


def test_database_url_that_was_set_is_used() -> None:
    assert load_settings({"RECTO_DATABASE_URL": "sqlite:////a/b.db"}).database_url == "sqlite:////a/b.db"


def test_base_path_loses_its_last_slash() -> None:
    assert load_settings({"RECTO_SERVER_BASE_PATH": "/recto/"}).server.base_path == "/recto"


def test_unknown_variable_is_named() -> None:
    assert "RECTO_SERVER_PROT" in message({"RECTO_SERVER_PROT": "1"})


def test_variables_of_the_client_are_passed_over() -> None:
    environ = {"RECTO_URL": "http://127.0.0.1:8080", "RECTO_TOKEN": "recto_some"}
    assert load_settings(environ) == load_settings({})


def test_unknown_key_is_named_with_its_file_and_the_known_ones(tmp_path: Path) -> None:
    environ = own_file(tmp_path, "[server]\nprot = 9000\n")
    text = message(environ)
    assert text.startswith(f"server.prot in {environ['RECTO_CONFIG']}: there is no such setting.")
    assert "base_path" in text


def test_unknown_section_is_named_with_its_file_and_the_known_ones(tmp_path: Path) -> None:
    environ = own_file(tmp_path, "[sever]\nport = 9000\n")
    text = message(environ)
    assert text.startswith(f"sever in {environ['RECTO_CONFIG']}: there is no such setting.")
    assert "file_storage" in text


def test_key_outside_a_section_is_named(tmp_path: Path) -> None:
    assert "'port' stands outside a section" in message(own_file(tmp_path, "port = 9000\n"))


@pytest.mark.parametrize(
    ("variable", "value", "hint"),
    [
        ("RECTO_SERVER_PORT", "many", "valid integer"),
        ("RECTO_SERVER_PORT", "70000", "less than or equal to 65535"),
        ("RECTO_SERVER_BASE_PATH", "recto", "start with a slash"),
        ("RECTO_SERVER_SECURE_COOKIES", "perhaps", "valid boolean"),
        ("RECTO_FILE_STORAGE_URL", "http://recto/x", "s3://bucket/prefix"),
        ("RECTO_FILE_STORAGE_URL", "s3://recto/../x", "s3://bucket/prefix"),
        ("RECTO_FILE_STORAGE_ENDPOINT_URL", "minio:9000", "without a path"),
        ("RECTO_FILE_STORAGE_PUBLIC_URL", "https://files.example.org/s3", "without a path"),
        ("RECTO_QUEUE_LEASE_S", "0", "greater than 0"),
        ("RECTO_QUEUE_LEASE_S", "inf", "finite number"),
        ("RECTO_QUEUE_RETRY_DELAY_S", "nan", "finite number"),
        ("RECTO_QUEUE_MAX_ATTEMPTS", "0", "greater than or equal to 1"),
        ("RECTO_OCR_ENGINE", "magic", "tesserocr"),
        ("RECTO_LOG_LEVEL", "loud", "debug"),
    ],
)
def test_bad_value_is_named_with_its_variable_and_what_is_right(variable: str, value: str, hint: str) -> None:
    text = message({variable: value})
    assert text.startswith(f"{variable}: ")
    assert hint in text
    assert repr(value) in text


def test_storage_path_that_no_database_url_can_hold_is_refused() -> None:
    assert message({"RECTO_FILE_STORAGE_PATH": "what?"}).startswith("RECTO_FILE_STORAGE_PATH: must not contain '?'")


def test_bad_value_in_a_file_is_named_with_that_file(tmp_path: Path) -> None:
    environ = own_file(tmp_path, "[worker]\nprocesses = -1\n")
    assert message(environ).startswith(f"worker.processes in {environ['RECTO_CONFIG']}: ")


def test_renewal_that_does_not_fit_the_lease_names_the_section_and_where() -> None:
    text = message({"RECTO_QUEUE_LEASE_S": "2"})
    assert text == "queue in the environment: renew_s must be at most half of lease_s, or a late renewal loses the job."


def test_password_that_is_wrong_is_not_repeated(tmp_path: Path) -> None:
    assert "12345678" not in message(own_file(tmp_path, "[admin]\npassword = 12345678\n"))
    assert "secret" not in repr(load_settings({"RECTO_ADMIN_PASSWORD": "secret-word"}))


def test_several_faults_are_named_at_once() -> None:
    text = message({"RECTO_SERVER_PORT": "x", "RECTO_LOG_LEVEL": "y"})
    assert [line.partition(":")[0] for line in text.splitlines()] == ["RECTO_SERVER_PORT", "RECTO_LOG_LEVEL"]


def test_missing_key_is_named_with_the_file_that_should_have_it(tmp_path: Path) -> None:
    shipped = tmp_path / "config.toml"
    text = DEFAULTS_FILE.read_text(encoding="utf-8")
    shipped.write_text("\n".join(line for line in text.splitlines() if not line.startswith("port")), encoding="utf-8")
    assert message({}, shipped).startswith(f"server.port in {shipped}: the setting is missing.")


def test_missing_section_is_named(tmp_path: Path) -> None:
    shipped = tmp_path / "config.toml"
    shipped.write_text(DEFAULTS_FILE.read_text(encoding="utf-8").partition("[log]")[0], encoding="utf-8")
    assert message({}, shipped).startswith(f"log in {shipped}: the setting is missing.")


@pytest.mark.parametrize("content", [b"[server\n", b"\xff\xfe"])
def test_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "own.toml"
    file.write_bytes(content)
    assert message({"RECTO_CONFIG": str(file)}).startswith(f"{file} is not valid TOML")


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "none.toml"
    text = message({"RECTO_CONFIG": str(file)})
    assert str(file) in text
    assert "RECTO_CONFIG" in text


def test_bucket_and_prefix_are_those_of_the_url() -> None:
    environ = {
        "RECTO_FILE_STORAGE_URL": "s3://recto/documents/",
        "RECTO_FILE_STORAGE_ENDPOINT_URL": "http://minio:9000/",
    }
    place = load_settings(environ).file_storage.setup.s3
    assert place is not None
    assert (place.bucket, place.prefix, place.endpoint_url) == ("recto", "documents/", "http://minio:9000")
    assert load_settings({}).file_storage.setup.s3 is None


def test_secret_of_the_store_is_not_repeated() -> None:
    environ = {"RECTO_FILE_STORAGE_URL": "s3://recto", "RECTO_FILE_STORAGE_SECRET_ACCESS_KEY": "sesame"}
    assert "both, or neither" in message(environ)
    assert "sesame" not in message(environ)
    settings = load_settings(environ | {"RECTO_FILE_STORAGE_ACCESS_KEY_ID": "a"})
    assert "sesame" not in repr(settings)
    assert "sesame" not in repr(settings.file_storage.setup)


@pytest.mark.parametrize(
    ("variable", "value", "hint"),
    [
        ("RECTO_SERVER_MAX_UPLOAD_BYTES", "6000000000", "at most 5,368,709,120"),
        ("RECTO_SERVER_LINK_LIFETIME_S", "700000", "at most 604,800"),
    ],
)
def test_setting_that_an_object_store_cannot_keep_is_refused_with_one_alone(
    variable: str, value: str, hint: str
) -> None:
    load_settings({variable: value})
    assert hint in message({variable: value, "RECTO_FILE_STORAGE_URL": "s3://recto"})

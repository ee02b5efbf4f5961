"""Settings as they were given, one layer upon the other, before anybody looks whether they are right (recto/settings.py).

Lowest is the shipped config.toml, which names every setting; then come the file that RECTO_CONFIG names and the variables called
RECTO_<SECTION>_<KEY>. Loads in a moment: the supervisor starts the Backend with these, and has them checked meanwhile.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recto.errors import SettingsError

PROJECT_FOLDER: Final = Path(__file__).resolve().parent.parent
DEFAULTS_FILE: Final = PROJECT_FOLDER / "config.toml"
PREFIX: Final = "RECTO_"
ENVIRONMENT: Final = "environment"
_CONFIG_VARIABLE: Final = "RECTO_CONFIG"
_OF_THE_CLIENT: Final = frozenset({"RECTO_URL", "RECTO_TOKEN"})
"""Variables of the command `recto`, which may be set beside the service's own."""


@dataclass(frozen=True, slots=True)
class Given:
    """`values` by section and key: texts where a variable has set them. `sources` says by (section, key) who has: a file, or ENVIRONMENT, in the order in
    which they were set.
    """

    values: dict[str, dict[str, Any]]
    sources: dict[tuple[str, str], str]


def read_layers(environ: Mapping[str, str], defaults_file: Path = DEFAULTS_FILE) -> Given:
    """What is set in this environment. SettingsError where a file cannot be read, or a variable names no setting."""
    values = _read(defaults_file)
    sources = {(section, key): str(defaults_file) for section in values for key in values[section]}
    layers: list[tuple[str, dict[str, dict[str, Any]]]] = []
    if own_file := environ.get(_CONFIG_VARIABLE):
        layers.append((own_file, _read(Path(own_file), values)))
    layers.append((ENVIRONMENT, _from_environment(environ, values)))
    for source, layer in layers:
        for section, keys in layer.items():
            for key, value in keys.items():
                values.setdefault(section, {})[key] = value
                sources.pop((section, key), None)
                sources[section, key] = source
    return Given(values, sources)


def _read(file: Path, known_sections: Iterable[str] = ()) -> dict[str, dict[str, Any]]:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"Cannot read the settings file {file}: {error.strerror}. Check the path in {_CONFIG_VARIABLE}."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not valid TOML: {error}.") from error
    for section, keys in values.items():
        if not isinstance(keys, dict):
            raise SettingsError(
                f"{file}: '{section}' stands outside a section. Sections are {', '.join(known_sections)}."
            )
    return values


def _from_environment(environ: Mapping[str, str], defaults: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """{section: {key: text}} of the RECTO_* variables; one that names no setting is an error."""
    known = {f"{PREFIX}{section}_{key}".upper(): (section, key) for section in defaults for key in defaults[section]}
    values: dict[str, dict[str, Any]] = {}
    for name, value in environ.items():
        if not name.startswith(PREFIX) or name == _CONFIG_VARIABLE or name in _OF_THE_CLIENT:
            continue
        if name not in known:
            raise SettingsError(
                f"{name} in the environment names no setting. Settings are listed in config.toml and docs/settings.md."
            )
        section, key = known[name]
        values.setdefault(section, {})[key] = value
    return values

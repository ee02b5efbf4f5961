"""One version in every place that says one, every package pinned by its hashes, every licence noted and accepted."""

import re
from pathlib import Path

import pytest
import yaml
from click import ClickException

import recto
import recto_client
from tests.document_blocks import ROOT
from tools.licences import DOCUMENT, PERMISSIVE, as_expression, is_accepted, page
from tools.pins import LOCKED, Pin, asked, normalised, pins
from tools.sbom import Parts, bill_of, needs_of_installed, reachable

CHANGES = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_image_bears_the_version() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    assert {service["image"] for service in services.values()} == {f"recto:{recto.__version__}"}


def test_client_bears_the_version() -> None:
    assert recto_client.__version__ == recto.__version__


def test_newest_heading_of_the_changes_is_unreleased_or_the_version() -> None:
    headings = re.findall(r"^## (.+)$", CHANGES, re.MULTILINE)
    assert headings[0] == "Unreleased" or headings[0].startswith(f"{recto.__version__} - ")


def test_version_is_written_by_hand_nowhere_else() -> None:
    code = [*(ROOT / "recto").rglob("*.py"), ROOT / "app.py", ROOT / "ocr_worker.py", ROOT / "models.py"]
    naming = [file for file in code if f'= "{recto.__version__}"' in file.read_text(encoding="utf-8")]
    assert naming == [ROOT / "recto" / "__init__.py"]


@pytest.mark.parametrize("locked", LOCKED)
def test_every_package_is_pinned_with_the_hashes_of_its_files(locked: str) -> None:
    found = pins(locked)
    assert [pin.name for pin in found.values() if not pin.sha256] == []
    assert set(asked(locked)) <= set(found)


def test_packages_that_are_pinned_twice_have_one_version() -> None:
    versions: dict[str, set[str]] = {}
    for locked in ("requirements", "requirements-cluster", "requirements-dev", "requirements-docs"):
        for name, pin in pins(locked).items():
            versions.setdefault(name, set()).add(pin.version)
    assert {name: several for name, several in versions.items() if len(several) > 1} == {}


def noted() -> dict[str, str]:
    rows = re.findall(r"^\| ([a-z0-9-]+) \| (.+) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: licence for name, licence in rows if name != "package"}


def test_licence_of_every_pinned_package_is_noted_and_of_no_other() -> None:
    assert set(noted()) == {name for locked in LOCKED for name in pins(locked)}, "make licences"


def test_every_noted_licence_is_accepted() -> None:
    assert {name: licence for name, licence in noted().items() if not is_accepted(licence)} == {}


@pytest.mark.parametrize(
    ("expression", "accepted"),
    [
        ("MIT", True),
        ("MIT AND PSF-2.0", True),
        ("GPL-2.0-only OR MIT", True),
        ("MIT AND GPL-2.0-only", False),
        ("MIT AND BSD-3-Clause OR GPL-3.0-only", True),
        ("(MIT OR GPL-3.0-only) AND BSD-3-Clause", False),
        ("(MIT OR Apache-2.0) AND BSD-3-Clause", True),
        ("AGPL-3.0-only", False),
        ("LGPL-3.0-only", True),
        ("UNKNOWN", False),
        ("", False),
    ],
)
def test_licence_is_accepted_as_its_expression_says(expression: str, accepted: bool) -> None:
    assert is_accepted(expression) is accepted


def test_licence_in_the_words_of_older_packages_is_understood() -> None:
    assert as_expression("some-package", "MIT License; BSD License") == "MIT AND BSD-3-Clause"
    assert "MIT" in PERMISSIVE


def test_page_of_licences_has_a_row_for_each_package() -> None:
    assert "| click | BSD-3-Clause |" in list(page({"requirements": {"click": "BSD-3-Clause"}}))


def test_pins_are_read_with_their_hashes(tmp_path: Path) -> None:
    first, second = "a" * 64, "b" * 64
    (tmp_path / "requirements.txt").write_text(
        f"# a comment\nMy_Package[extra]==1.2 \\\n    --hash=sha256:{first} \\\n    --hash=sha256:{second}\n    # via x\n"
    )
    assert pins("requirements", tmp_path) == {"my-package": Pin("my-package", "1.2", (first, second))}
    assert normalised("My_Package") == "my-package"


def test_bill_of_materials_has_what_the_program_needs_and_nothing_else() -> None:
    components = [{"bom-ref": f"{name}==1", "name": name, "version": "1"} for name in ("A", "b", "other")]
    whole = {"metadata": {}, "components": components, "dependencies": []}
    graph = {"a": ["b"], "b": [], "other": ["b"]}
    bill = bill_of(
        "recto", Parts(["a"], ["a", "b"]), whole, graph, {name: Pin(name, "1", ("c" * 64,)) for name in ("a", "b")}
    )
    assert [one["name"] for one in bill["components"]] == ["A", "b"]
    assert bill["components"][0]["hashes"] == [{"alg": "SHA-256", "content": "c" * 64}]
    assert bill["metadata"]["component"]["version"] == recto.__version__
    assert bill["dependencies"] == [
        {"ref": "recto", "dependsOn": ["A==1"]},
        {"ref": "A==1", "dependsOn": ["b==1"]},
        {"ref": "b==1", "dependsOn": []},
    ]


def test_bill_of_materials_is_refused_where_something_else_is_installed_than_is_pinned() -> None:
    whole = {"metadata": {}, "components": [{"bom-ref": "a", "name": "a", "version": "2"}], "dependencies": []}
    with pytest.raises(ClickException, match="a 2 is not what is pinned"):
        bill_of("recto", Parts(["a"], ["a"]), whole, {"a": []}, {"a": Pin("a", "1", ())})


def test_what_an_extra_needs_is_no_need_of_the_service() -> None:
    graph = needs_of_installed()
    assert reachable(asked("requirements"), graph) <= set(pins("requirements"))


def test_what_is_needed_in_a_circle_is_found_once() -> None:
    assert reachable(["a"], {"a": ["b"], "b": ["a"], "c": []}) == {"a", "b"}

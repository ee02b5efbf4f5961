from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from recto_client.formats import SUFFIXES
from recto_client.watching.outbox import ERROR_SUFFIX, Outbox, key_of

NAMES = st.sampled_from(
    ["a", "A", "a.pdf", "a.jpg", "a.PDF", "a.error", "a.pdfa", "a.alto.x", "a.pages", "a-2", "ä", "a\u0308", "a.b.c"]
)


def nobody(_key: str) -> bool:
    return False


def test_name_of_results_is_the_documents_without_its_suffix(tmp_path: Path) -> None:
    assert Outbox(tmp_path).free_name("sub/letter.pdf", nobody) == ("sub/letter", "sub/letter")


def test_second_document_of_a_name_keeps_its_suffix_and_the_third_is_counted(tmp_path: Path) -> None:
    taken: set[str] = set()
    names = []
    for path in ("letter.pdf", "letter.jpg", "letter.jpg", "letter.jpg", "letter"):
        name, key = Outbox(tmp_path).free_name(path, taken.__contains__)
        taken.add(key)
        names.append(name)
    assert names == ["letter", "letter.jpg", "letter-2", "letter-3", "letter-4"]


def test_name_under_which_somebody_elses_file_lies_is_not_free(tmp_path: Path) -> None:
    (tmp_path / "letter.json").touch()
    assert Outbox(tmp_path).free_name("letter.pdf", nobody)[0] == "letter.pdf"


@given(st.lists(NAMES, max_size=12))
def test_files_of_two_documents_are_never_the_same(paths: list[str]) -> None:
    taken: set[str] = set()
    files: list[str] = []
    for path in paths:
        name, key = Outbox(Path("/nowhere")).free_name(path, taken.__contains__)
        assert key == key_of(name)
        taken.add(key)
        files += [(name + suffix).casefold() for suffix in (*SUFFIXES.values(), ERROR_SUFFIX)]
    assert len(files) == len(set(files))


def test_longest_name_leaves_room_for_its_suffix(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    name, _ = outbox.free_name(f"{'ä' * 120}.pdf", nobody)
    outbox.tell_error(name, "reason")
    assert outbox.error_file(name).read_text() == "reason"


def test_name_that_is_no_text_is_kept(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    name, _ = outbox.free_name("gr\udcfc\udcdfe.pdf", nobody)
    outbox.tell_error(name, f"{name} reason")
    assert outbox.error_file(name).read_text() == "gr??e reason"

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from recto_client.watching.inbox import Seen
from recto_client.watching.journal import Entry, Journal, JournalInUse, State

SEEN = Seen("sub/a.pdf", 5, 100)
OPTIONS = {"formats": "txt+pdf", "languages": "eng"}


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal")
    yield journal
    journal.close()


def take(journal: Journal, seen: Seen = SEEN, sha256: str = "ab", output: str = "sub/a") -> Entry:
    return journal.take(seen, sha256, (output, output), OPTIONS)


def test_document_that_was_taken_is_found_in_every_way(journal: Journal) -> None:
    entry = take(journal)
    assert (entry.seen, entry.output, entry.options, entry.attempt, entry.state) == (
        SEEN,
        "sub/a",
        OPTIONS,
        1,
        State.TAKEN,
    )
    assert journal.entry(entry.number) == journal.known(SEEN) == journal.same(SEEN.path, "ab") == entry
    assert journal.unfinished() == [entry]
    assert journal.has_output("sub/a")


def test_document_that_is_not_there_is_not_found(journal: Journal) -> None:
    take(journal)
    assert journal.known(Seen("sub/a.pdf", 6, 100)) is None
    assert journal.same("sub/a.pdf", "cd") is None
    assert journal.failed_at("sub/a.pdf") is None
    assert not journal.has_output("sub/b")


def test_key_is_the_same_for_the_same_attempt_and_no_other(journal: Journal, tmp_path: Path) -> None:
    entry = take(journal)
    other = take(journal, Seen("b.pdf", 5, 100), output="b")
    key = journal.key_of(entry)
    journal.close()
    again = Journal(tmp_path / "journal")
    assert again.key_of(again.unfinished()[0]) == key
    keys = {key, again.key_of(other), again.key_of(again.take_again(entry, SEEN, "ab", OPTIONS))}
    again.close()
    foreign = Journal(tmp_path / "another")
    keys.add(foreign.key_of(take(foreign)))
    foreign.close()
    assert len(keys) == 4


def test_document_ends_and_is_taken_again(journal: Journal) -> None:
    entry = take(journal)
    journal.submitted(entry.number, "0b9e")
    assert [(one.state, one.job_uuid) for one in journal.unfinished()] == [(State.SUBMITTED, "0b9e")]
    journal.ended(entry.number, State.FAILED)
    assert journal.unfinished() == []
    failed = journal.failed_at(SEEN.path)
    assert failed is not None
    better = journal.take_again(failed, Seen(SEEN.path, 6, 200), "cd", OPTIONS)
    assert (better.number, better.sha256, better.attempt, better.job_uuid) == (entry.number, "cd", 2, None)


def test_document_that_is_forgotten_leaves_its_name(journal: Journal) -> None:
    journal.forget(take(journal).number)
    assert journal.unfinished() == []
    assert take(journal).output == "sub/a"


def test_touched_file_is_known_as_it_is_now(journal: Journal) -> None:
    entry, now = take(journal), Seen(SEEN.path, 5, 300)
    journal.touched(entry, now)
    found = journal.known(now)
    assert found is not None
    assert found.number == entry.number


def test_name_that_is_no_text_is_kept(journal: Journal) -> None:
    seen = Seen("gr\udcfc\udcdfe.pdf", 5, 100)
    take(journal, seen, output="gr\udcfc\udcdfe")
    found = journal.known(seen)
    assert found is not None
    assert (found.seen, found.output) == (seen, "gr\udcfc\udcdfe")


def test_journal_in_another_programs_hands_is_refused(journal: Journal, tmp_path: Path) -> None:
    take(journal)
    program = "import sys; from pathlib import Path; from recto_client.watching.journal import Journal; Journal(Path(sys.argv[1]))"
    other = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "journal"],
        env={"PYTHONPATH": "clients/python"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "JournalInUse" in other.stderr
    assert "another `recto watch`" in other.stderr


def test_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("something else, and long enough to be looked at " * 9)
    with pytest.raises(JournalInUse, match="--journal FILE"):
        Journal(tmp_path / "journal")

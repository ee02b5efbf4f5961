"""What is stale, as arithmetic: no file is looked at."""

from hypothesis import given
from hypothesis import strategies as st

from recto.file_storage.base import (
    DOCUMENT,
    METADATA,
    FileKind,
    StoredFile,
    attempt_of,
    checkpoint_name,
    kind_in_job,
    picture_name,
    result_name,
    revision_of,
)
from recto.file_storage.stale import (
    REPORTED_ONLY,
    Kind,
    in_job,
    is_due,
    looks_like_another_database,
    missing,
    outside_jobs,
    without_job,
)

UUID = "0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77"
TOKENS = tuple(letter * 32 for letter in "abc")
OF_AN_ATTEMPT = ("pages/0001.json", "pages/0002.json", "result.txt", "result.pages.zip", "pages/.x1_.part", ".a.part")
NAMES = (DOCUMENT, METADATA, ".k2.part", "notes.txt", *(f"attempts/{t}/{n}" for t in TOKENS for n in OF_AN_ATTEMPT))


def stored(name: str, size_bytes: int = 10, age_s: float = 100.0) -> StoredFile:
    return StoredFile(name, kind_in_job(name), size_bytes, age_s)


FILES = st.builds(stored, st.sampled_from(NAMES), st.integers(0, 1000), st.floats(0, 1e6))
CONTENTS = st.lists(FILES, unique_by=lambda file: file.name)


@given(CONTENTS, st.sets(st.sampled_from(TOKENS)), st.sets(st.sampled_from(TOKENS)), st.sets(st.sampled_from(NAMES)))
def test_in_job_takes_what_is_not_referred_to_and_only_that(
    contents: list[StoredFile], tokens: set[str], open_tokens: set[str], adopted: set[str]
) -> None:
    tokens |= open_tokens
    findings = list(in_job(UUID, contents, frozenset(tokens), frozenset(open_tokens), frozenset(adopted)))
    taken = [name for finding in findings if finding.kind not in REPORTED_ONLY for name in finding.files]
    expected = [
        file.name
        for file in contents
        if file.kind is FileKind.UNFINISHED
        or (
            file.kind is FileKind.KEPT
            and (token := attempt_of(file.name)) is not None
            and (token not in tokens or (token not in open_tokens and file.name not in adopted))
        )
    ]
    assert sorted(taken) == sorted(expected)
    assert DOCUMENT not in taken
    assert {file for finding in findings if finding.kind is Kind.FOREIGN for file in finding.files} <= {"notes.txt"}


@given(CONTENTS)
def test_every_file_is_counted_once_with_the_age_of_the_youngest(contents: list[StoredFile]) -> None:
    findings = list(in_job(UUID, contents, frozenset(TOKENS[:1]), frozenset(), frozenset()))
    by_name = {file.name: file for file in contents}
    named = [name for finding in findings for name in finding.files]
    assert len(named) == len(set(named))
    for finding in findings:
        assert finding.size_bytes == sum(by_name[name].size_bytes for name in finding.files)
        assert finding.age_s == min(by_name[name].age_s for name in finding.files)


@given(CONTENTS)
def test_folder_without_job_goes_as_a_whole_or_stays_for_what_is_foreign(contents: list[StoredFile]) -> None:
    findings = list(without_job(UUID, contents))
    has_foreign = any(file.kind is FileKind.FOREIGN for file in contents)
    expected = [] if not contents else [Kind.FOREIGN if has_foreign else Kind.FOLDER_WITHOUT_JOB]
    assert [finding.kind for finding in findings] == expected


def test_finding_is_due_from_its_age_on_unless_it_is_reported_only() -> None:
    (folder,) = without_job(UUID, [stored(DOCUMENT, age_s=100.0)])
    assert [is_due(folder, age_s) for age_s in (99.0, 100.0, 101.0)] == [True, True, False]
    (foreign,) = without_job(UUID, [stored("notes.txt")])
    assert not is_due(foreign, 0.0)


def test_missing_names_what_is_needed_and_not_there() -> None:
    contents = [stored(DOCUMENT), stored(checkpoint_name(TOKENS[0], 1))]
    needed = [checkpoint_name(TOKENS[0], number) for number in (1, 2)]
    assert missing(contents, needed) == [checkpoint_name(TOKENS[0], 2)]


def test_result_of_an_earlier_revision_is_superseded_and_the_one_as_read_stays() -> None:
    token = TOKENS[0]
    names = [result_name(token, "txt", revision) for revision in (0, 1, 9, 10, 11)]
    contents = [*map(stored, names), stored(f"attempts/{token}/.result-1.part")]
    attempts = frozenset({token})
    found = list(in_job(UUID, contents, attempts, attempts, frozenset(), 10))
    assert [finding.files for finding in found if finding.kind is Kind.SUPERSEDED_RESULT] == [(names[1],), (names[2],)]
    assert [revision_of(name) for name in names] == [0, 1, 9, 10, 11]


def test_folders_look_like_another_databases_where_most_have_no_job() -> None:
    assert [looks_like_another_database(owned, 2) for owned in (0, 1, 2, 3)] == [True, True, False, False]


def test_outside_of_jobs_each_kind_has_its_name() -> None:
    kinds = {kind: outside_jobs(StoredFile("x", kind, 1, 2.0)).kind for kind in FileKind}
    assert kinds[FileKind.UNFINISHED] is Kind.UPLOAD
    assert kinds[FileKind.SCRATCH] is Kind.SCRATCH
    assert kinds[FileKind.DELETED] is Kind.DELETION
    assert {kinds[kind] for kind in (FileKind.KEPT, FileKind.EMPTY_FOLDER, FileKind.FOREIGN)} == {Kind.FOREIGN}


def test_every_name_that_recto_gives_is_known_as_its_own() -> None:
    token = TOKENS[0]
    names = [
        DOCUMENT,
        METADATA,
        checkpoint_name(token, 12345),
        result_name(token, "pages.zip"),
        result_name(token, "pdfa"),
        result_name(token, "pages.zip", 12),
    ]
    names += [picture_name(token, 7, stage) for stage in ("original", "preprocessed")]
    assert {kind_in_job(name) for name in names} == {FileKind.KEPT}
    folders = ["/", "attempts/", f"attempts/{token}/", f"attempts/{token}/pages/", f"attempts/{token}/pictures/"]
    assert {kind_in_job(name) for name in folders} == {FileKind.EMPTY_FOLDER}


def test_names_that_only_resemble_rectos_are_foreign() -> None:
    token = TOKENS[0]
    names = [
        "Document",
        "document.bak",
        "attempts/x/result.txt",
        f"attempts/{token}/pages/1.json",
        f"attempts/{token}/result-0.txt",
        f"attempts/{token}/result-x.txt",
        "a.part",
        "../.x.part",
    ]
    names += [f"attempts/{token}/other/.x.part", f"attempts/{token}/pages/../../../document", f"{DOCUMENT}\n"]
    assert {kind_in_job(name) for name in names} == {FileKind.FOREIGN}

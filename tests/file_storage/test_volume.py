"""What only a folder can do wrong: full disks, missing rights, files left behind, names that are not durable yet."""

import errno
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from recto.errors import FileNotFound, StorageFull, StorageUnavailable
from recto.file_storage.base import DOCUMENT, METADATA, FileKind, checkpoint_name, result_name
from recto.file_storage.living import remove_unless_in_use
from recto.file_storage.volume import VolumeStorage

ROOT = Path(__file__).resolve().parent.parent.parent
UUID = str(uuid4())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "storage"


@pytest.fixture
def storage(root: Path) -> VolumeStorage:
    """A store with one job."""
    storage = VolumeStorage(root)
    storage.prepare()
    put(storage)
    return storage


def put(storage: VolumeStorage) -> None:
    incoming = storage.incoming()
    try:
        incoming.file.write(b"scan")
        incoming.keep(UUID, DOCUMENT)
    finally:
        incoming.discard()


def write(storage: VolumeStorage) -> None:
    with storage.write(UUID, METADATA) as file:
        file.write(b"{}")


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


WRITES: dict[str, Callable[[VolumeStorage], None]] = {"write": write, "keep": put}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("name", WRITES)
def test_disk_that_fills_up_is_storage_full_and_leaves_nothing(
    storage: VolumeStorage, root: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    before = files(root)
    monkeypatch.setattr(os, "fsync", failing(code))
    with pytest.raises(StorageFull, match="Delete jobs"):
        WRITES[name](storage)
    assert files(root) == before


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.EIO, errno.ESTALE])
@pytest.mark.parametrize("name", WRITES)
def test_store_that_refuses_is_storage_unavailable_and_leaves_nothing(
    storage: VolumeStorage, root: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    before = files(root)
    monkeypatch.setattr(os, "fsync", failing(code))
    with pytest.raises(StorageUnavailable, match=os.strerror(code)):
        WRITES[name](storage)
    assert files(root) == before


def failing(code: int) -> Callable[[int], None]:
    def fsync(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    return fsync


LIMITED = """
import sys
from pathlib import Path
from recto.errors import StorageFull
from recto.file_storage.living import remove_unless_in_use
from recto.file_storage.volume import VolumeStorage

storage = VolumeStorage(Path(sys.argv[1]))
uuid, action = sys.argv[2:]
try:
    if action == "write":
        with storage.write(uuid, "metadata.json") as file:
            file.write(b"x" * 100_000)
    else:
        incoming = storage.incoming()
        try:
            if action == "receive":
                incoming.file.write(b"x" * 100_000)
                print("it fitted")
            incoming.file.write(b"x" * 20_000)
            incoming.file.write(b"y" * 5_000)
            incoming.keep(uuid, "document")
        finally:
            incoming.discard()
except StorageFull:
    print("full")
"""


def limit_file_size() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (22_000, 22_000))


@pytest.mark.parametrize("action", ["write", "receive", "keep"])
def test_file_that_does_not_fit_is_storage_full_and_leaves_nothing(
    storage: VolumeStorage, root: Path, action: str
) -> None:
    before = files(root)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(root), UUID, action],
        cwd=ROOT,
        preexec_fn=limit_file_size,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("full\n", "")
    assert files(root) == before


def test_too_little_free_space_refuses_new_documents_and_not_results(root: Path) -> None:
    plenty = VolumeStorage(root)
    plenty.prepare()
    put(plenty)
    short = VolumeStorage(root, min_free_bytes=2**62)
    with pytest.raises(StorageFull, match="bytes are free"):
        short.incoming()
    with pytest.raises(StorageFull):
        short.check()
    write(short)
    assert files(root) == {f"{UUID}/document", f"{UUID}/metadata.json"}


def test_root_that_is_a_file_is_storage_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    storage = VolumeStorage(tmp_path / "file")
    for call in (storage.prepare, storage.incoming, storage.check, lambda: list(storage.folders())):
        with pytest.raises(StorageUnavailable):
            call()


def test_read_that_the_system_refuses_is_storage_unavailable(
    storage: VolumeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    for name in ("open", "stat", "is_file"):
        monkeypatch.setattr(Path, name, refuse)
    for call in (
        lambda: storage.open(UUID, DOCUMENT),
        lambda: storage.size_bytes(UUID, DOCUMENT),
        lambda: storage.local_path(UUID, DOCUMENT).__enter__(),
    ):
        with pytest.raises(StorageUnavailable, match="Permission denied"):
            call()


def test_finished_write_leaves_no_temporary_file(storage: VolumeStorage, root: Path) -> None:
    with storage.write(UUID, checkpoint_name("a" * 32, 7)) as file:
        file.write(b"x")
    assert files(root) == {f"{UUID}/document", f"{UUID}/attempts/{'a' * 32}/pages/0007.json"}


def test_deletion_leaves_no_file_anywhere(storage: VolumeStorage, root: Path) -> None:
    write(storage)
    storage.delete(UUID)
    assert files(root) == set()


def test_deletion_that_broke_off_is_completed_by_the_next(
    storage: VolumeStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", break_off)
        with pytest.raises(StorageUnavailable):
            storage.delete(UUID)
    assert list(storage.folders()) == []
    storage.delete(UUID)
    assert files(root) == set()


def test_upload_that_cannot_be_thrown_away_is_storage_unavailable(
    storage: VolumeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    incoming = storage.incoming()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        with pytest.raises(StorageUnavailable, match="Read-only"):
            incoming.discard()
    incoming.discard()


def test_deletions_at_once_both_succeed(root: Path) -> None:
    storage = VolumeStorage(root)
    storage.prepare()
    for _ in range(20):
        put(storage)
        for number in range(20):
            with storage.write(UUID, checkpoint_name("a" * 32, number)) as file:
                file.write(b"x")
        errors: list[BaseException] = []

        def delete(errors: list[BaseException] = errors) -> None:
            try:
                storage.delete(UUID)
            except BaseException as error:  # noqa: BLE001 - told to the test
                errors.append(error)

        threads = [threading.Thread(target=delete) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert files(root) == set()


def test_folders_leave_out_whatever_is_no_job(storage: VolumeStorage, root: Path) -> None:
    (root / "recto.db").touch()
    (root / "lost+found").mkdir()
    (root / UUID.upper()).mkdir()
    (root / str(uuid4())).touch()
    assert list(storage.folders()) == [UUID]


def test_write_flushes_the_file_before_its_name_and_the_folder_after(
    storage: VolumeStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[str, bool]] = []
    target = root / UUID / METADATA
    real = os.fsync

    def note(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        flushed.append((kind, target.exists()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    write(storage)
    assert flushed == [("file", False), ("folder", True)]


def test_files_that_are_written_together_have_no_name_before_all_are_flushed_and_every_folder_is_flushed_after(
    storage: VolumeStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [checkpoint_name("a" * 32, 1), result_name("a" * 32, "txt"), result_name("a" * 32, "pdf")]
    flushed: list[tuple[str, int]] = []
    real = os.fsync

    def note(descriptor: int) -> None:
        place = Path(f"/proc/self/fd/{descriptor}").readlink()
        there = sum((root / UUID / name).exists() for name in names)
        flushed.append((place.relative_to(root / UUID).as_posix() if place.is_dir() else "file", there))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    with storage.together(UUID) as write_file:
        for name in names:
            with write_file(name) as file:
                file.write(b"x")
    folders = [f"attempts/{'a' * 32}/pages", f"attempts/{'a' * 32}", "attempts", "."]
    assert flushed == [("file", 0)] * 3 + [(folder, 3) for folder in folders]


def test_files_that_were_to_be_written_together_leave_nothing_where_the_disk_fills_up(
    storage: VolumeStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(root)
    monkeypatch.setattr(os, "fsync", failing(errno.ENOSPC))
    with pytest.raises(StorageFull, match="Delete jobs"), storage.together(UUID) as write_file:  # noqa: PT012 - it is the end that raises
        for result_format in ("txt", "pdf"):
            with write_file(result_name("a" * 32, result_format)) as file:
                file.write(b"x")
    assert files(root) == before


def test_deletion_between_the_name_and_its_flush_is_a_missing_file_by_its_name(
    storage: VolumeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def rename_and_delete(source: Path, target: Path) -> Path:
        renamed = rename(source, target)
        monkeypatch.setattr(Path, "rename", rename)
        storage.delete(UUID)
        return renamed

    monkeypatch.setattr(Path, "rename", rename_and_delete)
    with pytest.raises(FileNotFound, match=METADATA):
        write(storage)


def test_documents_are_private_to_the_services_user(storage: VolumeStorage, root: Path) -> None:
    write(storage)
    assert {(root / UUID / name).stat().st_mode & 0o007 for name in (DOCUMENT, METADATA)} == {0}


def test_missing_file_is_named_without_its_path(storage: VolumeStorage) -> None:
    with pytest.raises(FileNotFound) as caught:
        storage.open(UUID, METADATA)
    assert METADATA in caught.value.detail
    assert "/" not in caught.value.detail


def test_folders_of_jobs_are_private(storage: VolumeStorage, root: Path) -> None:
    with storage.write(UUID, "attempts/a/result.txt") as file:
        file.write(b"text")
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    assert len(folders) == 5
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}


def test_root_that_cannot_be_made_is_storage_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailable, match=r"cannot be written: Not a directory\. Check file_storage\.path"):
        VolumeStorage(tmp_path / "file" / "storage").prepare()


def test_age_counts_from_the_last_writing_or_moving(root: Path) -> None:
    storage = VolumeStorage(root, clock=lambda: time.time() + 1000.0)
    storage.prepare()
    put(storage)
    os.utime(root / UUID / DOCUMENT, (0, 0))  # as a restored backup has it
    (file,) = storage.contents(UUID)
    assert 1000.0 <= file.age_s < 1060.0


def test_clock_that_went_back_makes_no_file_older_than_new(root: Path) -> None:
    storage = VolumeStorage(root, clock=lambda: 0.0)
    storage.prepare()
    put(storage)
    assert [file.age_s for file in storage.contents(UUID)] == [0.0]


def test_what_is_no_plain_file_or_not_rectos_is_foreign(storage: VolumeStorage, root: Path) -> None:
    job, incoming = root / UUID, root / ".incoming"
    (job / "attempts" / ("a" * 32)).mkdir(parents=True)
    (job / METADATA).symlink_to("/etc/hostname")
    (job / ".x.part").mkdir()
    os.mkfifo(job / "attempts" / ("a" * 32) / "result.txt")
    (root / str(uuid4())).symlink_to(job)
    (root / "lost+found").mkdir()
    (incoming / "upload-abc").mkdir()
    (incoming / "scratch-abc").write_bytes(b"")
    (incoming / "tess_1.png").write_bytes(b"")
    kinds = {file.name: file.kind for file in storage.contents(UUID)}
    assert {name for name, kind in kinds.items() if kind is not FileKind.FOREIGN} == {DOCUMENT}
    assert len(kinds) == 4
    assert [(file.kind, file.size_bytes) for file in storage.outside()] == [(FileKind.FOREIGN, 0)] * 5


def test_files_of_recto_beside_the_folders_are_not_named(storage: VolumeStorage, root: Path) -> None:
    for name in ("recto.db", "recto.db-wal", "recto.db-shm", "secret_key", "first_password", ".gitignore"):
        (root / name).touch()
    assert list(storage.outside()) == []


def test_empty_folder_of_an_attempt_is_removed_and_a_full_one_is_not(storage: VolumeStorage, root: Path) -> None:
    (root / UUID / "attempts" / ("a" * 32) / "pages").mkdir(parents=True)
    outer, inner = f"attempts/{'a' * 32}/", f"attempts/{'a' * 32}/pages/"
    assert [file.name for file in storage.contents(UUID) if file.kind is FileKind.EMPTY_FOLDER] == [inner]
    assert not storage.remove(UUID, outer)
    assert [storage.remove(UUID, name) for name in (inner, outer, outer)] == [True, True, True]
    assert not (root / UUID / "attempts" / ("a" * 32)).exists()


def failing_tree(*_: object, **__: object) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize("name", WRITES)
def test_file_is_in_use_until_it_has_its_name(
    storage: VolumeStorage, root: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A sweeper that comes between the last byte and the rename takes nothing."""
    real = Path.rename

    def sweep_and_rename(source: Path, target: Path) -> Path:
        assert not remove_unless_in_use(source)
        return real(source, target)

    monkeypatch.setattr(Path, "rename", sweep_and_rename)
    WRITES[name](storage)
    assert f"{UUID}/{METADATA if name == 'write' else DOCUMENT}" in files(root)


COPY = str(uuid4())


def refuse_links(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "hardlink_to", refuse)


def test_copy_is_a_hard_link(storage: VolumeStorage, root: Path) -> None:
    storage.copy(UUID, COPY, {DOCUMENT: DOCUMENT})
    assert (root / COPY / DOCUMENT).samefile(root / UUID / DOCUMENT)


@pytest.mark.parametrize("code", [errno.EPERM, errno.EMLINK, errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP])
def test_copy_where_no_hard_link_is_possible_has_bytes_of_its_own(
    storage: VolumeStorage, root: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    refuse_links(monkeypatch, code)
    name = checkpoint_name("a" * 32, 1)
    storage.copy(UUID, COPY, {DOCUMENT: DOCUMENT, name: DOCUMENT})
    assert files(root) == {f"{UUID}/{DOCUMENT}", f"{COPY}/{DOCUMENT}", f"{COPY}/{name}"}
    assert not (root / COPY / DOCUMENT).samefile(root / UUID / DOCUMENT)
    assert (root / COPY / DOCUMENT).read_bytes() == (root / COPY / name).read_bytes() == b"scan"
    with pytest.raises(FileNotFound):
        storage.copy(UUID, COPY, {METADATA: METADATA})


@pytest.mark.parametrize(("code", "error"), [(errno.ENOSPC, StorageFull), (errno.EROFS, StorageUnavailable)])
def test_copy_that_the_disk_refuses_says_so(
    storage: VolumeStorage, monkeypatch: pytest.MonkeyPatch, code: int, error: type[Exception]
) -> None:
    refuse_links(monkeypatch, code)
    with pytest.raises(error):
        storage.copy(UUID, COPY, {DOCUMENT: DOCUMENT})


def test_copy_is_refused_where_the_disk_is_nearly_full(storage: VolumeStorage, root: Path) -> None:
    with pytest.raises(StorageFull):
        VolumeStorage(root, min_free_bytes=1 << 60).copy(UUID, COPY, {DOCUMENT: DOCUMENT})
    assert not (root / COPY).exists()

"""What crashes and people leave in a store, for the tests of the sweeper: a Recto whose clock is moved by hand, and how each is left."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import uuid4

from recto.errors import PageDamaged
from recto.file_storage.base import DOCUMENT, METADATA, checkpoint_name, result_name
from recto.file_storage.stale import Kind
from recto.file_storage.volume import VolumeStorage
from recto.jobs import Claim
from recto.records.file_references import FileReferences
from recto.working.pace import Pace
from recto.working.sweeper import Sweeper, Swept
from tests.conftest import JobTable

DAY_S: Final = 86400.0
TOKEN: Final = "d" * 32


class World:
    """One Recto: its jobs, its files, and a clock for both that can be moved on."""

    def __init__(self, table: JobTable, root: Path) -> None:
        self.table = table
        self.root = root
        self.user = table.add_user("ann")
        self.later_s = 0.0
        self.storage = VolumeStorage(root, clock=lambda: time.time() + self.later_s)
        self.storage.prepare()
        (root / ".incoming").mkdir(exist_ok=True)

    def wait(self, seconds: float) -> None:
        self.later_s += seconds
        self.table.clock.move(seconds)

    def keep(self, uuid: str) -> str:
        """A folder with a document and its metadata."""
        incoming = self.storage.incoming()
        incoming.file.write(b"scan")
        incoming.keep(uuid, DOCUMENT)
        self.write(uuid, METADATA)
        return uuid

    def write(self, uuid: str, name: str) -> None:
        with self.storage.write(uuid, name) as file:
            file.write(b"content")

    def submit(self) -> str:
        self.table.clock.move(1.0)  # so that it is the youngest
        return self.keep(self.table.submit(self.user))

    def start(self) -> Claim:
        """The oldest job that has its document: its first page was read under this lease or an earlier one, its second is bad."""
        self.submit()
        claim = self.table.claim()
        while not (self.root / claim.lease.job_uuid / DOCUMENT).exists():
            claim = self.table.claim()
        if not claim.finished_pages:
            self.write(claim.lease.job_uuid, checkpoint_name(claim.lease.token, 1))
            self.table.do(self.table.jobs.adopt_page, claim.lease, 1)
            self.table.do(self.table.jobs.adopt_page, claim.lease, 2, PageDamaged("Page 2 is damaged."))
        return claim

    def finish(self, claim: Claim) -> str:
        self.write(claim.lease.job_uuid, result_name(claim.lease.token, "txt"))
        self.table.do(self.table.jobs.finish, claim.lease)
        return claim.lease.job_uuid

    def sweep(
        self,
        older_than_s: float = DAY_S,
        *,
        is_dry_run: bool = False,
        is_forced: bool = False,
        pace: Pace | None = None,
    ) -> list[Swept]:
        sweeper = Sweeper(
            self.table.sessions,
            self.table.jobs,
            self.storage,
            older_than_s,
            is_dry_run=is_dry_run,
            is_forced=is_forced,
            references=FileReferences(self.table.clock),
            pace=pace,
        )
        return list(sweeper.sweep())

    def files(self) -> dict[str, bytes]:
        """Every file of the store with its content, and every empty folder."""
        return {
            str(path.relative_to(self.root)): path.read_bytes() if path.is_file() else b"/"
            for path in self.root.rglob("*")
            if path.is_file() or not any(path.iterdir())
        }


def folder_without_job(world: World) -> None:
    world.keep(str(uuid4()))


def empty_folder_without_job(world: World) -> None:
    (world.root / str(uuid4())).mkdir()


def abandoned_attempt(world: World) -> None:
    uuid = world.submit()
    for name in (checkpoint_name(TOKEN, 1), result_name(TOKEN, "txt")):
        world.write(uuid, name)
    (world.root / uuid / "attempts" / TOKEN / "pages" / ".x1_.part").write_bytes(b"half")


def abandoned_attempt_without_files(world: World) -> None:
    (world.root / world.submit() / "attempts" / TOKEN / "pages").mkdir(parents=True)


def unfinished_checkpoint(world: World) -> None:
    lease = world.start().lease
    pages = world.root / lease.job_uuid / "attempts" / lease.token / "pages"
    pages.mkdir(parents=True, exist_ok=True)  # there already where this attempt has a page
    (pages / ".x1_.part").write_bytes(b"half")


def unfinished_metadata(world: World) -> None:
    (world.root / world.submit() / ".x1_.part").write_bytes(b"half")


def broken_off_upload(world: World) -> None:
    (world.root / ".incoming" / f"upload-{uuid4().hex}").write_bytes(b"half")


def scratch_folder(world: World) -> None:
    folder = world.root / ".incoming" / f"scratch-{uuid4().hex}"
    folder.mkdir()
    (folder / "tess_1.png").write_bytes(b"pixels")


def broken_off_deletion(world: World) -> None:
    world.storage.withdraw(world.keep(str(uuid4())))


def deletion_with_files(world: World) -> None:
    uuid = world.submit()
    world.table.do(world.table.jobs.delete, world.user, uuid)


def deletion_that_broke_off(world: World) -> None:
    uuid = world.submit()
    world.table.do(world.table.jobs.delete, world.user, uuid)
    world.storage.withdraw(uuid)


LEFT_BEHIND: dict[Callable[[World], None], Kind] = {
    folder_without_job: Kind.FOLDER_WITHOUT_JOB,
    empty_folder_without_job: Kind.FOLDER_WITHOUT_JOB,
    abandoned_attempt: Kind.ABANDONED_ATTEMPT,
    abandoned_attempt_without_files: Kind.ABANDONED_ATTEMPT,
    unfinished_checkpoint: Kind.UNFINISHED_FILE,
    unfinished_metadata: Kind.UNFINISHED_FILE,
    broken_off_upload: Kind.UPLOAD,
    scratch_folder: Kind.SCRATCH,
    broken_off_deletion: Kind.DELETION,
    deletion_with_files: Kind.DELETED_JOB,
    deletion_that_broke_off: Kind.DELETED_JOB,
}


def foreign_in_the_root(world: World) -> None:
    (world.root / "notes.txt").write_bytes(b"mine")


def foreign_folder_in_the_root(world: World) -> None:
    (world.root / "lost+found").mkdir(exist_ok=True)


def foreign_in_the_folder_of_arriving_files(world: World) -> None:
    (world.root / ".incoming" / "notes.txt").write_bytes(b"mine")


def foreign_in_a_jobs_folder(world: World) -> None:
    (world.root / world.submit() / "notes.txt").write_bytes(b"mine")


def foreign_in_a_folder_without_job(world: World) -> None:
    (world.root / world.keep(str(uuid4())) / "notes.txt").write_bytes(b"mine")


def link_that_is_named_like_a_job(world: World) -> None:
    (world.root / str(uuid4())).symlink_to(world.root.parent)


def folder_that_is_named_like_an_upload(world: World) -> None:
    (world.root / ".incoming" / "upload-x1_").mkdir()


FOREIGN = [
    foreign_in_the_root,
    foreign_folder_in_the_root,
    foreign_in_the_folder_of_arriving_files,
    foreign_in_a_jobs_folder,
    foreign_in_a_folder_without_job,
    link_that_is_named_like_a_job,
    folder_that_is_named_like_an_upload,
]

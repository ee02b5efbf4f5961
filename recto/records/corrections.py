"""Corrections by people in the Database: beside what was read, never over it. Each takes the next revision of its page and of its job.

A page may also be read again, with other options: that reading then stands in the place of what stood before, as one more entry of the same
history, and what is corrected from then on is corrected in it. Undoing it brings back what stood before.

A page's revision says what a client has seen of it: who corrects names it, so that two people never correct one word by its place after the
other has moved it. A job's revision is in the names of its results (recto/file_storage/base.py): it only grows, and an undone correction
takes another one, so no file of an earlier state can ever be taken for one of the present.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import reduce
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlalchemy.orm import Session

from models import Job, JobPage, PageCorrection
from recto.database.connections import NowMicroseconds, utc
from recto.errors import CorrectionInvalid, CorrectionNotFound, CorrectionNotLatest, PageChanged
from recto.ocr.corrections import Correction, Corrections
from recto.records import derivations
from recto.records.change_numbers import next_change
from recto.text_search import text_index
from recto.views.jobs import PageView, job_not_found, page_view, pages_read

MOST_OF_A_PAGE: Final = 5000
"""Corrections that a page may ever get, undone ones too: ten for each word of a full page."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Another reading of the page, whose checkpoint lies in the job's folder as that of an attempt with this token.

    `options` are those that it was read with, as Options.stored gives them but for a password; `text_layer` and `preprocessing` as JobPage has them.
    """

    token: str
    options: dict[str, Any]
    text_layer: str | None
    preprocessing: list[dict[str, Any]] | None


_CORRECTION: Final = TypeAdapter[Correction](Correction)
_ENTRY: Final = TypeAdapter[Correction | Reading](Correction | Reading)


@dataclass(frozen=True, slots=True)
class Standing:
    """What counts of a page: the reading, None where it is the job's own, and the corrections in it, in their order."""

    reading: Reading | None = None
    corrections: tuple[Correction, ...] = ()

    def after(self, entry: Correction | Reading) -> "Standing":
        """With one more entry."""
        if isinstance(entry, Reading):
            return Standing(entry)
        return Standing(self.reading, (*self.corrections, entry))

    def token(self, own: str) -> str:
        """Whose checkpoint counts; `own` names the attempt of the job that has read the page."""
        return self.reading.token if self.reading else own


AS_READ: Final = Standing()


@dataclass(frozen=True, slots=True)
class MadeCorrection:
    """A correction as it was made: by whom and when, what it replaced, and when it was undone. `revision` names it."""

    revision: int
    author: str
    created: datetime
    correction: Correction | Reading
    replaced: str
    undone: datetime | None

    @property
    def what(self) -> dict[str, Any]:
        """The correction by its fields, as `parse_entry` takes them."""
        return asdict(self.correction)


@dataclass(frozen=True, slots=True)
class History:
    """All that was ever corrected in a page, oldest first, and the page's revision."""

    revision: int
    made: tuple[MadeCorrection, ...]

    @property
    def standing(self) -> Standing:
        """What was not undone."""
        return _standing(made.correction for made in self.made if made.undone is None)

    def without_latest(self, revision: int) -> Standing:
        """What stands once the correction with that revision is undone. CorrectionNotFound, CorrectionNotLatest."""
        standing = [made.revision for made in self.made if made.undone is None]
        if revision not in standing:
            raise CorrectionNotFound(
                "The page has no such correction, or it was undone. The list of its corrections shows those there are."
            )
        if revision != standing[-1]:
            raise CorrectionNotLatest(
                f"Later corrections count on this one. Undo them first, beginning with {standing[-1]}.",
                latest=standing[-1],
            )
        return _standing(made.correction for made in self.made if made.undone is None and made.revision != revision)


@dataclass(frozen=True, slots=True)
class StandingOfJob:
    """What counts of those pages of a job that were corrected or read again. `revision` names this state among all that there were."""

    revision: int
    of_pages: Mapping[int, Standing]

    @property
    def corrections(self) -> Corrections:
        """Those that stand, for who has the right readings already."""
        return Corrections(self.revision, {number: standing.corrections for number, standing in self.of_pages.items()})

    def page(self, number: int) -> Standing:
        """Of one page."""
        return self.of_pages.get(number, AS_READ)

    def checkpoints(self, own: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
        """The (page number, attempt token) of `own` with those in their place that were read again since."""
        return [(number, self.page(number).token(token)) for number, token in own]


def parse_correction(what: Mapping[str, Any]) -> Correction:
    """The correction that `what` describes: by word, count and text, or by line and text. ValueError where it describes none."""
    return _CORRECTION.validate_python(what)


def parse_entry(what: Mapping[str, Any]) -> Correction | Reading:
    """A correction, or a reading. As `parse_correction`."""
    return _ENTRY.validate_python(what)


def _standing(entries: Iterable[Correction | Reading]) -> Standing:
    return reduce(Standing.after, entries, AS_READ)


def history(session: Session, uuid: str, number: int) -> History:
    """Of a page. Revision 0 and nothing made where the page was never corrected, or is not there."""
    revision = session.scalar(select(JobPage.revision).where(_page(uuid, number))) or 0
    rows = select(PageCorrection).where(PageCorrection.job_uuid == uuid, PageCorrection.page_number == number)
    return History(revision, tuple(map(_view, session.scalars(rows.order_by(PageCorrection.revision)))))


def of_job(session: Session, uuid: str) -> StandingOfJob:
    """What stands in all pages of a job, with its revision.

    The revision is read first: where another correction is committed in between, what is made of them carries the name of a revision that is
    over, and is never served.
    """
    revision = session.scalar(select(Job.revision).where(Job.uuid == uuid)) or 0
    rows = select(PageCorrection.page_number, PageCorrection.what).where(
        PageCorrection.job_uuid == uuid, PageCorrection.undone_us.is_(None)
    )
    of_pages: dict[int, Standing] = {}
    for number, what in session.execute(rows.order_by(PageCorrection.page_number, PageCorrection.revision)):
        of_pages[number] = of_pages.get(number, AS_READ).after(parse_entry(what))
    return StandingOfJob(revision, of_pages)


def pages_standing(session: Session, uuid: str) -> list[PageView]:
    """The pages of a job that were read, in order, with what was done to each in the reading that counts."""
    standing = of_job(session, uuid)
    return [_as_read_again(page, standing.page(page.number).reading) for page in pages_read(session, uuid)]


def _as_read_again(page: PageView, reading: Reading | None) -> PageView:
    return page if reading is None else page_view(page.number, reading.text_layer, reading.preprocessing)


@dataclass(frozen=True, slots=True)
class SeenPage:
    """A page of a job as somebody saw it: at a revision of its own."""

    job_uuid: str
    number: int
    revision: int


def add(
    session: Session,
    page: SeenPage,
    author: str,
    correction: Correction | Reading,
    replaced: str,
    confidence: float | None,
) -> int:
    """Record a correction; gives the page's new revision. `confidence` is that of the page with it.

    PageChanged where the page is not as it was seen any more; JobNotFound where the job is gone.
    """
    if page.revision >= MOST_OF_A_PAGE:
        raise CorrectionInvalid(
            f"The page was corrected {MOST_OF_A_PAGE:,} times, the most there may be. Send the document again to begin anew."
        )
    revision = _next_revision(session, page, confidence)
    session.execute(
        insert(PageCorrection).values(
            job_uuid=page.job_uuid,
            page_number=page.number,
            revision=revision,
            author=author,
            created_us=NowMicroseconds(),
            what=asdict(correction),
            replaced=replaced,
        )
    )
    return revision


def take_reading(
    session: Session, page: SeenPage, author: str, reading: Reading, found: History, confidence: float | None
) -> int:
    """Record another reading of the page, with what stands in `found`, the history of the page where it was read; gives the new revision.

    `confidence` is that of the page with all of it. As `add`.
    """
    revision = add(session, page, author, reading, "", confidence)
    for made in found.made:
        if made.undone is None and not isinstance(made.correction, Reading):
            seen = SeenPage(page.job_uuid, page.number, revision)
            revision = add(session, seen, made.author, made.correction, made.replaced, confidence)
    return revision


def undo(session: Session, page: SeenPage, revision: int, confidence: float | None) -> int:
    """Take the correction back that made `revision`; gives the page's new revision. Its row stays, and says when. As `add`."""
    new = _next_revision(session, page, confidence)
    of_page = (PageCorrection.job_uuid == page.job_uuid, PageCorrection.page_number == page.number)
    undone = update(PageCorrection).where(*of_page, PageCorrection.revision == revision)
    session.execute(undone.values(undone_us=NowMicroseconds()))
    return new


def _next_revision(session: Session, page: SeenPage, confidence: float | None) -> int:
    """Of the page and of its job, if the page is as it was seen."""
    session.execute(select(Job.uuid).where(Job.uuid == page.job_uuid).with_for_update(key_share=True))
    job = update(Job).where(Job.uuid == page.job_uuid).values(revision=Job.revision + 1, change=next_change(session))
    if session.execute(job.returning(Job.revision)).scalar_one_or_none() is None:
        raise job_not_found()
    revision = page.revision + 1
    seen = update(JobPage).where(_page(page.job_uuid, page.number), JobPage.revision == page.revision)
    taken = session.execute(seen.values(revision=revision, corrected_confidence=confidence).returning(JobPage.revision))
    if taken.scalar_one_or_none() is None:
        raise page_changed(session.scalar(select(JobPage.revision).where(_page(page.job_uuid, page.number))) or 0)
    derivations.forget_failures(session, page.job_uuid)
    text_index.index_again(session, page.job_uuid, [page.number])
    return revision


def page_changed(revision: int) -> PageChanged:
    """What is told who corrects a page that is at another revision than the one they saw."""
    return PageChanged(
        "The page was corrected meanwhile, from another window or by a program. Load it again and look whether yours is still needed.",
        revision=revision,
    )


def _page(uuid: str, number: int) -> ColumnElement[bool]:
    return and_(JobPage.job_uuid == uuid, JobPage.number == number)


def _view(row: PageCorrection) -> MadeCorrection:
    return MadeCorrection(
        revision=row.revision,
        author=row.author,
        created=utc(row.created_us),
        correction=parse_entry(row.what),
        replaced=row.replaced,
        undone=None if row.undone_us is None else utc(row.undone_us),
    )

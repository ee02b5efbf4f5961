"""One claimed job as the loop sees it: which work is next, which is running, what was tried already. Pure state."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from recto.jobs import Claim
from recto.ocr.documents import DocumentInfo
from recto.ocr.media_types import OF_MANY_PAGES
from recto.ocr.page import ResultWarning
from recto.tracing.spans import NoSpan, Span


class WorkKind(Enum):
    """What a page process does for a job. WHOLE is all the others at once, for a document of one page."""

    WHOLE = auto()
    OPEN = auto()
    PAGE = auto()
    WRITE = auto()


@dataclass(frozen=True, slots=True)
class Work:
    """One task of a job. `number` is the page's, from 1, and 0 for what is about all pages."""

    kind: WorkKind
    number: int = 0


class JobInHand:
    """Hands out the work of one job in order: open it, read its pages, write its results.

    A document that is known to be one page gets all of it in one piece at first, which spares the way between the processes and two commits.
    """

    def __init__(self, claim: Claim, started_s: float, span: Span | None = None) -> None:
        """`span` is the attempt's, for its work to be below it."""
        self.claim = claim
        self.started_s = started_s
        self.span = span or NoSpan()
        self.document_page_count = 0
        self.pages_to_read = 0
        self.warnings: tuple[ResultWarning, ...] = ()
        self.running: set[Work] = set()
        self._pages_px: tuple[int, ...] = ()
        is_whole = claim.media_type not in OF_MANY_PAGES and claim.attempt == 1 and not claim.finished_pages
        self._waiting: deque[Work] = deque([Work(WorkKind.WHOLE if is_whole else WorkKind.OPEN)])
        self._tried_again: set[Work] = set()

    @property
    def has_work(self) -> bool:
        """Whether `next_work` has something to give."""
        return bool(self._waiting)

    def next_work(self) -> Work:
        """Take the next piece of work, which runs from now on. Only where `has_work`."""
        work = self._waiting.popleft()
        self.running.add(work)
        return work

    @property
    def is_ready_to_write(self) -> bool:
        """Whether every page has ended."""
        return Work(WorkKind.WRITE) in self._waiting

    def take_apart(self) -> None:
        """The piece that was to be everything came to nothing: each part is done by itself."""
        self.running.discard(Work(WorkKind.WHOLE))
        self._waiting.append(Work(WorkKind.OPEN))

    def opened(self, numbers: Iterable[int], info: DocumentInfo) -> None:
        """The document is open; of its pages `numbers` are to be read, less those that an earlier attempt finished."""
        self.document_page_count, self.warnings, self._pages_px = info.page_count, info.warnings, info.pages_px
        numbers = list(numbers)
        self.pages_to_read = len(numbers)
        self.running.discard(Work(WorkKind.OPEN))
        self._waiting.extend(
            Work(WorkKind.PAGE, number) for number in numbers if number not in self.claim.finished_pages
        )
        self._write_when_read()

    def page_px(self, number: int) -> int:
        """Pixels of a page, from 1; 0 where its size is not known, or for work on the whole document (0)."""
        return self._pages_px[number - 1] if 1 <= number <= len(self._pages_px) else 0

    def page_ended(self, number: int) -> None:
        """A page was read or given up."""
        self.running.discard(Work(WorkKind.PAGE, number))
        self._write_when_read()

    def was_tried(self, work: Work) -> bool:
        """Whether it has killed or outlasted a process once already."""
        return work in self._tried_again

    def try_again(self, work: Work) -> bool:
        """Put work that killed or outlasted its process at the end of the line, once. False where it had its second chance."""
        self.running.discard(work)
        if work in self._tried_again:
            return False
        self._tried_again.add(work)
        self._waiting.append(work)
        return True

    def put_back(self, work: Work) -> None:
        """Work that never ran through a fault of its own is first in line again."""
        self.running.discard(work)
        self._waiting.appendleft(work)

    def _write_when_read(self) -> None:
        if not self.running and not self._waiting:
            self._waiting.append(Work(WorkKind.WRITE))

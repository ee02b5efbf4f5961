"""What is said of unfinished jobs beyond their rows: their place in the queue, and about how long they take. Asked for once for all who want it."""

from typing import Final

from recto.views.jobs import JobView
from recto.views.outlook import Outlook, Pace, find_before, outlook, recent_pace
from recto.web.serving.database import read
from recto.web.waiting.fresh_answers import FreshAnswers

_PACE_S: Final = 5.0
_OUTLOOK_S: Final = 1.0
_REMEMBERED: Final = 1000
NOTHING: Final = Outlook()


class Outlooks:
    """Those of the jobs of one Backend, a second old at most; a thousand clients that wait for one job ask one question."""

    def __init__(self) -> None:
        self._pace: FreshAnswers[Pace] = FreshAnswers(_PACE_S, 1)
        self._outlooks: FreshAnswers[Outlook] = FreshAnswers(_OUTLOOK_S, _REMEMBERED)

    def of(self, job: JobView) -> Outlook:
        """Nothing is said of a job that has ended."""
        return NOTHING if job.status.is_final else self._outlooks.get((job.uuid, job.change), lambda: self._make(job))

    def _make(self, job: JobView) -> Outlook:
        pace = self._pace.get("pace", lambda: read(recent_pace))
        return outlook(job, read(find_before, job), pace)

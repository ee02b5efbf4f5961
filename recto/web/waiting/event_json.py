"""Events of jobs as the messages of the streams. docs/api.md describes them."""

from typing import Any

from recto.records.job_events import Event, EventKind, PageNews, StatusNews
from recto.views.page_results import PageText
from recto.web import answers
from recto.web.jobs.job_json import job_links, reason_json


def event_message(event: Event, page: PageText | None) -> answers.Event:
    """The event. `page` is what was read on the page that it tells of; None where there is nothing."""
    values: dict[str, Any] = {
        "id": event.id,
        "event": event.kind.value,
        "job": event.job_uuid,
        "timestamp": event.timestamp,
    }
    if event.progress:
        done = event.progress
        values["progress"] = answers.Progress(
            pages_done=done.pages_done, page_count=done.page_count, pages_failed=done.pages_failed
        )
    match event.news:
        case StatusNews() as news:
            values |= {"status": news.status.value, "attempt": news.attempt, "reason": reason_json(news.reason)}
            if event.kind is EventKind.END:
                values["links"] = job_links(event.job_uuid)
        case PageNews() as news:
            values["page"] = _page(news, page)
    return answers.Event(**values)


def _page(news: PageNews, page: PageText | None) -> answers.EventPage:
    return answers.EventPage(
        number=news.number,
        text=page.text if page else None,
        confidence=round(page.confidence, 4) if page and page.confidence is not None else None,
        warnings=[answers.JobWarning(code=news.error.code, detail=news.error.detail)] if news.error else [],
    )

"""The API for administrators: users, what they keep, the queue, Workers, and how the last days went. It reaches nobody's documents."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, request, url_for

from recto.errors import OptionInvalid, PasswordRejected, UserExists, UserNotFound
from recto.records import tallies
from recto.records.storage_report import report_storage
from recto.users import administration
from recto.users.administration import UserDetails
from recto.views import overview
from recto.views.overview import WorkerState
from recto.web import answers
from recto.web.admin import answers as admin_answers
from recto.web.admin.user_changes import add_user, change_user_noted
from recto.web.api import MOST_NUMBER, number
from recto.web.openapi.described import Parameter, Reply, described
from recto.web.services import services
from recto.web.serving.database import Lane, in_thread, read
from recto.web.serving.json_bodies import json_body
from recto.web.sign_in.authorisation import Access, access

blueprint = Blueprint("admin", __name__, url_prefix="/api/v1/admin")
_TAG: Final = "Administration"
_LIMIT: Final = 100
_LIMIT_MOST: Final = 1000
_HOURS: Final = 24 * 7
_LIST_PARAMETERS: Final = (
    Parameter(
        "limit",
        "Users in one answer",
        {"type": "integer", "minimum": 1, "maximum": MOST_NUMBER, "default": _LIMIT, "examples": [2]},
    ),
    Parameter("after", "A name: those after it come", {"type": "string", "examples": ["ada"]}),
)
_HOURS_PARAMETER: Final = Parameter(
    "hours",
    f"How far to look back, the present hour with it; cut to {tallies.KEPT_HOURS:,}",
    {"type": "integer", "minimum": 1, "maximum": MOST_NUMBER, "default": _HOURS, "examples": [24]},
)
_NEW_USER: Final = 'Send a JSON object such as {"name": "grace", "password": "a long password"}.'
_CHANGE: Final = 'Send a JSON object such as {"is_disabled": true} or {"max_stored_bytes": 5000000000}.'


@blueprint.get("/users")
@access(Access.ADMIN)
@described(
    Reply(200, "Users", (admin_answers.UserList,), headers=("Link",)),
    problems=(OptionInvalid,),
    parameters=_LIST_PARAMETERS,
    tag=_TAG,
)
def get_users() -> Response:
    """Users by name, with how much each keeps and may keep."""
    limit = min(number("limit", _LIMIT, least=1), _LIMIT_MOST)
    users = read(administration.list_details, limit + 1, request.args.get("after", ""))
    following = url_for("admin.get_users", after=users[limit - 1].name, limit=limit) if len(users) > limit else None
    body = admin_answers.UserList(users=[user_json(user) for user in users[:limit]], next=following)
    return answers.with_next(answers.answered(body), following)


@blueprint.post("/users")
@access(Access.ADMIN)
@described(
    Reply(201, "The user", (admin_answers.User,)),
    problems=(UserExists, PasswordRejected, OptionInvalid),
    json_body=admin_answers.NewUser,
    tag=_TAG,
)
def create_user() -> tuple[Response, int]:
    """Add a user, who is no administrator."""
    asked = json_body(admin_answers.NewUser, _NEW_USER)
    return answers.answered(user_json(add_user(asked.name, asked.password, is_admin=False))), HTTPStatus.CREATED


@blueprint.patch("/users/<int(max=9223372036854775807):user_id>")
@access(Access.ADMIN)
@described(
    Reply(200, "The user as it is now", (admin_answers.User,)),
    problems=(UserNotFound, OptionInvalid),
    json_body=admin_answers.UserChange,
    tag=_TAG,
)
def change_user(user_id: int) -> Response:
    """Disable or enable a user, or give them limits of their own."""
    asked = json_body(admin_answers.UserChange, _CHANGE)
    return answers.answered(user_json(change_user_noted(user_id, asked.model_dump(include=asked.model_fields_set))))


@blueprint.get("/queue")
@access(Access.ADMIN)
@described(Reply(200, "The queue", (admin_answers.Queue,)), tag=_TAG)
def get_queue() -> Response:
    """How many jobs wait and run, since when, and whose they are."""
    state = read(overview.queue_state)
    users = [
        admin_answers.UserQueue(
            user=one.name, waiting=one.waiting, oldest=one.oldest, running=one.running, pages_left=one.pages_left
        )
        for one in state.users
    ]
    return answers.answered(
        admin_answers.Queue(
            waiting=state.waiting, oldest=state.oldest, running=state.running, pages_left=state.pages_left, users=users
        )
    )


@blueprint.get("/workers")
@access(Access.ADMIN)
@described(Reply(200, "The Workers", (admin_answers.Workers,)), tag=_TAG)
def get_workers() -> Response:
    """Who reads: the Workers that are remembered, how they are, and what they have in hand."""
    states = read(overview.worker_states)
    return answers.answered(admin_answers.Workers(workers=[_worker_json(state) for state in states]))


@blueprint.get("/throughput")
@access(Access.ADMIN)
@described(
    Reply(200, "What ended, hour by hour", (admin_answers.Throughput,)),
    problems=(OptionInvalid,),
    parameters=(_HOURS_PARAMETER,),
    tag=_TAG,
)
def get_throughput() -> Response:
    """How many jobs and pages ended in each of the last hours, and how."""
    hours = min(number("hours", _HOURS, least=1), tallies.KEPT_HOURS)
    found = [
        admin_answers.HourOfJobs(hour=tally.hour, outcome=tally.outcome, jobs=tally.jobs, pages=tally.pages)
        for tally in read(tallies.list_tallies, hours)
    ]
    return answers.answered(admin_answers.Throughput(hours=found))


@blueprint.get("/storage")
@access(Access.ADMIN)
@described(Reply(200, "Who keeps how much", (admin_answers.StorageReport,)), tag=_TAG)
def get_storage() -> Response:
    """What each user keeps and may keep, who keeps most first, and the room that there is."""
    report = read(report_storage, services().jobs.policy.max_stored_bytes_per_user)
    space = in_thread(services().storage.space, Lane.DISK)
    return answers.answered(
        admin_answers.StorageReport(
            users=[admin_answers.UserStorage(**asdict(user)) for user in report.users],
            database_bytes=report.database_bytes,
            swept=report.swept,
            free_bytes=space.free_bytes if space else None,
            total_bytes=space.total_bytes if space else None,
        )
    )


def user_json(user: UserDetails) -> admin_answers.User:
    """The user as the API has it."""
    return admin_answers.User(
        id=user.id,
        name=user.name,
        is_admin=user.is_admin,
        is_disabled=user.is_disabled,
        created=user.created,
        seen=user.seen,
        documents=user.stored_documents,
        bytes=user.stored_bytes,
        max_stored_bytes=user.limits.max_stored_bytes,
        max_unfinished=user.limits.max_unfinished,
        retention_s=user.limits.retention_s,
    )


def _worker_json(state: WorkerState) -> admin_answers.Worker:
    worker = state.worker
    return admin_answers.Worker(
        name=worker.name,
        is_alive=worker.is_alive,
        seen=worker.seen if worker.seen.timestamp() else None,
        started=worker.started,
        version=worker.version,
        engine=worker.engine,
        languages=list(worker.languages),
        processes=worker.processes,
        jobs=state.jobs,
        pages_left=state.pages_left,
    )

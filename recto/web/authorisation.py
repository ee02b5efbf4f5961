"""Who may call an address: each view states it, and authorisation_check.py holds every request to it.

@blueprint.delete("/jobs/<uuid:uuid>")
@access(Access.WRITE)
def delete_job(uuid: UUID) -> ...
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, Final, TypeVar

_View = TypeVar("_View", bound=Callable[..., Any])
_STATED: Final = "recto_access"


class Access(Enum):
    """What a caller needs. Where the address names a job or a token, they also have to be its owner: the query sees to that."""

    ANYBODY = "anybody"
    LINK = "whoever has the link"
    """Checked by the view itself: the signature also says which file it is for."""
    READ = "jobs:read"
    WRITE = "jobs:write"
    PERSON = "a signed-in person"
    """Passwords and tokens: a program's token that was found must not make others, nor lock out its owner."""


def access(needed: Access) -> Callable[[_View], _View]:
    """State who may call a view. Stands below the decorator that gives the view its address."""

    def state(view: _View) -> _View:
        vars(view)[_STATED] = needed
        return view

    return state


def stated_access(view: Callable[..., Any]) -> Access | None:
    """What a view states; None where it states nothing. Decorators that use functools.wraps carry it along."""
    return vars(view).get(_STATED)

"""Who may call an address: each view states it, and authorisation_check.py holds every request to it.

@blueprint.delete("/jobs/<uuid:uuid>")
@access(Access.WRITE)
def delete_job(uuid: UUID) -> ...
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, Final, TypeVar

from recto.accounts import Scope

_View = TypeVar("_View", bound=Callable[..., Any])
_STATED: Final = "recto_access"


class Access(Enum):
    """What a caller needs. Where the address names a job or a token, they also have to be its owner: the query sees to that."""

    ANYBODY = "anybody"
    LINK = "whoever has the link"
    """Checked by the view itself: the signature also says which file it is for."""
    USER = "any user"
    READ = "`jobs:read`"
    WRITE = "`jobs:write`"
    READ_OR_WRITE = "`jobs:read` or `jobs:write`"
    READ_AND_WRITE = "`jobs:read` and `jobs:write`"
    """Webhooks: who sets one up is told of every job from then on."""
    ADMIN = "`admin`"
    METRICS = "a scraper"
    """Who reads the metrics: a program on this machine where the settings let it, whoever has their token for it, and administrators."""
    PERSON = "a signed-in person"
    """Passwords and tokens: a program's token that was found must not make others, nor lock out its owner."""

    ADMIN_PERSON = "a signed-in administrator"
    """What would let a found token lock people out, or let itself in as somebody else."""

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Of which a token needs one, or all of them. A sign-in has all that its user may have."""
        return _SCOPES.get(self, tuple(Scope))

    def is_met_by(self, scopes: frozenset[Scope]) -> bool:
        """Whether these are enough."""
        enough = all if self is Access.READ_AND_WRITE else any
        return enough(scope in scopes for scope in self.scopes)


_SCOPES: Final = {
    Access.READ: (Scope.JOBS_READ,),
    Access.WRITE: (Scope.JOBS_WRITE,),
    Access.READ_OR_WRITE: (Scope.JOBS_READ, Scope.JOBS_WRITE),
    Access.READ_AND_WRITE: (Scope.JOBS_READ, Scope.JOBS_WRITE),
    Access.ADMIN: (Scope.ADMIN,),
    Access.METRICS: (Scope.ADMIN,),
}


def access(needed: Access) -> Callable[[_View], _View]:
    """State who may call a view. Stands below the decorator that gives the view its address."""

    def state(view: _View) -> _View:
        vars(view)[_STATED] = needed
        return view

    return state


def stated_access(view: Callable[..., Any]) -> Access | None:
    """What a view states; None where it states nothing. Decorators that use functools.wraps carry it along."""
    return vars(view).get(_STATED)

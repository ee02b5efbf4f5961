"""Where one may sign in besides here: at an OpenID Connect provider, at a proxy in front. Neither, unless the settings name it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from recto.web.sign_in.proxy_sign_in import ProxySignIn

if TYPE_CHECKING:
    from recto.web.sign_in.provider import Provider


class Elsewhere(StrEnum):
    """Where a sign-in was begun, as the browser's session remembers it."""

    PROVIDER = "provider"
    PROXY = "proxy"


@dataclass(frozen=True, slots=True)
class SignOn:
    """The places. `title` is the provider's, for the button; at `creating` a first sign-in makes a user."""

    provider: "Provider | None" = None
    title: str = ""
    proxy: ProxySignIn | None = None
    creating: frozenset[Elsewhere] = frozenset()

    @property
    def form_targets(self) -> tuple[str, ...]:
        """Origins besides our own that forms may lead to: signing out leads there, and the pages' policy has to let it."""
        proxys = urlsplit(self.proxy.sign_out_url) if self.proxy else None
        origins = [self.provider.origin] if self.provider else []
        if proxys and proxys.netloc:
            origins.append(f"{proxys.scheme}://{proxys.netloc}")
        return tuple(origins)

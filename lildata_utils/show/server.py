"""Voila for a class: a token, known addresses only, and no more kernels than there is room for.

By itself Voila answers every Host, asks for no token where it serves plain files, and keeps a
kernel of every request for ever.
"""

import asyncio
import html
import os
import tempfile
import threading
import time
import webbrowser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyter_server.auth.identity import IdentityProvider
from jupyter_server.base.handlers import APIHandler, JupyterHandler, Template404
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError
from traitlets import Int, Set, Unicode
from voila.app import Voila

PAGE = '<!doctype html><meta charset="utf-8"><title>{title}</title><h1>{title}</h1><p>{words}</p>'


class Kernels(AsyncMappingKernelManager):
    """One kernel a visitor, so many at most; unused ones are ended (notebook 04)."""

    most = Int(config=True)
    closed_s = Int(config=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._one_by_one = asyncio.Lock()
        self._alone_since: dict[str, float] = {}

    async def start_kernel(self, **settings: Any) -> str:  # type: ignore[override]
        """Start a kernel if there is room for one more."""
        async with self._one_by_one:
            if len(self) >= self.most:
                raise HTTPError(
                    503,
                    f"All places ({self.most}) are taken. Reload this page when somebody closed "
                    f"theirs, which frees a place at once or within about {self.closed_s} s.",
                )
            return str(await super().start_kernel(**settings))

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """End a kernel whose page is closed, or by the rules of the base class if it is open."""
        model, now_s = self.kernel_model(kernel_id), time.monotonic()
        if model["connections"] or model["execution_state"] == "busy":
            self._alone_since.pop(kernel_id, None)
            await super().cull_kernel_if_idle(kernel_id)
        elif now_s - self._alone_since.setdefault(kernel_id, now_s) >= self.closed_s:
            del self._alone_since[kernel_id]
            await self.shutdown_kernel(kernel_id)


class Token(IdentityProvider):
    """The token in the address and, from then on, a cookie; no form to log in (notebook 04)."""

    def get_handlers(self) -> list[tuple[str, object]]:
        """Give no pages of its own."""
        return []


class Guarded(JupyterHandler):
    """What every handler does first: see who asks, and by which address (notebook 04)."""

    async def prepare(self) -> None:  # type: ignore[override]
        """Refuse who is not at one of our addresses, comes from another page, or has no token."""
        # A page whose name was bound to our address anew has that name as Host; see DNS rebinding.
        origin = self.get_origin()
        asked = [
            self.request.headers.get("Host", ""),
            *([urlsplit(origin).netloc] if origin else []),
        ]
        if not self.settings["addresses"].issuperset(map(str.lower, asked)):
            raise HTTPError(403, "This is not the address of this page.")
        user = await self.identity_provider.get_user(self)  # type: ignore[misc]
        if user is None:
            raise HTTPError(403, "Open the address that lildata demo printed, with its token.")
        self.current_user = self._jupyter_current_user = user
        self.xsrf_token  # noqa: B018 - sets the cookie by which a page that closes frees its kernel
        await super().prepare()

    def log_exception(self, *what: Any) -> None:
        """Log bugs; who was refused was told so."""
        if not isinstance(what[1], HTTPError):
            super().log_exception(*what)

    def write_error(self, status_code: int, **about: Any) -> None:
        """Say why in a plain page."""
        if isinstance(self, APIHandler):
            super().write_error(status_code, **about)
            return
        words = getattr(about.get("exc_info", (None, None))[1], "log_message", None) or ""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        title = f"{status_code}: {self._reason}"
        self.finish(PAGE.format(title=html.escape(title), words=html.escape(words)))


def _guarded(handler: type) -> type:
    return type(handler.__name__, (Guarded, handler), {})


class Server(Voila):
    """Voila whose handlers are all guarded, and which takes no settings but ours (notebook 04)."""

    addresses = Set(Unicode())
    link = Unicode()

    def _config_file_paths_default(self) -> list[str]:
        return []

    def init_settings(self) -> dict[str, Any]:
        """Add to Voila's what `Guarded` asks for."""
        settings = super().init_settings()
        return settings | {
            "addresses": frozenset(self.addresses),
            "default_handler_class": _guarded(Template404),
            "log_function": lambda handler: None,  # a line for each request, with the token in it
        }

    def init_handlers(self) -> list[Any]:
        """Guard each of Voila's."""
        return [
            (path, _guarded(handler), *rest) for path, handler, *rest in super().init_handlers()
        ]

    def launch_browser(self) -> None:
        """Open the link by a file, as others on this machine can see the words of a command."""
        handle, name = tempfile.mkstemp(suffix=".html")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f'<meta http-equiv="refresh" content="0; url={html.escape(self.link)}">')
        threading.Thread(target=webbrowser.open, args=[Path(name).as_uri()], daemon=True).start()

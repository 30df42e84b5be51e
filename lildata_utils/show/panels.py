"""What panels share: work in threads, a line that says how it stands, and nothing to keep."""

import html
import threading
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from lildata_utils.errors import LilDataError

MESSAGE = "min-height: 3em; line-height: 1.5"  # two lines: a short message moves nothing


class Panel(widgets.VBox):
    """Widgets around work that threads do (notebook 04)."""

    def __init__(self) -> None:
        super().__init__()
        self.message = widgets.HTML()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data = super()._repr_mimebundle_(**kwargs)
        data["text/plain"] = f"{type(self).__name__}()"
        data["text/html"] = "<p><em>The panel needs a kernel: run this cell.</em></p>"
        return data, {}

    def _in_background(self, work: Callable[..., None], *arguments: Any) -> None:
        def guarded() -> None:
            try:
                work(*arguments)
            except Exception as error:
                self._say(error)
                if not isinstance(error, (LilDataError, OSError)):
                    raise

        threading.Thread(target=guarded, daemon=True).start()

    def _say(self, what: str | Exception) -> None:
        words = html.escape(" ".join(str(what).split()))
        if isinstance(what, Exception):
            words = f'<b style="color:var(--jp-error-color1, #b00020)">{words}</b>'
        self.message.value = f'<div role="status" style="{MESSAGE}">{words}</div>'

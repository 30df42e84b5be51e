"""Lil Data: music as 631 x 631 spectrograms, classified, transferred, generated and heard again.

One word ties each module to a notebook; `README.md` says where to start. Importing this package
imports nothing heavy: TensorFlow is loaded by `lildata_utils.backend` when a network is built, and
what is offered here when it is asked for the first time.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lildata_utils.genre.listening import classify_file, load_listener
    from lildata_utils.learning.runs import load_run

__version__ = "0.1.0"
__all__ = ["classify_file", "load_listener", "load_run"]

_MODULES = {
    "classify_file": "genre.listening",
    "load_listener": "genre.listening",
    "load_run": "learning.runs",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])

"""Five seconds of a file, chosen: from the crate, from a folder or uploaded by a browser."""

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets

from lildata_utils.crate.collection import write_collection
from lildata_utils.crate.examples import EXAMPLE_S, EXAMPLE_SEED, EXAMPLE_START_S
from lildata_utils.crate.settings import Collection
from lildata_utils.errors import LilDataError
from lildata_utils.files import DATA_FOLDER, written_beside
from lildata_utils.genres import GENRES, genre_label
from lildata_utils.schema import checked
from lildata_utils.show.players import SpectrogramPlayer
from lildata_utils.sound import audio
from lildata_utils.sound.clip import read_clip
from lildata_utils.sound.spectrogram import CLIP_S, CLIP_SAMPLES, N_BINS, N_FRAMES, Floats, Image

MUSIC_FOLDER = DATA_FOLDER / "panel"
LARGEST_UPLOAD = 50_000_000  # bytes: five minutes of WAV, an hour of MP3
LONGEST_NAME = 200  # bytes; file systems take 255, and a mark comes before it
STEP_S = 0.5  # of the slider for the start

SILENCE: Floats = np.zeros(CLIP_SAMPLES, np.float32)
BLACK: Image = np.zeros((N_BINS, N_FRAMES), np.uint8)

STYLE = {"description_width": "8rem"}
WIDE = widgets.Layout(width="auto", min_width="0")
COLUMN = widgets.Layout(min_width="0", overflow="visible")


def crate_clips(folder: Path = MUSIC_FOLDER) -> dict[str, Path]:
    """Render a track of each genre, or find them; give the files by name (notebook 04)."""
    began = time.perf_counter()
    steps = list(write_collection(folder, Collection(1, EXAMPLE_S, seed=EXAMPLE_SEED)))
    made = sum(step.rendered for step in steps)
    seconds = f" in {time.perf_counter() - began:.0f} s" if made else ""
    print(f"{'Rendered' if made else 'Found'} {made or len(steps)} tracks of the crate{seconds}")
    paths = sorted((step.path for step in steps), key=lambda path: GENRES.index(path.parent.name))
    return {f"{genre_label(path.parent.name)}: {path.stem}": path for path in paths}


@dataclass(frozen=True)
class _Piece:
    """What a browser says of the bytes that it sends: of which file, of what size, where in it."""

    name: str
    size: int
    at: int
    address: str = ""


class Upload(anywidget.AnyWidget):
    """A button by which a browser gives a file to the kernel (notebook 04).

    It calls `received` with the file's name and bytes, `refused` with whatever goes wrong, and
    `shown` when a browser shows the button. Nothing that a browser says is believed. `address` is
    where the browser finds the last file again, and no other does.
    """

    _esm = Path(__file__).with_name("upload.js")

    label = traitlets.Unicode("Upload a file…").tag(sync=True)
    limit_bytes = traitlets.Int().tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)
    roomy = traitlets.Bool(False).tag(sync=True)  # a field to drop files on

    address = ""

    def __init__(
        self,
        received: Callable[[str, bytes], None],
        refused: Callable[[Exception], None],
        shown: Callable[[], None],
        limit_bytes: int = LARGEST_UPLOAD,
        **look: Any,
    ) -> None:
        super().__init__(limit_bytes=limit_bytes, **look)
        self._received, self._refused, self._shown = received, refused, shown
        self._first: _Piece | None = None
        self._data = bytearray()
        self.on_msg(self._take)

    def _take(self, _widget: Any, message: Any, buffers: list[Any]) -> None:
        try:
            if message == "shown":
                self._shown()
            else:
                self._add(checked(message, _Piece, "upload"), b"".join(buffers))
        except Exception as error:
            self._first, self._data = None, bytearray()
            self._refused(error)  # no page shows what is raised here
            if not isinstance(error, LilDataError):
                raise

    def _add(self, piece: _Piece, data: bytes) -> None:
        """Add a piece, and pass the file on if it is whole; pieces come in their order."""
        if piece.at == 0:
            self._check(piece)
            self._first, self._data = piece, bytearray()
        elif self._first is None:
            return  # the rest of a file that was refused
        whole = len(self._data) + len(data)
        if replace(piece, at=0) != self._first or piece.at != len(self._data) or whole > piece.size:
            raise LilDataError(f"{piece.name[:40]!r} came in wrong pieces: try it again")
        self._data += data
        if whole == piece.size:
            data, self._first, self._data = bytes(self._data), None, bytearray()
            self.address = piece.address if piece.address.startswith("blob:") else ""
            self._received(piece.name, data)

    def _check(self, piece: _Piece) -> None:
        name, size = piece.name, piece.size
        if (
            name in ("", ".", "..")
            or re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029/\\\ud800-\udfff]", name)
            or len(name.encode()) > LONGEST_NAME
        ):
            raise LilDataError(
                f"{name[:40]!r} can't be a file's name here: expected at most {LONGEST_NAME} bytes "
                "and no slashes or control characters"
            )
        if size > self.limit_bytes:
            megabytes = f"{size / 1e6:.0f} MB; at most {self.limit_bytes / 1e6:.0f} MB"
            raise LilDataError(f"{name}: {megabytes} can be uploaded: cut out a part")


class ClipChooser(widgets.VBox):
    """Choose five seconds of a file: from a list, or uploaded (notebook 04).

    Parameters
    ----------
    title : str
        What the clip is for.
    clips : mapping of str to Path
        Audio files by name; the first one is chosen.
    uploads : Path
        Folder that keeps uploaded files.
    changed, shown : callable
        Called when there is another clip, and when a browser shows it.
    failed : callable
        Called with a `LilDataError` if a file can't be used; what was chosen before stays.

    Attributes
    ----------
    clip, path, start_s : Clip, Path, float
        What is chosen, its file, and where it begins there.
    """

    def __init__(
        self,
        title: str,
        clips: Mapping[str, Path],
        uploads: Path,
        changed: Callable[[], None],
        failed: Callable[[Exception], None],
        shown: Callable[[], None] = lambda: None,
    ) -> None:
        self._files, self._uploads = dict(clips), uploads
        self._changed, self._failed = changed, failed
        self.picker = widgets.Dropdown(
            options=list(clips), description=title, style=STYLE, layout=WIDE
        )
        self.start = widgets.FloatSlider(
            description="from second",
            step=STEP_S,
            readout_format=".1f",
            continuous_update=False,
            style=STYLE,
            layout=widgets.Layout(flex="1 1 auto", min_width="0", width="auto"),
        )
        self.upload = Upload(self._keep, failed, shown)
        self.player = SpectrogramPlayer(SILENCE, title, BLACK)
        row = widgets.HBox([self.start, self.upload], layout=WIDE)
        super().__init__([self.picker, row, self.player], layout=COLUMN)
        self._open(next(iter(clips.values())))
        self.picker.observe(self._pick, "value")
        self.start.observe(self._move, "value")

    def choose(self, genre: str) -> None:
        """Choose the first file in a folder of that name, if there is one."""
        names = [name for name, path in self._files.items() if path.parent.name == genre]
        if names and self._files[self.picker.value].parent.name != genre:
            self.picker.value = names[0]

    def disable(self, disabled: bool) -> None:
        """Let nobody choose, or everybody again."""
        for part in (self.picker, self.start, self.upload):
            part.disabled = disabled

    def _open(self, path: Path, start_s: float | None = None) -> None:
        """Read a clip; raise and change nothing if that fails."""
        last_s = (audio.info(path).duration_s - CLIP_S) // STEP_S * STEP_S
        start_s = max(0.0, min(float(EXAMPLE_START_S), last_s)) if start_s is None else start_s
        damage: list[str] = []
        self.clip = read_clip(path, start_s, damage.append)
        for words in damage:
            self._failed(LilDataError(f"{path.name}: {words}"))
        # Set before the slider is: its observer then finds nothing to do.
        self.path, self.start_s = path, start_s
        with self.start.hold_trait_notifications():
            self.start.max, self.start.value = max(last_s, STEP_S), start_s

    def _pick(self, change: Any) -> None:
        path = self._files[change.new]
        if path != self.path:
            self._change(self.picker, change.old, change.new, path)

    def _move(self, change: Any) -> None:
        if change.new != self.start_s:
            self._change(self.start, self.start_s, self.picker.value, self.path, change.new)

    def _change(
        self, part: Any, before: Any, name: str, path: Path, start_s: float | None = None
    ) -> None:
        try:
            self._open(path, start_s)
        except LilDataError as error:
            part.value = before
            self._failed(LilDataError(str(error).replace(str(path), name)))
        else:
            self._changed()

    def _keep(self, name: str, data: bytes) -> None:
        # The mark keeps files of one name apart: settings that were saved still find theirs.
        path = self._uploads / f"{hashlib.sha256(data).hexdigest()[:8]} {name}"
        try:
            with written_beside(path) as beside:
                beside.write_bytes(data)
            self._open(path)
        except Exception as error:
            if path not in self._files.values():
                path.unlink(missing_ok=True)
            # `Upload` says it.
            if isinstance(error, LilDataError):
                raise LilDataError(str(error).replace(str(path), name)) from None
            raise
        self._files[name] = path
        self.picker.unobserve(self._pick, "value")  # new options choose the first of them
        self.picker.options = list(self._files)
        self.picker.value = name
        self.picker.observe(self._pick, "value")
        self._changed()

"""The page that listens: drop a song, see its genre over time, hear it, and how far to believe it.

`lildata demo` shows it beside the panel of style transfer. A song that somebody uploads is deleted
as soon as it was heard; their browser plays its own copy.
"""

import html
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import ipywidgets as widgets

from lildata_utils.errors import LilDataError
from lildata_utils.genres import genre_label
from lildata_utils.show import learning_figures
from lildata_utils.show.chooser import WIDE, Upload, crate_clips
from lildata_utils.show.panels import Panel
from lildata_utils.show.players import Timeline
from lildata_utils.sound import audio
from lildata_utils.sound.spectrogram import CLIP_S

# TensorFlow takes seconds to load: a thread loads it.
if TYPE_CHECKING:
    from lildata_utils.genre.listening import Verdict

CHOOSE = "or choose a track of the crate …"
UNLIKE = "unlike anything it learned"
# Of the verdict: what it is, the runner-up, the doubt, and what could have been heard.
WORDS = (
    '<div style="line-height: 1.4">'
    '<div style="font-size: 200%; font-weight: 600; line-height: 1.2">{}</div>'
    "<div>{}</div><p>{}</p><p><small>{}</small></p></div>"
)
UNSURE = 0.5  # below it the likeliest genre is not likelier than all others together


class ListeningPanel(Panel):
    """Drop a song: its genre over time, to hear, and how far to believe it (notebook 07).

    Parameters
    ----------
    clips : mapping of str to Path, optional
        Short audio files to choose from, by name (default: `crate_clips`); the first one is heard
        when somebody looks.

    Attributes
    ----------
    verdict : Verdict or None
        On what was heard last.
    """

    def __init__(self, clips: Mapping[str, Path] | None = None) -> None:
        super().__init__()
        self.verdict: Verdict | None = None
        self._wanted: object = None  # the newest wish; whatever works for an older one gives up
        self._computing = threading.Lock()
        files = crate_clips() if clips is None else clips
        self.upload = Upload(
            self._received, self._say, self._see, label="Drop a song here, or click", roomy=True
        )
        self.picker = widgets.Dropdown(options={CHOOSE: "", **files}, layout=WIDE)
        self.progress = widgets.IntProgress(
            layout=widgets.Layout(width="auto", visibility="hidden")
        )
        self.told = widgets.HTML()
        self.timeline = Timeline()
        self.picker.observe(self._pick, "value")
        left = [self.upload, self.picker, self.progress, self.message, self.told]
        wide, narrow = (
            widgets.Layout(flex=flex, min_width="0") for flex in ("3 1 34rem", "1 1 17rem")
        )
        self.children = [
            widgets.HBox(
                [widgets.VBox(left, layout=narrow), widgets.VBox([self.timeline], layout=wide)],
                layout=widgets.Layout(flex_flow="row wrap", grid_gap="16px 32px", margin="12px 0"),
            )
        ]

    # Callbacks: they start threads.

    def _see(self) -> None:
        """Somebody looks: let them find something to hear."""
        if self._wanted is None and len(self.picker.options) > 1:
            self.picker.index = 1

    def _pick(self, _change: object) -> None:
        if self.picker.value:
            self._start(self.picker.label, self.picker.value)

    def _received(self, name: str, data: bytes) -> None:
        self.picker.index = 0
        self._start(name, data, self.upload.address)

    def _start(self, name: str, music: Path | bytes, address: str = "") -> None:
        self._wanted = object()
        self._say("Loading the network …")
        self._in_background(self._listen, self._wanted, name, music, address)

    # The thread

    def _listen(self, wanted: object, name: str, music: Path | bytes, address: str) -> None:
        with self._computing, TemporaryDirectory() as folder:
            self.progress.value, self.progress.layout.visibility = 0, "visible"
            path = music if isinstance(music, Path) else Path(folder) / name
            try:
                if isinstance(music, bytes):
                    path.write_bytes(music)
                verdict = self._heard(wanted, path)
                # What a browser did not bring along it gets.
                sound = address if address or verdict is None else audio.encode(audio.read(path))
            except LilDataError as error:
                raise LilDataError(str(error).replace(str(path), name)) from None
            finally:
                self.progress.layout.visibility = "hidden"
            if verdict is not None and wanted is self._wanted:
                self._present(verdict, name, sound)

    def _heard(self, wanted: object, path: Path) -> "Verdict | None":
        """Hear a file to its end, unless something else is wanted meanwhile."""
        from lildata_utils.genre.listening import classify_files

        for step in classify_files([path]):
            if wanted is not self._wanted:
                return None
            if isinstance(step.ended, LilDataError):
                raise step.ended
            if step.ended is not None:
                return step.ended
            self.progress.max, self.progress.value = step.clips_in_all, step.clips
            self._say(f"Listening: {step.clips} of {step.clips_in_all} clips of 5 s …")
        return None

    def _present(self, verdict: "Verdict", name: str, sound: bytes | str) -> None:
        strange = None if verdict.strangeness is None else verdict.strangeness > 1
        figure = learning_figures.genre_over_time(
            verdict.probabilities, verdict.genres, strange=strange
        )
        clips = len(verdict.probabilities)
        self.verdict = verdict
        self.timeline.show(figure, clips * CLIP_S, [*_clip_words(verdict)], sound, name)
        self.told.value = _verdict_words(verdict)
        self._say("; ".join([f"Heard {clips} clips of 5 s", *verdict.damage]) + ".")


def _clip_words(verdict: "Verdict") -> Iterator[str]:
    for clip in range(len(verdict.probabilities)):
        minutes, seconds = divmod(round(clip * CLIP_S), 60)
        strange = verdict.strangeness is not None and verdict.strangeness[clip] > 1
        yield f"{minutes}:{seconds:02} {_best(verdict, clip)}{f', {UNLIKE}' if strange else ''}"


def _best(verdict: "Verdict", clip: int | None = None) -> str:
    """Name winner and runner-up with their probabilities."""
    return ", then ".join(f"{genre_label(g)} {p:.0%}" for g, p in verdict.best_two(clip))


def _verdict_words(verdict: "Verdict") -> str:
    """Say in HTML which genre it is, the runner-up, and how far to believe it."""
    if verdict.strange:
        head, below = UNLIKE.capitalize(), f"nearest: {_best(verdict)}"
    else:
        head, below = genre_label(verdict.genre).capitalize(), _best(verdict)
    known = f"It learned {', '.join(map(genre_label, verdict.genres))}, and knows no other word."
    said = (html.escape(words, quote=False) for words in (head, below, _doubt(verdict), known))
    return WORDS.format(*said)


def _doubt(verdict: "Verdict") -> str:
    if verdict.strangeness is None:
        told = "This network can't tell what is strange to it: it names a genre for anything."
    elif verdict.strange:
        told = "So the genre is only the least wrong of those it knows: don't believe it."
    else:
        clips = int((verdict.strangeness > 1).sum())
        told = f"{clips} of {len(verdict.strangeness)} clips are {UNLIKE}."
    unsure = verdict.overall.max() < UNSURE and not verdict.strange
    return f"It is not sure. {told}" if unsure else told

"""What sounds in the notebooks: labelled players, a spectrogram and a figure that can be heard.

With a kernel the spectrogram is a widget; on a page, the same JavaScript with its data beside it.
"""

import base64
import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import matplotlib
import numpy as np
import traitlets
from IPython.display import HTML
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lildata_utils.show.figures import png
from lildata_utils.sound import audio, pictures, spectrogram
from lildata_utils.sound.spectrogram import FLOOR_DB, SAMPLE_RATE, Floats

ROW = '<div style="display:flex;flex-wrap:wrap;gap:0.6rem 1.2rem">{players}</div>'
PLAYER = (
    '<figure style="margin:0"><figcaption style="white-space:pre-line">{label}</figcaption>'
    '<audio controls preload="metadata" aria-label="{label}" style="width:15rem"'
    ' src="data:audio/mpeg;base64,{data}"></audio></figure>'
)

SCRIPT = Path(__file__).with_name("player.js")

# The script makes a player of the figure. Where it may not run, in a notebook that is not trusted,
# JupyterLab leaves the picture and the plain player.
FIGURE = """<figure data-scales="{scales}" style="margin:0">
<figcaption>{title}</figcaption>
<img alt="spectrogram" style="width:631px;height:316px" src="data:image/png;base64,{picture}">
<p>From left to right: time. From bottom to top: 0 to {top_khz:.1f} kHz.
From black to white: {range_db:.0f} dB up to the peak.
Run the cell for a player with scales and a cursor.</p>
<audio controls preload="metadata" src="data:audio/mpeg;base64,{sound}"></audio>
</figure>
<script type="module">
{script}
attach();
</script>"""


def _loudest(waveform: Floats) -> float:
    return float(np.abs(waveform).max(initial=0.0))


def listen(sounds: Mapping[str, ArrayLike], sample_rate: int = SAMPLE_RATE) -> HTML:
    """Show a player for each sound, with its name above it (notebook 00).

    Nothing is normalised: what is quieter stays quieter. Only where a sound exceeds full scale (-1
    to 1), all of them are turned down by the same factor. MP3 keeps notebooks small (33 kB for
    5 s).

    Parameters
    ----------
    sounds : mapping of str to array_like, shape (samples,)
    sample_rate : int
        In Hz.
    """
    waveforms = {name: np.asarray(sound, dtype=np.float32) for name, sound in sounds.items()}
    gain = 1 / max([1.0, *map(_loudest, waveforms.values())])
    players = [
        PLAYER.format(
            label=html.escape(name),
            data=base64.b64encode(audio.encode(gain * sound, "mp3", sample_rate)).decode(),
        )
        for name, sound in waveforms.items()
    ]
    return HTML(ROW.format(players="".join(players)))


class SpectrogramPlayer(anywidget.AnyWidget):
    """A spectrogram that plays: a cursor follows the sound, a click goes there (notebook 06).

    The picture is exactly the matrix that a network sees, drawn with its scales: time in seconds,
    frequency in kHz, level in dB below the peak; the mouse reads them. Arrows move by 0.1 s, Page
    Up and Page Down by 1 s, and the space bar plays and pauses.

    Parameters
    ----------
    waveform : array_like, shape (samples,)
        Mono at 22 050 Hz. Turned down where it exceeds full scale, else played as it is.
    title : str
        What is shown and heard.
    image : ndarray of uint8, shape (bins, frames), optional
        The picture, where it is not the sound's own: say, what a network made.

    Examples
    --------
    >>> player = SpectrogramPlayer(np.zeros(110_250), "nothing yet")
    >>> player.show(image=np.zeros((631, 631), np.uint8), title="step 1")
    """

    _esm = SCRIPT

    title = traitlets.Unicode().tag(sync=True)
    picture = traitlets.Bytes().tag(sync=True)
    sound = traitlets.Bytes().tag(sync=True)
    scales = traitlets.Dict(read_only=True).tag(sync=True)

    @traitlets.default("scales")
    def _default_scales(self) -> dict[str, float | str]:
        colours: Any = matplotlib.colormaps["magma"](np.arange(256), bytes=True)
        return {
            "frame_s": spectrogram.FRAME_S,
            "top_hz": SAMPLE_RATE / 2,
            "floor_db": FLOOR_DB,
            "colours": colours[:, :3].tobytes().hex(),  # rrggbb, one after the other
        }

    def __init__(
        self, waveform: ArrayLike, title: str = "", image: np.ndarray | None = None
    ) -> None:
        super().__init__()
        self.show(waveform, image, title)

    def show(
        self,
        waveform: ArrayLike | None = None,
        image: np.ndarray | None = None,
        title: str | None = None,
    ) -> None:
        """Replace what is given, as in the constructor; a sound that is playing goes on there.

        A waveform without an image brings its own picture.

        Raises
        ------
        ValueError
            If the waveform is no row of samples, or the image no matrix of uint8.
        """
        if waveform is not None and np.ndim(waveform) != 1:
            raise ValueError(f"a waveform of shape (samples,) expected, not {np.shape(waveform)}")
        if image is not None and (image.ndim != 2 or image.dtype != np.uint8):
            raise ValueError(
                "an image of uint8, shape (bins, frames), expected, "
                f"not {image.dtype}, shape {image.shape}"
            )
        if image is None and waveform is not None:
            image, _ = spectrogram.to_image(waveform)
        with self.hold_sync():
            if title is not None:
                self.title = title
            if image is not None:
                self.picture = pictures.png(image)
            if waveform is not None:
                samples = np.asarray(waveform, dtype=np.float32)
                self.sound = audio.encode(samples / max(1.0, _loudest(samples)))

    def page(self) -> HTML:
        """Copy it as it is now into an output that needs neither a kernel nor the internet.

        A notebook's output holds it too, beside the widget. By itself it still plays where a
        notebook is opened again and not yet run; about 0.4 MB for 5 s of music.
        """
        return HTML(
            FIGURE.format(
                scales=html.escape(json.dumps(self.scales)),
                top_khz=SAMPLE_RATE / 2000,
                range_db=-FLOOR_DB,
                title=html.escape(self.title),
                picture=base64.b64encode(self.picture).decode(),
                sound=base64.b64encode(self.sound).decode(),
                script=SCRIPT.read_text(encoding="utf-8"),
            )
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle = super()._repr_mimebundle_(**kwargs)
        assert bundle is not None  # it is for widgets without a view, says its type
        data, metadata = bundle
        data["text/plain"] = f"SpectrogramPlayer({self.title!r})"
        data["text/html"] = self.page().data
        return data, metadata


class Timeline(anywidget.AnyWidget):
    """A figure over time that is heard: a cursor follows, a click goes there (notebook 07).

    Words below it say what stands at the cursor, or under the mouse.
    """

    _esm = Path(__file__).with_name("timeline.js")

    title = traitlets.Unicode().tag(sync=True)
    picture = traitlets.Bytes().tag(sync=True)
    sound = traitlets.Bytes().tag(sync=True)
    address = traitlets.Unicode().tag(sync=True)
    axis = traitlets.Dict().tag(sync=True)
    shown = traitlets.Int().tag(sync=True)

    def show(
        self, figure: Figure, end_s: float, words: Sequence[str], sound: bytes | str, title: str
    ) -> None:
        """Replace the figure and its sound.

        Parameters
        ----------
        figure : Figure
            Its first axes go from 0 to the end of the time.
        end_s : float
            Where the time ends.
        words : sequence of str
            For parts of equal length from 0 to the end.
        sound : bytes or str
            An MP3 file, or where the browser has the sound: what it uploaded need not be sent back.
        title : str
            What is heard.
        """
        drawn = png(figure, dpi=150)  # now the axes have found their place
        place = figure.axes[0].get_position()
        with self.hold_sync():
            self.title, self.picture = title, drawn
            self.sound, self.address = (b"", sound) if isinstance(sound, str) else (sound, "")
            self.axis = {"left": place.x0, "right": place.x1, "end_s": end_s, "words": [*words]}
            self.shown += 1

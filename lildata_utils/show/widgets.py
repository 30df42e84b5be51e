"""What moves in the notebooks: a spectrogram that can be heard.

With a kernel it is a widget; on a page without one, the same JavaScript with its data beside it.
"""

import base64
import html
import json
from pathlib import Path
from typing import Any

import anywidget
import matplotlib
import numpy as np
import traitlets
from IPython.display import HTML
from numpy.typing import ArrayLike

from lildata_utils.sound import audio, pictures, spectrogram

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


def _hex(colour_map: str) -> str:
    """Write the 256 colours of a map one after the other, as rrggbb."""
    colours: Any = matplotlib.colormaps[colour_map](np.arange(256), bytes=True)
    return str(colours[:, :3].tobytes().hex())


def _mp3(waveform: ArrayLike) -> bytes:
    samples = np.asarray(waveform, dtype=np.float32)
    return audio.encode(samples / max(1.0, float(np.abs(samples).max(initial=0.0))))


class SpectrogramPlayer(anywidget.AnyWidget):
    """A spectrogram that plays: a cursor follows the sound, a click goes there, the mouse reads.

    The picture is exactly the matrix that a network sees, drawn with its scales: time in seconds,
    frequency in kHz, level in dB below the peak. With the keyboard, arrows move by 0.1 s, Page Up
    and Page Down by 1 s, and the space bar plays and pauses.

    Parameters
    ----------
    waveform : array_like, shape (samples,)
        Mono samples at 22 050 Hz. Turned down where they exceed full scale, else played as they
        are.
    title : str
        What is shown and heard.
    image : ndarray of uint8, shape (bins, frames), optional
        The picture, where it is not the sound's own: say, what a network made. Row 0 is 0 Hz, the
        last row half the sample rate; 255 is the peak, 0 is 80 dB below it.

    Raises
    ------
    ValueError
        If the waveform is no row of samples, or the image no matrix of uint8.

    Examples
    --------
    >>> tone = 0.5 * np.sin(2 * np.pi * 1750 * np.arange(110_250) / 22_050)
    >>> player = SpectrogramPlayer(tone, "a tone of 1750 Hz")
    >>> player.title
    'a tone of 1750 Hz'
    """

    _esm = SCRIPT

    title = traitlets.Unicode().tag(sync=True)
    picture = traitlets.Bytes().tag(sync=True)
    sound = traitlets.Bytes().tag(sync=True)
    scales = traitlets.Dict(read_only=True).tag(sync=True)

    @traitlets.default("scales")
    def _default_scales(self) -> dict[str, float | str]:
        return {
            "frame_s": spectrogram.FRAME_S,
            "top_hz": spectrogram.SAMPLE_RATE / 2,
            "floor_db": spectrogram.FLOOR_DB,
            "colours": _hex("magma"),
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
        """Replace what is shown; a sound that is playing goes on at the same place.

        Parameters
        ----------
        waveform : array_like, shape (samples,), optional
            The new sound; without it the old one stays.
        image : ndarray of uint8, shape (bins, frames), optional
            The new picture; without it that of the new sound.
        title : str, optional
            The new title; without it the old one stays.

        Raises
        ------
        ValueError
            If the waveform is no row of samples, or the image no matrix of uint8.

        Examples
        --------
        >>> player = SpectrogramPlayer(np.zeros(110_250), "nothing yet")
        >>> player.show(image=np.zeros((631, 631), np.uint8), title="step 1")
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
                self.sound = _mp3(waveform)

    def page(self) -> HTML:
        """Make a copy that needs neither a kernel nor a network, as it is now.

        A notebook's output holds it too, beside the widget. By itself it is an output that still
        plays where a notebook is opened again and not yet run.

        Returns
        -------
        IPython.display.HTML
            Picture, sound and script in one, about 0.4 MB for 5 s of music.

        Examples
        --------
        >>> SpectrogramPlayer(np.zeros(110_250), "silence").page()
        <IPython.core.display.HTML object>
        """
        return HTML(
            FIGURE.format(
                scales=html.escape(json.dumps(self.scales)),
                top_khz=spectrogram.SAMPLE_RATE / 2000,
                range_db=-spectrogram.FLOOR_DB,
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

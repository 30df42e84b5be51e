"""Labelled players for notebooks, all at the same gain."""

import base64
import html
from collections.abc import Mapping

import numpy as np
from IPython.display import HTML
from numpy.typing import ArrayLike

from lildata_utils.sound import audio
from lildata_utils.sound.spectrogram import SAMPLE_RATE

PLAYER = (
    '<figure style="margin:0"><figcaption style="white-space:pre-line">{label}</figcaption>'
    '<audio controls preload="metadata" aria-label="{label}" style="width:15rem"'
    ' src="data:audio/mpeg;base64,{data}"></audio></figure>'
)
ROW = '<div style="display:flex;flex-wrap:wrap;gap:0.6rem 1.2rem">{players}</div>'


def listen(sounds: Mapping[str, ArrayLike], sample_rate: int = SAMPLE_RATE) -> HTML:
    """Show a player for each sound, with its name above it.

    Nothing is normalised: what is quieter stays quieter. Only where a sound exceeds full scale, all
    of them are turned down by the same factor. MP3 keeps notebooks small (33 kB for 5 s).

    Parameters
    ----------
    sounds : mapping of str to array_like, shape (samples,)
        Mono waveforms by name; full scale is -1 to 1.
    sample_rate : int
        In Hz.

    Returns
    -------
    IPython.display.HTML

    Examples
    --------
    >>> listen({"a second of silence": np.zeros(22050)})
    <IPython.core.display.HTML object>
    """
    waveforms = {name: np.asarray(sound, dtype=np.float32) for name, sound in sounds.items()}
    loudest = max(
        (float(np.abs(sound).max(initial=0.0)) for sound in waveforms.values()), default=0
    )
    gain = 1 / max(loudest, 1.0)
    players = [
        PLAYER.format(
            label=html.escape(name),
            data=base64.b64encode(audio.encode(gain * sound, "mp3", sample_rate)).decode(),
        )
        for name, sound in waveforms.items()
    ]
    return HTML(ROW.format(players="".join(players)))

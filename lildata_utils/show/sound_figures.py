"""Figures of sound: waveforms, spectra, spectrograms and what networks see in them.

A spectrogram is an image (uint8) or decibels below the peak (float, -80 to 0), row 0 at 0 Hz.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from lildata_utils.show.figures import AMOUNTS, BLUE, GREY, OTHER_COLOURS, PIXELS, Picture, plain
from lildata_utils.sound.spectrogram import BIN_HZ, FLOOR_DB, FRAME_S, SAMPLE_RATE, image_to_db

GREYS = matplotlib.colormaps["gray"].resampled(16)
# What is laid over a grey spectrogram: steps, because smooth colours would be lost in the music.
EVIDENCE: dict[str, Any] = {"levels": (0.1, 0.25, 0.5, 0.75, 1.0), "cmap": "plasma", "alpha": 0.5}


def _draw_spectrogram(axes: Axes, picture: np.ndarray) -> AxesImage:
    bins, frames = picture.shape
    # A frame and a bin stand for the space around their centre, hence the half steps. Whatever the
    # length of the window was, the highest bin is half the sample rate.
    step_khz = SAMPLE_RATE / 2000 / (bins - 1)
    left, right = -FRAME_S / 2, (frames - 0.5) * FRAME_S
    extent = (left, right, -step_khz / 2, (bins - 0.5) * step_khz)
    level_db = image_to_db(picture) if picture.dtype == np.uint8 else picture
    scale: dict[str, Any] = {"cmap": AMOUNTS, "vmin": FLOOR_DB, "vmax": 0.0}
    return axes.imshow(level_db, extent=extent, aspect="auto", **scale, **PIXELS)


def spectrogram(picture: np.ndarray, title: str = "") -> Figure:
    """Draw one spectrogram, shape (bins, frames), with its scales (notebook 01)."""
    figure = Picture(height=3.2)
    axes = figure.subplots()
    drawn = _draw_spectrogram(axes, picture)
    axes.set(title=plain(title), xlabel="time (s)", ylabel="frequency (kHz)")
    figure.colorbar(drawn, ax=axes, label="level below the peak (dB)", pad=0.01)
    return figure


def spectrograms(
    pictures: Sequence[np.ndarray] | np.ndarray, titles: Sequence[str], columns: int = 4
) -> Figure:
    """Draw spectrograms, shape (bins, frames), in rows on the same scales (notebook 01)."""
    columns = min(columns, len(pictures))
    return picture_grid(
        len(pictures),
        titles,
        lambda axes, number: _draw_spectrogram(axes, pictures[number]),
        columns,
        row_height=2.1 if columns > 2 else 3.0,
    )


def picture_grid(
    count: int,
    titles: Sequence[str],
    draw: Callable[[Axes, int], AxesImage],
    columns: int,
    row_height: float,
) -> Figure:
    """Lay pictures of clips out in rows, with one scale of levels for all (notebook 01).

    `draw` is called with the axes and the number of each picture.
    """
    rows = -(-count // columns)
    figure = Picture(height=row_height * rows + 0.4)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for number, (axes, title) in enumerate(zip(grid.flat[:count], titles, strict=True)):
        drawn = draw(axes, number)
        axes.set_title(plain(title), fontsize=10)
    for axes in grid.flat[count:]:
        axes.set_visible(False)
    figure.supxlabel("time (s)", fontsize=10)
    figure.supylabel("frequency (kHz)", fontsize=10)
    figure.colorbar(drawn, ax=grid, label="level (dB)", pad=0.01, aspect=30)
    return figure


def waveform(samples: np.ndarray, title: str = "") -> Figure:
    """Draw a waveform, shape (samples,), full scale -1 to 1 (notebook 01).

    A short one (up to 200 samples) shows each sample as a dot.
    """
    figure = Picture(height=2.0)
    axes = figure.subplots()
    few = len(samples) <= 200
    unit, name = (1000.0, "ms") if few else (1.0, "s")
    times = np.arange(len(samples)) / SAMPLE_RATE * unit
    axes.plot(
        times, samples, color=BLUE, linewidth=0.8 if few else 0.4, marker="o" if few else "", ms=3
    )
    axes.set(
        title=plain(title), xlabel=f"time ({name})", ylabel="sample", xlim=(times[0], times[-1])
    )
    axes.axhline(0.0, color=GREY, linewidth=0.5, zorder=0)
    return figure


def window_spectrum(windows: Mapping[str, np.ndarray]) -> Figure:
    """Draw window functions, in ms, and what each makes of a pure tone, in dB (notebook 01)."""
    figure = Picture(height=2.8)
    left, right = figure.subplots(1, 2)
    for (name, window), colour in zip(windows.items(), OTHER_COLOURS, strict=False):
        left.plot(np.arange(len(window)) / SAMPLE_RATE * 1000, window, color=colour, label=name)
        # Zeros behind the window let us look between the bins.
        spectrum = np.abs(np.fft.fftshift(np.fft.fft(window, 32 * len(window))))
        level_db = 20 * np.log10(np.maximum(spectrum / spectrum.max(), 1e-7))
        frequency_hz = np.fft.fftshift(np.fft.fftfreq(len(spectrum), 1 / SAMPLE_RATE))
        near = np.abs(frequency_hz) <= 8.5 * SAMPLE_RATE / len(window)
        right.plot(frequency_hz[near], level_db[near], color=colour, label=name, linewidth=1)
    left.set(xlabel="time (ms)", ylabel="weight", title="window")
    right.set(xlabel="distance from the tone (Hz)", ylabel="level (dB)", title="its spectrum")
    right.set_ylim(-100, 3)
    left.legend(frameon=False, loc="lower center")
    return figure


def spectra(magnitudes: Mapping[str, np.ndarray], up_to_hz: float = SAMPLE_RATE / 2) -> Figure:
    """Draw spectra of single frames over each other, in dB below the largest (notebook 01).

    Magnitudes, shape (bins,), are linear and go from 0 Hz to half the sample rate.
    """
    figure = Picture(height=2.6)
    axes = figure.subplots()
    for (name, magnitude), colour in zip(magnitudes.items(), OTHER_COLOURS, strict=False):
        frequency_hz = np.linspace(0, SAMPLE_RATE / 2, len(magnitude))
        level_db = 20 * np.log10(np.maximum(magnitude / magnitude.max(), 1e-5))
        axes.plot(frequency_hz, level_db, color=colour, linewidth=1, label=name)
    axes.set(xlim=(0, up_to_hz), ylim=(-80, 3), xlabel="frequency (Hz)", ylabel="level (dB)")
    axes.legend(frameon=False, loc="upper right")
    return figure


def receptive_fields(picture: np.ndarray, fields: Sequence[tuple[str, int]]) -> Figure:
    """Draw over a spectrogram how much of it one unit of each layer sees (notebook 02).

    Each field, smallest first, has a name and a side length, in frames and in bins.
    """
    figure = Picture(height=4.2)
    axes = figure.subplots()
    _draw_spectrogram(axes, picture)
    bins, frames = picture.shape
    step_khz = BIN_HZ / 1000
    for place, (name, side) in enumerate(reversed(fields)):
        width, height = min(side, frames) * FRAME_S, min(side, bins) * step_khz
        left, bottom = (frames * FRAME_S - width) / 2, (bins * step_khz - height) / 2
        axes.add_patch(
            Rectangle((left, bottom), width, height, fill=False, edgecolor="white", linewidth=1.6)
        )
        # The names stand outside: the small fields leave no room for theirs.
        axes.annotate(
            f"{name}: {side} frames\n{side * FRAME_S:.2f} s, {side * step_khz:.2f} kHz",
            (left + width, bottom + height * 0.5),
            xytext=(1.015, 0.9 - 0.8 * place / max(len(fields) - 1, 1)),
            textcoords="axes fraction",
            va="center",
            fontsize=9,
            arrowprops={"arrowstyle": "-", "color": "white", "linewidth": 1, "relpos": (0, 0.5)},
        )
    axes.set(xlabel="time (s)", ylabel="frequency (kHz)")
    return figure


def class_activation(picture: np.ndarray, cams: Mapping[str, np.ndarray]) -> Figure:
    """Draw over a grey spectrogram where networks find their evidence (notebook 03).

    Maps, shape (bins, frames), are in [0, 1], such as `grad_cam.grad_cam` makes them.
    """
    figure = Picture(height=3.6 if len(cams) > 1 else 3.2)
    panels = figure.subplots(1, len(cams), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (name, cam) in zip(panels, cams.items(), strict=True):
        below = _draw_spectrogram(axes, picture)
        below.set_cmap(GREYS)
        drawn = axes.contourf(cam, origin="lower", extent=below.get_extent(), **EVIDENCE)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("time (s)")
    panels[0].set_ylabel("frequency (kHz)")
    figure.colorbar(drawn, ax=panels, label="evidence (share of the peak)", pad=0.01)
    return figure

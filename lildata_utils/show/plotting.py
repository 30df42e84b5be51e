"""Figures of the course: arrays in, a matplotlib `Figure` out.

Nothing here uses pyplot, so the same functions work in a notebook, in a worker thread and in a
test. Colours are chosen to be told apart by colour-blind readers and in print: magma, cividis and
viridis for amounts (perceptually uniform) and the palette of Okabe & Ito (2008) for kinds.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import PIL.Image
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from matplotlib.ticker import LogLocator
from numpy.typing import ArrayLike

from lildata_utils.genres import GENRES
from lildata_utils.sound.spectrogram import (
    BIN_HZ,
    CLIP_S,
    FLOOR_DB,
    FRAME_S,
    SAMPLE_RATE,
    image_to_db,
)

DPI = 100
WIDTH = 8.0  # inches: what fits beside a notebook's margin at 100 dots an inch

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE, GREY = "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#8C8C8C"

GENRE_COLOURS = dict(
    zip(GENRES, (VERMILION, SKY, YELLOW, BLACK, ORANGE, BLUE, GREEN, GREY), strict=True)
)
OTHER_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, YELLOW, GREY, BLACK)
SPLIT_COLOURS = {"train": SKY, "validation": ORANGE, "test": PURPLE}
UNUSED_COLOUR = "#DDDDDD"

SLANT = 0.3  # how far a block of a network's drawing leans back

# 32 steps, of 2.5 dB in a spectrogram, keep the files of the figures small.
AMOUNTS = matplotlib.colormaps["magma"].resampled(32)
BOTH_WAYS = matplotlib.colormaps["PuOr_r"].resampled(33)
# What is laid over a grey spectrogram: steps, because smooth colours would be lost in the music.
GREYS = matplotlib.colormaps["gray"].resampled(16)
EVIDENCE = matplotlib.colormaps["plasma"]
EVIDENCE_LEVELS = (0.1, 0.25, 0.5, 0.75, 1.0)


class Picture(Figure):
    """A figure that Jupyter shows without pyplot, with the same dots an inch everywhere."""

    def __init__(self, height: float, width: float = WIDTH) -> None:
        super().__init__(figsize=(width, height), dpi=DPI, layout="constrained")

    def _repr_png_(self) -> bytes:
        return png(self)


def png(figure: Figure, dpi: int = DPI) -> bytes:
    """Draw a figure as the bytes of a PNG file, for an `ipywidgets.Image` or a file.

    The file has a palette of 256 colours: less than half the size, and no difference to the eye.
    """
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(dpi)
    canvas.draw()
    drawn = PIL.Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    buffer = io.BytesIO()
    drawn.quantize(256, dither=PIL.Image.Dither.NONE).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def genre_label(genre: str) -> str:
    """Write a genre's name for readers: ``future_bass`` becomes ``future bass``."""
    return genre.replace("_", " ")


def genre_colours(genres: Sequence[str]) -> list[str]:
    """Give each genre its colour: the same one in every figure for the paper's genres."""
    if all(genre in GENRE_COLOURS for genre in genres):
        return [GENRE_COLOURS[genre] for genre in genres]
    return [OTHER_COLOURS[i % len(OTHER_COLOURS)] for i in range(len(genres))]


# Sound


def _decibels(picture: np.ndarray) -> np.ndarray:
    return image_to_db(picture) if picture.dtype == np.uint8 else picture


def _draw_spectrogram(axes: Axes, picture: np.ndarray, start_s: float = 0.0) -> Any:
    bins, frames = picture.shape
    # A frame and a bin stand for the space around their centre, hence the half steps. Whatever the
    # length of the window was, the highest bin is half the sample rate.
    step_s, step_khz = FRAME_S, SAMPLE_RATE / 2000 / (bins - 1)
    extent = (
        start_s - step_s / 2,
        start_s + (frames - 0.5) * step_s,
        -step_khz / 2,
        (bins - 0.5) * step_khz,
    )
    return axes.imshow(
        _decibels(picture),
        origin="lower",
        aspect="auto",
        extent=extent,
        interpolation_stage="data",  # no colours beside those of the colour map
        cmap=AMOUNTS,
        vmin=FLOOR_DB,
        vmax=0.0,
    )


def spectrogram(picture: np.ndarray, title: str = "", start_s: float = 0.0) -> Figure:
    """Draw one spectrogram with its scales.

    Parameters
    ----------
    picture : ndarray, shape (bins, frames)
        A spectrogram image (uint8), or decibels below the peak (float, -80 to 0).
    title : str
        What is shown.
    start_s : float
        Where the time axis begins.

    Returns
    -------
    Figure
    """
    figure = Picture(height=3.2)
    axes = figure.subplots()
    drawn = _draw_spectrogram(axes, picture, start_s)
    axes.set(title=title, xlabel="time (s)", ylabel="frequency (kHz)")
    figure.colorbar(drawn, ax=axes, label="level below the peak (dB)", pad=0.01)
    return figure


def spectrograms(
    pictures: Sequence[np.ndarray] | np.ndarray, titles: Sequence[str], columns: int = 4
) -> Figure:
    """Draw spectrograms side by side on the same scales.

    Parameters
    ----------
    pictures : sequence of ndarray, shape (bins, frames)
        Spectrogram images (uint8) or decibels (float, -80 to 0).
    titles : sequence of str
        One for each.
    columns : int
        Pictures in a row.

    Returns
    -------
    Figure
    """
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    figure = Picture(height=2.1 * rows + 0.4 if columns > 2 else 3.0 * rows + 0.4)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, picture, title in zip(grid.flat, pictures, titles, strict=False):
        drawn = _draw_spectrogram(axes, picture)
        axes.set_title(title, fontsize=10)
    for axes in grid.flat[len(pictures) :]:
        axes.set_visible(False)
    figure.supxlabel("time (s)", fontsize=10)
    figure.supylabel("frequency (kHz)", fontsize=10)
    figure.colorbar(drawn, ax=grid, label="level (dB)", pad=0.01, aspect=30)
    return figure


def waveform(
    samples: np.ndarray, title: str = "", start_s: float = 0.0, sample_rate: int = SAMPLE_RATE
) -> Figure:
    """Draw a waveform; a short one (up to 200 samples) shows each sample as a dot.

    Parameters
    ----------
    samples : ndarray, shape (n,)
        Full scale is -1 to 1.
    title : str
        What is shown.
    start_s : float
        Time of the first sample.
    sample_rate : int
        In Hz.

    Returns
    -------
    Figure
    """
    figure = Picture(height=2.0)
    axes = figure.subplots()
    few = len(samples) <= 200
    unit, name = (1000.0, "ms") if few else (1.0, "s")
    times = (start_s + np.arange(len(samples)) / sample_rate) * unit
    axes.plot(
        times, samples, color=BLUE, linewidth=0.8 if few else 0.4, marker="o" if few else "", ms=3
    )
    axes.set(title=title, xlabel=f"time ({name})", ylabel="sample", xlim=(times[0], times[-1]))
    axes.axhline(0.0, color=GREY, linewidth=0.5, zorder=0)
    return figure


def window_spectrum(windows: Mapping[str, np.ndarray], sample_rate: int = SAMPLE_RATE) -> Figure:
    """Draw window functions and what each makes of a pure tone.

    Parameters
    ----------
    windows : mapping of str to ndarray
        The windows by name.
    sample_rate : int
        In Hz.

    Returns
    -------
    Figure
        Left the windows over time in ms, right their spectra in dB around 0 Hz.
    """
    figure = Picture(height=2.8)
    left, right = figure.subplots(1, 2)
    for (name, window), colour in zip(windows.items(), OTHER_COLOURS, strict=False):
        left.plot(np.arange(len(window)) / sample_rate * 1000, window, color=colour, label=name)
        # Zeros behind the window let us look between the bins.
        spectrum = np.abs(np.fft.fftshift(np.fft.fft(window, 32 * len(window))))
        level_db = 20 * np.log10(np.maximum(spectrum / spectrum.max(), 1e-7))
        frequency_hz = np.fft.fftshift(np.fft.fftfreq(len(spectrum), 1 / sample_rate))
        near = np.abs(frequency_hz) <= 8.5 * sample_rate / len(window)
        right.plot(frequency_hz[near], level_db[near], color=colour, label=name, linewidth=1)
    left.set(xlabel="time (ms)", ylabel="weight", title="window")
    right.set(xlabel="distance from the tone (Hz)", ylabel="level (dB)", title="its spectrum")
    right.set_ylim(-100, 3)
    left.legend(frameon=False, loc="lower center")
    return figure


def spectra(magnitudes: Mapping[str, np.ndarray], up_to_hz: float = SAMPLE_RATE / 2) -> Figure:
    """Draw spectra of single frames over each other.

    Parameters
    ----------
    magnitudes : mapping of str to ndarray
        For each name the linear magnitudes of a frame, from 0 Hz to half the sample rate.
    up_to_hz : float
        Where the frequency axis ends.

    Returns
    -------
    Figure
        Levels in dB below the largest of each.
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
    """Draw over a spectrogram how much of it one unit of each layer sees.

    Parameters
    ----------
    picture : ndarray, shape (bins, frames)
        A spectrogram image (uint8) or decibels.
    fields : sequence of (str, int)
        Name and side length (in frames and in bins) of each field, smallest first.

    Returns
    -------
    Figure
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
            arrowprops={
                "arrowstyle": "-",
                "color": "white",
                "linewidth": 1,
                "relpos": (0, 0.5),
            },
        )
    axes.set(xlabel="time (s)", ylabel="frequency (kHz)")
    return figure


def class_activation(picture: np.ndarray, cams: Mapping[str, np.ndarray]) -> Figure:
    """Draw over a spectrogram where networks find their evidence, side by side.

    Parameters
    ----------
    picture : ndarray, shape (bins, frames)
        A spectrogram image (uint8) or decibels.
    cams : mapping of str to ndarray, shape (bins, frames)
        For each name a map in [0, 1], such as `grad_cam.grad_cam` makes.

    Returns
    -------
    Figure
        The spectrogram in grey, what the map points to in colour.
    """
    figure = Picture(height=3.6 if len(cams) > 1 else 3.2)
    panels = figure.subplots(1, len(cams), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (name, cam) in zip(panels, cams.items(), strict=True):
        below = _draw_spectrogram(axes, picture)
        below.set_cmap(GREYS)
        drawn = axes.contourf(
            cam,
            levels=EVIDENCE_LEVELS,
            origin="lower",
            extent=below.get_extent(),
            cmap=EVIDENCE,
            alpha=0.5,
        )
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("time (s)")
    panels[0].set_ylabel("frequency (kHz)")
    figure.colorbar(drawn, ax=panels, label="evidence (share of the peak)", pad=0.01)
    return figure


def heatmaps(arrays: Sequence[np.ndarray], titles: Sequence[str], columns: int = 4) -> Figure:
    """Draw arrays as pictures: a network's weights, or what its layers make of a clip.

    Parameters
    ----------
    arrays : sequence of ndarray, shape (rows, columns)
        Row 0 is drawn at the bottom. Arrays with negative values get a diverging colour map with
        white at 0, each on its own scale, which ends at the 99.5th percentile.
    titles : sequence of str
        One for each.
    columns : int
        Pictures in a row.

    Returns
    -------
    Figure
    """
    columns = min(columns, len(arrays))
    rows = -(-len(arrays) // columns)
    figure = Picture(height=(WIDTH / columns + 0.25) * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, array, title in zip(grid.flat, arrays, titles, strict=False):
        # One bright point must not darken all others.
        reach = float(np.percentile(np.abs(array), 99.5)) or 1.0
        signed = array.min() < 0
        axes.imshow(
            array,
            origin="lower",
            interpolation_stage="data",
            cmap=BOTH_WAYS if signed else AMOUNTS,
            vmin=-reach if signed else 0,
            vmax=reach,
        )
        axes.set_title(title, fontsize=10)
    return figure


def lines(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    xlabel: str,
    ylabel: str,
    title: str = "",
    logarithmic: str = "",
) -> Figure:
    """Draw curves over each other, with their names beside them.

    Parameters
    ----------
    curves : mapping of str to (array_like, array_like)
        For each name what goes to the right and what goes up. Few points get dots.
    xlabel, ylabel : str
        With units.
    title : str
        What is shown.
    logarithmic : {"", "x", "y", "xy"}
        Which of the axes are.

    Returns
    -------
    Figure
    """
    figure = Picture(height=3.4)
    axes = figure.subplots()
    for (name, (x, y)), colour in zip(curves.items(), OTHER_COLOURS, strict=False):
        axes.plot(x, y, color=colour, label=name, marker="o" if np.size(x) < 15 else "", ms=4)
    if "y" in logarithmic:
        axes.set_yscale("log")
    if "x" in logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    axes.grid(color=UNUSED_COLOUR, linewidth=0.6)
    figure.legend(loc="outside right center", frameon=False, fontsize=9)
    return figure


def transfer_costs(content: ArrayLike, style: ArrayLike, iterations: int) -> Figure:
    """Draw the costs of a style transfer over its iterations, also while it runs.

    Parameters
    ----------
    content, style : array_like, shape (steps,)
        The two costs, each times its weight (alpha, beta); the first is that of the start. A cost
        of 0 has no place on the logarithmic axis and is left out.
    iterations : int
        Where the axis to the right ends, so that it stays while the curves grow.

    Returns
    -------
    Figure
    """
    figure = Picture(height=2.4, width=6.4)
    # A fixed layout: it takes half the time, and nothing moves from one picture to the next.
    figure.set_layout_engine("none")
    axes = figure.add_axes((0.11, 0.2, 0.59, 0.75))
    curves = {
        "total": (np.add(content, style), BLACK, "-"),
        "beta x style": (np.asarray(style), ORANGE, "--"),
        "alpha x content": (np.asarray(content), BLUE, ":"),
    }
    for name, (cost, colour, line) in curves.items():
        seen = cost > 0
        axes.plot(np.flatnonzero(seen), cost[seen], line, color=colour, label=name, linewidth=2)
    axes.set(xlabel="iteration", ylabel="cost", yscale="log", xlim=(0, max(iterations, 1)))
    axes.grid(color=UNUSED_COLOUR, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="center left", bbox_to_anchor=(0.72, 0.55), frameon=False, fontsize=10)
    return figure


# Data sets


def splits(clips: pd.DataFrame) -> Figure:
    """Draw which split each clip went to: a row a track, time to the right.

    Parameters
    ----------
    clips : DataFrame
        Columns ``genre``, ``artist``, ``track``, ``start_s`` and ``split``, as in ``clips.csv``.

    Returns
    -------
    Figure
    """
    tracks = clips.groupby(["genre", "artist", "track"], sort=True)
    figure = Picture(height=min(0.9 + 0.09 * tracks.ngroups, 6.0))
    axes = figure.subplots()
    genre_rows: dict[str, list[int]] = {}
    for row, (_, rows) in enumerate(tracks):
        genre_rows.setdefault(rows["genre"].iloc[0], []).append(row)
        spans = [(start, CLIP_S * 0.94) for start in rows["start_s"]]
        colours = [SPLIT_COLOURS.get(split, UNUSED_COLOUR) for split in rows["split"]]
        axes.broken_barh(spans, (row - 0.42, 0.84), facecolors=colours)
    axes.set_yticks(
        [float(np.mean(numbers)) for numbers in genre_rows.values()],
        [genre_label(genre) for genre in genre_rows],
    )
    for numbers in list(genre_rows.values())[1:]:
        axes.axhline(numbers[0] - 0.5, color="white", linewidth=3)
        axes.axhline(numbers[0] - 0.5, color=GREY, linewidth=0.5)
    axes.set(xlabel="time in the track (s)", ylabel="a row a track")
    axes.set(xlim=(0, None), ylim=(tracks.ngroups - 0.5, -0.5))
    axes.spines[["top", "right"]].set_visible(False)
    used = [split for split in SPLIT_COLOURS if (clips["split"] == split).any()]
    handles = [Rectangle((0, 0), 1, 1, color=SPLIT_COLOURS[split]) for split in used]
    figure.legend(handles, used, loc="outside upper right", ncols=len(used), frameon=False)
    return figure


# Networks


def network(layers: Sequence[tuple[str, tuple[int, ...]]]) -> Figure:
    """Draw a network as blocks in the order of its layers, like figure 2 of the paper.

    Parameters
    ----------
    layers : sequence of (str, tuple of int)
        Name of each layer and the shape it gives without the batch axis: (height, width, channels)
        is drawn as a block, (units,) as a column. Layers called ``pool...`` get a colour of
        their own.

    Returns
    -------
    Figure
    """
    figure = Picture(height=3.4)
    axes = figure.subplots()
    x = 0.0
    for number, (name, shape) in enumerate(layers):
        # Square roots keep 2 x 2 visible beside 631 x 631.
        tall = 0.28 * np.sqrt(shape[0]) + 0.3
        if len(shape) == 3:
            colour = ORANGE if name.startswith("pool") else SKY
            deep = 0.14 * np.sqrt(shape[2])
            _draw_block(axes, x, tall, deep, UNUSED_COLOUR if number == 0 else colour)
            width = deep + SLANT * tall
            text = f"{shape[0]} x {shape[1]}\nx {shape[2]}"
        else:
            width = 0.3
            axes.add_patch(
                Rectangle((x, -tall / 2), width, tall, facecolor=GREEN, edgecolor="black", lw=0.8)
            )
            text = str(shape[0])
        axes.text(x + width / 2, 4.6, name, ha="left", va="bottom", fontsize=9, rotation=35)
        axes.text(x + width / 2, -4.5, text, ha="center", va="top", fontsize=9)
        x += max(width, 0.85) + 0.55
    axes.set(xlim=(-0.4, x + 0.4), ylim=(-6.2, 6.8))
    axes.set_axis_off()
    return figure


def _draw_block(axes: Axes, x: float, tall: float, deep: float, colour: str) -> None:
    # An upright square seen from the side, with a front face `deep` wide for its channels.
    slant_x, slant_y = SLANT * tall, 0.16 * tall
    bottom = -(tall + slant_y) / 2
    front = [(x, bottom), (x + deep, bottom), (x + deep, bottom + tall), (x, bottom + tall)]
    side = [
        (x + deep, bottom),
        (x + deep + slant_x, bottom + slant_y),
        (x + deep + slant_x, bottom + slant_y + tall),
        (x + deep, bottom + tall),
    ]
    top = [
        (x, bottom + tall),
        (x + deep, bottom + tall),
        (x + deep + slant_x, bottom + tall + slant_y),
        (x + slant_x, bottom + tall + slant_y),
    ]
    for corners, alpha in ((front, 0.6), (side, 1.0), (top, 0.35)):
        axes.add_patch(Polygon(corners, facecolor="white", edgecolor="none"))
        axes.add_patch(Polygon(corners, facecolor=colour, alpha=alpha, edgecolor="none"))
        axes.add_patch(Polygon(corners, fill=False, edgecolor="black", linewidth=0.8))


def loss_curves(history: Mapping[str, Any] | pd.DataFrame, kept: int | None = None) -> Figure:
    """Draw training and validation loss per epoch (figure 3 of the paper) and the accuracy.

    Parameters
    ----------
    history : mapping or DataFrame
        ``loss`` and ``accuracy``, a value an epoch; ``val_loss`` and ``val_accuracy`` if measured.
    kept : int, optional
        The epoch whose weights were kept, counted from 1; a dotted line marks it.

    Returns
    -------
    Figure
        The loss axis is made for the second epoch and later ones; the first may lie above it.
    """
    figure = Picture(height=3.0)
    panels = figure.subplots(1, 2)
    epochs = np.arange(1, len(history["loss"]) + 1)
    for axes, name, label in zip(
        panels, ("loss", "accuracy"), ("cross-entropy (nats)", "accuracy (%)"), strict=True
    ):
        scale = 100.0 if name == "accuracy" else 1.0
        for key, line, colour, text in (
            (name, "-", BLUE, "training"),
            (f"val_{name}", "--", VERMILION, "validation"),
        ):
            if key in history:
                values = np.asarray(history[key], dtype=float) * scale
                axes.plot(epochs, values, line, color=colour, marker="o", ms=3, label=text)
        if kept is not None:
            axes.axvline(kept, color=GREY, linestyle=":", linewidth=1.2, label="kept")
        axes.set(xlabel="epoch", ylabel=label, title=name)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.spines[["top", "right"]].set_visible(False)
    # The first epoch begins with random weights: its mean loss would flatten the curves.
    losses = [
        np.asarray(history[key], dtype=float) for key in ("loss", "val_loss") if key in history
    ]
    panels[0].set_ylim(0, 1.1 * max(values[min(1, len(values) - 1) :].max() for values in losses))
    panels[1].set_ylim(0, 100)
    panels[0].legend(frameon=False)
    return figure


def confusion(counts: Sequence[Sequence[int]] | np.ndarray, genres: Sequence[str]) -> Figure:
    """Draw a confusion matrix: of each true genre, the percentage that was heard as each genre.

    Parameters
    ----------
    counts : array_like, shape (genres, genres)
        Clips by true genre (row) and predicted genre (column).
    genres : sequence of str
        In label order.

    Returns
    -------
    Figure
    """
    figure = Picture(height=1.6 + 0.42 * len(genres), width=2.6 + 0.62 * len(genres))
    axes = figure.subplots()
    drawn = _draw_confusion(axes, np.asarray(counts), genres)
    axes.set(xlabel="predicted", ylabel="true (clips)")
    figure.colorbar(drawn, ax=axes, label="% of the true genre's clips", pad=0.02)
    return figure


def confusions(
    counts: Mapping[str, Sequence[Sequence[int]] | np.ndarray], genres: Sequence[str]
) -> Figure:
    """Draw the confusion matrices of two or three networks side by side, on the same clips.

    Parameters
    ----------
    counts : mapping of str to array_like, shape (genres, genres)
        For each network clips by true genre (row) and predicted genre (column).
    genres : sequence of str
        In label order.

    Returns
    -------
    Figure
    """
    figure = Picture(height=1.4 + 0.3 * len(genres))
    panels = figure.subplots(1, len(counts), sharey=True, squeeze=False)[0]
    for axes, (name, table) in zip(panels, counts.items(), strict=True):
        drawn = _draw_confusion(axes, np.asarray(table), genres)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("predicted")
    panels[0].set_ylabel("true (clips)")
    figure.colorbar(drawn, ax=panels, label="% of the true genre's clips", pad=0.02)
    return figure


def _draw_confusion(axes: Axes, table: np.ndarray, genres: Sequence[str]) -> Any:
    clips = table.sum(axis=1)
    percent = 100 * table / np.maximum(clips, 1)[:, np.newaxis]
    drawn = axes.imshow(percent, cmap="cividis", vmin=0, vmax=100, aspect="auto")
    for (row, column), value in np.ndenumerate(percent):
        if table[row, column]:
            axes.text(
                column,
                row,
                f"{value:.0f}",
                ha="center",
                va="center",
                fontsize=9,
                fontweight="bold" if row == column else "normal",
                color="black" if value > 50 else "white",
            )
    names = [genre_label(genre) for genre in genres]
    axes.set_xticks(range(len(genres)), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(
        range(len(genres)), [f"{name} ({n})" for name, n in zip(names, clips, strict=True)]
    )
    return drawn


def accuracies(
    names: Sequence[str],
    values: Sequence[float],
    intervals: Sequence[tuple[float, float] | None],
    chance: float | None = None,
) -> Figure:
    """Draw accuracies as bars with their 95 % intervals.

    Parameters
    ----------
    names : sequence of str
        What was tested, from top to bottom.
    values : sequence of float
        Accuracies in [0, 1].
    intervals : sequence of (float, float) or None
        Lower and upper ends in [0, 1].
    chance : float, optional
        Where to draw a line for guessing.

    Returns
    -------
    Figure
    """
    figure = Picture(height=0.9 + 0.36 * len(names))
    axes = figure.subplots()
    rows = range(len(names))
    percent = 100 * np.asarray(values)
    axes.barh(rows, percent, color=SKY, height=0.66)
    for row, interval in zip(rows, intervals, strict=True):
        low, high = (percent[row], percent[row]) if interval is None else 100 * np.array(interval)
        axes.plot([low, high], [row, row], color="black", linewidth=1.5, marker="|", ms=7)
        axes.text(max(high, percent[row]) + 1.2, row, f"{percent[row]:.1f} %", va="center")
    if chance is not None:
        axes.axvline(100 * chance, color=VERMILION, linestyle="--", linewidth=1.2)
        axes.annotate(
            "guessing",
            (100 * chance, -0.45),
            xytext=(3, 0),
            textcoords="offset points",
            color=VERMILION,
            fontsize=8,
        )
    axes.set_yticks(rows, names)
    axes.invert_yaxis()
    axes.set(xlim=(0, 112), xlabel="accuracy (%), line: 95 % interval")
    axes.set_xticks(range(0, 101, 20))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def gaps(rows: pd.DataFrame, chance: float | None = None) -> Figure:
    """Draw how far apart a network's accuracies on training, validation and test clips are.

    Parameters
    ----------
    rows : DataFrame
        Columns ``row`` (what was tested), ``train``, ``validation``, ``test``, and ``low`` and
        ``high``, the 95 % interval of the last; all in [0, 1]. What was trained with several seeds
        has several rows of the same name, which are drawn below each other.
    chance : float, optional
        Where to draw a line for guessing.

    Returns
    -------
    Figure
        A bar from the test to the training accuracy is the gap; a thin line the interval.
    """
    groups, names = pd.factorize(rows["row"])
    order = np.argsort(groups, kind="stable")
    heights = 0.8 * np.arange(len(rows)) + 1.1 * groups[order]
    percent = 100 * rows[["train", "validation", "test", "low", "high"]].iloc[order]
    figure = Picture(height=1.1 + 0.22 * len(names) + 0.16 * len(rows))
    axes = figure.subplots()
    axes.hlines(heights, percent["test"], percent["train"], color=UNUSED_COLOUR, linewidth=6)
    axes.hlines(heights, percent["low"], percent["high"], color="black", linewidth=1)
    for split, marker in (("train", "s"), ("validation", "D"), ("test", "o")):
        axes.plot(
            percent[split],
            heights,
            marker,
            color=SPLIT_COLOURS[split],
            markeredgecolor="black",
            markeredgewidth=0.6,
            ms=6,
            label=split,
        )
    if chance is not None:
        axes.axvline(
            100 * chance, color=VERMILION, linestyle="--", linewidth=1.2, zorder=0, label="guessing"
        )
    axes.set_yticks([heights[groups[order] == n].mean() for n in range(len(names))], names)
    axes.set(xlim=(0, 102), ylim=(heights[-1] + 0.9, -0.9))
    axes.set_xlabel("accuracy (%), line: 95 % interval of the test")
    axes.set_xticks(range(0, 101, 20))
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper right", ncols=4, frameon=False, fontsize=9)
    return figure


def genre_over_time(
    probabilities: np.ndarray,
    genres: Sequence[str],
    tracks: Sequence[tuple[float, str]] = (),
    clip_s: float = CLIP_S,
) -> Figure:
    """Draw the genre of a long recording clip by clip.

    Parameters
    ----------
    probabilities : ndarray, shape (clips, genres)
        In [0, 1], rows summing to 1; the clips follow each other without a gap.
    genres : sequence of str
        In label order.
    tracks : sequence of (float, str), optional
        Start in seconds and name of each track of a mix.
    clip_s : float
        Length of a clip in seconds.

    Returns
    -------
    Figure
        The probabilities stacked, and below them a strip with the most probable genre.
    """
    figure = Picture(height=3.6)
    upper, strip = figure.subplots(2, 1, sharex=True, height_ratios=[6, 1])
    edges_s = np.arange(len(probabilities) + 1) * clip_s
    minutes = edges_s[-1] > 180
    unit = 60.0 if minutes else 1.0
    edges = edges_s / unit
    colours = genre_colours(genres)
    winners = probabilities.argmax(axis=1)
    floor = np.zeros(len(probabilities))
    for label, genre in enumerate(genres):
        ceiling = floor + probabilities[:, label]
        upper.stairs(
            ceiling,
            edges,
            baseline=floor,
            fill=True,
            color=colours[label],
            label=genre_label(genre),
        )
        floor = ceiling
        spans = [(edges[i], clip_s / unit) for i in np.flatnonzero(winners == label)]
        strip.broken_barh(spans, (0, 1), facecolors=colours[label])
    for start_s, name in tracks:
        for axes in (upper, strip):
            axes.axvline(start_s / unit, color="white", linewidth=2.5)
            axes.axvline(start_s / unit, color="black", linewidth=1)
        upper.annotate(
            name,
            (start_s / unit, 1.0),
            xytext=(2, 3),
            textcoords="offset points",
            fontsize=8,
            rotation=20,
            annotation_clip=False,
        )
    upper.set(ylim=(0, 1), xlim=(0, edges[-1]), ylabel="probability")
    strip.set(yticks=[], xlabel="time (minutes)" if minutes else "time (s)")
    strip.set_ylabel("verdict", rotation=0, ha="right", va="center")
    handles, names = upper.get_legend_handles_labels()
    # From top to bottom, as the probabilities are stacked.
    figure.legend(handles[::-1], names[::-1], loc="outside right center", frameon=False, fontsize=9)
    return figure

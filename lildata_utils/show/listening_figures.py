"""Figures of listening: mel bands, how sure a network is, and how strange a clip is to it."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from lildata_utils.show.figures import (
    AMOUNTS,
    BLACK,
    GREY,
    OTHER_COLOURS,
    PALE,
    PIXELS,
    SKY,
    VERMILION,
    Picture,
    plain,
)
from lildata_utils.show.sound_figures import picture_grid
from lildata_utils.sound.spectrogram import CLIP_S, FLOOR_DB

SHOWN_HZ = 100, 500, 1000, 2000, 5000
TENTHS = 10


def mel_bands(
    bands: Sequence[np.ndarray] | np.ndarray,
    titles: Sequence[str],
    centres_hz: np.ndarray,
    columns: int = 3,
) -> Figure:
    """Draw clips as the listener takes them, on the same scales (notebook 07).

    Parameters
    ----------
    bands : sequence of ndarray, shape (frames, bands)
        In decibels below the peak.
    titles : sequence of str
        A clip's each.
    centres_hz : ndarray, shape (bands,)
        Where the bands lie, rising.
    columns : int
        Clips in a row, at most.
    """
    ticks = np.interp(SHOWN_HZ, centres_hz, np.arange(len(centres_hz)))

    def draw(axes: Axes, number: int) -> AxesImage:
        picture = np.asarray(bands[number])
        axes.set_yticks(ticks, [f"{hz / 1000:g}" for hz in SHOWN_HZ])
        return axes.imshow(
            picture.T,
            extent=(0.0, CLIP_S, -0.5, picture.shape[1] - 0.5),
            cmap=AMOUNTS,
            vmin=FLOOR_DB,
            vmax=0.0,
            aspect="auto",
            **PIXELS,
        )

    columns = min(columns, len(bands))
    return picture_grid(len(bands), titles, draw, columns, row_height=1.8 if columns > 1 else 2.6)


def reliability(answers: Mapping[str, np.ndarray], labels: np.ndarray) -> Figure:
    """Draw how often answers are right against how sure they are, in tenths (notebook 07).

    On the slanted line an answer means what it says; below it, it is too sure. The grey bars tell
    how many answers lie in a tenth.

    Parameters
    ----------
    answers : mapping of str to ndarray, shape (clips, genres)
        Probabilities, by what gave them; a panel each.
    labels : ndarray of int, shape (clips,)
        The truth.
    """
    figure = Picture(height=3.6)
    panels = figure.subplots(1, len(answers), sharey=True, squeeze=False)[0]
    for axes, (name, probabilities) in zip(panels, answers.items(), strict=True):
        sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
        tenth = np.minimum((sure * TENTHS).astype(int), TENTHS - 1)
        count = np.bincount(tenth, minlength=TENTHS)
        edges = 100 * np.arange(TENTHS + 1) / TENTHS
        axes.stairs(100 * count / len(labels), edges, fill=True, color=PALE, label="all answers")
        axes.plot([0, 100], [0, 100], color=VERMILION, linestyle="--", label="as sure as right")
        used = np.flatnonzero(count)
        shares = [[100 * one[tenth == n].mean() for n in used] for one in (sure, right)]
        axes.plot(*shares, "-o", color=BLACK, ms=4, label="right", clip_on=False)
        axes.set(title=plain(name), xlabel="how sure (%)", xlim=(0, 100), ylim=(0, 100))
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("share of the answers (%)")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper right", ncols=3, frameon=False, fontsize=9)
    return figure


def strangeness(groups: Mapping[str, np.ndarray], single: Mapping[str, float]) -> Figure:
    """Draw how far clips lie from all that a network learned (notebook 07).

    Parameters
    ----------
    groups : mapping of str to ndarray, shape (clips,)
        Strangeness of many clips; above 1 it is "unlike anything it learned".
    single : mapping of str to float
        Of single clips, each a dot with its name.
    """
    figure = Picture(height=1.1 + 0.45 * len(groups) + 0.28 * len(single))
    axes = figure.subplots()
    names = [*groups, *single]
    for row, values in enumerate(groups.values()):
        axes.plot(values, np.full(len(values), row), "|", color=SKY, ms=14, alpha=0.5)
        axes.plot(np.median(values), row, "o", color=BLACK, ms=6)
    for row, (value, colour) in enumerate(
        zip(single.values(), OTHER_COLOURS * len(single), strict=False), len(groups)
    ):
        axes.plot(value, row, "o", color=colour, ms=7)
    axes.axvline(1.0, color=VERMILION, linestyle="--", linewidth=1.2)
    axes.axhline(len(groups) - 0.5, color=GREY, linewidth=0.5)
    axes.set_yticks(range(len(names)), [plain(name) for name in names])
    axes.set(xlabel="strangeness; beyond the line: unlike anything it learned", xlim=(0, None))
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    return figure

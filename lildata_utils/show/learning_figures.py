"""Figures of learning: data sets, networks, how their training went and what they reached."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Polygon, Rectangle
from numpy.typing import ArrayLike

from lildata_utils.genres import genre_label
from lildata_utils.show.figures import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALE,
    PURPLE,
    SKY,
    VERMILION,
    Picture,
    genre_colours,
    plain,
)
from lildata_utils.sound.spectrogram import CLIP_S

SPLIT_COLOURS = {"train": SKY, "validation": ORANGE, "test": PURPLE}
SLANT = 0.3  # how far a block of a network's drawing leans back
GUESSING: dict[str, Any] = {"color": VERMILION, "linestyle": "--", "linewidth": 1.2}
NEAR: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8}
CENTRED: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 9}
EDGED: dict[str, Any] = {"markeredgecolor": "black", "markeredgewidth": 0.6, "ms": 6}

Counts = Sequence[Sequence[int]] | np.ndarray


def splits(clips: pd.DataFrame) -> Figure:
    """Draw which split each clip went to: a row a track, time to the right (notebook 01).

    `clips` has the columns ``genre``, ``artist``, ``track``, ``start_s`` and ``split``.
    """
    tracks = clips.groupby(["genre", "artist", "track"], sort=True)
    figure = Picture(height=min(0.9 + 0.09 * tracks.ngroups, 6.0))
    axes = figure.subplots()
    genre_rows: dict[str, list[int]] = {}
    for row, (_, rows) in enumerate(tracks):
        genre_rows.setdefault(rows["genre"].iloc[0], []).append(row)
        spans = [(start, CLIP_S * 0.94) for start in rows["start_s"]]
        colours = [SPLIT_COLOURS.get(split, PALE) for split in rows["split"]]
        axes.broken_barh(spans, (row - 0.42, 0.84), facecolors=colours)
    axes.set_yticks(
        [float(np.mean(numbers)) for numbers in genre_rows.values()],
        [plain(genre_label(genre)) for genre in genre_rows],
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


def network(layers: Sequence[tuple[str, tuple[int, ...]]]) -> Figure:
    """Draw a network as blocks, like figure 2 of the paper (notebook 02).

    Each layer has a name and the shape it gives, without the batch axis: (height, width, channels)
    is drawn as a block, (units,) as a column. Layers called ``pool...`` get a colour of their own.
    """
    figure = Picture(height=3.4)
    axes = figure.subplots()
    x = 0.0
    for number, (name, shape) in enumerate(layers):
        # Square roots keep 2 x 2 visible beside 631 x 631; long columns end below their names.
        tall = min(0.28 * np.sqrt(shape[0]) + 0.3, 7.5)
        if len(shape) == 3:
            colour = ORANGE if name.startswith("pool") else SKY
            deep = 0.14 * np.sqrt(shape[2])
            _draw_block(axes, x, tall, deep, PALE if number == 0 else colour)
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
    """Draw an upright square seen from the side; its front face is `deep` wide, for channels."""
    back, right, up = np.array([[SLANT * tall, 0.16 * tall], [deep, 0], [0, tall]])
    lower_left = np.array([x, -(tall + back[1]) / 2])
    lower_right, upper_left = lower_left + right, lower_left + up
    upper_right = lower_right + up
    front = [lower_left, lower_right, upper_right, upper_left]
    side = [lower_right, lower_right + back, upper_right + back, upper_right]
    top = [upper_left, upper_right, upper_right + back, upper_left + back]
    for corners, alpha in ((front, 0.6), (side, 1.0), (top, 0.35)):
        axes.add_patch(Polygon(corners, facecolor="white", edgecolor="none"))
        axes.add_patch(Polygon(corners, facecolor=colour, alpha=alpha, edgecolor="none"))
        axes.add_patch(Polygon(corners, fill=False, edgecolor="black", linewidth=0.8))


def loss_curves(history: Mapping[str, Any] | pd.DataFrame, kept: int | None = None) -> Figure:
    """Draw training and validation loss per epoch, as the paper's figure 3 (notebook 02).

    Parameters
    ----------
    history : mapping or DataFrame
        ``loss`` and ``accuracy``, a value an epoch; ``val_loss`` and ``val_accuracy`` if measured.
    kept : int, optional
        The epoch whose weights were kept, counted from 1; a dotted line marks it.
    """
    figure = Picture(height=3.0)
    panels = figure.subplots(1, 2)
    epochs = np.arange(1, len(history["loss"]) + 1)
    labels = {"loss": "cross-entropy (nats)", "accuracy": "accuracy (%)"}
    highest = 0.0
    for axes, (name, label) in zip(panels, labels.items(), strict=True):
        for key, line, colour, text in (
            (name, "-", BLUE, "training"),
            (f"val_{name}", "--", VERMILION, "validation"),
        ):
            if key in history:
                values = np.asarray(history[key], dtype=float)
                if name == "accuracy":
                    values = 100 * values
                else:
                    # The first epoch begins with random weights: its loss would flatten the curves.
                    highest = max(highest, values[min(1, len(values) - 1) :].max())
                axes.plot(epochs, values, line, color=colour, marker="o", ms=3, label=text)
        if kept is not None:
            axes.axvline(kept, color=GREY, linestyle=":", linewidth=1.2, label="kept")
        axes.set(xlabel="epoch", ylabel=label, title=name)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylim(0, 1.1 * highest)
    panels[1].set_ylim(0, 100)
    panels[0].legend(frameon=False)
    return figure


def transfer_costs(content: ArrayLike, style: ArrayLike, iterations: int) -> Figure:
    """Draw the costs of a style transfer over its iterations, also while it runs (notebook 04).

    Parameters
    ----------
    content, style : array_like, shape (steps,)
        The two costs, each times its weight (alpha, beta); the first is that of the start. A cost
        of 0 has no place on the logarithmic axis and is left out.
    iterations : int
        Where the axis to the right ends, so that it stays while the curves grow.
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
    axes.grid(color=PALE, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="center left", bbox_to_anchor=(0.72, 0.55), frameon=False, fontsize=10)
    return figure


def confusion(counts: Counts, genres: Sequence[str]) -> Figure:
    """Draw of each true genre the percentage that was heard as each genre (notebook 02).

    `counts`, shape (genres, genres), are clips by true genre (row) and predicted genre (column).
    """
    figure = Picture(height=1.6 + 0.42 * len(genres), width=2.6 + 0.62 * len(genres))
    axes = figure.subplots()
    drawn = _draw_confusion(axes, np.asarray(counts), genres)
    axes.set(xlabel="predicted", ylabel="true (clips)")
    figure.colorbar(drawn, ax=axes, label="% of the true genre's clips", pad=0.02)
    return figure


def confusions(counts: Mapping[str, Counts], genres: Sequence[str]) -> Figure:
    """Draw the `confusion` of networks on the same clips side by side (notebook 03)."""
    figure = Picture(height=1.4 + 0.3 * len(genres))
    panels = figure.subplots(1, len(counts), sharey=True, squeeze=False)[0]
    for axes, (name, table) in zip(panels, counts.items(), strict=True):
        drawn = _draw_confusion(axes, np.asarray(table), genres)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("predicted")
    panels[0].set_ylabel("true (clips)")
    figure.colorbar(drawn, ax=panels, label="% of the true genre's clips", pad=0.02)
    return figure


def _draw_confusion(axes: Axes, table: np.ndarray, genres: Sequence[str]) -> AxesImage:
    clips = table.sum(axis=1)
    percent = 100 * table / np.maximum(clips, 1)[:, np.newaxis]
    drawn = axes.imshow(percent, cmap="cividis", vmin=0, vmax=100, aspect="auto")
    for (row, column), value in np.ndenumerate(percent):
        if table[row, column]:
            weight = "bold" if row == column else "normal"
            colour = "black" if value > 50 else "white"
            axes.text(column, row, f"{value:.0f}", color=colour, fontweight=weight, **CENTRED)
    names = [plain(genre_label(genre)) for genre in genres]
    axes.set_xticks(range(len(genres)), names, rotation=40, ha="right", rotation_mode="anchor")
    counted = [f"{name} ({n})" for name, n in zip(names, clips, strict=True)]
    axes.set_yticks(range(len(genres)), counted)
    return drawn


def accuracies(
    names: Sequence[str],
    values: Sequence[float],
    intervals: Sequence[tuple[float, float] | None],
    chance: float | None = None,
) -> Figure:
    """Draw accuracies as bars with their 95 % intervals (notebook 02).

    Parameters
    ----------
    names : sequence of str
        What was tested, from top to bottom.
    values, intervals : sequence of float, sequence of (float, float) or None
        Accuracies and the ends of their intervals, in [0, 1].
    chance : float, optional
        What guessing gives, in [0, 1].
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
        axes.axvline(100 * chance, **GUESSING)
        axes.annotate("guessing", (100 * chance, -0.45), (3, 0), color=VERMILION, **NEAR)
    axes.set_yticks(rows, names)
    axes.invert_yaxis()
    axes.set(xlim=(0, 112), xlabel="accuracy (%), line: 95 % interval")
    axes.set_xticks(range(0, 101, 20))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def gaps(rows: pd.DataFrame, chance: float | None = None) -> Figure:
    """Draw how far apart accuracies on training, validation and test clips are (notebook 03).

    A bar from the test to the training accuracy is the gap; a thin line is the interval.

    Parameters
    ----------
    rows : DataFrame
        Columns ``row`` (what was tested), ``train``, ``validation``, ``test``, and ``low`` and
        ``high``, the 95 % interval of the last; all in [0, 1]. Rows of the same name, such as
        several seeds, are drawn below each other.
    chance : float, optional
        What guessing gives, in [0, 1].
    """
    groups, names = pd.factorize(rows["row"])
    order = np.argsort(groups, kind="stable")
    heights = 0.8 * np.arange(len(rows)) + 1.1 * groups[order]
    percent = 100 * rows[["train", "validation", "test", "low", "high"]].iloc[order]
    figure = Picture(height=1.1 + 0.22 * len(names) + 0.16 * len(rows))
    axes = figure.subplots()
    axes.hlines(heights, percent["test"], percent["train"], color=PALE, linewidth=6)
    axes.hlines(heights, percent["low"], percent["high"], color="black", linewidth=1)
    for (split, colour), marker in zip(SPLIT_COLOURS.items(), "sDo", strict=True):
        axes.plot(percent[split], heights, marker, color=colour, label=split, **EDGED)
    if chance is not None:
        axes.axvline(100 * chance, zorder=0, label="guessing", **GUESSING)
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
    strange: np.ndarray | None = None,
) -> Figure:
    """Draw the probable genres of a long recording clip by clip, and the verdict (notebook 00).

    Parameters
    ----------
    probabilities : ndarray, shape (clips, genres)
        In [0, 1], rows summing to 1; the clips follow each other without a gap.
    genres : sequence of str
        In label order.
    tracks : sequence of (float, str), optional
        Start in seconds and name of each track of a mix.
    strange : ndarray of bool, shape (clips,), optional
        Where a clip is unlike anything that was learned: no verdict.
    """
    figure = Picture(height=3.6)
    upper, strip = figure.subplots(2, 1, sharex=True, height_ratios=[6, 1])
    edges_s = np.arange(len(probabilities) + 1) * CLIP_S
    unit, words = (60.0, "time (minutes)") if edges_s[-1] > 180 else (1.0, "time (s)")
    edges = edges_s / unit
    winners = probabilities.argmax(axis=1)
    floor = np.zeros(len(probabilities))
    for label, (genre, colour) in enumerate(zip(genres, genre_colours(genres), strict=True)):
        top = floor + probabilities[:, label]
        name = plain(genre_label(genre))
        upper.stairs(top, edges, baseline=floor, fill=True, color=colour, label=name)
        floor = top
        spans = [(edges[i], CLIP_S / unit) for i in np.flatnonzero(winners == label)]
        strip.broken_barh(spans, (0, 1), facecolors=colour)
    if strange is not None and strange.any():
        spans = [(edges[i], CLIP_S / unit) for i in np.flatnonzero(strange)]
        strip.broken_barh(spans, (0, 1), facecolors="white", edgecolor=GREY, hatch="///")
        upper.bar(0, 0, facecolor="white", edgecolor=GREY, hatch="///", label="unlike all these")
    for start_s, name in tracks:
        for axes in (upper, strip):
            axes.axvline(start_s / unit, color="white", linewidth=2.5)
            axes.axvline(start_s / unit, color="black", linewidth=1)
        at = (start_s / unit, 1.0)
        upper.annotate(plain(name), at, (2, 3), rotation=20, annotation_clip=False, **NEAR)
    upper.set(ylim=(0, 1), xlim=(0, edges[-1]), ylabel="probability")
    strip.set(yticks=[], xlabel=words)
    strip.set_ylabel("verdict", rotation=0, ha="right", va="center")
    handles, names = upper.get_legend_handles_labels()
    # From top to bottom, as the probabilities are stacked.
    figure.legend(handles[::-1], names[::-1], loc="outside right center", frameon=False, fontsize=9)
    return figure

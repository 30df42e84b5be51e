"""Figures of the course: arrays in, a matplotlib `Figure` out; here what all figures share.

Nothing here uses pyplot, so the same functions work in a notebook, in a worker thread and in a
test. Colours are chosen to be told apart by colour-blind readers and in print: magma, cividis and
viridis for amounts (perceptually uniform) and the palette of Okabe & Ito (2008) for kinds.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import PIL.Image
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from numpy.typing import ArrayLike

from lildata_utils.genres import GENRES

DPI = 100
LONGEST_NAME = 100
WIDTH = 8.0  # inches: what fits beside a notebook's margin at 100 dots an inch

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE, GREY = "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#8C8C8C"
PALE = "#DDDDDD"

GENRE_COLOURS = dict(
    zip(GENRES, (VERMILION, SKY, YELLOW, BLACK, ORANGE, BLUE, GREEN, GREY), strict=True)
)
OTHER_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, YELLOW, GREY, BLACK)

# 32 steps, of 2.5 dB in a spectrogram, keep the files of the figures small.
AMOUNTS = matplotlib.colormaps["magma"].resampled(32)
BOTH_WAYS = matplotlib.colormaps["PuOr_r"].resampled(33)
# Row 0 at the bottom, and no colours beside those of the colour map.
PIXELS: dict[str, Any] = {"origin": "lower", "interpolation_stage": "data"}


class Picture(Figure):
    """A figure that Jupyter shows without pyplot, the same size everywhere (notebook 00)."""

    def __init__(self, height: float, width: float = WIDTH) -> None:
        super().__init__(figsize=(width, height), dpi=DPI, layout="constrained")

    def _repr_png_(self) -> bytes:
        return png(self)


def png(figure: Figure, dpi: int = DPI) -> bytes:
    """Draw a figure as the bytes of a PNG file, for a widget or a file (notebook 04).

    The file has a palette of 256 colours: less than half the size, and no difference to the eye.
    """
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(dpi)
    canvas.draw()
    drawn = PIL.Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    buffer = io.BytesIO()
    drawn.quantize(256, dither=PIL.Image.Dither.NONE).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def plain(name: str) -> str:
    r"""Write a name so that a figure shows it as it is: no formula, no long line (notebook 00).

    Examples
    --------
    >>> print(plain("A$AP"))
    A\$AP
    """
    short = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    shown = (sign if sign.isprintable() or sign == "\n" else "?" for sign in short)
    return "".join(shown).replace("$", r"\$")


def genre_colours(genres: Sequence[str]) -> list[str]:
    """Give each genre its colour: always the same for the paper's genres (notebook 00)."""
    if all(genre in GENRE_COLOURS for genre in genres):
        return [GENRE_COLOURS[genre] for genre in genres]
    return [OTHER_COLOURS[i % len(OTHER_COLOURS)] for i in range(len(genres))]


def heatmaps(arrays: Sequence[np.ndarray], titles: Sequence[str], columns: int = 4) -> Figure:
    """Draw arrays as pictures: weights, or what layers make of a clip (notebook 02).

    Row 0 is drawn at the bottom. Each array has its own scale, which ends at the 99.5th percentile;
    where there are negative values, it diverges from white at 0.
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
        low, colours = (-reach, BOTH_WAYS) if array.min() < 0 else (0.0, AMOUNTS)
        axes.imshow(array, cmap=colours, vmin=low, vmax=reach, **PIXELS)
        axes.set_title(title, fontsize=10)
    return figure


def lines(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    xlabel: str,
    ylabel: str,
    title: str = "",
    logarithmic: str = "",
) -> Figure:
    """Draw curves over each other, with their names beside them (notebook 06).

    Each curve is what goes to the right and what goes up; few points get dots. `logarithmic` names
    the axes that are: ``"x"``, ``"y"`` or ``"xy"``.
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
    axes.grid(color=PALE, linewidth=0.6)
    figure.legend(loc="outside right center", frameon=False, fontsize=9)
    return figure

import io
import subprocess
import sys

import numpy as np
import pandas as pd
import PIL.Image
import pytest
from matplotlib.figure import Figure

from lildata_utils.genres import GENRES
from lildata_utils.show import figures, learning_figures, listening_figures, sound_figures

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (631, 631), dtype=np.uint8)
CLIPS = pd.DataFrame(
    [
        (genre, "someone", f"song {track}", 5.0 * clip, split)
        for genre in GENRES
        for track, split in enumerate(("train", "validation", "test"))
        for clip in range(4)
    ],
    columns=["genre", "artist", "track", "start_s", "split"],
)
HISTORY = {
    "loss": [2.0, 1.0, 0.5],
    "val_loss": [1.9, 1.2, 1.4],
    "accuracy": [0.2, 0.5, 0.9],
    "val_accuracy": [0.3, 0.5, 0.6],
}
PROBABILITIES = RNG.dirichlet(np.ones(8), 50)
ROWS = pd.DataFrame(
    [("small", 0.8, 0.7, 0.6), ("large", 1.0, 0.5, 0.4), ("small", 0.9, 0.7, 0.65)],
    columns=["row", "train", "validation", "test"],
).assign(low=lambda rows: rows["test"] - 0.1, high=lambda rows: rows["test"] + 0.1)
CAM = np.linspace(0, 1, 631 * 631).reshape(631, 631)

FIGURES = {
    "spectrogram": lambda: sound_figures.spectrogram(IMAGE, "a clip"),
    "spectrograms": lambda: sound_figures.spectrograms([IMAGE] * 5, list("abcde")),
    "waveform": lambda: sound_figures.waveform(RNG.normal(size=22050)),
    "window_spectrum": lambda: sound_figures.window_spectrum({"Hann": np.hanning(1260)}),
    "spectra": lambda: sound_figures.spectra({"a": np.arange(1.0, 632.0)}, up_to_hz=2000),
    "receptive_fields": lambda: sound_figures.receptive_fields(
        IMAGE, [("conv1", 3), ("conv4", 234)]
    ),
    "heatmaps": lambda: figures.heatmaps([IMAGE, RNG.normal(size=(39, 39))], ["a", "b"]),
    "class_activation": lambda: sound_figures.class_activation(IMAGE, {"a": CAM, "b": CAM.T}),
    "splits": lambda: learning_figures.splits(CLIPS),
    "network": lambda: learning_figures.network([("input", (631, 631, 1)), ("dense", (48,))]),
    "loss_curves": lambda: learning_figures.loss_curves(HISTORY),
    "transfer_costs": lambda: learning_figures.transfer_costs([0.0, 2.0], [9.0, 5.0], 10),
    "confusion": lambda: learning_figures.confusion(np.diag(range(8)), GENRES),
    "confusions": lambda: learning_figures.confusions(
        {"a": np.eye(8), "b": np.ones((8, 8))}, GENRES
    ),
    "gaps": lambda: learning_figures.gaps(ROWS, chance=0.125),
    "accuracies": lambda: learning_figures.accuracies(
        ["a", "b"], [0.5, 0.8], [None, (0.7, 0.9)], 0.125
    ),
    "genre_over_time": lambda: learning_figures.genre_over_time(
        PROBABILITIES, GENRES, [(0.0, "One")]
    ),
    "mel_bands": lambda: listening_figures.mel_bands(
        [RNG.uniform(-80, 0, (157, 96))] * 4, list("abcd"), np.geomspace(40, 10_000, 96)
    ),
    "reliability": lambda: listening_figures.reliability(
        {"before": PROBABILITIES, "after": PROBABILITIES}, RNG.integers(8, size=50)
    ),
    "strangeness": lambda: listening_figures.strangeness(
        {"genres": RNG.uniform(0.3, 1.1, 50)}, {"a siren": 2.5}
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_small_pngs_that_jupyter_can_show(name):
    figure = FIGURES[name]()
    assert isinstance(figure, Figure)
    shown = figure._repr_png_()
    picture = PIL.Image.open(io.BytesIO(shown))
    assert picture.width <= 820
    # Random pixels are the worst case for a PNG; a spectrogram of music takes half of this.
    assert len(shown) < 300_000
    assert len(np.unique(np.asarray(picture.convert("L")))) > 10, "the picture is not empty"


def test_pixels_lie_at_their_time_and_frequency():
    tone_from_the_middle = np.zeros((631, 631), np.uint8)
    tone_from_the_middle[100, 315:] = 255  # 1750 Hz from 2.5 s on
    axes = sound_figures.spectrogram(tone_from_the_middle).axes[0]
    left, right, bottom, top = axes.images[0].get_extent()
    assert bottom + (100 + 0.5) * (top - bottom) / 631 == pytest.approx(1.75)
    assert left + (315 + 0.5) * (right - left) / 631 == pytest.approx(2.5)


def test_axis_ends_at_half_the_sample_rate_for_any_window():
    for bins in (127, 631, 3151):
        axes = sound_figures.spectrograms([np.zeros((bins, 40))], ["a"]).axes[0]
        _, _, bottom, top = axes.images[0].get_extent()
        half_a_bin = (top - bottom) / bins / 2
        assert (bottom + half_a_bin, top - half_a_bin) == pytest.approx((0, 11.025))


def test_images_and_decibels_give_the_same_picture():
    image = IMAGE[:, :50]
    decibels = image / 255 * 80.0 - 80.0
    from_image = sound_figures.spectrogram(image).axes[0].images[0].get_array()
    from_decibels = sound_figures.spectrogram(decibels).axes[0].images[0].get_array()
    np.testing.assert_allclose(from_image, from_decibels, atol=1e-4)


def test_reliability_is_the_share_that_is_right_of_answers_as_sure():
    probabilities = np.array([[0.9, 0.1]] * 4 + [[0.45, 0.55]] * 2)
    axes = listening_figures.reliability({"a": probabilities}, np.array([0, 0, 0, 1, 0, 1])).axes[0]
    np.testing.assert_allclose(axes.lines[-1].get_xydata(), [[55, 50], [90, 75]])


def test_mel_bands_lie_at_their_time_and_frequency():
    bands = np.full((157, 96), -80.0)
    bands[78:, 40] = 0.0
    centres = np.linspace(0, 9600, 97)[1:]  # 100 Hz apart, from 100 Hz on
    axes = listening_figures.mel_bands([bands], ["a"], centres).axes[0]
    left, right, bottom, top = axes.images[0].get_extent()
    assert (left, right, bottom, top) == (0, 5, -0.5, 95.5)
    assert axes.images[0].get_array()[40, 100] == 0
    np.testing.assert_allclose(axes.get_yticks(), [0, 4, 9, 19, 49])


def test_confusion_shows_percent_of_the_true_genre():
    axes = learning_figures.confusion([[3, 1], [0, 2]], ["future_bass", "noise"]).axes[0]
    assert [text.get_text() for text in axes.texts] == ["75", "25", "100"]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "future bass (4)",
        "noise (2)",
    ]


def test_confusions_are_each_the_confusion_of_its_network():
    tables = {"first": [[3, 1], [0, 2]], "second": [[0, 4], [1, 1]]}
    *panels, _ = learning_figures.confusions(tables, ["lofi", "noise"]).axes
    for axes, (name, table) in zip(panels, tables.items(), strict=True):
        alone = learning_figures.confusion(table, ["lofi", "noise"]).axes[0]
        assert axes.get_title() == name
        assert [t.get_text() for t in axes.texts] == [t.get_text() for t in alone.texts]


def test_a_gap_reaches_from_the_test_to_the_training_accuracy():
    axes = learning_figures.gaps(ROWS).axes[0]
    gap, interval = axes.collections
    # Seeds of one name are neighbours, whatever is between them in the table.
    ends = [segment[:, 0].tolist() for segment in gap.get_segments()]
    np.testing.assert_allclose(ends, [[60, 80], [65, 90], [40, 100]])
    ends = [segment[:, 0].tolist() for segment in interval.get_segments()]
    np.testing.assert_allclose(ends, [[50, 70], [55, 75], [30, 50]])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["small", "large"]
    first, second, other = axes.lines[0].get_ydata()
    assert list(axes.get_yticks()) == [(first + second) / 2, other]


def test_evidence_is_drawn_over_what_it_points_to():
    cam = np.zeros((631, 631))
    cam[100:201, 300:401] = 1  # 1.75 to 3.5 kHz, 2.4 to 3.2 s
    evidence = sound_figures.class_activation(IMAGE, {"a": cam}).axes[0].collections[0]
    corners = np.concatenate([path.vertices for path in evidence.get_paths() if len(path)])
    np.testing.assert_allclose(corners.min(0), [300 * 175 / 22050, 1.75], atol=0.02)
    np.testing.assert_allclose(corners.max(0), [400 * 175 / 22050, 3.5], atol=0.02)


def test_a_network_without_evidence_has_an_empty_map():
    axes = sound_figures.class_activation(IMAGE, {"a": np.zeros((631, 631))}).axes[0]
    assert not any(len(path.vertices) for path in axes.collections[0].get_paths())


def test_loss_curves_mark_the_kept_epoch_and_do_without_validation():
    axes = learning_figures.loss_curves(HISTORY, kept=2).axes[0]
    assert [line.get_label() for line in axes.lines] == ["training", "validation", "kept"]
    assert list(axes.lines[-1].get_xdata()) == [2, 2]
    without = {name: HISTORY[name] for name in ("loss", "accuracy")}
    assert [line.get_label() for line in learning_figures.loss_curves(without).axes[0].lines] == [
        "training"
    ]


def test_costs_of_a_transfer_grow_within_axes_that_stay():
    for content, style in (([], []), ([0.0, 2.0, 1.0], [9.0, 5.0, 4.0])):
        axes = learning_figures.transfer_costs(content, style, iterations=100).axes[0]
        assert axes.get_xlim() == (0, 100)
        curves = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert curves["total"] == [[0, 9], [1, 7], [2, 5]]
    assert curves["alpha x content"] == [[1, 2], [2, 1]]  # 0 has no place on this axis


def test_genres_keep_their_colours_in_a_selection():
    assert figures.genre_colours(["house"])[0] == figures.genre_colours(GENRES)[6]
    assert len(set(figures.genre_colours(GENRES))) == len(GENRES)
    assert len(set(figures.genre_colours(["metal", "ambient", "house"]))) == 3


def test_strip_shows_the_most_probable_genre():
    probabilities = np.array([[0.7, 0.3], [0.4, 0.6], [0.2, 0.8]])
    _, strip = learning_figures.genre_over_time(probabilities, ["house", "lofi"]).axes
    house, lofi = strip.collections
    assert len(house.get_paths()) == 1
    assert len(lofi.get_paths()) == 2


def test_no_pyplot():
    modules = "lildata_utils.show.learning_figures, lildata_utils.show.sound_figures"
    code = f"import sys, {modules}; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_title_is_no_formula_and_no_long_line():
    tracks = [(0.0, "$x_{"), (5.0, "a$b$c \x1b \udcff" + "long " * 500)]
    figure = learning_figures.genre_over_time(np.full((2, 2), 0.5), ["k$s", "h$m"], tracks)
    assert len(figures.png(figure)) > 1000

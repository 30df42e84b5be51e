"""What decides a transfer. Light: the command line and the panel are made from it."""

from dataclasses import dataclass

from lildata_utils.genres import MUSIC
from lildata_utils.settings import PLACES, SEEDS, Range, Settings, setting

# Costs of 1e20 and more still fit into float32.
WEIGHTS = Range(least=0, below=1e12)
STARTS = ("content", "style", "noise")
# Where the phases of the result's sound start: at the content's own, or at a guess from the picture
# alone, which is all that the paper had.
PHASES = ("content", "picture")


@dataclass(frozen=True)
class Preset:
    """A column of the paper's supplementary table (notebook 04)."""

    title: str  # The network's name for readers
    style_layers: tuple[str, ...]  # Layers whose Gram matrices are the style
    content_layer: str  # Layer whose features are the content
    # Weights of the content cost and of the style cost.
    alpha: float
    beta: float
    # Iterations of the paper's two pictures.
    early_stop: int
    full: int
    style_weights: tuple[float, ...] = (0.3, 0.4, 0.2, 0.1)  # The lambda of each style layer

    @property
    def layers(self) -> tuple[str, ...]:
        """Every layer that is needed, once."""
        return tuple(dict.fromkeys((*self.style_layers, self.content_layer)))


LIL_DATA, VGG19 = "lil_data", "vgg19"
PRESETS = {
    LIL_DATA: Preset(
        "Lil Data", ("conv1", "conv2", "conv3", "conv4"), "conv4", 50.0, 500.0, 100, 500
    ),
    VGG19: Preset(
        "VGG-19",
        ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1"),
        "block5_conv1",
        100.0,
        1000.0,
        10,
        100,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Painting(Settings):
    """How a picture is painted (notebook 04)."""

    alpha: float | None = setting(
        None, "weight of the content (default: the paper's)", range=WEIGHTS
    )
    beta: float | None = setting(None, "weight of the style (default: the paper's)", range=WEIGHTS)
    iterations: int | None = setting(
        None,
        "how many (default: the paper's early stop)",
        range=Range(least=0, most=1_000_000),
        metavar="N",
    )
    # Chosen with Lil Data on three pairs of clips, among 0.5 to 20: with 2, the paper's 100
    # iterations lower the total cost to 3 % or less, and its 500 go on. The picture has changed
    # visibly after 10, and keeps its lines after 500. With 1 it takes twice as many; with 5 the
    # lines fray, and with 10 and more they turn into speckles.
    step_size: float = setting(
        2.0,
        "what a pixel moves at first, in grey levels (of 255)",
        range=Range(above=0, most=255),
        metavar="R",
    )
    start: str = setting("content", "first picture", choices=STARTS)
    seed: int = setting(0, "of noise and of random weights", range=SEEDS, metavar="N")


@dataclass(frozen=True, kw_only=True)
class Transfer(Painting):
    """All that decides the result of a transfer from sound to sound (notebook 04).

    `content` and `style` are audio files (or names of clips, where a notebook made them); `network`
    is ``lil_data``, ``vgg19``, or the folder of a run.
    """

    content: str
    style: str
    content_start_s: float = setting(
        0.0,
        "where the content's 5 s begin",
        range=PLACES,
        metavar="S",
        option="content-start",
    )
    style_start_s: float = setting(
        0.0,
        "where the style's 5 s begin",
        range=PLACES,
        metavar="S",
        option="style-start",
    )
    network: str = setting(LIL_DATA, "lil_data, vgg19, or the folder of a run", metavar="NAME")
    weights: str | None = setting(
        None, "a file for VGG-19 (default: ImageNet's, if they can be had)", metavar="FILE"
    )
    phase: str = setting("content", "where the sound's phases begin", choices=PHASES)


@dataclass(frozen=True, kw_only=True)
class Playing(Settings):
    """How a song is played again by a band of the crate (notebook 09)."""

    to: str | None = setting(
        None, "hear the score of CONTENT and let this genre's band play it", choices=MUSIC
    )
    stays: float = setting(
        0.0,
        "how much of the content's own harmonic part stays, 0 to 1",
        range=Range(least=0, most=1),
        metavar="R",
    )
    artist: int | None = setting(
        None,
        "number of the genre's artist (default: one who is typical)",
        range=Range(least=0, most=100_000),
        metavar="N",
    )
    seed: int = setting(0, "of what is drawn", range=SEEDS, metavar="N")

"""What can be chosen about a training. Light: the command line reads it before TensorFlow."""

from dataclasses import dataclass

from lildata_utils.settings import SEEDS, Range, Settings, setting


@dataclass(frozen=True)
class Training(Settings):
    """How a network is trained, whichever it is (notebook 02)."""

    epochs: int | None = setting(
        None,
        "in all, with those done already (default: the recipe's)",
        range=Range(least=1, most=1_000_000),
        metavar="N",
    )
    batch_size: int = setting(32, "clips in a step", range=Range(least=1, most=65_536), metavar="N")
    learning_rate: float | None = setting(
        None,
        "of the optimizer (default: the recipe's)",
        range=Range(above=0, most=100),
        metavar="R",
    )
    seed: int = setting(0, "of the first weights, the order of clips and the dropout", range=SEEDS)

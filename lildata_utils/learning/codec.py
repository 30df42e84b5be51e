"""How an autoencoder with a codebook learns: what is there, then how it looks (notebook 08)."""

from typing import Any

import numpy as np

from lildata_utils.backend import keras, tf
from lildata_utils.learning.recipes import warm_cosine
from lildata_utils.learning.songbook import Songbook
from lildata_utils.networks import codebook
from lildata_utils.networks.codec import HALF, Codec
from lildata_utils.networks.critic import Critic

BATCH = 8
COLUMNS = 320  # Five seconds
RATE, CRITIC_RATE = 1e-3, 3e-4
# The share of the steps after which the critic joins, and what its opinion counts.
ALONE = 0.4
PICTURE, OPINION, SEEN = 5.0, 0.5, 2.0
FLUX = 0.5
SIDES = (1, 2, 4, 8)
# Of so many clips some codes of each step are kept from the decoder: the first ones learn to tell
# what matters most.
COARSE = 0.25
AVERAGING = 0.995


def picture_loss(drawn: Any, real: Any) -> Any:
    """Compare pictures, and how they change over time, at several resolutions (notebook 08).

    The mean absolute error, plus half of that of the flux, of pictures averaged over squares of 1,
    2, 4 and 8 columns and bands. Pictures are in [-1, 1], shape (clips, columns, bands).
    """
    error = (drawn - real)[..., None]
    loss = 0.0
    for side in SIDES:
        coarse = tf.nn.avg_pool2d(error, side, side, "VALID") if side > 1 else error
        flux = coarse[:, 1:] - coarse[:, :-1]
        loss += tf.reduce_mean(tf.abs(coarse)) + FLUX * tf.reduce_mean(tf.abs(flux))
    return loss / len(SIDES)


class CodecLearner:
    """An autoencoder, its critic, and their optimizers (notebook 08)."""

    def __init__(self, codec: Codec, songbook: Songbook, steps: int, seed: int = 0) -> None:
        self.codec, self.songbook, self.seed = codec, songbook, seed
        self.critic = Critic(seed)
        self.alone = int(ALONE * steps)
        self.optimizer = keras.optimizers.Adam(
            warm_cosine(RATE, steps), global_clipnorm=1.0, use_ema=True, ema_momentum=AVERAGING
        )
        self.critics = keras.optimizers.Adam(CRITIC_RATE, beta_1=0.5, beta_2=0.9)
        self.optimizer.build(codec.trainable_variables)
        self.critics.build(self.critic.trainable_variables)
        self._steps = {joined: tf.function(self._make(joined)) for joined in (False, True)}

    @property
    def state(self) -> list[Any]:
        """All variables."""
        networks = [*self.codec.variables, *self.critic.variables]
        return [*networks, *self.optimizer.variables, *self.critics.variables]

    def step(self, number: int) -> dict[str, float]:
        """Learn from eight stretches of five seconds."""
        rng = np.random.default_rng((self.seed, number))
        pictures, _ = self.songbook.stretches(BATCH, COLUMNS, rng)
        tokens = self.codec.settings.tokens
        some = rng.integers(1, tokens + 1, size=BATCH)
        kept = np.where(rng.random(BATCH) < COARSE, some, tokens)
        mask = (np.arange(tokens) < kept[:, None]).astype(np.float32)
        figures = self._steps[number > self.alone](tf.constant(pictures), tf.constant(mask))
        return {name: float(value) for name, value in figures.items()}

    def averaged(self) -> None:
        """Put the running means of the weights in their place, at the end."""
        self.optimizer.finalize_variable_values(self.codec.trainable_variables)

    def _make(self, joined: bool) -> Any:
        def step(pictures: Any, kept: Any) -> dict[str, Any]:
            real = tf.cast(pictures, tf.float32) / HALF - 1
            with tf.GradientTape(persistent=joined) as tape:
                numbers = codebook.straight_through(self.codec.numbers(pictures))
                drawn = self.codec.draw(numbers * kept[:, None, :, None])
                loss = figure = picture_loss(drawn, real)
                figures = {"picture": figure}
                if joined:
                    of_real, seen_real = self.critic(real)
                    of_drawn, seen_drawn = self.critic(drawn)
                    of_copy, _ = self.critic(tf.stop_gradient(drawn))
                    seen = tf.add_n(
                        [
                            tf.reduce_mean(tf.abs(tf.stop_gradient(one) - other))
                            for one, other in zip(seen_real, seen_drawn, strict=True)
                        ]
                    )
                    opinion = -tf.reduce_mean(of_drawn)
                    loss = PICTURE * figure + OPINION * opinion + SEEN * seen
                    # Hinge (Lim & Ye 2017, arXiv:1705.02894): what is told apart needs no more.
                    hinge = tf.reduce_mean(tf.nn.relu(1 - of_real) + tf.nn.relu(1 + of_copy))
                    figures |= {"opinion": opinion, "seen": seen, "critic": hinge}
            weights = self.codec.trainable_variables
            self.optimizer.apply(tape.gradient(loss, weights), weights)
            if joined:
                weights = self.critic.trainable_variables
                self.critics.apply(tape.gradient(hinge, weights), weights)
            return figures

        return step

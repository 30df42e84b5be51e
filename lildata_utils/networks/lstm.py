"""Stacked LSTMs that draw a spectrogram, frame after frame, from its first one (notebook 05).

A frame is a column of an image divided by 255: 631 numbers in [0, 1]. The paper's network takes one
frame and returns the 630 that follow it. "One to many" can be read in three ways; all are here:

``fed_back``
    Each output is the next input, as in Performance RNN, from which the paper sets out. The course
    takes it for the paper's: only so does the network hear what it has played.
``repeated``
    The first frame is the input of all 630 steps.
``zeros``
    The first frame, then 629 frames of silence.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from lildata_utils.backend import keras, tf
from lildata_utils.networks.settings import LSTMSettings
from lildata_utils.sound.spectrogram import N_BINS, Image

# A Gaussian narrower than this share of a component's spread would pay for single frames only.
SMALLEST_SD = 0.05


class PrincipalComponents(keras.layers.Layer):
    """Frames as a few numbers, `rank`: coordinates where they vary most (notebook 05)."""

    def __init__(self, rank: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mean = self._weight("mean", (N_BINS,))
        self.encoder = self._weight("encoder", (N_BINS, rank))
        self.decoder = self._weight("decoder", (rank, N_BINS))
        self.built = True

    def _weight(self, name: str, shape: tuple[int, ...]) -> Any:
        return self.add_weight(shape, "zeros", trainable=False, name=name)

    def adapt(self, batches: Iterable[Image]) -> None:
        """Find the components of all frames of images of uint8, shape (clips, 631, frames)."""
        sums, products, frames = np.zeros(N_BINS), np.zeros((N_BINS, N_BINS)), 0
        for images in batches:
            rows = images.swapaxes(1, 2).reshape(-1, N_BINS).astype(np.float32) / 255
            sums += rows.sum(axis=0, dtype=float)
            products += rows.T @ rows
            frames += len(rows)
        mean = sums / frames
        variances, vectors = np.linalg.eigh(products / frames - np.outer(mean, mean))
        rank = self.encoder.shape[1]
        largest = vectors[:, ::-1][:, :rank]
        # A spread of 1 each; what never varies stays as it is.
        spread = np.sqrt(np.maximum(variances[::-1][:rank], 1e-8))
        self.mean.assign(mean)
        self.encoder.assign(largest / spread)
        self.decoder.assign((largest * spread).T)

    def encode(self, frames: Any) -> Any:
        """Turn frames, shape (..., 631), into codes, shape (..., rank), of spread 1."""
        return tf.tensordot(frames - self.mean, self.encoder, 1)

    def decode(self, codes: Any) -> Any:
        """Turn codes, shape (..., rank), into frames, shape (..., 631)."""
        return tf.tensordot(codes, self.decoder, 1) + self.mean


class Mixture:
    """Outputs read as a mixture of Gaussians (Bishop 1994; Graves 2013; notebook 05).

    Squared error can only draw the mean of what may follow. A mixture says what may follow and how
    likely it is, and one of the possibilities is drawn. The outputs, shape (..., parts * (1 + 2 *
    size)), are logits of the parts' weights, their means, and the logarithms of their spreads.
    """

    def __init__(self, outputs: Any, parts: int, size: int) -> None:
        self.logits, means, spreads = tf.split(outputs, self.sizes(parts, size), -1)
        shape = tf.concat([tf.shape(outputs)[:-1], [parts, size]], 0)
        self.means = tf.reshape(means, shape)
        self.log_spreads = tf.maximum(tf.reshape(spreads, shape), np.log(SMALLEST_SD))

    @staticmethod
    def sizes(parts: int, size: int) -> list[int]:
        """Tell how many of the outputs are logits, means and spreads."""
        return [parts, parts * size, parts * size]

    def nats(self, codes: Any) -> Any:
        """Compute the negative log-likelihood a number, in nats, shape (...)."""
        distances = (codes[..., None, :] - self.means) * tf.exp(-self.log_spreads)
        of_parts = -tf.reduce_mean(0.5 * distances**2 + self.log_spreads, axis=-1)
        size = tf.cast(tf.shape(codes)[-1], tf.float32)
        weights = tf.nn.log_softmax(self.logits)
        # The parts' weights count once a frame, the Gaussians once a number.
        total = tf.reduce_logsumexp(weights + size * of_parts, axis=-1) / size
        return 0.5 * np.log(2 * np.pi) - total

    def mean(self) -> Any:
        """Compute the mean code, shape (..., size)."""
        return tf.reduce_sum(tf.nn.softmax(self.logits)[..., None] * self.means, axis=-2)

    def draw(self, seed: Any, temperature: Any) -> Any:
        """Draw codes, shape (..., size); a temperature of 0 takes the likeliest part's mean."""
        # From one and the same seed the part and the place in it would depend on each other.
        for_part, for_place = tf.unstack(tf.random.split(seed))
        uniform = tf.random.stateless_uniform(tf.shape(self.logits), for_part, minval=1e-7)
        part = tf.argmax(self.logits - temperature * tf.math.log(-tf.math.log(uniform)), axis=-1)
        means = tf.gather(self.means, part, batch_dims=1)
        spreads = tf.exp(tf.gather(self.log_spreads, part, batch_dims=1))
        normal = tf.random.stateless_normal(tf.shape(means), for_place)
        return means + tf.sqrt(temperature) * spreads * normal


@keras.saving.register_keras_serializable("lildata")
class SpectrogramLSTM(keras.Model):
    """A stack of LSTMs with a linear output, from frames to those that follow (notebook 05).

    `build_lstm` explains the settings. The variables are those of Keras' LSTM and Dense layers, and
    so are the numbers; the loop over time is written out, because outputs must be fed back, and
    because XLA makes a fast one of it.
    """

    def __init__(self, settings: LSTMSettings, seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.settings, self.seed = settings, seed
        units, rank, mixtures = settings.units, settings.rank, settings.mixtures
        self.code_size = rank or N_BINS
        rng = np.random.default_rng(seed)
        self.cells = [
            keras.layers.LSTMCell(
                units,
                kernel_initializer=keras.initializers.GlorotUniform(int(rng.integers(2**31))),
                recurrent_initializer=keras.initializers.Orthogonal(seed=int(rng.integers(2**31))),
                name=f"lstm{number}",
            )
            for number in range(1, settings.layers + 1)
        ]
        for cell, inputs in zip(
            self.cells, [self.code_size, *[units] * (settings.layers - 1)], strict=True
        ):
            cell.build((None, inputs))
        self.head = keras.layers.Dense(
            sum(Mixture.sizes(mixtures, self.code_size)) if mixtures else self.code_size,
            kernel_initializer=keras.initializers.GlorotUniform(int(rng.integers(2**31))),
            name="frame",
        )
        self.head.build((None, units))
        self.basis = PrincipalComponents(rank, name="basis") if rank else None
        self.random = keras.random.SeedGenerator(seed)
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Return what is needed to make the network again."""
        return {**super().get_config(), **asdict(self.settings), "seed": self.seed}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "SpectrogramLSTM":
        """Make the network again."""
        settings = LSTMSettings.made_of(config)
        rest = {name: value for name, value in config.items() if not hasattr(settings, name)}
        return cls(settings, **rest)

    def encode(self, frames: Any) -> Any:
        """Turn frames, shape (..., 631), into what the LSTMs work on: themselves, or codes."""
        return self.basis.encode(frames) if self.basis else frames

    def decode(self, codes: Any) -> Any:
        """Undo `encode`."""
        return self.basis.decode(codes) if self.basis else codes

    def call(self, frames: Any, training: bool = False) -> Any:
        """Predict the frame after each of the given ones, all of which the network sees.

        Frames are float32 in [0, 1], shape (clips, frames, 631), and so, about, is the result; of a
        mixture the mean. `training`, which Keras passes, makes no difference.
        """
        codes = self.encode(tf.transpose(frames, (1, 0, 2)))
        outputs = self.read_out(self.run(self.gates(codes)), codes)
        return tf.transpose(self.decode(self.mean(outputs)), (1, 0, 2))

    def losses_of(self, images: Any, training: bool) -> Any:
        """Compute a loss a clip, shape (clips,), over the frames after the first.

        The mean squared error of frames in [0, 1]; of a mixture the negative log-likelihood a
        number of the code, in nats. Images are uint8, shape (clips, 631, frames); `training` adds
        the noise.
        """
        # Turned around as bytes, time first: cheaper than as floats, and the loop wants it so.
        frames = tf.cast(tf.transpose(images, (2, 0, 1)), tf.float32) / 255
        codes = self.encode(frames)
        heard = codes[:-1]
        if training and self.settings.noise:
            # The same noise for all clips of a batch: numbers for each would take ten times as long
            # as all the rest. The first frame stays as it is.
            shape = (tf.shape(heard)[0] - 1, 1, self.code_size)
            noise = self.settings.noise * keras.random.normal(shape, seed=self.random)
            heard += tf.pad(noise, [[1, 0], [0, 0], [0, 0]])
        outputs = self.read_out(self._listen(heard), heard)
        if self.settings.mixtures:
            errors = Mixture(outputs, self.settings.mixtures, self.code_size).nats(codes[1:])
        else:
            errors = tf.reduce_mean((self.decode(outputs) - frames[1:]) ** 2, axis=-1)
        return tf.reduce_mean(errors, axis=0)

    def _listen(self, codes: Any) -> Any:
        """Run over a clip's codes as training does; hidden states, shape (steps, clips, units)."""
        steps, clips = tf.shape(codes)[0], tf.shape(codes)[1]
        if self.settings.reading == "repeated":
            return self.run(tf.repeat(self.gates(codes[:1]), steps, axis=0))
        if self.settings.reading == "zeros":
            silence = self.encode(tf.zeros((steps - 1, clips, N_BINS)))
            return self.run(self.gates(tf.concat([codes[:1], silence], axis=0)))
        if self.settings.truth == 1:
            return self.run(self.gates(codes))
        # The first input is always true.
        drawn = keras.random.uniform((steps - 1, clips, 1), seed=self.random)
        own = tf.pad(tf.cast(drawn >= self.settings.truth, tf.float32), [[1, 0], [0, 0], [0, 0]])
        if self.settings.truth:
            return self.run((1 - own) * self.gates(codes), own)
        first = tf.pad(self.gates(codes[:1]), [[0, steps - 1], [0, 0], [0, 0]])
        return self.run(first, own)

    def gates(self, codes: Any) -> Any:
        """Multiply codes, shape (..., size), with the first layer's kernel, for all four gates."""
        return tf.tensordot(codes, self.cells[0].kernel, 1) + self.cells[0].bias

    def run(self, gates: Any, own: Any = None) -> Any:
        """Run the stack over time from silence; hidden states, shape (steps, clips, units).

        Parameters
        ----------
        gates : tf.Tensor of float32, shape (steps, clips, 4 * units)
            What the inputs send to the first layer. For all steps at once this is one large matrix
            product instead of many small ones.
        own : tf.Tensor of float32, shape (steps, clips, 1), optional
            1 where the input is the network's own last output (and `gates` is 0), 0 where not.
        """
        steps = tf.shape(gates)[0]
        advance = self.stepper()
        if own is not None:
            # From the last hidden state through the output to the gates is one linear map, so the
            # loop never has to draw the 631 bins.
            kernel = tf.matmul(self.head.kernel, self.cells[0].kernel)
            gates += own * self.gates(self.head.bias)

        def step(number: Any, states: Any, hidden: Any) -> Any:
            of_input = gates[number]
            if own is not None:
                of_input += tf.matmul(own[number] * states[-1][0], kernel)
            states = advance(of_input, states)
            return number + 1, states, hidden.write(number, states[-1][0])

        hidden = tf.TensorArray(tf.float32, steps, element_shape=(None, self.head.kernel.shape[0]))
        _, _, hidden = tf.while_loop(
            lambda number, *_: number < steps,
            step,
            (0, self.silence(tf.shape(gates)[1]), hidden),
            maximum_iterations=steps,
        )
        return hidden.stack()

    def silence(self, clips: Any) -> Any:
        """Give the states before the first frame: (hidden, cell) a layer, all zero."""
        zeros = tf.zeros((clips, self.head.kernel.shape[0]))
        return tuple((zeros, zeros) for _ in self.cells)

    def stepper(self) -> Any:
        """Make the function ``advance(gates, states)`` for one step of all layers."""
        recurrent = tf.convert_to_tensor(self.cells[0].recurrent_kernel)
        # The layers above: one product with what comes from below and what comes from before.
        above = [tf.concat([cell.kernel, cell.recurrent_kernel], 0) for cell in self.cells[1:]]
        biases = [tf.convert_to_tensor(cell.bias) for cell in self.cells[1:]]

        def advance(gates: Any, states: Any) -> Any:
            after = [lstm_cell(gates + tf.matmul(states[0][0], recurrent), states[0][1])]
            for (hidden, cell), kernel, bias in zip(states[1:], above, biases, strict=True):
                both = tf.concat([after[-1][0], hidden], axis=-1)
                after.append(lstm_cell(tf.matmul(both, kernel) + bias, cell))
            return tuple(after)

        return advance

    def read_out(self, hidden: Any, codes: Any) -> Any:
        """Apply the last, dense layer to hidden states of any leading shape.

        With a skip the codes that were the input are added to the outputs, or to the means in them.
        """
        outputs = tf.tensordot(hidden, self.head.kernel, 1) + self.head.bias
        if not self.settings.skip:
            return outputs
        if not self.settings.mixtures:
            return outputs + codes
        logits, means, spreads = tf.split(
            outputs, Mixture.sizes(self.settings.mixtures, self.code_size), -1
        )
        return tf.concat(
            [logits, means + tf.concat([codes] * self.settings.mixtures, -1), spreads], -1
        )

    def mean(self, outputs: Any) -> Any:
        """Read codes off the outputs: the same, or the mean of the mixture they stand for."""
        if not self.settings.mixtures:
            return outputs
        return Mixture(outputs, self.settings.mixtures, self.code_size).mean()


def lstm_cell(gates: Any, cell: Any) -> tuple[Any, Any]:
    """Do one step of an LSTM cell (Hochreiter & Schmidhuber 1997; Gers et al. 2000; notebook 05).

    `gates`, shape (clips, 4 * units), are input gate, forget gate, candidate and output gate: sums
    of inputs and last hidden state; `cell` is what the cell holds. Returns what it shows, and what
    it holds now, both of shape (clips, units).
    """
    take, keep, candidate, show = tf.split(gates, 4, axis=-1)
    cell = tf.sigmoid(keep) * cell + tf.sigmoid(take) * tf.tanh(candidate)
    return tf.sigmoid(show) * tf.tanh(cell), cell


def build_lstm(settings: LSTMSettings = LSTMSettings(), seed: int = 0) -> Any:
    """Build the paper's generator: LSTMs of 50 units and a linear output of 631 bins (notebook 05).

    With 2, 3 and 4 layers, as in the paper, there are 188 781, 208 981 and 229 181 parameters. The
    Keras model goes from frames, shape (clips, frames, 631), to the next ones; `seed` is that of
    the first weights, the noise and the sampling. Some settings need words:

    ``truth``
        How ``fed_back`` is trained: 1 is teacher forcing (Williams & Zipser 1989), 0 trains as it
        is used, running free; between is scheduled sampling (Bengio et al. 2015) with a constant
        probability. The other readings always train as they are used.
    ``noise``
        0.1 is 8 dB on frames; codes have a spread of 1.
    ``skip``
        The frame goes past the units, of which there are too few to carry it (He et al. 2016).
    """
    return SpectrogramLSTM(settings, seed, name="spectrogram_lstm")

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

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lildata_utils.backend import keras, tf
from lildata_utils.clips.dataset import Dataset
from lildata_utils.errors import LilDataError
from lildata_utils.learning.training import Network
from lildata_utils.sound.spectrogram import N_BINS, N_FRAMES, Floats, Image

LAYERS = 3
UNITS = 50
READINGS = ("fed_back", "repeated", "zeros")
# Of 0.001, 0.003 and 0.01 the one that learned two clips best in 240 steps.
LEARNING_RATE = 3e-3
# Gradients that come back through 630 steps can be huge for a moment (Pascanu et al. 2013).
CLIP_NORM = 1.0
# A Gaussian narrower than this share of a component's spread would pay for single frames only.
SMALLEST_SD = 0.05
COVARIANCE_CLIPS = 32


class PrincipalComponents(keras.layers.Layer):
    """Frames as a few numbers: coordinates along the directions in which they vary most.

    Parameters
    ----------
    rank : int
        How many numbers.
    """

    def __init__(self, rank: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mean = self._weight("mean", (N_BINS,))
        self.encoder = self._weight("encoder", (N_BINS, rank))
        self.decoder = self._weight("decoder", (rank, N_BINS))
        self.built = True

    def _weight(self, name: str, shape: tuple[int, ...]) -> Any:
        return self.add_weight(shape, "zeros", trainable=False, name=name)

    def adapt(self, train: Dataset) -> None:
        """Find the components of all frames of the training clips.

        Parameters
        ----------
        train : Dataset
            Its frames' means and covariances are added up batch by batch.
        """
        sums, products, frames = np.zeros(N_BINS), np.zeros((N_BINS, N_BINS)), 0
        for images, _ in train.batches(COVARIANCE_CLIPS):
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
    """Outputs of a network read as a mixture of Gaussians (Bishop 1994; Graves 2013).

    Squared error can only draw the mean of what may follow. A mixture says what may follow and how
    likely it is, and one of the possibilities is drawn.

    Parameters
    ----------
    outputs : tf.Tensor of float32, shape (..., parts * (1 + 2 * size))
        Logits of the parts' weights, their means, and the logarithms of their spreads.
    parts, size : int
        Gaussians, and numbers in a code.
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
    """A stack of LSTMs with a linear output, from frames to the frames that follow them.

    `build_lstm` explains and checks the arguments. The variables are those of Keras' LSTM and
    Dense layers, and so are the numbers; the loop over time is written out, because outputs must
    be fed back, and because XLA makes a fast one of it.
    """

    def __init__(
        self,
        layers: int,
        units: int,
        reading: str,
        truth: float,
        noise: float,
        rank: int,
        mixtures: int,
        skip: bool,
        seed: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.reading, self.truth, self.noise = reading, truth, noise
        self.rank, self.mixtures, self.skip = rank, mixtures, skip
        self.config = {
            "layers": layers,
            "units": units,
            "reading": reading,
            "truth": truth,
            "noise": noise,
            "rank": rank,
            "mixtures": mixtures,
            "skip": skip,
            "seed": seed,
        }
        self.code_size = rank or N_BINS
        rng = np.random.default_rng(seed)
        self.cells = [
            keras.layers.LSTMCell(
                units,
                kernel_initializer=keras.initializers.GlorotUniform(int(rng.integers(2**31))),
                recurrent_initializer=keras.initializers.Orthogonal(seed=int(rng.integers(2**31))),
                name=f"lstm{number}",
            )
            for number in range(1, layers + 1)
        ]
        for cell, inputs in zip(self.cells, [self.code_size, *[units] * (layers - 1)], strict=True):
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
        return {**super().get_config(), **self.config}

    def encode(self, frames: Any) -> Any:
        """Turn frames, shape (..., 631), into what the LSTMs work on: themselves, or codes."""
        return self.basis.encode(frames) if self.basis else frames

    def decode(self, codes: Any) -> Any:
        """Undo `encode`."""
        return self.basis.decode(codes) if self.basis else codes

    def call(self, frames: Any, training: bool = False) -> Any:
        """Predict the frame after each of the given ones, all of which the network sees.

        Parameters
        ----------
        frames : tf.Tensor of float32, shape (clips, frames, 631)
            In [0, 1].
        training : bool
            Makes no difference; Keras passes it.

        Returns
        -------
        tf.Tensor of float32, shape (clips, frames, 631)
            About in [0, 1]; of a mixture the mean.
        """
        codes = self.encode(tf.transpose(frames, (1, 0, 2)))
        outputs = self.read_out(self.run(self.gates(codes)), codes)
        return tf.transpose(self.decode(self.mean(outputs)), (1, 0, 2))

    def losses_of(self, images: Any, training: bool) -> Any:
        """Compute a loss a clip over the frames after the first.

        Parameters
        ----------
        images : tf.Tensor of uint8, shape (clips, 631, frames)
            Spectrograms.
        training : bool
            Whether noise is added to the inputs.

        Returns
        -------
        tf.Tensor of float32, shape (clips,)
            Mean squared error of frames in [0, 1]; of a mixture the negative log-likelihood a
            number of the code, in nats.
        """
        # Turned around as bytes, time first: cheaper than as floats, and the loop wants it so.
        frames = tf.cast(tf.transpose(images, (2, 0, 1)), tf.float32) / 255
        codes = self.encode(frames)
        heard = codes[:-1]
        if training and self.noise:
            # The same noise for all clips of a batch: numbers for each would take ten times as long
            # as all the rest. The first frame stays as it is.
            shape = (tf.shape(heard)[0] - 1, 1, self.code_size)
            noise = self.noise * keras.random.normal(shape, seed=self.random)
            heard += tf.pad(noise, [[1, 0], [0, 0], [0, 0]])
        outputs = self.read_out(self._listen(heard), heard)
        if self.mixtures:
            errors = Mixture(outputs, self.mixtures, self.code_size).nats(codes[1:])
        else:
            errors = tf.reduce_mean((self.decode(outputs) - frames[1:]) ** 2, axis=-1)
        return tf.reduce_mean(errors, axis=0)

    def _listen(self, codes: Any) -> Any:
        """Run over a clip's codes as training does; hidden states, shape (steps, clips, units)."""
        steps, clips = tf.shape(codes)[0], tf.shape(codes)[1]
        if self.reading == "repeated":
            return self.run(tf.repeat(self.gates(codes[:1]), steps, axis=0))
        if self.reading == "zeros":
            silence = self.encode(tf.zeros((steps - 1, clips, N_BINS)))
            return self.run(self.gates(tf.concat([codes[:1], silence], axis=0)))
        if self.truth == 1:
            return self.run(self.gates(codes))
        # The first input is always true.
        drawn = keras.random.uniform((steps - 1, clips, 1), seed=self.random)
        own = tf.pad(tf.cast(drawn >= self.truth, tf.float32), [[1, 0], [0, 0], [0, 0]])
        if self.truth:
            return self.run((1 - own) * self.gates(codes), own)
        first = tf.pad(self.gates(codes[:1]), [[0, steps - 1], [0, 0], [0, 0]])
        return self.run(first, own)

    def gates(self, codes: Any) -> Any:
        """Multiply codes, shape (..., size), with the first layer's kernel, for all four gates."""
        return tf.tensordot(codes, self.cells[0].kernel, 1) + self.cells[0].bias

    def run(self, gates: Any, own: Any = None) -> Any:
        """Run the stack over time from silence.

        Parameters
        ----------
        gates : tf.Tensor of float32, shape (steps, clips, 4 * units)
            What the inputs send to the first layer. For all steps at once this is one large matrix
            product instead of many small ones.
        own : tf.Tensor of float32, shape (steps, clips, 1), optional
            1 where the input is the network's own last output (and `gates` is 0), 0 where not.

        Returns
        -------
        tf.Tensor of float32, shape (steps, clips, units)
            Hidden states of the last layer.
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
        if not self.skip:
            return outputs
        if not self.mixtures:
            return outputs + codes
        logits, means, spreads = tf.split(outputs, Mixture.sizes(self.mixtures, self.code_size), -1)
        return tf.concat([logits, means + tf.concat([codes] * self.mixtures, -1), spreads], -1)

    def mean(self, outputs: Any) -> Any:
        """Read codes off the outputs: the same, or the mean of the mixture they stand for."""
        if not self.mixtures:
            return outputs
        return Mixture(outputs, self.mixtures, self.code_size).mean()


def lstm_cell(gates: Any, cell: Any) -> tuple[Any, Any]:
    """Do what one LSTM cell does in one step (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

    Parameters
    ----------
    gates : tf.Tensor of float32, shape (clips, 4 * units)
        Input gate, forget gate, candidate, output gate: sums of inputs and last hidden state.
    cell : tf.Tensor of float32, shape (clips, units)
        What the cell holds.

    Returns
    -------
    hidden, cell : tf.Tensor of float32, shape (clips, units)
        What it shows, and what it holds now.
    """
    take, keep, candidate, show = tf.split(gates, 4, axis=-1)
    cell = tf.sigmoid(keep) * cell + tf.sigmoid(take) * tf.tanh(candidate)
    return tf.sigmoid(show) * tf.tanh(cell), cell


def build_lstm(
    n_genres: int = 1,
    layers: int = LAYERS,
    units: int = UNITS,
    reading: str = "fed_back",
    truth: float = 1.0,
    noise: float = 0.0,
    rank: int = 0,
    mixtures: int = 0,
    skip: bool = False,
    seed: int = 0,
) -> Any:
    """Build the paper's generator: a stack of LSTMs of 50 units and a linear output of 631 bins.

    Parameters
    ----------
    n_genres : int
        Unused: the network learns what it is given. (Every `Network` is built with it.)
    layers, units : int
        The paper's: 2 to 4 layers of 50 units. With 2, 3 and 4 there are 188 781, 208 981 and
        229 181 parameters.
    reading : {"fed_back", "repeated", "zeros"}
        What the input is after the first frame.
    truth : float
        Training of ``fed_back``: the probability with which a step's input is the clip's true frame
        and not the network's own last output. 1 is teacher forcing (Williams & Zipser 1989), 0
        trains as it is used, running free; between is scheduled sampling (Bengio et al. 2015) with
        a constant probability. The other readings always train as they are used.
    noise : float
        Standard deviation of the noise on true frames while training (0.1 is 8 dB), or on codes,
        whose spread is 1.
    rank : int
        0 to work on frames; otherwise on that many principal components of the training frames.
    mixtures : int
        0 for squared error; otherwise the Gaussians of a mixture (see `Mixture`). Needs `rank`, and
        a `truth` of 1: what is drawn by lot has no gradient.
    skip : bool
        Whether the network draws the change from the last frame and not the frame itself: the frame
        goes past the units, of which there are too few to carry it (as in He et al. 2016). Needs
        ``fed_back`` and a `truth` of 1.
    seed : int
        Of the first weights, the noise and the sampling.

    Returns
    -------
    SpectrogramLSTM
        From frames, shape (clips, frames, 631), to the next ones. A Keras model: it is saved and
        loaded as such.

    Raises
    ------
    LilDataError
        If an argument is out of range, or does not go with another one.

    Examples
    --------
    >>> build_lstm(layers=2).count_params()
    188781
    """
    for name, value, least in (("layers", layers, 1), ("units", units, 1), ("noise", noise, 0)):
        if value < least:
            raise LilDataError(f"{name} must be at least {least}, got {value}")
    if reading not in READINGS:
        raise LilDataError(f"reading {reading!r} is unknown: expected one of {', '.join(READINGS)}")
    if not 0 <= truth <= 1:
        raise LilDataError(f"truth is a probability, from 0 to 1, got {truth}")
    if noise and not (truth and reading == "fed_back"):
        raise LilDataError("noise is added to true frames: it needs fed_back and a truth above 0")
    if not 0 <= rank <= N_BINS:
        raise LilDataError(f"rank must be from 0 to {N_BINS}, got {rank}")
    if mixtures < 0 or (mixtures and not (rank and truth == 1)):
        raise LilDataError(f"mixtures={mixtures}: a mixture needs a rank, and truth=1")
    if skip and not (reading == "fed_back" and truth == 1):
        raise LilDataError("a skip needs fed_back, and truth=1")
    return SpectrogramLSTM(
        layers, units, reading, truth, noise, rank, mixtures, skip, seed, name="spectrogram_lstm"
    )


def frame_measure(network: Any, images: Any, labels: Any, training: bool) -> dict[str, Any]:
    """Loss of a network that draws frames; see `SpectrogramLSTM.losses_of`.

    Parameters
    ----------
    network : SpectrogramLSTM
    images : tf.Tensor of uint8, shape (clips, 631, 631)
        Spectrograms.
    labels : tf.Tensor of int64, shape (clips,)
        Unused: it learns from the pictures alone.
    training : bool
        Whether noise is added.

    Returns
    -------
    dict of str to tf.Tensor of float32, shape (clips,)
        ``loss``.
    """
    return {"loss": network.losses_of(images, training)}


def adapt(model: Any, train: Dataset) -> None:
    """Take the principal components from the training clips, if the network works on them."""
    if model.basis is not None:
        model.basis.adapt(train)


LSTM = Network(
    "lstm",
    build_lstm,
    {
        "layers": LAYERS,
        "units": UNITS,
        "reading": "fed_back",
        "truth": 1.0,
        "noise": 0.0,
        "rank": 0,
        "mixtures": 0,
        "skip": False,
    },
    measure=frame_measure,
    learning_rate=LEARNING_RATE,
    clip_norm=CLIP_NORM,
    adapt=adapt,
    xla=True,
)


def follow(
    model: Any,
    first_frames: ArrayLike,
    n_frames: int = N_FRAMES - 1,
    *,
    temperature: float = 1.0,
    seed: int = 0,
) -> Floats:
    """Let a network draw what follows a frame, as it is: what it draws is not held to [0, 1].

    Parameters
    ----------
    model : SpectrogramLSTM
    first_frames : array_like, shape (clips, 631)
        In [0, 1].
    n_frames : int
        How many.
    temperature : float
        Of a mixture: 0 for the likeliest, 1 for what was learned. Others draw nothing by lot.
    seed : int
        Of what is drawn by lot.

    Returns
    -------
    ndarray of float32, shape (clips, 631, n_frames)

    Raises
    ------
    LilDataError
        If the frames have another shape, or `n_frames` or `temperature` is out of range.
    """
    frames = np.asarray(first_frames, dtype=np.float32)
    if frames.ndim != 2 or frames.shape[1] != N_BINS:
        raise LilDataError(f"first frames of shape {frames.shape}; expected (clips, {N_BINS})")
    if n_frames < 1 or temperature < 0:
        raise LilDataError(
            f"{n_frames} frames at temperature {temperature}: expected 1 or more, and 0 or more"
        )
    following: Floats = _follow(
        model, frames, tf.constant(n_frames), tf.constant(float(temperature)), tf.constant(seed)
    ).numpy()
    return following.transpose(1, 2, 0)


def generate(
    model: Any,
    first_frames: ArrayLike,
    n_frames: int = N_FRAMES - 1,
    *,
    temperature: float = 1.0,
    seed: int = 0,
) -> Image:
    """Draw spectrograms from their first frames.

    Parameters
    ----------
    model : SpectrogramLSTM
        From `build_lstm`, or ``load_run(folder).model``.
    first_frames : array_like of uint8, shape (clips, 631)
        First columns of images.
    n_frames, temperature, seed
        As for `follow`.

    Returns
    -------
    ndarray of uint8, shape (clips, 631, 1 + n_frames)
        The first frames and what follows.

    Raises
    ------
    LilDataError
        As `follow` does.

    Examples
    --------
    >>> generate(build_lstm(), np.zeros((2, 631), np.uint8)).shape
    (2, 631, 631)
    """
    first = np.asarray(first_frames)
    following = follow(model, first / 255, n_frames, temperature=temperature, seed=seed)
    drawn = np.clip(np.rint(255 * following), 0, 255).astype(np.uint8)
    return np.concatenate([first.astype(np.uint8)[..., None], drawn], axis=2)


@tf.function(autograph=False)
def _follow(model: Any, first: Any, n_frames: Any, temperature: Any, seed: Any) -> Any:
    """Draw frame after frame, shape (n_frames, clips, 631), in one loop that keeps the states."""
    first = model.encode(first)
    first = tf.ensure_shape(first, (None, model.code_size))
    later = {"repeated": first, "zeros": tf.zeros_like(first) + model.encode(tf.zeros((1, N_BINS)))}
    advance = model.stepper()

    def step(number: Any, code: Any, states: Any, drawn: Any) -> Any:
        states = advance(model.gates(code), states)
        outputs = model.read_out(states[-1][0], code)
        if model.mixtures:
            mixture = Mixture(outputs, model.mixtures, model.code_size)
            outputs = mixture.draw(tf.stack([seed, number]), temperature)
        return number + 1, later.get(model.reading, outputs), states, drawn.write(number, outputs)

    drawn = tf.TensorArray(tf.float32, n_frames, element_shape=(None, model.code_size))
    *_, drawn = tf.while_loop(
        lambda number, *_: number < n_frames,
        step,
        (0, first, model.silence(tf.shape(first)[0]), drawn),
    )
    return model.decode(drawn.stack())

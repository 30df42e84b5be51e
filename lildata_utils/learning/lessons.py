"""A listener learns all that the crate knows of its music, before it learns anybody's genres.

Genre, artist, tempo, key, parts, drums and notes at once (multi-task learning, Caruana 1997):
features that tell all of that are of use for music that the crate never made. Notebook 07 says what
it is worth.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from lildata_utils.backend import keras, tf
from lildata_utils.clips.dataset import Dataset
from lildata_utils.crate import lessons as crate
from lildata_utils.crate.artists import PARTS
from lildata_utils.crate.composing import compose
from lildata_utils.crate.patterns import NOTE_NAMES
from lildata_utils.crate.settings import Collection
from lildata_utils.errors import LilDataError
from lildata_utils.learning.recipe import Recipe
from lildata_utils.learning.recipes import LISTENER
from lildata_utils.networks.listener import build_listener
from lildata_utils.networks.settings import CHANGES, ListenerSettings
from lildata_utils.sound.spectrogram import CLIP_S

# Higher or slower music has another key or tempo, and mixed clips have two.
SETTINGS = ListenerSettings(
    start="random", changes=tuple(c for c in CHANGES if c not in ("shift", "stretch", "mixup"))
)
# A clip's row: genre, artist, then the columns of `crate.lessons`.
FIRST = 2
# How much each counts.
WEIGHTS = {
    "genre": 1.0,
    "artist": 0.5,
    "tempo": 1.0,
    "root": 1.0,
    "minor": 1.0,
    "playing": 3.0,
    "hits": 3.0,
    "notes": 3.0,
}


def with_lessons(clips: Dataset, collection: Collection) -> Dataset:
    """Give the clips of a collection of the crate their lessons (notebook 07).

    Parameters
    ----------
    clips : Dataset
        Made by `lildata prepare` of the collection.
    collection : Collection
        What `lildata crate` was asked for.

    Returns
    -------
    Dataset
        With `lessons`, float32, shape (clips, 2 + 26).
    """
    tracks = {}
    for genre in clips.genres:
        for number in range(collection.tracks):
            track = compose(genre, number, collection.seed, collection.duration_s)
            tracks[genre, f"{track.artist.name} - {track.title}"] = track
    table = clips.clips
    artists = {name: k for k, name in enumerate(sorted(set(table["genre"] + table["artist"])))}
    rows = [
        np.concatenate(
            [[label, artists[genre + artist]], crate.lessons(tracks[genre, track], start_s, CLIP_S)]
        )
        for label, genre, artist, track, start_s in zip(
            clips.labels,
            table["genre"],
            table["artist"],
            table["track"],
            table["start_s"],
            strict=True,
        )
    ]
    return replace(clips, lessons=np.array(rows, np.float32))


def student_of(clips: Dataset) -> Recipe:
    """Make the recipe of a listener that learns the lessons of these clips (notebook 07).

    Its network gives a row a clip: probabilities of the genres, then what answers the lessons. A
    listener of other genres can start from its run.
    """
    if clips.lessons is None:
        raise LilDataError(f"{clips.folder} has no lessons: expected clips of `with_lessons`")
    sizes = {
        "genre": len(clips.genres),
        "artist": int(clips.lessons[:, 1].max()) + 1,
        "tempo": crate.TEMPOS,
        "root": len(NOTE_NAMES),
        "minor": 2,
        "playing": len(PARTS),
        "hits": len(crate.DRUMS),
        "notes": len(NOTE_NAMES),
    }
    build, measure = partial(_build, sizes=sizes), partial(_measure, sizes=sizes)
    return replace(LISTENER, build=build, measure=measure)


def _build(n_genres: int, settings: Any, seed: int, sizes: Mapping[str, int]) -> Any:
    listener = build_listener(n_genres, settings, seed)
    heads = keras.layers.Dense(
        sum(sizes.values()) - n_genres,
        kernel_initializer=keras.initializers.GlorotUniform(seed),
        name="lessons",
    )
    answers = [listener.outputs[0], heads(listener.get_layer("dropout").output)]
    told = keras.layers.Concatenate(name="answers")(answers)
    return keras.Model(listener.inputs[0], told, name="student")


def _measure(
    network: Any, images: Any, rows: Any, training: bool, sizes: Mapping[str, int]
) -> dict[str, Any]:
    """Sum the losses of all lessons up; the accuracy is the genre's."""
    rows = rows[0] if training else rows  # as `augment` gives them
    told = tf.split(network(images, training=training), list(sizes.values()), axis=1)
    answers = dict(zip(sizes, told, strict=True))
    genre = tf.cast(rows[:, 0], tf.int64)
    truth = {
        "artist": rows[:, 1],
        "tempo": rows[:, FIRST + crate.TEMPO],
        "root": rows[:, FIRST + crate.ROOT],
        "minor": rows[:, FIRST + crate.MINOR],
    }
    losses = {"genre": keras.losses.sparse_categorical_crossentropy(genre, answers["genre"])}
    losses |= {name: _chosen(answers[name], number) for name, number in truth.items()}
    row = rows[:, FIRST:]
    losses["playing"] = _shares(answers["playing"], row[:, crate.PLAYING])
    losses["notes"] = _shares(answers["notes"], row[:, crate.NOTES])
    off = tf.abs(tf.nn.softplus(answers["hits"]) - row[:, crate.HITS])
    losses["hits"] = tf.reduce_mean(off, axis=1)
    right = tf.equal(tf.argmax(answers["genre"], axis=1), genre)
    return {
        "loss": tf.add_n([WEIGHTS[name] * loss for name, loss in losses.items()]),
        "accuracy": tf.cast(right, tf.float32),
    }


def _chosen(scores: Any, number: Any) -> Any:
    """Cross-entropy of a choice; where there is nothing to choose, nothing is learned."""
    known = tf.cast(number >= 0, tf.float32)
    labels = tf.cast(tf.maximum(number, 0), tf.int64)
    return known * tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores)


def _shares(scores: Any, shares: Any) -> Any:
    """Mean cross-entropy of numbers from 0 to 1."""
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(shares, scores), axis=1)

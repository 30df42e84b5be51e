"""Boosted trees that a file holds as plain arrays.

scikit-learn grows them. Its own way to keep a model is a pickle, which runs whatever code a
stranger put in, and only the version that wrote it can read it; arrays run nothing, and any
version reads them. LightGBM's text would be as safe, and one more dependency for a dozen lines.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lildata_utils.errors import LilDataError
from lildata_utils.genre.judges.settings import Growth
from lildata_utils.sound.spectrogram import Floats

CLIPS_AT_A_TIME = 256


@dataclass(frozen=True)
class Trees:
    """Trees of all rounds, node after node; a leaf's children are itself (notebook 07)."""

    start: Floats  # Shape (columns,): what a genre has before the first round; one column for two
    roots: NDArray[np.int32]  # Shape (rounds * columns,): a tree a column in every round
    feature: NDArray[np.int16]  # Of nodes: which number is asked for
    threshold: Floats  # It goes left if that is at most this
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: Floats

    @classmethod
    def grow(cls, features: Floats, labels: NDArray[np.int64], growth: Growth, seed: int) -> Self:
        """Let trees grow on examples, shape (clips, features), of every genre (notebook 07)."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        model = HistGradientBoostingClassifier(
            learning_rate=growth.rate,
            max_iter=growth.rounds,
            max_leaf_nodes=growth.leaves,
            max_features=growth.share,
            l2_regularization=growth.ridge,
            # Of a handful of clips, too, something is learned.
            min_samples_leaf=min(20, max(1, len(labels) // 20)),
            early_stopping=False,
            random_state=seed,
        ).fit(features, labels)
        grown = [tree.nodes for in_round in model._predictors for tree in in_round]
        sizes = np.array([len(nodes) for nodes in grown])
        roots = np.cumsum(sizes) - sizes
        nodes = np.concatenate(grown)
        base, leaf = np.repeat(roots, sizes), nodes["is_leaf"].astype(bool)
        here = np.arange(len(nodes))
        exact = nodes["num_threshold"]
        threshold = exact.astype(np.float32)
        # Rounded down: then a float32 is on the same side of it.
        above = threshold > exact
        threshold[above] = np.nextafter(threshold[above], np.float32(-np.inf))
        return cls(
            model._baseline_prediction.ravel().astype(np.float32),
            roots.astype(np.int32),
            nodes["feature_idx"].astype(np.int16),
            threshold,
            np.where(leaf, here, nodes["left"] + base).astype(np.int32),
            np.where(leaf, here, nodes["right"] + base).astype(np.int32),
            nodes["value"].astype(np.float32),
        )

    def check(self, genres: int, features: int) -> None:
        """Raise a LilDataError if they are not whole, or not for so many genres and features."""
        nodes = len(self.value)
        here = np.arange(nodes)
        columns = 1 if genres == 2 else genres
        same = all(
            part.shape == (nodes,) for part in (self.feature, self.threshold, self.left, self.right)
        )
        if not (
            same
            and nodes
            and self.start.shape == (columns,)
            and self.roots.ndim == 1
            and len(self.roots) % columns == 0
            # Children come later: no walk is without end.
            and all(
                (part >= here).all() and (part < nodes).all() for part in (self.left, self.right)
            )
            and ((self.left > here) == (self.right > here)).all()
            and all((part >= 0).all() for part in (self.roots, self.feature))
            and (self.roots < nodes).all()
            and (self.feature < features).all()
            and all(np.isfinite(part).all() for part in (self.value, self.start))
        ):
            raise LilDataError(f"no trees for {genres} genres and {features} features")

    def probabilities(self, features: Floats) -> Floats:
        """Say how likely each genre is, shape (clips, genres), of (clips, features)."""
        starts = range(0, max(len(features), 1), CLIPS_AT_A_TIME)
        return np.concatenate([self._some(features[at : at + CLIPS_AT_A_TIME]) for at in starts])

    def _some(self, features: Floats) -> Floats:
        nodes = np.broadcast_to(self.roots, (len(features), len(self.roots)))
        while True:
            asked = np.take_along_axis(features, self.feature[nodes], axis=1)
            further = np.where(asked <= self.threshold[nodes], self.left[nodes], self.right[nodes])
            if np.array_equal(further, nodes):
                break
            nodes = further
        columns = len(self.start)
        values = self.value[nodes].reshape(len(nodes), len(self.roots) // columns, columns)
        scores = values.sum(axis=1) + self.start
        if columns == 1:
            scores = np.column_stack([np.zeros(len(features), np.float32), scores])
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)

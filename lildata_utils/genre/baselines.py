"""The baseline of the field: MFCC statistics and logistic regression (notebooks 01 and 02)."""

import numpy as np

from lildata_utils.clips.dataset import Dataset
from lildata_utils.errors import LilDataError
from lildata_utils.sound import spectrogram

N_MELS = 64
N_MFCC = 20


def mfcc_statistics(images: np.ndarray) -> np.ndarray:
    """Describe spectrograms by means and deviations of their MFCCs over time (notebook 01).

    Mel-frequency cepstral coefficients keep the coarse shape of the spectrum and drop the single
    partials (Davis & Mermelstein 1980); their statistics drop the order in time as well. What a
    classifier reaches with them, it reaches without rhythm or melody. Images of uint8, shape
    (n, 631, 631), give float32, shape (n, 2 * N_MFCC).
    """
    from librosa import power_to_db
    from librosa.feature import mfcc
    from librosa.filters import mel

    decibels = spectrogram.image_to_db(np.arange(256, dtype=np.uint8))
    power = np.power(10.0, decibels / 10.0).astype(np.float32)
    mel_filters = mel(sr=spectrogram.SAMPLE_RATE, n_fft=spectrogram.N_FFT, n_mels=N_MELS)
    statistics = np.empty((len(images), 2 * N_MFCC), np.float32)
    for row, image in zip(statistics, images, strict=True):
        mel_db = power_to_db(mel_filters @ power[image], top_db=-spectrogram.FLOOR_DB)
        coefficients = mfcc(S=mel_db, n_mfcc=N_MFCC)
        row[:N_MFCC] = coefficients.mean(axis=1)
        row[N_MFCC:] = coefficients.std(axis=1)
    return statistics


def mfcc_baseline(train: Dataset, test: Dataset, seed: int = 0) -> np.ndarray:
    """Classify by MFCC statistics and logistic regression (notebook 02).

    Parameters
    ----------
    train, test : Dataset
        To fit on and to classify; both with the same genres, at least two.
    seed : int
        Of the solver.

    Returns
    -------
    ndarray of float64, shape (n, genres)
        Probabilities for each clip of `test`, ready for `evaluate`.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    missing = [g for label, g in enumerate(train.genres) if not (train.labels == label).any()]
    if missing or len(train.genres) < 2:
        raise LilDataError(
            f"{train.folder} has no training clips of {', '.join(missing) or 'a second genre'}: "
            "expected at least one of each genre and two genres; add music or choose other genres"
        )
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.1, max_iter=2000, random_state=seed)
    )
    model.fit(_all_mfcc_statistics(train), train.labels)
    return model.predict_proba(_all_mfcc_statistics(test))


def _all_mfcc_statistics(dataset: Dataset) -> np.ndarray:
    # Batches without a seed come in the order of the data set.
    return np.concatenate([mfcc_statistics(images) for images, _ in dataset.batches(64)])

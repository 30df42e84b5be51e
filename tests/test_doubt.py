"""How far to believe a network: temperature, calibration, none of these."""

import shutil

import numpy as np
import pytest
from trainings import run_to_end

from lildata_utils.errors import LilDataError
from lildata_utils.genre import doubt
from lildata_utils.genre.predict import predict
from lildata_utils.learning.recipes import LISTENER
from lildata_utils.learning.runs import load_run
from lildata_utils.networks.settings import ListenerSettings


@pytest.fixture(scope="module")
def run(tiny_dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("doubting") / "run"
    settings = ListenerSettings(filters=(4, 6), start="random")
    run_to_end(folder, tiny_dataset, epochs=2, recipe=LISTENER, settings=settings)
    return load_run(folder)


@pytest.fixture(scope="module")
def fitted(run, tiny_dataset):
    parts = tiny_dataset.select("train"), tiny_dataset.select("validation")
    return doubt.fit_doubt(run, *parts)


def copied(run, folder):
    return load_run(shutil.copytree(run.folder, folder / "copy"))


def answers(temperature, clips=4000, seed=0):
    """Probabilities whose scores are too large by a factor, and labels drawn from the true ones."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(clips, 4))
    true = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(4, p=row) for row in true])
    said = np.exp(temperature * scores)
    return said / said.sum(axis=1, keepdims=True), labels


@pytest.mark.parametrize("wrong_by", [0.5, 1.0, 3.0])
def test_temperature_undoes_what_was_multiplied(wrong_by):
    said, labels = answers(wrong_by)
    assert doubt.best_temperature(said, labels) == pytest.approx(wrong_by, rel=0.1)


def test_temperature_calibrates_and_changes_no_answer():
    said, labels = answers(3.0)
    softened = doubt.soften(said, 3.0)
    assert doubt.calibration_error(softened, labels) < 0.04
    assert doubt.calibration_error(said, labels) > 0.2
    np.testing.assert_array_equal(softened.argmax(axis=1), said.argmax(axis=1))


def test_calibration_error_by_hand():
    # Three clips at 0.9, two of them right; one at 0.6, right.
    said = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.6, 0.4]])
    labels = np.array([0, 1, 1, 0])
    expected = (3 * abs(2 / 3 - 0.9) + abs(1 - 0.6)) / 4
    assert doubt.calibration_error(said, labels) == pytest.approx(expected)


def test_without_a_measure_nothing_is_strange(tiny_dataset, run, tmp_path):
    images = tiny_dataset.images([0, 20])
    bare = copied(run, tmp_path)
    (bare.folder / doubt.DOUBT_FILE).unlink(missing_ok=True)
    heard = doubt.hear(bare, images)
    assert heard.strangeness is None
    np.testing.assert_array_equal(heard.probabilities, predict(run.model, images))


def test_what_was_learned_is_not_strange_and_the_threshold_is_kept(run, fitted, tiny_dataset):
    learned = doubt.hear(run, tiny_dataset.select("train").images()).strangeness
    assert learned.max() < 0.5
    validation = doubt.hear(run, tiny_dataset.select("validation").images()).strangeness
    assert (validation > 1).mean() <= 2 / 8


def test_another_world_is_strange(run, fitted):
    # Lines that no clip of noise has.
    clip = np.zeros((1, 631, 631), np.uint8)
    clip[:, 100:103] = 255
    assert doubt.hear(run, clip).strangeness[0] > 1


def test_it_is_read_as_it_was_fitted(run, fitted):
    read = doubt.load_doubt(run)
    assert read.temperature == fitted.temperature and read.threshold == fitted.threshold
    np.testing.assert_allclose(read.learned, fitted.learned, atol=1e-3)


def test_a_broken_file_is_one_line(run, tmp_path):
    broken = copied(run, tmp_path)
    (broken.folder / doubt.DOUBT_FILE).write_bytes(b"no archive")
    with pytest.raises(LilDataError, match=r"doubt\.npz can't be read"):
        doubt.load_doubt(broken)


def test_networks_without_such_features_say_so(model):
    with pytest.raises(LilDataError, match="expected a listener"):
        doubt.features_and_answers(model, np.zeros((1, 631, 631), np.uint8))

"""A run on disk: what it says of itself, which is the same run, and what is wrong with one."""

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from trainings import COARSE, SMALL, run_to_end

from lildata_utils.backend import keras
from lildata_utils.errors import LilDataError
from lildata_utils.files import KEPT_LSTMS, LIL_DATA_RUN, LISTENER_RUN, PRETRAINED
from lildata_utils.generation.drawing import generate
from lildata_utils.genre.predict import predict
from lildata_utils.learning.recipes import LSTM, SOFTMAX
from lildata_utils.learning.runs import load_run, shipped_run
from lildata_utils.networks.lstm import SpectrogramLSTM
from lildata_utils.networks.settings import LSTMSettings
from lildata_utils.sound.spectrogram import network_input

coarse = partial(run_to_end, recipe=SOFTMAX, settings=COARSE)


@pytest.fixture(scope="module")
def finished(tiny_dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "finished"
    run_to_end(folder, tiny_dataset, epochs=1)
    return folder


# --- what is in a run folder -------------------------------------------------------------------


def test_run_json_says_what_was_trained(finished):
    run = load_run(finished)
    assert run.network == "cnn"
    assert run.genres == ("lofi", "noise")
    assert run.settings == {
        "network": "cnn",
        "filters": [4, 4],
        "dropout": 0.5,
        "channels": 1,
        "side": 63,
        "batch_size": 8,
        "learning_rate": 1e-3,
        "seed": 0,
    }
    assert run.data["train_clips"] == 20
    assert run.data["validation_clips"] == 8
    assert run.environment["precision"] in ("bfloat16", "float32")
    assert run.environment["keras"] == keras.__version__


@pytest.mark.slow
def test_the_model_opens_in_plain_keras(tiny_dataset, finished, tmp_path):
    some = tiny_dataset.images([0, 20])
    expected = predict(load_run(finished).model, some)
    np.save(tmp_path / "input.npy", network_input(some))
    script = (
        "import keras, numpy as np, sys\n"
        "model = keras.saving.load_model(sys.argv[1])\n"
        "np.save(sys.argv[3], model(np.load(sys.argv[2])))\n"
        "assert 'lildata_utils' not in sys.modules\n"
    )
    paths = [finished / "model.keras", tmp_path / "input.npy", tmp_path / "output.npy"]
    subprocess.run([sys.executable, "-c", script, *paths], check=True, cwd=tmp_path)
    np.testing.assert_allclose(np.load(paths[-1]), expected, atol=0.05)


def test_settings_that_differ_are_named(tiny_dataset, finished):
    with pytest.raises(LilDataError, match="holds a run with seed 0 instead of 5: choose another"):
        run_to_end(finished, tiny_dataset, seed=5)
    with pytest.raises(LilDataError, match=r"dropout 0\.5 instead of 0\.1"):
        run_to_end(finished, tiny_dataset, settings=replace(SMALL, dropout=0.1))
    with pytest.raises(LilDataError, match="network 'cnn' instead of 'softmax'"):
        coarse(finished, tiny_dataset)


def test_other_data_is_noticed(tiny_dataset, finished):
    fewer = replace(tiny_dataset, clips=tiny_dataset.clips.iloc[1:].reset_index(drop=True))
    with pytest.raises(LilDataError, match="train_clips 20 instead of 19"):
        run_to_end(finished, fewer)
    louder = replace(tiny_dataset, clips=tiny_dataset.clips.assign(peak_db=-3.0))
    with pytest.raises(LilDataError, match="digest"):
        run_to_end(finished, louder)
    other_order = tiny_dataset.select(genres=["noise", "lofi"])
    with pytest.raises(LilDataError, match="genres"):
        run_to_end(finished, other_order)


def test_a_folder_with_something_else_is_refused(tiny_dataset, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(LilDataError, match="no run folder"):
        run_to_end(tmp_path, tiny_dataset)
    with pytest.raises(LilDataError, match="no run folder"):
        run_to_end(tmp_path / "thesis.txt", tiny_dataset)
    assert [f.name for f in tmp_path.iterdir()] == ["thesis.txt"]


def test_load_run_explains_what_is_wrong(tmp_path, finished):
    with pytest.raises(LilDataError, match="no run folder"):
        load_run(tmp_path / "missing")
    for name in ("run.json", "history.csv", "model.keras"):
        (tmp_path / name).write_bytes((finished / name).read_bytes())
    (tmp_path / "model.keras").write_bytes(b"not a model")
    with pytest.raises(LilDataError, match="can't be read as a Keras model"):
        _ = load_run(tmp_path).model
    (tmp_path / "model.keras").unlink()
    with pytest.raises(LilDataError, match="is missing"):
        _ = load_run(tmp_path).model
    (tmp_path / "history.csv").write_text("hello")
    with pytest.raises(LilDataError, match="can't be read as a history"):
        load_run(tmp_path)
    (tmp_path / "history.csv").unlink()
    with pytest.raises(LilDataError, match="no whole epoch yet"):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text('{"version": 1, "settings": []}')
    with pytest.raises(LilDataError, match="settings: expected object, got array"):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text('{"version": 2}')
    with pytest.raises(LilDataError, match="not of version 1"):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(LilDataError, match="can't be read as JSON"):
        load_run(tmp_path)


# --- runs of earlier versions ------------------------------------------------------------------


def test_a_run_from_before_an_option_came_is_the_same_run(tiny_dataset, tmp_path, finished):
    run = shutil.copytree(finished, tmp_path / "run")
    about = json.loads((run / "run.json").read_text())
    del about["settings"]["channels"]
    (run / "run.json").write_text(json.dumps(about))
    assert run_to_end(run, tiny_dataset, epochs=1) == []
    with pytest.raises(LilDataError, match="channels 1 instead of 2"):
        run_to_end(run, tiny_dataset, epochs=1, settings=replace(SMALL, channels=2))


OLD = Path(__file__).parent / "run_before_the_rooms"


def test_an_lstm_from_before_the_rooms_goes_on(tiny_dataset, tmp_path):
    """Version 0.1.0 trained it on the tiny data set, with one unit, for one epoch of two."""
    with zipfile.ZipFile(OLD / "model.keras") as file:
        assert json.loads(file.read("config.json"))["module"] == "lildata_utils.lstm"
    run = shutil.copytree(OLD, tmp_path / "run")
    before = load_run(run)
    # Compiled otherwise than it was, and maybe elsewhere: the last bits may differ.
    recipe = replace(LSTM, xla=False)
    settings = LSTMSettings(layers=1, units=1, rank=2)
    assert run_to_end(run, tiny_dataset, 2, recipe, settings, batch_size=10)
    history = load_run(run).history
    assert history.iloc[0].equals(before.history.iloc[0])
    assert history[["loss", "val_loss"]].iloc[1].tolist() == pytest.approx(
        [0.07210966944694519, 0.07242386043071747],
        rel=1e-5,  # what 0.1.0 went on with
    )
    first = tiny_dataset.images([0])[:, :, 0]
    drawn = [generate(model, first, 5) for model in (before.model, load_run(run).model)]
    assert np.ptp(drawn[0]) > 0
    np.testing.assert_allclose(*np.array(drawn, float), atol=3)


# --- runs that come with the course ------------------------------------------------------------


LSTMS = sorted(path.parent for path in KEPT_LSTMS.glob("*/run.json"))


@pytest.mark.parametrize("folder", LSTMS, ids=lambda folder: folder.name)
def test_every_shipped_lstm_draws(folder):
    run = load_run(folder)
    assert isinstance(run.model, SpectrogramLSTM)
    assert LSTMSettings.made_of(run.settings) == run.model.settings
    first = np.arange(631, dtype=np.uint8)[None]
    drawn = generate(run.model, first, 20, seed=3)
    assert drawn.shape == (1, 631, 21)
    assert drawn[..., 1:].std() > 1
    np.testing.assert_array_equal(drawn, generate(load_run(folder).model, first, 20, seed=3))


def test_the_shipped_lil_data_predicts(images):
    run = shipped_run(LIL_DATA_RUN.name)
    probabilities = predict(run.model, images)
    assert probabilities.shape == (4, len(run.genres))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert probabilities.max() > 0.5


def test_no_shipped_run_is_left_out():
    assert len(LSTMS) == 10
    shipped = sorted(path.parent for path in PRETRAINED.rglob("run.json"))
    assert shipped == [LIL_DATA_RUN, LISTENER_RUN, *LSTMS]
    assert shipped_run("nothing") is None


# --- runs of strangers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("run.json", '"lofi",', '"lofi", "house",', "3 genres expects"),
        ("run.json", '"network": "cnn"', '"network": "lstm"', "no network of kind lstm"),
        ("run.json", '"network": "cnn"', '"network": "gpt"', "settings.network: invalid enum"),
        ("run.json", '"dropout": 0.5', '"dropout": [1]', "settings: dropout: expected float"),
        ("history.csv", "\n1,", "\n2,", "not numbered from 1"),
        ("history.csv", "\n1,", "\n1,nan,", "can't be read as a history"),
    ],
)
def test_a_run_that_does_not_fit_is_one_line(tmp_path, finished, name, old, new, words):
    run = shutil.copytree(finished, tmp_path / "run")
    text = (run / name).read_text()
    assert old in text
    (run / name).write_text(text.replace(old, new, 1))
    with pytest.raises(LilDataError, match=words) as caught:
        _ = load_run(run).model
    assert "\n" not in str(caught.value)


def test_a_network_that_would_fill_the_memory_is_not_built(tmp_path, finished):
    run = shutil.copytree(finished, tmp_path / "run")
    with zipfile.ZipFile(finished / "model.keras") as old:
        members = {name: old.read(name) for name in old.namelist()}
    config = members["config.json"].replace(b'"units": 48', b'"units": 480000000')
    assert config != members["config.json"]
    with zipfile.ZipFile(run / "model.keras", "w") as new:
        for name, content in (members | {"config.json": config}).items():
            new.writestr(name, content)
    with pytest.raises(LilDataError, match=r"units 4\.8e\+08 in config\.json"):
        _ = load_run(run).model

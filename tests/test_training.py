import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import islice

import numpy as np
import pandas as pd
import pytest

from lildata_utils.backend import deterministic, keras, tf
from lildata_utils.errors import LilDataError
from lildata_utils.learning import training
from lildata_utils.learning.training import fit, fit_or_load, load_run, peaked
from lildata_utils.networks import classifier
from lildata_utils.sound.spectrogram import network_input

SMALL = replace(classifier.LIL_DATA, options={"filters": (4, 4, 4, 4), "dropout": 0.5})
PICTURE = replace(classifier.SOFTMAX, options={"pool": 63}, learning_rate=1e-4)


def run_to_end(folder, dataset, epochs=3, network=SMALL, **settings):
    return list(fit(folder, network, dataset, epochs, batch_size=8, **settings))


def weights_at_the_end(folder):
    with np.load(folder / "checkpoint.npz") as arrays:
        return {name: arrays[name] for name in arrays.files if name != "history"}


def assert_same_run(folder, other):
    first, second = weights_at_the_end(folder), weights_at_the_end(other)
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
    for a, b in zip(load_run(folder).model.weights, load_run(other).model.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    histories = [load_run(f).history.drop(columns="seconds") for f in (folder, other)]
    pd.testing.assert_frame_equal(*histories)


@pytest.fixture(scope="module")
def undisturbed(tiny_dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "undisturbed"
    run_to_end(folder, tiny_dataset)
    return folder


def table(**columns):
    length = len(next(iter(columns.values())))
    return pd.DataFrame({"epoch": range(1, length + 1), **columns})


# --- steps -------------------------------------------------------------------------------------


def test_steps_count_epochs_and_steps(tiny_dataset, tmp_path):
    steps = run_to_end(tmp_path / "run", tiny_dataset, epochs=2, network=PICTURE)
    within = [s for s in steps if s.history is None]
    assert [(s.epoch, s.step) for s in within] == [(e, n) for e in (1, 2) for n in (1, 2, 3)]
    assert {(s.epochs, s.steps) for s in steps} == {(2, 3)}
    ends = [s for s in steps if s.history is not None]
    assert [len(s.history) for s in ends] == [1, 2]
    columns = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"]
    assert list(ends[-1].history) == columns
    assert ends[-1].loss == pytest.approx(ends[-1].history["loss"].iloc[-1])


def test_measures_are_keras_own(tiny_dataset, tmp_path):
    """Validation figures against Keras' evaluation of the saved network."""
    run_to_end(tmp_path, tiny_dataset, epochs=1)
    run = load_run(tmp_path)
    validation = tiny_dataset.select(split="validation")
    run.model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    loss, accuracy = run.model.evaluate(
        network_input(validation.images()), validation.labels, verbose=0
    )
    row = run.history.iloc[0]
    assert row["val_accuracy"] == pytest.approx(accuracy, abs=0.13)  # a clip on the edge may tip
    assert row["val_loss"] == pytest.approx(loss, rel=0.05)  # the twin computes in bfloat16


def test_a_network_learns_loud_from_quiet(tiny_dataset, tmp_path):
    network = replace(SMALL, options={"filters": (4, 4, 4, 4), "dropout": 0.0})
    run_to_end(tmp_path, tiny_dataset, epochs=12, network=network, learning_rate=3e-3)
    test = tiny_dataset.select(split="test")
    probabilities = classifier.predict(load_run(tmp_path).model, test)
    assert (probabilities.argmax(1) == test.labels).all()


def test_the_seed_decides(tiny_dataset, tmp_path, undisturbed):
    run_to_end(tmp_path / "same", tiny_dataset)
    assert_same_run(tmp_path / "same", undisturbed)
    run_to_end(tmp_path / "other", tiny_dataset, seed=1)
    other, first = weights_at_the_end(tmp_path / "other"), weights_at_the_end(undisturbed)
    assert not np.array_equal(other["0"], first["0"])


def test_determinism_ends_with_the_step(tiny_dataset, tmp_path):
    """While it is on, TensorFlow refuses random numbers without a seed: `model.fit` would fail."""
    steps = fit(tmp_path, SMALL, tiny_dataset, 1, batch_size=8)
    next(steps)
    tf.random.uniform([1])
    with deterministic(), pytest.raises(RuntimeError, match="seed"):
        tf.random.uniform([1])


def test_a_diverging_loss_is_told(tiny_dataset, tmp_path):
    with pytest.raises(LilDataError, match="try a learning rate below 1e"):
        run_to_end(tmp_path, tiny_dataset, epochs=20, learning_rate=1e38)


def test_without_validation_clips(tiny_dataset, tmp_path):
    clips = tiny_dataset.clips
    only = replace(tiny_dataset, clips=clips[clips["split"] == "train"].reset_index(drop=True))
    run_to_end(tmp_path, only, epochs=2, network=PICTURE)
    history = load_run(tmp_path).history
    assert list(history) == ["epoch", "loss", "accuracy", "seconds"]
    assert peaked(history).column == "accuracy"


@pytest.mark.parametrize(("epochs", "batch_size"), [(0, 8), (1, 0)])
def test_nothing_to_do_is_an_error(tiny_dataset, tmp_path, epochs, batch_size):
    with pytest.raises(LilDataError, match="must be at least 1, got 0"):
        list(fit(tmp_path, SMALL, tiny_dataset, epochs, batch_size=batch_size))


# --- resume ------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps_done", [1, 4, 6, 8], ids=lambda n: f"after {n}")
def test_stopped_and_continued_is_undisturbed(tiny_dataset, tmp_path, undisturbed, steps_done):
    steps = fit(tmp_path, SMALL, tiny_dataset, 3, batch_size=8)
    list(islice(steps, steps_done))
    steps.close()
    run_to_end(tmp_path, tiny_dataset)
    assert_same_run(tmp_path, undisturbed)


def test_killed_between_the_files_of_an_epoch(tiny_dataset, tmp_path, undisturbed):
    run_to_end(tmp_path, tiny_dataset, epochs=2)
    after_two = {f.name: f.read_bytes() for f in tmp_path.iterdir()}
    run_to_end(tmp_path, tiny_dataset, epochs=3)

    # The model was written, the checkpoint not: the epoch is done again.
    for name in ("checkpoint.npz", "history.csv"):
        (tmp_path / name).write_bytes(after_two[name])
    run_to_end(tmp_path, tiny_dataset)
    assert_same_run(tmp_path, undisturbed)

    # The checkpoint was written, the history not: only that is missing.
    (tmp_path / "history.csv").write_bytes(after_two["history.csv"])
    assert run_to_end(tmp_path, tiny_dataset) == []
    assert_same_run(tmp_path, undisturbed)


def test_killed_before_run_json(tiny_dataset, tmp_path, undisturbed):
    (tmp_path / ".run.host-1.partial.json").write_text("{")
    run_to_end(tmp_path, tiny_dataset)
    assert_same_run(tmp_path, undisturbed)


def test_a_finished_run_is_not_trained_again(tiny_dataset, undisturbed):
    before = {f.name: f.stat().st_mtime_ns for f in undisturbed.iterdir()}
    assert run_to_end(undisturbed, tiny_dataset) == []
    assert {f.name: f.stat().st_mtime_ns for f in undisturbed.iterdir()} == before


def test_more_epochs_continue_a_run(tiny_dataset, tmp_path, undisturbed):
    run_to_end(tmp_path, tiny_dataset, epochs=1)
    run_to_end(tmp_path, tiny_dataset, epochs=3)
    assert_same_run(tmp_path, undisturbed)


SCRIPT = """
import sys
from pathlib import Path
from lildata_utils.networks import classifier
from lildata_utils.cli.mainps import dataset
from lildata_utils.learning import training
run, data = map(Path, sys.argv[1:])
options = {"filters": (4, 4, 4, 4)}
for step in training.fit(
    run, classifier.LIL_DATA, dataset.load(data), 40, batch_size=8, options=options
):
    print(step.epoch, step.step, flush=True)
"""


@pytest.mark.slow
def test_kill_9_at_any_moment(tiny_dataset, tmp_path):
    data = tiny_dataset.folder
    tiny_dataset.clips.to_csv(data / "clips.csv", index=False)
    description = {"version": 1, "genres": tiny_dataset.genres}
    (data / "dataset.json").write_text(json.dumps(description))

    def start(run):
        command = [sys.executable, "-c", SCRIPT, str(run), str(data)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    whole = start(tmp_path / "whole")
    whole.communicate()
    assert whole.returncode == 0

    run = tmp_path / "killed"
    rng = np.random.default_rng(0)
    kills = 0
    while kills < 4:
        process = start(run)
        for _ in islice(process.stdout, int(rng.integers(1, 30))):
            pass
        time.sleep(rng.uniform(0, 0.1))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        kills += 1
    last = start(run)
    output, _ = last.communicate()
    assert last.returncode == 0
    assert output  # it had something left to do
    assert not output.startswith("1 1\n")  # and did not begin anew
    assert_same_run(run, tmp_path / "whole")
    assert {f.name for f in run.iterdir()} == {f.name for f in (tmp_path / "whole").iterdir()}


# --- what is in a run folder -------------------------------------------------------------------


def test_the_kept_model_is_the_best_epochs(tiny_dataset, tmp_path):
    """Whatever epoch the peak is, its weights are those of a run that ended there."""
    run_to_end(tmp_path / "long", tiny_dataset, epochs=6, learning_rate=3e-3)
    best = peaked(load_run(tmp_path / "long").history).epoch
    run_to_end(tmp_path / "short", tiny_dataset, epochs=best, learning_rate=3e-3)
    ended = weights_at_the_end(tmp_path / "short")
    for number, kept in enumerate(load_run(tmp_path / "long").model.weights):
        np.testing.assert_array_equal(kept, ended[str(number)])


def test_run_json_says_what_was_trained(undisturbed):
    run = load_run(undisturbed)
    assert run.network == "cnn"
    assert run.genres == ("lofi", "noise")
    assert run.settings == {
        "network": "cnn",
        "filters": [4, 4, 4, 4],
        "dropout": 0.5,
        "batch_size": 8,
        "learning_rate": 1e-3,
        "seed": 0,
    }
    assert run.data["train_clips"] == 20
    assert run.data["validation_clips"] == 8
    assert run.environment["precision"] in ("bfloat16", "float32")
    assert run.environment["keras"] == keras.__version__


@pytest.mark.slow
def test_the_model_opens_in_plain_keras(tiny_dataset, undisturbed, tmp_path):
    expected = classifier.predict(load_run(undisturbed).model, tiny_dataset)
    np.save(tmp_path / "input.npy", network_input(tiny_dataset.images()))
    script = (
        "import keras, numpy as np, sys\n"
        "model = keras.saving.load_model(sys.argv[1])\n"
        "np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))\n"
        "assert 'lildata_utils' not in sys.modules\n"
    )
    paths = [undisturbed / "model.keras", tmp_path / "input.npy", tmp_path / "output.npy"]
    subprocess.run([sys.executable, "-c", script, *paths], check=True, cwd=tmp_path)
    np.testing.assert_allclose(np.load(paths[-1]), expected, atol=0.05)


def test_settings_that_differ_are_named(tiny_dataset, undisturbed):
    with pytest.raises(LilDataError, match="holds a run with seed 0 instead of 5: choose another"):
        run_to_end(undisturbed, tiny_dataset, seed=5)
    with pytest.raises(LilDataError, match=r"dropout 0\.5 instead of 0\.1"):
        run_to_end(undisturbed, tiny_dataset, options={"dropout": 0.1})
    with pytest.raises(LilDataError, match="network 'cnn' instead of 'softmax'"):
        run_to_end(undisturbed, tiny_dataset, network=PICTURE)


def test_other_data_is_noticed(tiny_dataset, undisturbed):
    fewer = replace(tiny_dataset, clips=tiny_dataset.clips.iloc[1:].reset_index(drop=True))
    with pytest.raises(LilDataError, match="train_clips 20 instead of 19"):
        run_to_end(undisturbed, fewer)
    louder = replace(tiny_dataset, clips=tiny_dataset.clips.assign(peak_db=-3.0))
    with pytest.raises(LilDataError, match="digest"):
        run_to_end(undisturbed, louder)
    other_order = tiny_dataset.select(genres=["noise", "lofi"])
    with pytest.raises(LilDataError, match="genres"):
        run_to_end(undisturbed, other_order)


def test_a_folder_with_something_else_is_refused(tiny_dataset, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(LilDataError, match="no run folder"):
        run_to_end(tmp_path, tiny_dataset)
    with pytest.raises(LilDataError, match="no run folder"):
        run_to_end(tmp_path / "thesis.txt", tiny_dataset)
    assert [f.name for f in tmp_path.iterdir()] == ["thesis.txt"]


def test_load_run_explains_what_is_wrong(tmp_path, undisturbed):
    with pytest.raises(LilDataError, match="no run folder"):
        load_run(tmp_path / "missing")
    for name in ("run.json", "history.csv", "model.keras"):
        (tmp_path / name).write_bytes((undisturbed / name).read_bytes())
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
    with pytest.raises(LilDataError, match="incomplete"):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(LilDataError, match="can't be read as JSON"):
        load_run(tmp_path)


def test_a_broken_checkpoint_is_told(tiny_dataset, tmp_path):
    run_to_end(tmp_path, tiny_dataset, epochs=1, network=PICTURE)
    (tmp_path / "checkpoint.npz").write_bytes(b"PK broken")
    with pytest.raises(LilDataError, match=r"checkpoint.npz can't be read"):
        run_to_end(tmp_path, tiny_dataset, epochs=2, network=PICTURE)


# --- load or train -----------------------------------------------------------------------------


def test_fit_or_load_says_which_of_the_two(tiny_dataset, tmp_path, capsys):
    def call(epochs, **settings):
        model, history, said = fit_or_load(
            tmp_path, PICTURE, tiny_dataset, epochs, batch_size=8, **settings
        )
        assert said in capsys.readouterr().out
        return model, history, said

    model, history, said = call(2)
    assert said.startswith(f"Trained 2 epochs into {tmp_path}; ")
    again, same_history, said = call(2)
    assert said.startswith(f"Loaded the finished run in {tmp_path} (2 epochs); ")
    pd.testing.assert_frame_equal(history, same_history)
    for a, b in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    _, history, said = call(3)
    assert said.startswith(f"Went on with the run in {tmp_path}, from epoch 3 to 3; ")
    assert len(history) == 3
    _, history, said = call(1, seed=3)
    assert "in place of a run with seed 0 instead of 3" in said
    assert len(history) == 1


# --- peaks -------------------------------------------------------------------------------------


def test_peaked_takes_the_highest_accuracy():
    peak = peaked(table(val_loss=[3, 2, 1, 0.5], val_accuracy=[0.2, 0.9, 0.8, 0.7]))
    assert (peak.epoch, peak.value, peak.since) == (2, 0.9, 2)
    assert str(peak) == (
        "validation accuracy peaked in epoch 2 at 90.0%; 2 epochs since without a gain"
    )


def test_peaked_breaks_ties_by_loss_then_by_epoch():
    accuracy = [0.5, 0.9, 0.9, 0.9, 0.1]
    assert peaked(table(val_loss=[1, 3, 2, 2, 0], val_accuracy=accuracy)).epoch == 3
    assert peaked(table(val_loss=[1, 2, 2, 2, 0], val_accuracy=accuracy)).epoch == 2


def test_peaked_in_the_last_epoch():
    peak = peaked(table(val_loss=[2, 1], val_accuracy=[0.1, 0.2]))
    assert str(peak) == "validation accuracy is at its best in the last epoch, 2: 20.0%"


def test_peaked_without_accuracy_or_validation():
    peak = peaked(table(loss=[3, 2, 1], val_loss=[2, 1, 3]))
    assert (peak.epoch, peak.column) == (2, "val_loss")
    assert peaked(table(loss=[3, 1, 2])).epoch == 2
    with pytest.raises(LilDataError, match="no epochs"):
        peaked(table(loss=[]))


def test_an_epochs_line_tells_of_a_peak_in_time():
    history = table(
        loss=[1.0] * 5,
        accuracy=[0.5] * 5,
        val_loss=[1.0] * 5,
        val_accuracy=[0.3, 0.6, 0.5, 0.5, 0.5],
        seconds=[2.0] * 5,
    )
    assert "peaked" not in training.describe_epoch(history[:4], 20)
    line = training.describe_epoch(history, 20)
    assert line.startswith("epoch 5/20, 2 s: loss 1.000, accuracy 50.0%, validation loss 1.000")
    assert "peaked in epoch 2 at 60.0%; 3 epochs since" in line


def test_a_long_training_prints_some_of_its_epochs(tiny_dataset, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(training, "PRINTED_EPOCHS", 2)
    fit_or_load(tmp_path, PICTURE, tiny_dataset, 5, batch_size=8)
    printed = [line.split(",")[0] for line in capsys.readouterr().out.splitlines()]
    assert printed[:-1] == ["epoch 3/5", "epoch 5/5"]


def test_a_network_looks_at_the_clips_before_the_first_epoch_only(tiny_dataset, tmp_path):
    looked = []
    network = replace(PICTURE, adapt=lambda model, train: looked.append(len(train)))
    run_to_end(tmp_path, tiny_dataset, epochs=1, network=network)
    run_to_end(tmp_path, tiny_dataset, epochs=2, network=network)
    assert looked == [20]


def test_xla_computes_the_same(tiny_dataset, tmp_path):
    for name, network in (("plain", PICTURE), ("xla", replace(PICTURE, xla=True))):
        run_to_end(tmp_path / name, tiny_dataset, epochs=1, network=network)
    first, second = (weights_at_the_end(tmp_path / name) for name in ("plain", "xla"))
    for name in first:
        np.testing.assert_allclose(first[name], second[name], atol=1e-5, err_msg=name)


def test_long_gradients_are_shortened(tiny_dataset, tmp_path):
    """Adam's first moment after a step is a tenth of the gradient; its second is never below 0."""
    lengths = []
    for clip_norm in (None, 0.5):
        network = replace(PICTURE, clip_norm=clip_norm)
        list(fit(tmp_path / str(clip_norm), network, tiny_dataset, 1, batch_size=20))
        state = weights_at_the_end(tmp_path / str(clip_norm))
        moments = [a for name, a in state.items() if int(name) > 3 and (a < 0).any()]
        lengths.append(10 * np.sqrt(sum((moment**2).sum() for moment in moments)))
    assert lengths[0] > 1
    assert lengths[1] == pytest.approx(0.5, rel=1e-3)


def test_a_run_from_before_an_option_came_is_the_same_run(tiny_dataset, tmp_path):
    run_to_end(tmp_path, tiny_dataset, epochs=1, network=PICTURE)
    newer = replace(PICTURE, options=PICTURE.options | {"seed_of_nothing": (1, 2)})
    assert list(fit(tmp_path, newer, tiny_dataset, 1, batch_size=8)) == []
    asked = {"seed_of_nothing": (1, 3)}
    with pytest.raises(LilDataError, match=r"seed_of_nothing \[1, 2\] instead of \[1, 3\]"):
        list(fit(tmp_path, newer, tiny_dataset, 1, batch_size=8, options=asked))

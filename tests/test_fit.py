"""One `fit` for all networks: what it learns, how it resumes, and what it says."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from itertools import islice

import numpy as np
import pandas as pd
import pytest
from trainings import COARSE, SMALL, assert_same_run, run_to_end, weights_at_the_end

from lildata_utils.backend import deterministic, keras, tf
from lildata_utils.errors import LilDataError
from lildata_utils.genre.predict import predict
from lildata_utils.learning import fit as fitting
from lildata_utils.learning.fit import fit, fit_or_load
from lildata_utils.learning.history import peaked
from lildata_utils.learning.recipe import adam
from lildata_utils.learning.recipes import LIL_DATA, SOFTMAX
from lildata_utils.learning.runs import load_run
from lildata_utils.learning.settings import Training
from lildata_utils.sound.spectrogram import network_input

# Steps of the tiny data set, and what is said after them.
STEPS = 3
PICTURE = replace(SOFTMAX, learning_rate=1e-4)
coarse = partial(run_to_end, recipe=PICTURE, settings=COARSE)


@pytest.fixture(scope="module")
def undisturbed(tiny_dataset, tmp_path_factory):
    """A run of three epochs, as it was after each: folders 1, 2, 3."""
    folder = tmp_path_factory.mktemp("runs")
    steps = fit(folder / "3", LIL_DATA, tiny_dataset, Training(3, 8), SMALL)
    for step in steps:
        if step.history is not None and step.epoch < 3:
            shutil.copytree(folder / "3", folder / str(step.epoch))
    return folder


@pytest.fixture(scope="module")
def learned(tiny_dataset, tmp_path_factory):
    """A run of 12 epochs, and the weights after each."""
    folder = tmp_path_factory.mktemp("learned")
    training = Training(12, batch_size=8, learning_rate=3e-3)
    steps = fit(folder, LIL_DATA, tiny_dataset, training, replace(SMALL, dropout=0.0))
    return folder, [weights_at_the_end(folder) for s in steps if s.history is not None]


# --- steps -------------------------------------------------------------------------------------


def test_steps_count_epochs_and_steps(tiny_dataset, tmp_path):
    steps = coarse(tmp_path / "run", tiny_dataset, epochs=2)
    within = [s for s in steps if s.history is None]
    assert [(s.epoch, s.step) for s in within] == [(e, n) for e in (1, 2) for n in (1, 2, 3)]
    assert {(s.epochs, s.steps) for s in steps} == {(2, STEPS)}
    ends = [s for s in steps if s.history is not None]
    assert [len(s.history) for s in ends] == [1, 2]
    columns = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"]
    assert list(ends[-1].history) == columns
    assert ends[-1].loss == pytest.approx(ends[-1].history["loss"].iloc[-1])


def test_measures_are_keras_own(tiny_dataset, undisturbed):
    """Validation figures against Keras' evaluation of the saved network."""
    run = load_run(undisturbed / "1")
    validation = tiny_dataset.select(split="validation")
    run.model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    loss, accuracy = run.model.evaluate(
        network_input(validation.images()), validation.labels, verbose=0
    )
    row = run.history.iloc[0]
    assert row["val_accuracy"] == pytest.approx(accuracy, abs=0.13)  # a clip on the edge may tip
    assert row["val_loss"] == pytest.approx(loss, rel=0.05)  # the twin computes in bfloat16


def test_a_network_learns_loud_from_quiet(tiny_dataset, learned):
    test = tiny_dataset.select(split="test")
    probabilities = predict(load_run(learned[0]).model, test)
    assert (probabilities.argmax(1) == test.labels).all()


def test_the_kept_model_is_the_best_epochs(learned):
    """Whatever epoch the peak is, its weights are those that were there after it."""
    folder, ended = learned
    run = load_run(folder)
    best = ended[peaked(run.history).epoch - 1]
    for number, kept in enumerate(run.model.weights):
        np.testing.assert_array_equal(kept, best[str(number)])


def test_the_seed_decides(tiny_dataset, tmp_path, undisturbed):
    run_to_end(tmp_path / "same", tiny_dataset)
    assert_same_run(tmp_path / "same", undisturbed / "3")
    run_to_end(tmp_path / "other", tiny_dataset, epochs=1, seed=1)
    other, first = weights_at_the_end(tmp_path / "other"), weights_at_the_end(undisturbed / "1")
    assert not np.array_equal(other["0"], first["0"])


def test_determinism_ends_with_the_step(tiny_dataset, tmp_path):
    """While it is on, TensorFlow refuses random numbers without a seed: `model.fit` would fail."""
    steps = fit(tmp_path, LIL_DATA, tiny_dataset, Training(1, batch_size=8), SMALL)
    next(steps)
    tf.random.uniform([1])
    with deterministic(), pytest.raises(RuntimeError, match="seed"):
        tf.random.uniform([1])


@pytest.mark.parametrize("batch_size", [8, 20], ids=["within an epoch", "by its only step"])
def test_a_diverging_loss_is_told(tiny_dataset, tmp_path, batch_size):
    wild = replace(LIL_DATA, learning_rate=1e38)
    with pytest.raises(LilDataError, match=r"diverged in epoch .*try a learning rate below 1e"):
        run_to_end(tmp_path, tiny_dataset, epochs=3, recipe=wild, batch_size=batch_size)
    assert not (tmp_path / "history.csv").exists()


def test_without_validation_clips(tiny_dataset, tmp_path):
    clips = tiny_dataset.clips
    only = replace(tiny_dataset, clips=clips[clips["split"] == "train"].reset_index(drop=True))
    coarse(tmp_path, only, epochs=2)
    history = load_run(tmp_path).history
    assert list(history) == ["epoch", "loss", "accuracy", "seconds"]
    assert peaked(history).column == "accuracy"


@pytest.mark.parametrize(
    "nothing",
    [{"epochs": 0}, {"batch_size": 0}],
    ids=str,
)
def test_nothing_to_do_is_an_error(nothing):
    with pytest.raises(LilDataError, match=r"must be from 1 to .*, got 0"):
        Training(**nothing)


def test_without_a_learning_rate_the_recipes_own_counts(tiny_dataset, tmp_path):
    coarse(tmp_path / "own", tiny_dataset, epochs=1)
    coarse(tmp_path / "said", tiny_dataset, epochs=1, learning_rate=PICTURE.learning_rate)
    assert_same_run(tmp_path / "own", tmp_path / "said")
    assert load_run(tmp_path / "own").settings["learning_rate"] == PICTURE.learning_rate


def test_a_network_looks_at_the_clips_before_the_first_epoch_only(tiny_dataset, tmp_path):
    looked = []

    def look(model, batches):
        looked.append(sum(map(len, batches)))

    recipe = replace(PICTURE, adapt=look)
    coarse(tmp_path, tiny_dataset, epochs=1, recipe=recipe)
    coarse(tmp_path, tiny_dataset, epochs=2, recipe=recipe)
    assert looked == [20]


def test_xla_computes_the_same(tiny_dataset, tmp_path):
    for name, recipe in (("plain", PICTURE), ("xla", replace(PICTURE, xla=True))):
        coarse(tmp_path / name, tiny_dataset, epochs=1, recipe=recipe)
    first, second = (weights_at_the_end(tmp_path / name) for name in ("plain", "xla"))
    for name in first:
        np.testing.assert_allclose(first[name], second[name], atol=1e-5, err_msg=name)


def test_long_gradients_are_shortened(tiny_dataset, tmp_path):
    """Adam's first moment after a step is a tenth of the gradient; its second is never below 0."""
    lengths = []
    for clip_norm in (None, 0.5):
        recipe = replace(PICTURE, optimizer=partial(adam, clip_norm=clip_norm))
        coarse(tmp_path / str(clip_norm), tiny_dataset, epochs=1, recipe=recipe, batch_size=20)
        state = weights_at_the_end(tmp_path / str(clip_norm))
        moments = [a for name, a in state.items() if int(name) > 3 and (a < 0).any()]
        lengths.append(10 * np.sqrt(sum((moment**2).sum() for moment in moments)))
    assert lengths[0] > 1
    assert lengths[1] == pytest.approx(0.5, rel=1e-3)


# --- recipes -----------------------------------------------------------------------------------

DECAY = 0.01


def softer(images, labels, seed, settings):
    """An augmentation: each clip gets its own share of its level."""
    shares = tf.random.stateless_uniform((tf.shape(images)[0], 1, 1), seed, 0.5, 1.0)
    return tf.cast(tf.cast(images, tf.float32) * shares, images.dtype), labels


ROUNDABOUT = replace(
    PICTURE,
    optimizer=lambda rate, settings: keras.optimizers.AdamW(rate, weight_decay=DECAY),
    schedule=lambda rate, steps: keras.optimizers.schedules.CosineDecay(rate, steps),
    augment=softer,
)


@pytest.fixture(scope="module")
def roundabout(tiny_dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("roundabout")
    coarse(folder, tiny_dataset, recipe=ROUNDABOUT, learning_rate=1e-3)
    return folder


def test_a_recipe_has_an_optimizer_a_schedule_and_an_augmentation(
    tiny_dataset, tmp_path, roundabout
):
    assert len(load_run(roundabout).history) == 3
    ended = weights_at_the_end(roundabout)
    for part in ("optimizer", "schedule", "augment"):
        without = replace(ROUNDABOUT, **{part: getattr(PICTURE, part)})
        coarse(tmp_path / part, tiny_dataset, recipe=without, learning_rate=1e-3)
        assert not np.array_equal(weights_at_the_end(tmp_path / part)["0"], ended["0"]), part


@pytest.mark.parametrize("epoch", [1, 2])
def test_any_recipe_resumes_exactly(tiny_dataset, tmp_path, roundabout, epoch):
    rate = {"learning_rate": 1e-3}
    steps = fit(tmp_path, ROUNDABOUT, tiny_dataset, Training(3, batch_size=8, **rate), COARSE)
    assert next(s for s in steps if s.history is not None and s.epoch == epoch)
    steps.close()
    coarse(tmp_path, tiny_dataset, recipe=ROUNDABOUT, **rate)
    assert_same_run(tmp_path, roundabout)


def test_every_step_has_a_chance_of_its_own(tiny_dataset, tmp_path):
    seeds = []

    def told(images, labels, seed, settings):
        tf.numpy_function(lambda pair: seeds.append(tuple(pair)), [seed], [], stateful=True)
        return images, labels

    coarse(tmp_path, tiny_dataset, epochs=2, recipe=replace(PICTURE, augment=told))
    assert len(seeds) == 2 * STEPS == len(set(seeds))


# --- resume ------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps_done", [1, 4, 6, 8], ids=lambda n: f"after {n}")
def test_stopped_and_continued_is_undisturbed(tiny_dataset, tmp_path, undisturbed, steps_done):
    steps = fit(tmp_path, LIL_DATA, tiny_dataset, Training(3, batch_size=8), SMALL)
    list(islice(steps, steps_done))
    steps.close()
    run_to_end(tmp_path, tiny_dataset)
    assert_same_run(tmp_path, undisturbed / "3")


def test_killed_between_the_files_of_an_epoch(tiny_dataset, tmp_path, undisturbed):
    run = tmp_path / "run"
    shutil.copytree(undisturbed / "3", run)
    # The model was written, the checkpoint not: the epoch is done again.
    for name in ("checkpoint.npz", "history.csv"):
        shutil.copy(undisturbed / "2" / name, run)
    assert run_to_end(run, tiny_dataset)
    assert_same_run(run, undisturbed / "3")

    # The checkpoint was written, the history not: only that is missing.
    shutil.copy(undisturbed / "2" / "history.csv", run)
    assert run_to_end(run, tiny_dataset) == []
    assert_same_run(run, undisturbed / "3")


def test_killed_before_run_json(tiny_dataset, tmp_path, undisturbed):
    (tmp_path / ".run.host-1.partial.json").write_text("{")
    run_to_end(tmp_path, tiny_dataset, epochs=1)
    assert_same_run(tmp_path, undisturbed / "1")


def test_a_finished_run_is_not_trained_again(tiny_dataset, undisturbed):
    run = undisturbed / "3"
    before = {f.name: f.stat().st_mtime_ns for f in run.iterdir()}
    assert run_to_end(run, tiny_dataset) == []
    assert {f.name: f.stat().st_mtime_ns for f in run.iterdir()} == before


def test_more_epochs_continue_a_run(tiny_dataset, tmp_path, undisturbed):
    run_to_end(tmp_path, tiny_dataset, epochs=1)
    run_to_end(tmp_path, tiny_dataset, epochs=3)
    assert_same_run(tmp_path, undisturbed / "3")


def test_a_broken_checkpoint_is_told(tiny_dataset, tmp_path):
    coarse(tmp_path, tiny_dataset, epochs=1)
    (tmp_path / "checkpoint.npz").write_bytes(b"PK broken")
    with pytest.raises(LilDataError, match=r"checkpoint.npz can't be read"):
        coarse(tmp_path, tiny_dataset, epochs=2)


EPOCHS = 30
SERVER = f"""
import os, sys
from pathlib import Path
import keras, pandas, tensorflow  # slow: once, for all that will be killed
run, data = map(Path, sys.argv[1:])
while sys.stdin.readline():
    if os.fork() == 0:
        from lildata_utils.clips import dataset
        from lildata_utils.learning.fit import fit
        from lildata_utils.learning.recipes import LIL_DATA
        from lildata_utils.learning.settings import Training
        from lildata_utils.networks.settings import LilDataSettings
        settings = LilDataSettings(filters=(4, 4), side=63)
        print(os.getpid(), flush=True)
        steps = fit(run, LIL_DATA, dataset.load(data), Training({EPOCHS}, batch_size=8), settings)
        for step in steps:
            print(step.epoch, step.step, flush=True)
        os._exit(0)
    _, status = os.wait()
    print("ended", status, flush=True)
"""


@pytest.mark.slow
def test_kill_9_at_any_moment(own_dataset, tmp_path):
    data, run = own_dataset.folder, tmp_path / "killed"
    run_to_end(tmp_path / "whole", own_dataset, epochs=EPOCHS)
    rng = np.random.default_rng(0)
    command = [sys.executable, "-c", SERVER, str(run), str(data)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **pipes, text=True) as server:

        def start():
            server.stdin.write("\n")
            server.stdin.flush()
            return int(server.stdout.readline())

        for _ in range(4):
            process = start()
            for _ in range(int(rng.integers(1, 6))):
                server.stdout.readline()
            time.sleep(rng.uniform(0, 0.1))
            os.kill(process, signal.SIGKILL)
            assert f"ended {int(signal.SIGKILL)}\n" in iter(server.stdout.readline, "")
        start()
        output, _ = server.communicate()
    first, *_, last = output.splitlines()
    assert last == "ended 0"
    assert first not in (last, "1 1")  # it had something left to do, and did not begin anew
    assert_same_run(run, tmp_path / "whole")
    assert {f.name for f in run.iterdir()} == {f.name for f in (tmp_path / "whole").iterdir()}


# --- load or train -----------------------------------------------------------------------------


def test_fit_or_load_says_which_of_the_two(tiny_dataset, tmp_path, capsys):
    def call(epochs, **training):
        training = Training(epochs, batch_size=8, **training)
        run = fit_or_load(tmp_path, PICTURE, tiny_dataset, training, COARSE)
        return run, capsys.readouterr().out.splitlines()[-1]

    run, said = call(2)
    assert said.startswith(f"Trained 2 epochs into {tmp_path}; ")
    again, said = call(2)
    assert said.startswith(f"Loaded the finished run in {tmp_path} (2 epochs); ")
    pd.testing.assert_frame_equal(run.history, again.history)
    for a, b in zip(run.model.weights, again.model.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    run, said = call(3)
    assert said.startswith(f"Went on with the run in {tmp_path}, from epoch 3 to 3; ")
    assert len(run.history) == 3
    run, said = call(1, seed=3)
    assert "in place of a run with seed 0 instead of 3" in said
    assert len(run.history) == 1


def test_a_long_training_prints_some_of_its_epochs(tiny_dataset, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(fitting, "PRINTED_EPOCHS", 2)
    fit_or_load(tmp_path, PICTURE, tiny_dataset, Training(5, batch_size=8), COARSE)
    printed = [line.split(",")[0] for line in capsys.readouterr().out.splitlines()]
    assert printed[:-1] == ["epoch 3/5", "epoch 5/5"]

"""What the notebooks share: runs that are found again, and go on from an earlier stage."""

from dataclasses import replace

import pytest

from lildata_utils.course import workspace
from lildata_utils.errors import LilDataError
from lildata_utils.genre.doubt import load_doubt
from lildata_utils.learning import recipes
from lildata_utils.networks.settings import LSTMSettings, SoftmaxSettings


@pytest.mark.slow
def test_the_full_stage_of_an_lstm_goes_on_from_the_early_one(
    tiny_dataset, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(workspace, "DATA_FOLDER", tmp_path)
    monkeypatch.setitem(workspace.LSTM_RUNS, "depth_3", LSTMSettings(layers=1, units=2))
    # Compiling takes longer than these two epochs.
    monkeypatch.setattr(recipes, "LSTM", replace(recipes.LSTM, xla=False))
    early = workspace.lstm_run("smoke", "depth_3", tiny_dataset, 1)
    full = workspace.lstm_run("smoke", "depth_3", tiny_dataset, 2)
    assert "from epoch 2 to 2" in capsys.readouterr().out
    assert [len(run.history) for run in (early, full)] == [1, 2]
    assert full.history["loss"].iloc[0] == early.history["loss"].iloc[0]
    assert early.folder.name == "depth_3_20_clips_1_epochs"
    again = workspace.lstm_run("smoke", "depth_3", tiny_dataset, 1)
    assert "Loaded the finished run" in capsys.readouterr().out
    assert again.history.equals(early.history)


def test_lstms_that_come_with_the_course_say_what_they_learned(capsys):
    run = workspace.kept_lstm("depth_3_2_clips_1000_epochs")
    assert "1000 epochs on 2 clips, seed 0" in capsys.readouterr().out
    assert run.model.count_params() == 208_981
    with pytest.raises(LilDataError, match="is no run folder"):
        workspace.kept_lstm("depth_9")


def test_a_run_of_the_course_has_its_profiles_epochs_or_its_own(
    tiny_dataset, tmp_path, monkeypatch
):
    monkeypatch.setattr(workspace, "DATA_FOLDER", tmp_path)
    coarse = SoftmaxSettings(pool=63)
    runs = [
        workspace.course_run(
            "smoke", f"softmax_{epochs}", recipes.SOFTMAX, tiny_dataset, coarse, epochs
        )
        for epochs in (None, 2)
    ]
    assert [len(run.history) for run in runs] == [1, 2]


def test_the_network_that_tells_genres_is_the_one_that_comes_with_the_course(capsys):
    run = workspace.genre_network("smoke")
    assert run.network == "cnn"
    assert "comes with the course (data/pretrained/lil_data: trained on" in capsys.readouterr().out


def test_without_it_the_profile_trains_its_own(tiny_dataset, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr("lildata_utils.learning.runs.PRETRAINED", tiny_dataset.folder)
    monkeypatch.setattr(workspace, "course_dataset", lambda profile: tiny_dataset)
    monkeypatch.setattr(workspace, "course_run", lambda *given: asked.append(given))
    workspace.genre_network("smoke")
    assert asked == [("smoke", "lil_data", recipes.LIL_DATA, tiny_dataset)]


@pytest.mark.slow
def test_without_the_shipped_listener_the_profile_trains_one_that_knows_its_doubt(
    tiny_dataset, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("lildata_utils.learning.runs.PRETRAINED", tmp_path)
    monkeypatch.setattr(workspace, "DATA_FOLDER", tmp_path)
    monkeypatch.setattr(workspace, "course_dataset", lambda profile: tiny_dataset)
    run = workspace.listener_network("smoke")
    assert (run.network, len(run.history)) == ("listener", 1)
    doubt = load_doubt(run)
    assert doubt is not None
    assert doubt.threshold > 0
    workspace.listener_network("smoke")
    assert "Loaded the finished run" in capsys.readouterr().out

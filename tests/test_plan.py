"""Plans of experiments: read, or refused in one line."""

import pytest
from plans import PLAN, write

from lildata_utils.errors import LilDataError
from lildata_utils.files import PROJECT_FOLDER
from lildata_utils.genre.plan import Contrast, Music, read_plan


def test_a_plan_is_read(tmp_path):
    plan = read_plan(write(tmp_path, PLAN))
    assert plan.music == Music(tracks=3, seconds=10.0, seed=1)
    assert [row.name for row in plan.rows] == ["Small", "Small, half"]
    assert plan.rows[1].folder == "small-half"
    assert plan.contrasts == (Contrast("half of the clips", ("Small, half",), ("Small",)),)
    assert [(row.share, seed) for row, seed in plan.runs] == [(1.0, 0), (1.0, 1), (0.5, 0)]


def test_a_folder_of_music_is_meant_from_the_plan(tmp_path):
    text = PLAN.replace("tracks = 3", 'folder = "my-music"')
    assert read_plan(write(tmp_path, text)).music.folder == str(tmp_path / "my-music")


@pytest.mark.parametrize("path", sorted((PROJECT_FOLDER / "experiments").glob("*.toml")))
def test_the_projects_own_plans_are_right(path):
    assert len(read_plan(path).runs) > 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[music]", "[music", "can't be read as a plan"),
        ("[music]", "[sound]", "has sound: expected a table"),
        ("tracks = 3", "trakcs = 3", r"\[music\]: trakcs is unknown; expected tracks"),
        ('name = "Small"\n', "", "row 1: object missing required field name"),
        ('"Small, half"', '"small"', "every row needs a name of its own"),
        ('network = "cnn"\nepochs', 'network = "cnnn"\nepochs', "no network 'cnnn'; expected"),
        ("share = 0.5", "share = 1.5", "share 1.5; expected above 0, up to 1"),
        ("share = 0.5", 'split = "song"', "split 'song'; expected track or clip"),
        ("seeds = [0, 1]", "seeds = []", r"seeds \(\); expected one or more"),
        ('["Small"]', '["Large"]', "'half of the clips': there is no row 'Large'"),
        ("share = 0.5", 'split = "clip"', "rows of different splits have different test clips"),
        ("side = 32", "momentum = 0.9", "cnn has no option momentum; it has filters"),
        ("side = 32", "side = 31", r"row 1 \(Small\): side must be from 32 to 631, got 31"),
        ("epochs = 2", "epochs = 0", r"row 1 \(Small\): epochs must be from 1 to 1000000, got 0"),
    ],
)
def test_what_is_wrong_in_a_plan_is_one_line(tmp_path, old, new, told):
    with pytest.raises(LilDataError, match=told) as caught:
        read_plan(write(tmp_path, PLAN.replace(old, new, 1)))
    assert "\n" not in str(caught.value)


def test_a_plan_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(LilDataError, match="can't be read as a plan"):
        read_plan(tmp_path / "plan.toml")

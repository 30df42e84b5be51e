"""Some hundred mutated inputs, and every one that once failed (`python -m tests.fuzz`)."""

import pytest
from fuzz import assets as good
from fuzz import inputs
from fuzz.targets import CLEAN, FAILURE, LINE
from fuzz.workers import Worker

from lildata_utils.files import PROJECT_FOLDER

CASES = sorted((PROJECT_FOLDER / "tests/fuzz/cases").glob("*.json"))
# TensorFlow takes seconds to load a model or to train.
SLOW = ("model.keras", "checkpoint.npz", "words")
QUICK = [kind for kind in inputs.KINDS if kind not in SLOW]


@pytest.fixture(scope="module")
def assets(tmp_path_factory):
    return good.build(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def worker(assets):
    made = Worker(assets)
    yield made
    made.end()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_what_once_failed_does_not_fail_again(path, worker):
    outcome = worker.run(inputs.from_json(path.read_text()))
    assert outcome.status != FAILURE, outcome


def test_three_hundred_inputs_end_well_or_in_a_line(worker, assets):
    count = {CLEAN: 0, LINE: 0}
    for kind, number in inputs.numbered(300, QUICK):
        made = inputs.make(kind, 1, number, assets)
        if made.command[:2] in (["lildata", "classify"], ["lildata", "generate"]):
            continue
        outcome = worker.run(made)
        assert outcome.status != FAILURE, f"{kind} {number}: {outcome}"
        count[outcome.status] += 1
    assert min(count.values()) > 50


def test_a_case_is_kept_as_it_was_made(assets):
    for kind in ("png", "tracks.csv", "names"):
        made = inputs.make(kind, 0, 3, assets)
        assert inputs.from_json(made.to_json()) == made
        assert made == inputs.make(kind, 0, 3, assets)

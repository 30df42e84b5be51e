"""Settings: what a field may be, told in a line when it is not."""

from dataclasses import dataclass

import pytest

from lildata_utils.crate.settings import Collection
from lildata_utils.errors import LilDataError
from lildata_utils.learning.settings import Training
from lildata_utils.networks.settings import LilDataSettings, LSTMSettings
from lildata_utils.settings import Range, Settings, setting

NAN, INFINITE = float("nan"), float("inf")


@dataclass(frozen=True)
class Tea(Settings):
    cups: int = setting(1, "how many", range=Range(least=1, most=4))
    sugar: float = setting(0.5, "share", range=Range(least=0, below=1))
    minutes: float | None = setting(
        None, "how long (default: until it is dark)", range=Range(above=0)
    )
    kind: str = setting("green", "of leaf", choices=("green", "black"))
    kinds: tuple[str, ...] = setting(("green",), "to taste", choices=("green", "black"))
    sips: tuple[int, ...] = setting((1, 2), "of each cup", range=Range(least=1))
    place: str = "kitchen"


@pytest.mark.parametrize(
    ("range_", "inside", "outside"),
    [
        (Range(least=1), (1, 1e30), (0.999, -1)),
        (Range(most=2), (2, -1e30), (2.001,)),
        (Range(above=0), (1e-30,), (0, -1)),
        (Range(below=1), (0.999, -5), (1, 2)),
        (Range(least=0, below=1), (0, 0.5), (1, -0.1)),
        (Range(least=32, most=631), (32, 631), (31, 632)),
        (Range(), (0, -1e300), ()),
    ],
    ids=str,
)
def test_a_range_has_its_ends_and_only_finite_numbers(range_, inside, outside):
    assert all(number in range_ for number in inside)
    assert not any(number in range_ for number in (*outside, NAN, INFINITE, -INFINITE))


@pytest.mark.parametrize(
    ("range_", "words"),
    [
        (Range(least=1), "at least 1"),
        (Range(most=2.5), "at most 2.5"),
        (Range(least=0, below=1), "at least 0 and below 1"),
        (Range(above=0, most=1), "at most 1 and above 0"),
        (Range(least=32, most=631), "from 32 to 631"),
        (Range(), "a finite number"),
    ],
)
def test_a_range_says_what_it_is(range_, words):
    assert str(range_) == words


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"cups": 5}, "cups must be from 1 to 4, got 5"),
        ({"sugar": 1.5}, "sugar must be at least 0 and below 1, got 1.5"),
        ({"sugar": NAN}, "sugar must be at least 0 and below 1, got nan"),
        ({"sips": (1, INFINITE)}, "sips must be at least 1, got inf"),
        ({"minutes": 0}, "minutes must be above 0, got 0"),
        ({"kind": "mint"}, "kind must be one of green, black, got 'mint'"),
        ({"kind": None}, "kind must be one of green, black, got None"),
        ({"cups": None}, "cups must be from 1 to 4, got None"),
        ({"cups": "2"}, "cups must be from 1 to 4, got '2'"),
        ({"kinds": ("green", "mint")}, "kinds must be one of green, black, got 'mint'"),
        ({"kinds": ()}, "kinds must not be empty"),
        ({"sips": (1, 0)}, "sips must be at least 1, got 0"),
        ({"sips": []}, "sips must not be empty"),
    ],
)
def test_what_a_field_can_not_be_is_one_line(values, told):
    with pytest.raises(LilDataError) as caught:
        Tea(**values)
    assert str(caught.value) == told


def test_numbers_beyond_all_bounds_are_told():
    assert 10**400 not in Range(least=0)
    with pytest.raises(LilDataError, match="cups must be from 1 to 4, got 1000"):
        Tea(cups=10**400)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"sugar": [0.5]}, "sugar: expected float, got array"),
        ({"sips": "12"}, "sips: expected array, got str"),
        ({"kind": 3}, "kind: expected str, got int"),
        ({"cups": 1.5}, "cups: expected int, got float"),
    ],
)
def test_settings_of_a_file_have_their_types(values, told):
    with pytest.raises(LilDataError, match=told):
        Tea.made_of(values)


@pytest.mark.parametrize(
    "make",
    [
        lambda: LilDataSettings(filters=(4096,) * 5),
        lambda: LilDataSettings(filters=(4096,)),
        lambda: LilDataSettings(filters=(1,) * 100),
        lambda: LSTMSettings(layers=64, units=4096),
        lambda: Training(seed=10**20),
        lambda: Training(learning_rate=1e300),
        lambda: Collection(duration_s=1e9),
    ],
)
def test_what_would_fill_the_memory_is_refused_before_it_is_built(make):
    with pytest.raises(LilDataError, match=r"fewer|at most|from|above"):
        make()


def test_none_is_kept_where_it_is_the_default():
    assert Tea(minutes=None).minutes is None
    assert Tea(minutes=3).minutes == 3


def test_lists_of_files_become_tuples():
    assert Tea(sips=[3, 4], kinds=["black"]) == Tea(sips=(3, 4), kinds=("black",))


def test_settings_are_made_of_what_they_know():
    assert Tea.made_of({"cups": 2, "cake": "lemon", "place": "garden"}) == Tea(2, place="garden")
    with pytest.raises(LilDataError, match="cups must be from 1 to 4, got 9"):
        Tea.made_of({"cups": 9})

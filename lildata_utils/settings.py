"""Settings: frozen dataclasses whose fields say what they mean and what they may be.

The checks of a call, the options of the command line and the choices of the panel come from them.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from lildata_utils.errors import LilDataError
from lildata_utils.schema import checked


@dataclass(frozen=True)
class Range:
    """The numbers that a setting may have; NaN and infinity are in no range (README)."""

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None

    def __contains__(self, number: float) -> bool:
        return (
            abs(number) <= sys.float_info.max  # so that NaN and 10^400 fail, too
            and (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
            and (self.above is None or number > self.above)
            and (self.below is None or number < self.below)
        )

    def __str__(self) -> str:
        if self.least is not None and self.most is not None:
            return f"from {_shown(self.least)} to {_shown(self.most)}"
        words = {"at least": self.least, "at most": self.most}
        words |= {"above": self.above, "below": self.below}
        told = [f"{word} {_shown(end)}" for word, end in words.items() if end is not None]
        return " and ".join(told) or "a finite number"


def _shown(number: float) -> str:
    return f"{number}" if isinstance(number, int) else f"{number:g}"


# What numpy, Keras and TensorFlow all take as a seed.
SEEDS = Range(least=0, most=2**31 - 1)
# Places in a sound, in seconds: two weeks are more than any file has.
PLACES = Range(least=0, most=1_000_000)
# More weights than any network here has with sane settings; a gigabyte or two.
MOST_WEIGHTS = 500_000_000


def setting(
    default: Any,
    words: str,
    *,
    range: Range | None = None,
    choices: Sequence[Any] | None = None,
    metavar: str | None = None,
    option: str | None = None,
) -> Any:
    """Declare a field of a `Settings` class: its default, what it is, and what it may be (README).

    `words` explain it on the command line, `metavar` stands there for its value. A tuple's elements
    each must be in `range` or among `choices`. A default of None may be kept. `option` is its name
    on the command line, where that is not the field's own.
    """
    about = {"words": words, "range": range, "choices": choices}
    about |= {"metavar": metavar, "option": option}
    return field(default=default, metadata=about)


@dataclass(frozen=True)
class Settings:
    """A thing's settings: checked when they are made (README).

    Raises
    ------
    LilDataError
        If a value is outside what its field allows.
    """

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, list):  # JSON and TOML know no tuples
                value = tuple(value)
                object.__setattr__(self, one.name, value)
            if one.metadata and not (value is None and one.default is None):
                _check(one.name, value, one.metadata)

    @classmethod
    def made_of(cls, values: Mapping[str, Any]) -> Self:
        """Make settings of what a file says; names that this class does not have are left out."""
        return checked(dict(values), cls)


def _check(name: str, value: Any, about: Mapping[str, Any]) -> None:
    choices, allowed = about["choices"], about["range"]
    if isinstance(value, tuple) and not value:
        raise LilDataError(f"{name} must not be empty")
    for element in value if isinstance(value, tuple) else (value,):
        if choices is not None and element not in choices:
            named = ", ".join(map(str, choices))
            raise LilDataError(f"{name} must be one of {named}, got {element!r}")
        if allowed is not None and not (isinstance(element, int | float) and element in allowed):
            raise LilDataError(f"{name} must be {allowed}, got {element!r}")

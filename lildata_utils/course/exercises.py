"""The notebooks' exercises: what checks an answer, and a solution for each.

A check runs the reader's answer on a case whose right result is known, and where it fails gives a
hint instead of a verdict. The tasks of each notebook stand in the folder ``tasks``. The solutions
are ordinary functions, so that a test can put each through its own check.
"""

import inspect
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lildata_utils.errors import LilDataError

if TYPE_CHECKING:
    from lildata_utils.learning.runs import Run

UNANSWERED = "nothing to check yet: fill in the cell above and run both cells again"


@dataclass(frozen=True, eq=False)
class Exercise:
    """A task of a notebook, with an answer that is right (notebook 01).

    `hint` takes what the answer made of the `case`, the answer and the case; it gives an empty
    string if the answer is right. Without a case the answer is no function, but the result.
    """

    solution: Callable[..., Any]
    hint: Callable[..., str]
    case: tuple[Any, ...] | None

    def find_fault(self, answer: Any) -> str:
        """Give a hint, or an empty string if the answer is right; raise what the answer raises."""
        # A copy: the answer may change what it is given.
        found = answer if self.case is None else answer(*deepcopy(self.case))
        if found is None or found is ...:
            return UNANSWERED
        return self.hint(found, answer, *(self.case or ()))


def exercises_of(notebook: int) -> dict[str, Exercise]:
    """Load the exercises of a notebook by their numbers, such as ``"1.2"`` (notebook 01)."""
    exercises: dict[str, Exercise] = import_module(
        f"lildata_utils.course.tasks.notebook_{notebook:02}"
    ).EXERCISES
    return exercises


def check(number: str, answer: Any) -> None:
    """Print whether an answer is right, and a hint if it is not (notebook 01).

    The answer is a function or a value; None or ``...`` stands for "not done".

    Examples
    --------
    >>> check("1.1", lambda n_samples, hop: n_samples // hop + 1)
    1.1 [ok] right
    """
    exercise = exercises_of(int(number.split(".")[0]))[number]
    try:
        hint = exercise.find_fault(answer)
    # The reader's own code may raise anything; that is a hint too, not a reason to stop a notebook.
    except Exception as error:
        hint = f"your code raised {type(error).__name__}: {error}"
    print(f"{number} [ok] right" if not hint else f"{number} [  ] {hint}")


def show_solutions(notebook: int, show: bool) -> None:
    """Print the solutions of a notebook (1 for 01), or how to see them (notebook 01)."""
    if not show:
        print("Set solutions = True in the first code cell to see the solutions here.")
        return
    for number, exercise in exercises_of(notebook).items():
        print(f"# {number}\n{inspect.getsource(exercise.solution)}")


def beat_the_network(
    guesses: Sequence[str], genres: Sequence[str], network_guesses: Sequence[str]
) -> None:
    """Print how many clips the reader and the network put into the right genre (notebook 00).

    Guesses are one a clip, empty where there is none; `genres` is the truth.
    """
    rivals = sum(a == b for a, b in zip(network_guesses, genres, strict=True))
    print(f"The network has {rivals} of {len(genres)} right.")
    if not any(guesses):
        print(f"You: {UNANSWERED}.")
        return
    unknown = sorted(set(guesses) - set(genres) - {""})
    if unknown or len(guesses) != len(genres):
        print(
            f"You: write {len(genres)} guesses, each one of {', '.join(sorted(set(genres)))}"
            + (f" (not {', '.join(unknown)})." if unknown else ".")
        )
        return
    right = [a == b for a, b in zip(guesses, genres, strict=True)]
    print(f"You have {sum(right)} of {len(genres)} right.")
    for place, (mine, good) in enumerate(zip(guesses, right, strict=True), start=1):
        if mine and not good:
            print(f"  listen again to clip {place}: it is not {mine}")


def hear_my_file(file: str, run: "Run") -> None:
    """Print what a network hears in a file of the reader's, or what to do (notebook 00)."""
    from lildata_utils.genre.listening import classify_file, describe

    if not file:
        print(UNANSWERED)
        return
    try:
        print("\n".join(describe(classify_file(Path(file).expanduser(), run))))
    except LilDataError as error:
        print(error)

"""The rules that all notebooks keep, and that each of them runs."""

import platform
import re
import statistics
import subprocess
import sys

import nbformat
import pytest

from lildata_utils.course import run as course
from lildata_utils.files import PROJECT_FOLDER

PATHS = course.find()
LARGEST_BYTES = 1_000_000
LAST_SECTIONS = ["Summary", "Exercises", "References", "Next"]

# Exact results are compared, all other cells only have to run; no cell may hang.
NBVAL = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=400", "-p", "no:cacheprovider"]


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def texts(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def codes(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def headings(notebook, level):
    return re.findall(rf"^{'#' * level} (.+)$", "\n".join(texts(notebook)), re.MULTILINE)


def output_texts(notebook):
    for cell in codes(notebook):
        for output in cell.outputs:
            yield output.get("text", "")
            for kind, data in output.get("data", {}).items():
                # Players and pictures are data, not words.
                if kind.startswith("text/") and "base64," not in data:
                    yield data


def test_is_valid_and_small(path, notebook):
    nbformat.validate(notebook)
    assert path.stat().st_size < LARGEST_BYTES
    assert notebook.metadata.kernelspec.name == course.KERNEL


def test_opens_with_a_title_a_sentence_and_what_to_expect(notebook):
    first, second = texts(notebook)[:2]
    title, _, sentence = first.partition("\n\n")
    assert re.fullmatch(r"# [^\n]+", title)
    assert sentence.strip().endswith(".")
    for promise in ("**You will learn**", "**You need**", "**Time on two CPU cores:**"):
        assert promise in second


def test_ends_with_summary_exercises_references_and_next(notebook):
    assert headings(notebook, 2)[-4:] == LAST_SECTIONS
    assert len(headings(notebook, 1)) == 1


def test_parameters_come_first_and_are_literals(path, notebook):
    assert "parameters" in codes(notebook)[0].metadata.get("tags", ())
    assert next(iter(course.parameters(path).items())) == ("profile", "quick")
    assert course.parameters(path)["solutions"] is False


def test_code_cells_are_short(notebook):
    lines = [len(cell.source.splitlines()) for cell in codes(notebook)]
    assert statistics.median(lines) <= 6
    assert max(lines) <= 30


def test_plots_and_widgets_come_from_the_package(notebook):
    source = "\n".join(cell.source for cell in codes(notebook))
    assert not re.search(r"matplotlib|pyplot|plt\.|interact\(", source)


def test_was_run_from_top_to_bottom_without_an_error(notebook):
    assert [cell.execution_count for cell in codes(notebook)] == list(
        range(1, len(codes(notebook)) + 1)
    )
    outputs = [output for cell in codes(notebook) for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert [output for output in outputs if "image/png" in output.get("data", {})]


def test_outputs_tell_nothing_of_the_computer_they_were_made_on(notebook):
    text = "\n".join([*output_texts(notebook), str(notebook.metadata)])
    assert not re.search(r"(?<![\w.])/(home|root|Users|tmp|var|mnt|work|opt|usr)/", text)
    assert str(PROJECT_FOLDER) not in text
    assert len(platform.node()) < 4 or platform.node() not in text


def test_outputs_outlive_their_kernel(notebook):
    assert "widgets" not in notebook.metadata  # the saved state would double the file
    shown = [set(o.get("data", ())) for cell in codes(notebook) for o in cell.outputs]
    view = "application/vnd.jupyter.widget-view+json"
    assert not [kinds for kinds in shown if {"text/html", view} <= kinds]


def test_players_are_compressed(notebook):
    assert "audio/wav" not in str([cell.outputs for cell in codes(notebook)])


def test_has_cells_whose_results_are_checked(notebook):
    assert [
        cell for cell in codes(notebook) if "nbval-check-output" in cell.metadata.get("tags", ())
    ]


def test_links_to_other_notebooks_lead_somewhere(path, notebook):
    for link in re.findall(r"\]\(([^)#]+\.ipynb)", "\n".join(texts(notebook))):
        assert (path.parent / link).is_file(), link


def test_every_exercise_has_a_task_a_cell_and_a_check(notebook):
    number = None
    cells_after: dict[str, int] = {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            found = re.search(r"^### (\d\.\d) ", cell.source, re.MULTILINE)
            number = found[1] if found else None
        elif number:
            cells_after[number] = cells_after.get(number, 0) + 1
    assert cells_after
    assert min(cells_after.values()) >= 2


@pytest.mark.slow
def test_runs_cell_by_cell_with_the_same_exact_results(path, notebook, tmp_path):
    """In the smallest profile: exact results depend on no profile. `make course` runs "quick"."""
    first = codes(notebook)[0]
    assert 'profile = "quick"' in first.source
    first.source = first.source.replace('"quick"', '"smoke"')
    nbformat.write(notebook, tmp_path / path.name)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *NBVAL, path.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.slow
def test_runs_in_another_profile_and_becomes_a_page(tmp_path):
    path = PATHS[0]
    [_, end] = course.run("smoke", only=[path.stem], out=tmp_path)
    assert end.error == ""
    executed = nbformat.read(tmp_path / path.name, as_version=4)
    assert any('profile = "smoke"' in cell.source for cell in codes(executed))
    page = (tmp_path / f"{path.stem}.html").read_text(encoding="utf-8")
    assert headings(executed, 1)[0] in page

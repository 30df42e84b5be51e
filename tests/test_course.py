import csv

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lildata_utils.course import run as course
from lildata_utils.errors import LilDataError

PARAMETERS = 'profile = "quick"  # or smoke'


def write_notebook(folder, name, *sources, parameters=PARAMETERS):
    cells = [new_markdown_cell(f"# Title of {name}\n\nNext: [one](01_breaks.ipynb)")]
    if parameters is not None:
        cells.append(new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    cells += [new_code_cell(source) for source in sources]
    nbformat.write(new_notebook(cells=cells), folder / f"{name}.ipynb")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    write_notebook(
        folder, "00_works", "from pathlib import Path", "print(profile, Path.cwd().name)"
    )
    write_notebook(folder, "01_breaks", "1 + 1", "int('twelve')", "print('not reached')")
    write_notebook(folder, "02_works_too", "import os", "print('process', os.getpid())")
    return folder


@pytest.mark.slow
def test_a_failing_notebook_is_one_line_and_the_others_run(folder, tmp_path):
    out = tmp_path / "course"
    steps = list(course.run("smoke", out=out, folder=folder))

    assert [(s.number, s.notebook, s.seconds is None) for s in steps] == [
        (1, "00_works", True),
        (1, "00_works", False),
        (2, "01_breaks", True),
        (2, "01_breaks", False),
        (3, "02_works_too", True),
        (3, "02_works_too", False),
    ]
    ended = {s.notebook: s for s in steps if s.seconds is not None}
    assert ended["00_works"].error == ended["02_works_too"].error == ""
    error = ended["01_breaks"].error
    assert "\n" not in error
    assert error.startswith("01_breaks.ipynb, cell In [4] (int('twelve')): ValueError:")

    # The parameter was injected, and the working folder is that of the notebooks.
    printed = nbformat.read(out / "00_works.ipynb", as_version=4).cells[-1].outputs[0]["text"]
    assert printed == "smoke notebooks\n"

    page = (out / "00_works.html").read_text(encoding="utf-8")
    assert 'href="01_breaks.html"' in page
    assert ".ipynb" not in page
    assert "<script src=" not in page, "pages work without a network"
    assert "ValueError" in (out / "01_breaks.html").read_text(encoding="utf-8")

    rows = list(csv.DictReader((out / "times.csv").open(encoding="utf-8")))
    assert [(r["notebook"], r["profile"], r["status"]) for r in rows] == [
        ("00_works", "smoke", "ok"),
        ("01_breaks", "smoke", "failed"),
        ("02_works_too", "smoke", "ok"),
    ]
    assert all(float(row["seconds"]) > 0 for row in rows)
    index = (out / "index.html").read_text(encoding="utf-8")
    assert "Title of 02_works_too" in index
    assert "ValueError" in index

    # Running one again keeps what is there of the others.
    write_notebook(folder, "01_breaks", "1 + 1")
    [_, again] = course.run("quick", only=["01"], out=out, folder=folder)
    assert again.error == ""
    rows = list(csv.DictReader((out / "times.csv").open(encoding="utf-8")))
    assert [(r["profile"], r["status"]) for r in rows] == [
        ("smoke", "ok"),
        ("quick", "ok"),
        ("smoke", "ok"),
    ]
    assert 'href="02_works_too.html"' in (out / "01_breaks.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_dead_kernel_is_reported_and_the_next_notebook_runs(folder, tmp_path):
    write_notebook(folder, "01_breaks", "import os", "os._exit(3)")
    steps = list(course.run("smoke", only=["01", "02"], out=tmp_path / "out", folder=folder))
    assert "DeadKernelError" in steps[1].error
    assert steps[3].error == ""


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (None, "has 0 cells tagged 'parameters'"),
        ("seed = 0", "does not set 'profile'"),
        ("profile = str(1)", "can't stand in the cell"),
    ],
)
def test_notebook_that_can_not_take_the_profile_stops_before_anything_runs(
    folder, tmp_path, parameters, words
):
    write_notebook(folder, "03_bad", "1 + 1", parameters=parameters)
    with pytest.raises(LilDataError, match=words):
        next(course.run("smoke", out=tmp_path / "out", folder=folder))
    assert not (tmp_path / "out").exists()


def test_choice_of_notebooks(folder):
    assert [p.stem for p in course.find(["02", "00_works"], folder)] == ["00_works", "02_works_too"]
    assert len(course.find((), folder)) == 3
    with pytest.raises(LilDataError, match=r"no notebook '7'.*00, 01, 02"):
        course.find(["7"], folder)


def test_unknown_profile_and_empty_folder(folder, tmp_path):
    with pytest.raises(LilDataError, match="profile 'fast' is unknown"):
        next(course.run("fast", out=tmp_path / "out", folder=folder))
    with pytest.raises(LilDataError, match="has no notebooks"):
        next(course.run("smoke", out=tmp_path / "out", folder=tmp_path))


def test_a_widget_s_view_goes_where_a_page_stands_beside_it(tmp_path):
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "é"}
    outputs = [
        new_output("display_data", {**view, "text/html": "<p>a page</p>"}),
        new_output("display_data", view),
        new_output("stream", text="words"),
    ]
    cells = [new_markdown_cell("# Title"), new_code_cell("show()", outputs=outputs)]
    path = tmp_path / "executed.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    before = path.read_text(encoding="utf-8")
    course.drop_views(path)
    after = nbformat.read(path, as_version=4).cells[1].outputs
    assert set(after[0].data) == {"text/html", "text/plain"}
    assert (after[1].data, after[2].text) == (view, "words")
    course.drop_views(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert set(lines) <= set(before.splitlines()), "only lines that went, so the diff is small"

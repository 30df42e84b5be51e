"""The results: every page is what its reports and templates say, and no link of a page is dead."""

import ast
import importlib
import importlib.util
import json
import re

import pytest

from lildata_utils.files import PROJECT_FOLDER


def load(path):
    """A program of the project as a module: none of them is in a package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tables = load(PROJECT_FOLDER / "scripts" / "tables.py")
report = load(PROJECT_FOLDER / "benchmarks" / "report.py")
TEMPLATES = {path.stem: path.read_text() for path in sorted(tables.TEMPLATES.glob("*.md"))}
REPORTS = {path.stem: json.loads(path.read_text()) for path in sorted(tables.REPORTS.glob("*"))}
PAGES = [
    *sorted(PROJECT_FOLDER.glob("*.md")),
    *sorted((PROJECT_FOLDER / "docs").glob("*.md")),
    *sorted(tables.RESULTS.glob("*.md")),
    PROJECT_FOLDER / "data" / "README.md",
]


@pytest.fixture(scope="module")
def built():
    return tables.build()


@pytest.mark.parametrize("name", sorted(set(TEMPLATES) - {tables.FRONT}))
def test_a_page_is_what_its_reports_say(name, built):
    path = tables.RESULTS / f"{name}.md"
    assert path.read_bytes() == built[path].encode(), "`make tables` writes it anew"


def test_the_readmes_table_is_what_the_reports_say(built):
    assert tables.README.read_bytes() == built[tables.README].encode()


def test_every_page_of_results_has_a_template_and_stands_in_the_index():
    index = (tables.RESULTS / "README.md").read_text()
    names = {path.stem for path in tables.RESULTS.glob("*.md")} - {"README"}
    assert names == set(TEMPLATES) - {tables.FRONT}
    assert all(f"({name}.md)" in index for name in names)


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_says_where_it_comes_from_and_is_shown(name):
    if name not in tables.SWEEPS:  # a sweep's own report, whose plan says the rest
        assert {"command", "data", "settings", "seeds"} <= set(REPORTS[name])
    assert REPORTS[name]["machine"]
    asked = "".join(TEMPLATES.values())
    assert f"{{{name}[" in asked or f"{{tables[{name}]}}" in asked


@pytest.mark.parametrize("name", REPORTS)
def test_the_program_of_a_report_writes_what_the_pages_ask_for(name):
    program = re.match(r"python (\w+/\w+\.py)", REPORTS[name].get("command", ""))
    if program is None or "rows_in" in REPORTS[name]:
        return
    source = (PROJECT_FOLDER / program[1]).read_text()
    given = {"command", "machine", "rows"}  # by benchmarks/report.py
    given |= set(tables.derive(name, REPORTS[name])) - set(REPORTS[name])
    for field in set(re.findall(rf"{{{name}\[(\w+)\]", "".join(TEMPLATES.values()))) - given:
        assert f"{field}=" in source or f'"{field}"' in source, field


def test_the_inversions_that_are_shown_are_measured():
    source = (PROJECT_FOLDER / "benchmarks" / "inversion.py").read_text()
    assert all(f'"{method}"' in source for method in tables.INVERSIONS)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(PROJECT_FOLDER)))
def test_links_lead_somewhere(path):
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
        if not link.startswith("http"):
            assert (path.parent / link).exists(), link


def test_the_readme_is_a_front_door():
    assert len(tables.README.read_text().splitlines()) <= 180


def test_the_readmes_python_names_exist():
    for block in re.findall(r"```python\n(.*?)```", tables.README.read_text(), re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(node.module)
                assert all(hasattr(module, alias.name) for alias in node.names), node.module


# --- the builder itself --------------------------------------------------------------------------


def test_a_table_leaves_empty_what_was_not_measured():
    rows = [{"name": "a", "share": 0.125}, {"name": "b", "share": None}]
    made = tables.table(rows, {"": "{name}", "clips": "{share:.1%}"})
    assert made.splitlines() == ["|  | clips |", "|---|---|", "| a | 12.5% |", "| b |  |"]


def test_a_figure_that_is_missing_altogether_is_an_error():
    with pytest.raises(KeyError):
        tables.table([{"name": "a"}], {"": "{name}", "clips": "{share:.1%}"})


def test_what_says_the_same_as_the_row_above_is_said_once():
    rows = [{"pair": "a"}, {"pair": "a"}, {"pair": "b"}, {"pair": "a"}]
    assert [row["pair"] for row in tables.once(rows, "pair")] == ["a", "", "b", "a"]


def test_costs_have_three_digits_or_groups():
    assert [tables.grouped(x) for x in (31.3, 128, 1606, 14_630_000)] == [
        "31.3",
        "128",
        "1 606",
        "14 630 000",
    ]


def test_words_are_wrapped_and_tables_are_not():
    row = "| " + "x" * 120 + " |"
    text = f"# Title\n\none\ntwo 95%\n\n{row}\n\n- a\n  b\n- c\n"
    assert tables.wrapped(text) == f"# Title\n\none two 95 %\n\n{row}\n\n- a b\n- c\n"


def test_a_readme_without_a_place_for_the_table_is_refused():
    with pytest.raises(SystemExit, match="lacks the lines"):
        tables.between("no place", "table")


def test_a_benchmarks_report_makes_a_table(tmp_path, monkeypatch):
    path = tmp_path / "speed.json"
    monkeypatch.setattr("sys.argv", ["benchmarks/x.py", "--seeds", "2", "--report", str(path)])
    row = report.compared("work, clips a second", 9.70312, 214.9123, 22.148)
    report.write(path, [row], seeds=[0, 1])
    found = tables.read(path)
    assert found["command"] == "python benchmarks/x.py --seeds 2"
    assert found["machine"]
    assert tables.speed(found).splitlines()[-1] == "| work, clips a second | 9.703 | 214.9 | 22 |"


def test_no_report_is_written_unasked(tmp_path):
    report.write(None, [])
    assert list(tmp_path.iterdir()) == []


def test_an_experiments_rows_make_both_tables():
    accuracy = load(PROJECT_FOLDER / "experiments" / "accuracy.py")
    one = {
        "accuracy": 0.755,
        "interval95": (0.69, 0.818),
        "track_accuracy": 0.917,
        "track_interval95": (0.833, 0.979),
        "macro_f1": 0.75,
    }
    alone = tables.derive("crate", {"rows": [accuracy.row("Lil Data", [one], [137.2])]})
    last = tables.crate(alone).splitlines()[-1]
    assert last == "| Lil Data | 75.5% (69.0 to 81.8) | 91.7% (83.3 to 97.9) | 0.75 | 137 s |"
    rows = [
        accuracy.row("majority", [one, one], []),
        accuracy.row("Lil Data", [one, one], [130, 140]),
    ]
    both = tables.recordings(tables.derive("recordings", {"rows": rows})).splitlines()
    assert both[-2] == "| majority | 75.5% | 75.5%; 75.5% | 91.7% |  |"
    assert both[-1].endswith("| 75.5% (69 to 82); 75.5% (69 to 82) | 91.7% | 135 s |")


def test_folds_make_a_table_of_methods_and_one_of_their_differences():
    row = {
        "name": "listener",
        "accuracy": 0.871,
        "interval95": (0.81, 0.925),
        "each": [0.87, 0.872],
        "track_accuracy": 0.93,
        "track_interval95": (0.86, 0.98),
        "seconds": 251.4,
    }
    contrast = {
        "plus": "listener",
        "minus": "Lil Data",
        "difference": 0.112,
        "interval95": (0.05, 0.17),
    }
    few = row | {"train_tracks": 10}
    report = {"rows": [row], "contrasts": [contrast], "few_tracks": [few]}
    rows, contrasts, fewer = tables.folds(tables.derive("listener", report)).split("\n\n")
    assert fewer.splitlines()[-1] == "| 10 | listener | 87.1% (81.0 to 92.5) |"
    assert rows.splitlines()[-1] == (
        "| listener | 87.1% (81.0 to 92.5) | 87.0%, 87.2% | 93.0% (86.0 to 98.0) | 251 s |"
    )
    assert contrasts.splitlines()[-1] == "| listener against Lil Data | +11.2 (+5.0 to +17.0) |"

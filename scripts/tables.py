"""Fill docs/results/ and the README's table from the reports: `make tables`.

A page is a template of docs/results/templates/ with figures of docs/results/reports/ put in, as
``str.format`` does it: ``{tables[lstm]}`` is a whole table, ``{recordings[clips]}`` a field of
reports/recordings.json, ``{recordings[rows][Lil Data][mean]:.1%}`` a figure of one of its rows.
"""

import csv
import json
import re
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
RESULTS = PROJECT / "docs" / "results"
REPORTS, TEMPLATES = RESULTS / "reports", RESULTS / "templates"
README = PROJECT / "README.md"
WIDTH = 100
# The README's table is a template, too; it goes between these two lines.
FRONT = "front"
# Reports that `lildata sweep` writes.
SWEEPS = ("resnet", "listener_steps")
BEGIN, END = "<!-- what it reaches: filled by `make tables` -->", "<!-- end -->"

Row = Mapping[str, Any]
Report = dict[str, Any]
# What a column shows of a row: a format of the row's fields, or a function of the row.
Column = str | Callable[[Row], str]


def main() -> int:
    """Write every page anew."""
    for path, text in build().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(PROJECT))
    return 0


def build() -> dict[Path, str]:
    """Lay out all pages from what lies in the checkout: their paths and texts."""
    figures = collect({path.stem: read(path) for path in sorted(REPORTS.glob("*.json"))})
    texts = {
        path.stem: wrapped(path.read_text(encoding="utf-8").format_map(figures))
        for path in sorted(TEMPLATES.glob("*.md"))
    }
    front = texts.pop(FRONT)
    pages = {RESULTS / f"{name}.md": note(name) + text for name, text in texts.items()}
    return pages | {README: between(README.read_text(encoding="utf-8"), front)}


def read(path: Path) -> Report:
    """Read a report; rows that lie in a CSV file are read from there."""
    report: Report = json.loads(path.read_text(encoding="utf-8"))
    if "rows_in" in report:
        with (PROJECT / report["rows_in"]).open(encoding="utf-8", newline="") as file:
            rows = [
                {name: as_number(text) for name, text in row.items()}
                for row in csv.DictReader(file)
            ]
        labels = report["labels"]
        named = {row["drawn by"]: row for row in rows}
        report["rows"] = [named[name] | {"name": label} for name, label in labels.items()]
    return report


def as_number(text: str) -> float | str | None:
    """Read a cell of a CSV file: empty is None."""
    try:
        return float(text) if text else None
    except ValueError:
        return text


def note(name: str) -> str:
    """Tell a reader of a page's source not to edit it."""
    return f"<!-- Built by `make tables` from templates/{name}.md and reports/. -->\n\n"


def wrapped(text: str) -> str:
    """Lay out paragraphs and lists anew, since figures are not as long as their names."""
    blocks = []
    for block in text.strip().split("\n\n"):
        if not block.startswith(("|", "#", "!", "```")):
            # As in all prose of this project: 95 % in words, 95% in tables.
            items = re.split(r"\n(?=- )", re.sub(r"(?<=\d)%", " %", block))
            block = "\n".join(
                textwrap.fill(
                    " ".join(item.split()),
                    WIDTH,
                    subsequent_indent="  " if item.startswith("- ") else "",
                    break_long_words=False,
                    break_on_hyphens=False,
                )
                for item in items
            )
        blocks.append(block)
    return "\n\n".join(blocks) + "\n"


def between(page: str, text: str) -> str:
    """Put a text between the two lines of the README that hold the place for it."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{README} lacks the lines {BEGIN} and {END}")
    return f"{before}{begin}\n\n{text}\n{end}{after}"


def collect(reports: Mapping[str, Report]) -> dict[str, Any]:
    """Gather what templates may ask for: the tables, and each report with its rows by name."""
    derived = {name: derive(name, report) for name, report in reports.items()}
    tables = {name: TABLES[name](report) for name, report in derived.items() if name in TABLES}
    return {"tables": tables} | {
        name: report
        | {part: by_name(report[part]) for part in ("rows", "contrasts") if part in report}
        for name, report in derived.items()
    }


def by_name(rows: Sequence[Row]) -> dict[str, Row]:
    """Key rows by their name, or by the first fields that tell them apart."""
    return {
        row.get("name") or ", ".join(str(cell) for cell in list(row.values())[:2]): row
        for row in rows
    }


def derive(name: str, report: Report) -> Report:
    """Add what follows from a report's figures."""
    if name in SWEEPS:
        # The sweep's own report: "rows" is what was planned, "table" what came out.
        return report | {
            "rows": report["table"],
            "contrasts": [in_points(row) for row in report["contrasts"]],
            "trainings": sum(row["seeds"] for row in report["table"]),
            "questions": len(report["contrasts"]),
            "hours": report["seconds"] / 3600,
            "minutes": report["seconds"] / 60,
        }
    if name == "listener":
        return report | {"contrasts": [in_points(row) for row in report["contrasts"]]}
    if name == "transfer":
        copies = {
            row["pair"]: row["onsets_of_style"]
            for row in report["rows"]
            if row["result"] == "copy the content"
        }
        rises = [
            row["onsets_of_style"] - copies[row["pair"]]
            for row in report["rows"]
            if row["content_cost"] is not None
        ]
        return report | {"largest_rise": max(rises), "minutes": report["seconds"] / 60}
    if name == "commands":
        return report | {f"{part}_min": report[f"{part}_s"] / 60 for part in ("course", "test")}
    if name == "robustness":
        return report | robustness(report)
    if name == "unseen":
        first, second, clips = report["rows"][0]["confused"][0]
        return report | {"pair": [first.replace("_", " "), second.replace("_", " "), clips]}
    if name == "judges":
        lost = [row["loss"] for row in report["rows"] if row["condition"].startswith("picture")]
        return report | {"largest_loss": 100 * max(lost)}
    if isinstance(report.get("rows", [{}])[0].get("accuracy"), list):  # a seed each
        rows = [
            row | {"mean": sum(row["accuracy"]) / len(row["accuracy"])} for row in report["rows"]
        ]
        return report | {"rows": rows}
    return report


def in_points(row: Row) -> Report:
    """Add what a contrast is in points of accuracy, and how large that is."""
    return {**row, "points": 100 * row["difference"], "size": abs(100 * row["difference"])}


def table(rows: Sequence[Row], columns: Mapping[str, Column]) -> str:
    """Lay out rows in Markdown."""
    lines = [[cell(column, row) for column in columns.values()] for row in rows]
    head = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    return "\n".join(head + [f"| {' | '.join(line)} |" for line in lines])


def cell(column: Column, row: Row) -> str:
    """Lay out a cell; what was not measured (None) stays empty."""
    try:
        return column(row) if callable(column) else column.format_map(row)
    except TypeError:
        return ""


def with_interval(share: float, interval: Sequence[float] | None, digits: int = 0) -> str:
    """Write a share in percent, with its 95 % interval if it has one."""
    if interval is None:
        return f"{share:.1%}"
    low, high = (f"{100 * end:.{digits}f}" for end in interval)
    return f"{share:.1%} ({low} to {high})"


def each_seed(row: Row) -> str:
    """Write a row's accuracies, a seed each."""
    intervals = row["interval95"] or [None] * len(row["accuracy"])
    return "; ".join(map(with_interval, row["accuracy"], intervals))


def grouped(number: float) -> str:
    """Write a cost: three digits, from a thousand on all, in groups."""
    return f"{number:.3g}" if number < 1000 else f"{number:,.0f}".replace(",", " ")


def ratio(row: Row) -> str:
    """Write how many times as fast ours is."""
    return f"{row['ratio']:.2f}" if row["ratio"] < 10 else f"{row['ratio']:.0f}"


def once(rows: Sequence[Row], field: str) -> list[Row]:
    """Empty a field where it says what the row above says."""
    above = [None, *(row[field] for row in rows[:-1])]
    return [
        {**row, field: ""} if row[field] == last else row
        for row, last in zip(rows, above, strict=True)
    ]


def recordings(report: Report) -> str:
    """Lay out several seeds, each with other tracks held out."""
    columns = {
        "": "{name}",
        "clips, mean": "{mean:.1%}",
        "clips, each seed (95 % interval)": each_seed,
        "tracks, mean": "{track_accuracy:.1%}",
        "training": "{seconds:.0f} s",
    }
    return table(report["rows"], columns)


def crate(report: Report) -> str:
    """Lay out one seed."""
    columns = {
        "": "{name}",
        "clips (95 % interval)": lambda row: with_interval(
            row["mean"], (row["interval95"] or [None])[0], 1
        ),
        "tracks (95 % interval)": lambda row: with_interval(
            row["track_accuracy"], row["track_interval95"], 1
        ),
        "macro F1": "{macro_f1:.2f}",
        "training": "{seconds:.0f} s",
    }
    return table(report["rows"], columns)


def folds(report: Report) -> str:
    """Lay out methods that were tested on every track once, and how far apart they are."""
    columns = {
        "": "{name}",
        "clips (95 % interval)": lambda row: with_interval(row["accuracy"], row["interval95"], 1),
        "clips, each seed": lambda row: ", ".join(f"{share:.1%}" for share in row["each"]),
        "tracks (95 % interval)": lambda row: with_interval(
            row["track_accuracy"], row["track_interval95"], 1
        ),
        "a training": "{seconds:.0f} s",
    }
    apart = {
        "": "{plus} against {minus}",
        "points of clips (95 % interval)": lambda row: "{:+.1f} ({:+.1f} to {:+.1f})".format(
            row["points"], *(100 * end for end in row["interval95"])
        ),
    }
    share = {name: columns[name] for name in ("", "clips (95 % interval)")}
    few = {"tracks it may learn": "{train_tracks}"} | share
    parts = (("rows", columns), ("contrasts", apart), ("few_tracks", few))
    return "\n\n".join(table(report[rows], laid_out) for rows, laid_out in parts)


def unseen(report: Report) -> str:
    """Lay out networks that heard artists whom nobody trained on."""
    columns = {
        "": "{name}",
        "clips that train": "{train_clips}",
        "clips (95 % interval)": lambda row: with_interval(row["accuracy"], row["interval95"], 1),
        "tracks (95 % interval)": lambda row: with_interval(
            row["track_accuracy"], row["track_interval95"], 1
        ),
        "macro F1": "{macro_f1:.2f}",
        "weights": lambda row: grouped(row["weights"]),
    }
    return table(report["rows"], columns)


def listener_tries(report: Report) -> str:
    """Lay out what else was tried, each beside what it was compared with."""
    columns = {
        "tried": "{name}",
        "folds": "{folds}",
        "clips": "{accuracy:.1%}",
        "beside": "{beside}",
        "its clips": "{other:.1%}",
    }
    return table(report["rows"], columns)


def filters(report: Report) -> str:
    """Lay out the accuracies of two widths."""
    seeds = {
        f"seed {seed}": f"{{accuracy[{number}]:.1%}}" for number, seed in enumerate(report["seeds"])
    }
    return table(report["rows"], {"filters": "{name}"} | seeds)


def sweep(report: Report) -> str:
    """Lay out what a sweep found, as `lildata sweep` prints it."""
    import pandas as pd

    from lildata_utils.genre.sweep_tables import as_markdown

    return as_markdown(pd.DataFrame(report["table"]), pd.DataFrame(report["contrasts"]))


def transfer(report: Report) -> str:
    """Lay out costs and measures of what was painted, pair by pair."""
    columns = {
        "pair": "{pair}",
        "result, iterations": "{result}",
        "content cost": lambda row: grouped(row["content_cost"]),
        "style cost": lambda row: grouped(row["style_cost"]),
        "level (dB)": "{level_db:.1f}",
        "centroid (Hz)": "{centroid_hz:.0f}",
        "flatness": "{flatness:.2f}",
        "floor (dB)": "{floor_db:.1f}",
        "chroma": "{chroma:.2f}",
        "key (cents)": "{key_cents:.0f}",
        "onsets of content": "{onsets_of_content:.2f}",
        "of style": "{onsets_of_style:.2f}",
    }
    return table(once(report["rows"], "pair"), columns)


def lstm(report: Report) -> str:
    """Compare what LSTMs drew with real music and trivial answers."""
    columns = {
        "drawn by": "{name}",
        "one step": "{teacher-forced:.4f}",
        "five seconds": "{error:.4f}",
        "SC (dB)": "{convergence (dB):.1f}",
        "movement": "{movement:.3f}",
        "directions": "{directions:.0f}",
        "notes held": "{notes held:.2f}",
        "onsets (dB)": "{onsets (dB):.1f}",
        "pulse": "{pulse:.2f}",
        "distance": "{distance:.1f}",
        "minutes": "{minutes:.1f}",
    }
    # Real music differs from itself by nothing.
    rows = [
        row | {"error": None, "convergence (dB)": None} if row["name"] == "real" else row
        for row in report["rows"]
    ]
    return table(rows, columns)


# What the page shows of all that `benchmarks/inversion.py` compares.
INVERSIONS = {
    "librosa.griffinlim": (32, 100, 500),
    "pghipy.pghi": (0,),
    "here, from random phases, accelerated": (100,),
    "here, from PGHI": (32,),
    "here, multiresolution (the default)": (0, 32, 100, 500),
}


def inversion(report: Report) -> str:
    """Lay out spectral convergence over iterations and seconds, method by method."""
    columns = {
        "": "{method}",
        "iterations": lambda row: "one pass" if row["one_pass"] else f"{row['iterations']}",
        "seconds a clip": "{seconds:.2f}",
        "mean SC (dB)": "{mean_db:.1f}",
        "worst clip (dB)": "{worst_db:.1f}",
    }
    rows = [
        row | {"one_pass": INVERSIONS[row["method"]] == (0,)}
        for row in report["rows"]
        if row["iterations"] in INVERSIONS.get(row["method"], ())
    ]
    return table(once(rows, "method"), columns)


def robustness(report: Report) -> Report:
    """Lay out what became of damaged inputs, and of disturbed commands; count what failed."""
    inputs, faults = report["fuzz"], report["faults"]
    columns = {"": "{name}", "inputs": "{inputs}", "clean": "{clean}"}
    columns |= {"a line": "{line}", "failed": "{failure}"}
    parts = ("inputs", "clean", "line", "failure")
    total = {part: sum(row[part] for row in inputs["rows"]) for part in parts}
    words = {"kills": "killed", "writes": "full at a write", "tmpfs": "small disk"}
    words |= {"stops": "stopped", "read-only": "read-only"}
    words |= {"twice": "twice at once", "changing": "files changing"}
    commands = dict.fromkeys(row["command"] for row in faults["rows"])
    told = {(row["command"], row["fault"]): tried(row) for row in faults["rows"]}
    rows = [
        {"name": f"`{name}`"} | {sort: told.get((name, sort), "") for sort in words}
        for name in commands
    ]
    shown = {"": "{name}"} | {word: f"{{{sort}}}" for sort, word in words.items()}
    return {
        "inputs_table": table([*inputs["rows"], {"name": "all", **total}], columns),
        "faults_table": table(rows, shown),
        "minutes": inputs["seconds"] / 60,
        "inputs_failed": failures(inputs["failures"], "sort"),
        "faults_failed": failures(faults["failures"], "command"),
    }


def tried(row: Row) -> str:
    """Write how often something was tried, and how often it failed."""
    return f"{row['tried']}" + (f", {row['failed']} failed" if row["failed"] else "")


def failures(rows: Sequence[Row], field: str) -> str:
    """Name what failed, each sort once."""
    sorts = ", ".join(dict.fromkeys(row[field] for row in rows))
    return f"What failed: {sorts}." if rows else "None failed."


def judges(report: Report) -> str:
    """Lay out each judge and their verdict, condition by condition."""
    rows: dict[str, dict[str, Any]] = {}
    for row in report["rows"]:
        rows.setdefault(row["condition"], {"": row["condition"]})[row["judge"]] = row
    names = list(dict.fromkeys(row["judge"] for row in report["rows"]))

    def share(name: str) -> Column:
        return lambda row: with_interval(row[name]["accuracy"], row[name]["interval95"], 1)

    columns: dict[str, Column] = {"clips": lambda row: row[""]}
    columns |= {name: share(name) for name in names}
    columns["no verdict"] = lambda row: f"{1 - row[names[-1]]['decided']:.1%}"
    return table(list(rows.values()), columns)


def hearing(report: Report) -> str:
    """Lay out how well scores are heard."""
    columns: dict[str, Column] = {"": "{name}", "of": "{seconds:g} s"}
    figures = ("tempo", "beats", "beats up to an octave", "downbeats", "chords", "notes of the key")
    columns |= {name: measured(name, "{:.0%}", 100) for name in figures}
    return table(report["rows"], columns)


def transfer_methods(report: Report) -> str:
    """Lay out what each method reaches and keeps: on the crate, then on recordings."""
    columns: dict[str, Column] = {"": "{name}", "pairs": "{pairs}"}
    columns |= {name: measured(name, "{:.0%}", 100) for name in ("judged target", "chords right")}
    columns |= {name: measured(name, "{:.2f}") for name in ("chroma kept", "rhythm")}
    columns |= {"floor (dB)": measured("floor (dB)", "{:+.1f}"), "a clip": "{seconds:.1f} s"}
    parts = [table(report[part], columns) for part in ("crate", "recordings") if part in report]
    return "\n\n".join(parts)


def measured(name: str, form: str, times: float = 1) -> Column:
    """Write a figure of a row with its 95 % interval."""

    def written(row: Row) -> str:
        digits = form.replace("%", "f")
        low, high = (digits.format(times * end) for end in row[f"{name}, interval95"])
        return f"{form.format(row[name])} ({low} to {high})"

    return written


def speed(report: Report, usual: str = "the usual way", here: str = "here") -> str:
    """Lay out both ways of the same work, side by side."""
    columns = {"": "{name}", usual: "{usual:.4g}", here: "{here:.4g}", "ratio": ratio}
    return table(report["rows"], columns)


def listener_speed(report: Report) -> str:
    """Lay out two networks side by side."""
    return speed(report, "Lil Data", "the listener")


def scale(report: Report) -> str:
    """Lay out how fast processes and machines are."""
    columns = {"": "{name}", "seconds": "{seconds:.1f}", "clips a second": "{clips_a_second:.0f}"}
    return table(report["rows"], columns)


def scale_memory(report: Report) -> str:
    """Lay out the memory of the process that deals out the work."""
    columns = {
        "hours": "{hours:g}",
        "files": "{files}",
        "clips": "{clips}",
        "seconds": "{seconds:.0f}",
        "of them before the first clip": "{first_s:.1f}",
        "memory while clips come (MB)": "{memory_mb:.0f}",
        "with the tables (MB)": "{peak_mb:.0f}",
    }
    return table(report["rows"], columns)


TABLES: dict[str, Callable[[Report], str]] = {
    "recordings": recordings,
    "crate": crate,
    "filters": filters,
    **dict.fromkeys(SWEEPS, sweep),
    "listener": folds,
    "listener_tries": listener_tries,
    "unseen": unseen,
    "transfer": transfer,
    "lstm": lstm,
    "inversion": inversion,
    "judges": judges,
    "classify_speed": speed,
    "listener_speed": listener_speed,
    "hearing": hearing,
    "transfer_methods": transfer_methods,
    "prepare_speed": speed,
    "train_speed": speed,
    "resnet_speed": speed,
    "transfer_speed": speed,
    "lstm_speed": speed,
    "scale": scale,
    "scale_memory": scale_memory,
}


if __name__ == "__main__":
    sys.exit(main())

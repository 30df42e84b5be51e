"""Networks that learn and are tested: `lildata train`, `sweep` and `test`."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lildata_utils.cli.options import add_cluster, add_settings, chosen, names
from lildata_utils.cli.output import Add, bar, follow
from lildata_utils.clips.settings import SPLITS, TEST
from lildata_utils.errors import LilDataError
from lildata_utils.learning.settings import Training
from lildata_utils.networks.settings import (
    CLASSIFIERS,
    IMAGENET,
    RANDOM,
    SETTINGS,
    ResNet50Settings,
)
from lildata_utils.settings import Settings

if TYPE_CHECKING:
    from lildata_utils.learning.fit import TrainingStep
    from lildata_utils.learning.runs import Run


def add_commands(add: Add) -> None:
    """Add the commands of this module (README)."""
    sub = add("train", _train, "train a network on a data set; a stopped training goes on")
    networks = sub.add_subparsers(
        title="networks", dest="network", required=True, metavar="NETWORK"
    )
    for network, kind in SETTINGS.items():
        words = str(kind.__doc__).partition(" (notebook")[0]
        _add_training(networks.add_parser(network, help=words, description=f"{words}."), kind)

    sub = add("sweep", _sweep, "do a table of experiments; a stopped one goes on")
    sub.add_argument("plan", type=Path, metavar="FILE", help="TOML, like experiments/resnet.toml")
    sub.add_argument("out", type=Path, metavar="OUT", help="gets the music, the runs, the table")
    add_cluster(sub)

    sub = add("test", _test, "test a run: report.json, confusion.png, mistakes.csv")
    sub.add_argument("run", type=Path, metavar="RUN", help="made by `lildata train`")
    sub.add_argument("dataset", type=Path, metavar="DATASET", help="made by `lildata prepare`")
    sub.add_argument("--split", choices=(*SPLITS, "all"), default=TEST, help=f"(default {TEST})")
    sub.add_argument("--out", type=Path, metavar="FOLDER", help="(default RUN/reports/SPLIT)")


def _add_training(sub: argparse.ArgumentParser, kind: type[Settings]) -> None:
    sub.add_argument("dataset", type=Path, metavar="DATASET", help="made by `lildata prepare`")
    sub.add_argument("--out", type=Path, required=True, metavar="RUN", help="the run's folder")
    sub.add_argument("--genres", type=names, metavar="A,B", help="only these (default: all)")
    add_settings(sub, Training)
    add_settings(sub, kind, leave_out=("weights",))
    if kind is ResNet50Settings:
        # Its own default is random: only here is somebody who can be told what was had instead.
        sub.add_argument(
            "--weights",
            metavar="W",
            help=f"first weights: {IMAGENET}, {RANDOM}, or a file of Keras' (default: ImageNet's "
            "where they can be had)",
        )


def load_run(folder: Path, networks: tuple[str, ...]) -> "Run":
    """Open a run, if it is of one of these networks (README)."""
    from lildata_utils.learning import runs

    run = runs.load_run(folder)
    if run.network not in networks:
        raise LilDataError(
            f"{folder} is a run of {run.network}: expected one of {', '.join(networks)}"
        )
    return run


def _train(options: argparse.Namespace) -> int:
    from lildata_utils.clips import dataset
    from lildata_utils.genre.doubt import fit_doubt
    from lildata_utils.learning import runs
    from lildata_utils.learning.fit import fit
    from lildata_utils.learning.history import describe_epoch, peaked
    from lildata_utils.learning.recipes import LISTENER, RECIPES

    recipe = RECIPES[options.network]
    clips = dataset.load(options.dataset).select(genres=options.genres)
    if recipe.settings is ResNet50Settings:
        options.weights = _choose_weights(options.weights)
    settings, training = chosen(options, recipe.settings), chosen(options, Training)
    with bar("step") as shown:
        for step in fit(options.out, recipe, clips, training, settings):
            _follow_training(shown, step)
            if step.history is not None:
                shown.write(describe_epoch(step.history, step.epochs), file=sys.stdout)
    run = runs.load_run(options.out)
    print(f"{options.out}: {len(run.history)} epochs; {peaked(run.history)}")
    if recipe is LISTENER and run.data["validation_clips"]:
        doubt = fit_doubt(run, clips.select("train"), clips.select("validation"))
        print(f"its doubt: temperature {doubt.temperature:.2f}, measured on validation clips")
    return 0


def _choose_weights(weights: str | None) -> str:
    import warnings

    from lildata_utils.networks.resnet import choose_weights

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = choose_weights(weights)
    print("\n".join([f"first weights: {found}", *(str(warning.message) for warning in told)]))
    return found


def _follow_training(shown: Any, step: "TrainingStep") -> None:
    if step.epoch == 0:  # the outputs of layers that do not learn, track by track
        follow(shown, step.step, step.steps)
    else:
        follow(shown, (step.epoch - 1) * step.steps + step.step, step.epochs * step.steps)


def _sweep(options: argparse.Namespace) -> int:
    from lildata_utils.genre import sweep, sweep_tables
    from lildata_utils.genre.plan import read_plan

    plan = read_plan(options.plan)
    with bar("step") as shown:
        for step in sweep.run(plan, options.out, options.workers or 1):
            place = f"[{step.number}/{step.runs}] {step.row.name}, seed {step.seed}"
            if step.training is not None:
                shown.set_description(place)
                _follow_training(shown, step.training)
                continue
            done = sweep_tables.result(step.row, step.seed, options.out)
            words = ", ".join(f"{name} {done[name]:.1%}" for name in SPLITS)
            shown.write(f"{place}: {words}, {done['seconds']:.0f} s", file=sys.stdout)
    rows = sweep_tables.table(plan, options.out)
    print(sweep_tables.as_markdown(rows, sweep_tables.contrasts(plan, options.out)))
    print(f"{options.out}: table.csv, report.json")
    return 0


def _test(options: argparse.Namespace) -> int:
    from lildata_utils.clips import dataset
    from lildata_utils.files import check_results, read_table, written_beside
    from lildata_utils.genre import evaluation
    from lildata_utils.genre.predict import predict
    from lildata_utils.machine import machine
    from lildata_utils.show import learning_figures

    run = load_run(options.run, CLASSIFIERS)
    clips = dataset.load(options.dataset).select(options.split, run.genres)
    out = options.out or options.run / "reports" / options.split
    # The table is written first: it says whose the rest is.
    table, picture = out / "mistakes.csv", out / "confusion.png"
    columns = ["id", "genre", "predicted", "probability", "genre_probability"]
    check_results(
        [table, out / "report.json", picture],
        [],
        "`lildata test`",
        lambda: read_table(table, columns),
    )
    probabilities = predict(run.model, clips)
    report = evaluation.evaluate(probabilities, clips)
    with written_beside(picture) as beside:
        learning_figures.confusion(report.confusion, report.genres).savefig(beside, dpi=150)
        evaluation.write_report(
            out,
            report,
            evaluation.mistakes(probabilities, clips),
            run=str(options.run),
            network=run.network,
            settings=run.settings,
            dataset=str(options.dataset),
            machine=machine(),
        )
    print(report)
    print(f"majority {report.majority_accuracy:.1%}, macro F1 {report.macro_f1:.3f}")
    print(f"{out}: report.json, confusion.png, mistakes.csv")
    return 0

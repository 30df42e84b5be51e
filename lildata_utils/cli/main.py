"""The `lildata` command: reads arguments, calls the functions that the notebooks call, prints.

Heavy modules are imported inside the commands, so that `lildata --help` answers at once.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lildata_utils import __version__
from lildata_utils.course.profiles import PROFILES
from lildata_utils.errors import LilDataError
from lildata_utils.genres import GENRES

if TYPE_CHECKING:
    from lildata_utils.learning.training import Run

CLASSIFIERS = ("softmax", "cnn", "resnet50")
# The names of resnet.py, which imports TensorFlow.
LEARN = ("all", "conv2", "conv3", "conv4", "conv5", "head")
# What only some networks have; the command line calls them the same.
NETWORK_OPTIONS = (
    "filters",
    "dropout",
    "channels",
    "side",
    "learn",
    "weights",
    "momentum",
    "layers",
    "units",
    "reading",
    "truth",
    "noise",
    "rank",
    "mixtures",
    "skip",
)
# The names of inversion.py, which imports numba.
INVERSIONS = ("griffin_lim", "fast_griffin_lim", "accelerated_griffin_lim")
STARTS = ("zero", "random", "pghi", "multiresolution")
DEFAULT_LOUDEST = 0.5
# The names of lstm.py, which imports TensorFlow.
READINGS = ("fed_back", "repeated", "zeros")
OPTIMIZERS = ("adam", "gradient_descent", "lbfgs")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Instead of those that the shell gave.

    Returns
    -------
    int
        0 if all went well, 1 if it failed (a line on stderr says why). Wrong arguments exit with 2.
    """
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except LilDataError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail(f"stopped; {options.stopped}")
    except BrokenProcessPool:
        return _fail("a worker process was killed, maybe for lack of memory: try --workers 1")
    except BrokenPipeError:
        # Whoever read our output (`| head`) has seen enough; nothing more can be written there.
        with suppress(OSError):
            sys.stdout.close()
        return 0
    except OSError as error:
        return _fail(f"{error.filename or 'the system'}: {error.strerror or error}")


def _fail(reason: str) -> int:
    print(f"lildata: {' '.join(reason.split())}", file=sys.stderr)
    return 1


def _check(options: argparse.Namespace) -> int:
    from lildata_utils.course.check import checks

    results = []
    for result in checks():
        results.append(result)
        if not options.json:
            print(result, flush=True)
    if options.json:
        print(json.dumps([asdict(result) for result in results], indent=2))
    return 0 if all(result.ok for result in results) else 1


def _crate(options: argparse.Namespace) -> int:
    from lildata_utils import crate
    from lildata_utils.machine import usable_cores

    rendered = 0
    with _bar("file") as bar:
        for step in crate.write_collection(
            options.out,
            tracks=options.tracks,
            duration_s=options.seconds,
            genres=options.genres or GENRES,
            seed=options.seed,
            format=options.format,
            mixes=options.mixes,
            workers=options.workers or usable_cores(),
        ):
            rendered += step.rendered
            _follow(bar, step.done, step.total)
    print(f"{options.out}: {step.total} files, {step.total - rendered} of them already there")
    return 0


def _prepare(options: argparse.Namespace) -> int:
    from lildata_utils.clips.dataset import DESCRIPTION, SKIPPED
    from lildata_utils.clips.prepare import prepare
    from lildata_utils.files import read_json

    with _bar("clip") as bar:
        for progress in prepare(
            options.source,
            options.out,
            split=options.split,
            workers=options.workers,
            seed=options.seed,
            limit=options.limit,
        ):
            _follow(bar, progress.clips, progress.clips_in_all)
    description = read_json(options.out / DESCRIPTION)
    for genre, counts in description["counts"].items():
        print(f"{genre:16}" + "  ".join(f"{count:6} {split}" for split, count in counts.items()))
    for note in description["notes"]:
        print(f"note: {note}")
    print(
        f"{options.out}: {progress.clips} clips of {progress.files - progress.files_reused} files"
    )
    if progress.files_reused:
        print(f"{progress.files_reused} files were there from an earlier run")
    if progress.left_out:
        print(f"{progress.left_out} files or clips left out: {options.out / SKIPPED} says why")
    return 0


def _train(options: argparse.Namespace) -> int:
    from lildata_utils.clips import dataset
    from lildata_utils.learning.recipes import NETWORKS
    from lildata_utils.learning.training import describe_epoch, fit, load_run, peaked

    network = NETWORKS[options.network]
    clips = dataset.load(options.dataset).select(genres=options.genres)
    chosen = {name: getattr(options, name) for name in NETWORK_OPTIONS}
    wrong = [
        name for name, value in chosen.items() if value is not None and name not in network.options
    ]
    if wrong:
        raise LilDataError(f"--{wrong[0]} does not belong to {options.network}: leave it out")
    if "weights" in network.options:
        chosen["weights"] = _choose_weights(options.weights)
    with _bar("step") as bar:
        for step in fit(
            options.out,
            network,
            clips,
            epochs=options.epochs,
            batch_size=options.batch_size,
            learning_rate=options.learning_rate,
            seed=options.seed,
            options={name: value for name, value in chosen.items() if value is not None},
        ):
            _follow_training(bar, step)
            if step.history is not None:
                bar.write(describe_epoch(step.history, step.epochs), file=sys.stdout)
    run = load_run(options.out)
    print(f"{options.out}: {len(run.history)} epochs; {peaked(run.history)}")
    return 0


def _choose_weights(weights: str | None) -> str:
    import warnings

    from lildata_utils.networks.resnet import choose_weights

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        chosen = choose_weights(weights)
    print("\n".join([f"first weights: {chosen}", *(str(warning.message) for warning in told)]))
    return chosen


def _sweep(options: argparse.Namespace) -> int:
    from lildata_utils.genre import sweep

    plan = sweep.read_plan(options.plan)
    with _bar("step") as bar:
        for step in sweep.run(plan, options.out):
            place = f"[{step.number}/{step.runs}] {step.row.name}, seed {step.seed}"
            if step.training is not None:
                bar.set_description(place)
                _follow_training(bar, step.training)
                continue
            done = sweep.result(step.row, step.seed, options.out)
            words = ", ".join(
                f"{name} {done[name]:.1%}" for name in ("train", "validation", "test")
            )
            bar.write(f"{place}: {words}, {done['seconds']:.0f} s", file=sys.stdout)
    rows, answered = sweep.table(plan, options.out), sweep.contrasts(plan, options.out)
    print(sweep.as_markdown(rows, answered))
    print(f"{options.out}: table.csv, report.json")
    return 0


def _test(options: argparse.Namespace) -> int:
    from lildata_utils.clips import dataset
    from lildata_utils.genre import evaluation
    from lildata_utils.machine import machine
    from lildata_utils.networks.classifier import predict
    from lildata_utils.show import learning_figures

    run = _load_run(options.run, CLASSIFIERS)
    clips = dataset.load(options.dataset).select(options.split, run.genres)
    probabilities = predict(run.model, clips)
    report = evaluation.evaluate(probabilities, clips)
    out = options.out or options.run / "reports" / options.split
    evaluation.write_report(
        out,
        report,
        evaluation.mistakes(probabilities, clips),
        learning_figures.confusion(report.confusion, report.genres),
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


def _classify(options: argparse.Namespace) -> int:
    from lildata_utils.genre.listening import classify_file, describe, draw

    run = _load_run(options.run, CLASSIFIERS)
    failed, results = 0, []
    for audio in options.audio:
        try:
            verdict = classify_file(run, audio)
        except LilDataError as error:
            failed = _fail(str(error))
            continue
        if options.json:
            results.append(verdict.as_json())
        else:
            print("\n".join(describe(verdict)))
        if options.out is not None:
            picture = draw(verdict, options.out)
            print(
                f"{picture}: the genre over time", file=sys.stderr if options.json else sys.stdout
            )
    if options.json:
        print(json.dumps(results, indent=2, ensure_ascii=False))
    return failed


def _generate(options: argparse.Namespace) -> int:
    from lildata_utils.generation import generation
    from lildata_utils.networks.lstm import generate
    from lildata_utils.sound import audio

    audio.check_format(options.out)
    run = _load_run(options.run, ("lstm",))
    frame = generation.first_frame(options.start, options.dataset, options.at)
    (image,) = generate(run.model, frame[None], temperature=options.temperature, seed=options.seed)
    generation.save(options.out, image, generation.to_sound(image), options.start)
    print(
        f"{options.out} (.png): 5 s from {options.start or 'silence'}; layers of units: "
        f"{run.settings['layers']} x {run.settings['units']}; epochs: {len(run.history)}"
    )
    return 0


def _invert(options: argparse.Namespace) -> int:
    import numpy as np

    from lildata_utils.sound import audio
    from lildata_utils.sound.inversion import invert
    from lildata_utils.sound.pictures import read_picture
    from lildata_utils.sound.spectrogram import SAMPLE_RATE

    audio.check_format(options.out)
    picture = read_picture(options.picture, options.resize)
    if options.peak_db is not None and picture.dtype != np.uint8:
        raise LilDataError("--peak-db is for images; magnitudes have their own level: leave it out")
    level_known = options.peak_db is not None or picture.dtype != np.uint8
    steps = invert(
        picture,
        method=options.method,
        iterations=options.iterations,
        phase=options.start,
        peak=10 ** ((options.peak_db or 0.0) / 20),
        seed=options.seed,
    )
    try:
        with _bar("iteration") as bar:
            for step in steps:
                _follow(bar, step.number, step.iterations)
    except LilDataError as error:
        raise LilDataError(f"{options.picture}: {error}") from None
    # The pictures of a stack are heard one after the other.
    sound = step.waveform.reshape(-1)
    loudest = float(np.abs(sound).max())
    if not level_known and loudest > 0:
        print(f"level unknown (no --peak-db): the loudest sample is set to {DEFAULT_LOUDEST}")
        sound = sound * (DEFAULT_LOUDEST / loudest)
    elif loudest > 1:
        print(f"turned down by {20 * np.log10(loudest):.1f} dB to full scale")
        sound = sound / loudest
    audio.write(options.out, sound)
    print(
        f"{options.out}: {len(sound) / SAMPLE_RATE:.1f} s, {step.number} iterations, "
        f"spectral convergence {float(np.mean(step.convergence_db())):.1f} dB"
    )
    return 0


def _transfer(options: argparse.Namespace) -> int:
    from lildata_utils.sound import audio
    from lildata_utils.transfer import transfers

    wanted = 1 if options.pairs else 3
    if len(options.paths) != wanted:
        expected = "OUT with --pairs" if options.pairs else "CONTENT STYLE OUT"
        options.parser.error(f"expected {expected}, not {len(options.paths)} paths")
    common = transfers.Settings(
        content=str(options.paths[0]),
        style=str(options.paths[min(1, wanted - 1)]),
        content_start_s=options.content_start,
        style_start_s=options.style_start,
        network=options.network,
        weights=options.weights and str(options.weights),
        alpha=options.alpha,
        beta=options.beta,
        iterations=options.iterations,
        optimizer=options.optimizer,
        step_size=options.step_size,
        start=options.start,
        phase=options.phase,
        seed=options.seed,
    )
    if options.pairs:
        folder = options.paths[0]
        work = {
            folder / f"{name}.wav": settings
            for name, settings in transfers.read_pairs(options.pairs, common).items()
        }
    else:
        work = {options.paths[2]: common}
    inputs = [path for path in (options.pairs, options.weights) if path is not None]
    for out, settings in work.items():
        audio.check_format(out)
        transfers.check_out(out, [*inputs, Path(settings.content), Path(settings.style)])
    network = transfers.load_network(options.network, options.weights, options.seed)
    print(f"network: {network.weights}")
    todo = {
        out: settings
        for out, settings in work.items()
        if not transfers.is_done(out, settings, network.weights)
    }
    if len(todo) < len(work):
        print(f"{len(work) - len(todo)} of {len(work)} were there from an earlier run")
    failed = 0
    for out, settings in todo.items():
        try:
            with _bar("iteration") as bar:
                for step in transfers.transfer_files(settings, network, out):
                    _follow(bar, step.number, step.iterations)
        except LilDataError as error:
            failed = _fail(str(error))
            continue
        print(
            f"{out} (.png, .json): iteration {step.number}, content cost {step.content_cost:.4g}, "
            f"style cost {step.style_cost:.4g}"
        )
    return failed


def _load_run(folder: Path, networks: Sequence[str]) -> "Run":
    """Open a run, if it is of one of these networks."""
    from lildata_utils.learning.training import load_run

    run = load_run(folder)
    if run.network not in networks:
        raise LilDataError(
            f"{folder} is a run of {run.network}: expected one of {', '.join(networks)}"
        )
    return run


def _course(options: argparse.Namespace) -> int:
    from lildata_utils.course import run as course
    from lildata_utils.files import COURSE_FOLDER

    failed = 0
    for step in course.run(
        options.profile,
        only=options.only or (),
        out=options.out or COURSE_FOLDER,
        progress=sys.stderr.isatty(),
    ):
        place = f"[{step.number}/{step.notebooks}] {step.notebook}"
        if step.seconds is None:
            print(f"{place} …", flush=True)
        elif step.error:
            failed = _fail(f"{step.notebook} failed after {step.seconds:.0f} s: {step.error}")
        else:
            print(f"{place}: {step.seconds:.0f} s", flush=True)
    print(f"{options.out or COURSE_FOLDER}/index.html: the course as pages, with all times")
    return failed


def _demo(options: argparse.Namespace) -> int:
    from lildata_utils.show.demo import serve

    serve(options.port, options.browser)
    return 0


def _bar(unit: str) -> Any:
    from tqdm import tqdm

    # disable=None: no bar when the output is no terminal.
    return tqdm(unit=unit, disable=None, dynamic_ncols=True, smoothing=0.1)


def _follow(bar: Any, done: int, total: int) -> None:
    bar.total = total
    bar.update(done - bar.n)


def _follow_training(bar: Any, step: Any) -> None:
    if step.epoch == 0:  # the outputs of layers that do not learn, track by track
        _follow(bar, step.step, step.steps)
    else:
        _follow(bar, (step.epoch - 1) * step.steps + step.step, step.epochs * step.steps)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _whole(least: int) -> Callable[[str], int]:
    """Make a reader of whole numbers from `least` on; argparse prints what it raises."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number of {least} or more")
        return number

    return read


_count, _positive = _whole(0), _whole(1)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(_positive(number) for number in text.split(","))


def _number(least: float, most: float, what: str) -> Callable[[str], float]:
    """Make a reader of numbers from `least` to `most`; NaN is none."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no {what}")
        return number

    return read


_share = _number(0, math.nextafter(1, 0), "share from 0 to below 1")
_seconds = _number(0, 1e9, "number of seconds of 0 or more")
_level = _number(-200, 200, "level in dB from -200 to 200")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lildata",
        description="Music as 631 x 631 spectrograms: prepare it, learn its genres, tell them.",
        epilog="Exit status: 0 all went well, 1 it failed, 2 wrong arguments.",
    )
    parser.add_argument("--version", action="version", version=f"lildata {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, command: Any, words: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
        sub.set_defaults(command=command, stopped="the same command goes on from here")
        return sub

    def add_seed(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--seed", type=_count, default=0, help="of all randomness (default 0)")

    def add_workers(sub: argparse.ArgumentParser) -> None:
        sub.add_argument(
            "--workers", type=_positive, metavar="N", help="processes (default: cores)"
        )

    def add_genres(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--genres", type=_names, metavar="A,B", help="only these (default: all)")

    sub = add("check", _check, "say whether everything is there that the course needs")
    sub.add_argument("--json", action="store_true", help="for machines")

    sub = add("crate", _crate, "compose and render music of eight genres")
    sub.add_argument("out", type=Path, metavar="OUT", help="folder that gets a folder per genre")
    sub.add_argument(
        "--tracks", type=_positive, default=16, metavar="N", help="a genre (default 16)"
    )
    sub.add_argument("--seconds", type=float, metavar="S", help="of each track (default: its own)")
    add_genres(sub)
    sub.add_argument("--mixes", action="store_true", help="one long mix a genre, with a track list")
    sub.add_argument("--format", choices=("flac", "wav", "mp3", "ogg"), default="flac")
    add_seed(sub)
    add_workers(sub)

    sub = add("prepare", _prepare, "cut folders of music into clips and draw their spectrograms")
    sub.add_argument("source", type=Path, metavar="SOURCE", help="folder with a folder per genre")
    sub.add_argument("out", type=Path, metavar="OUT", help="folder that becomes the data set")
    sub.add_argument(
        "--split",
        choices=("track", "clip"),
        default="track",
        help="by track, or artist where known (default); by clip, as the paper, which flatters",
    )
    sub.add_argument("--limit", type=_positive, metavar="N", help="at most N clips a genre")
    add_seed(sub)
    add_workers(sub)

    sub = add("train", _train, "train a network on a data set; a stopped training goes on")
    sub.add_argument(
        "network",
        choices=(*CLASSIFIERS, "lstm"),
        help="the benchmark, Lil Data, ResNet-50, or the LSTMs that draw spectrograms",
    )
    sub.add_argument("dataset", type=Path, metavar="DATASET", help="made by `lildata prepare`")
    sub.add_argument("--out", type=Path, required=True, metavar="RUN", help="the run's folder")
    add_genres(sub)
    sub.add_argument("--epochs", type=_positive, default=20, metavar="N", help="(default 20)")
    sub.add_argument("--batch-size", type=_positive, default=32, metavar="N", help="(default 32)")
    sub.add_argument("--learning-rate", type=float, metavar="R", help="(default: the network's)")
    sub.add_argument(
        "--filters", type=_numbers, metavar="A,B,C,D", help="of Lil Data's four layers"
    )
    sub.add_argument("--dropout", type=_share, metavar="P", help="of Lil Data (default 0.5)")
    sub.add_argument(
        "--side",
        type=_positive,
        metavar="PIXELS",
        help="of the square to which pictures are shrunk (default: ResNet-50 224, Lil Data 631)",
    )
    sub.add_argument("--channels", type=int, choices=(1, 3), help="equal copies of the picture")
    sub.add_argument(
        "--learn", choices=LEARN, help="first part of ResNet-50 that learns (default all)"
    )
    sub.add_argument(
        "--weights",
        metavar="W",
        help="first weights of ResNet-50: imagenet, random, or a file of Keras' (default: "
        "ImageNet's where they can be had)",
    )
    sub.add_argument(
        "--momentum", type=_share, metavar="M", help="of ResNet-50's normalisation (default 0.99)"
    )
    sub.add_argument("--layers", type=_positive, metavar="N", help="LSTMs in the stack (default 3)")
    sub.add_argument("--units", type=_positive, metavar="N", help="of each LSTM (default 50)")
    sub.add_argument(
        "--reading",
        choices=READINGS,
        help="what the LSTM's input is after the first frame (default fed_back)",
    )
    sub.add_argument(
        "--truth",
        type=_number(0, 1, "probability from 0 to 1"),
        metavar="P",
        help="of a true frame as the LSTM's input in training (default 1: teacher forcing)",
    )
    sub.add_argument(
        "--noise",
        type=_number(0, 10, "standard deviation from 0 to 10"),
        metavar="S",
        help="on the LSTM's true frames in training (default 0)",
    )
    sub.add_argument(
        "--rank", type=_count, metavar="N", help="principal components of the LSTM (default: none)"
    )
    sub.add_argument(
        "--mixtures", type=_count, metavar="N", help="Gaussians the LSTM draws from (default: none)"
    )
    sub.add_argument(
        "--skip", action="store_true", default=None, help="the LSTM draws changes, not frames"
    )
    add_seed(sub)

    sub = add("sweep", _sweep, "do a table of experiments; a stopped one goes on")
    sub.add_argument("plan", type=Path, metavar="FILE", help="TOML, like experiments/resnet.toml")
    sub.add_argument("out", type=Path, metavar="OUT", help="gets the music, the runs, the table")

    sub = add("test", _test, "test a run: report.json, confusion.png, mistakes.csv")
    sub.add_argument("run", type=Path, metavar="RUN", help="made by `lildata train`")
    sub.add_argument("dataset", type=Path, metavar="DATASET", help="made by `lildata prepare`")
    sub.add_argument(
        "--split",
        choices=("train", "validation", "test", "all"),
        default="test",
        help="(default test)",
    )
    sub.add_argument("--out", type=Path, metavar="FOLDER", help="(default RUN/reports/SPLIT)")

    sub = add("classify", _classify, "tell the genre of music files, every 5 s and as a whole")
    sub.add_argument("run", type=Path, metavar="RUN", help="made by `lildata train`")
    sub.add_argument("audio", type=Path, nargs="+", metavar="AUDIO", help="music files")
    sub.add_argument("--json", action="store_true", help="for machines")
    sub.add_argument("--out", type=Path, metavar="FOLDER", help="draw the genre over time there")

    sub = add("transfer", _transfer, "paint the style of one clip of music onto another")
    sub.add_argument(
        "paths", type=Path, nargs="+", metavar="CONTENT STYLE OUT", help="music, music, sound file"
    )
    sub.add_argument(
        "--pairs",
        type=Path,
        metavar="FILE",
        help="a CSV file with columns content,style; OUT is a folder then (and the only path)",
    )
    for part in ("content", "style"):
        sub.add_argument(
            f"--{part}-start", type=_seconds, default=0.0, metavar="S", help="where its 5 s begin"
        )
    sub.add_argument(
        "--network",
        default="lil_data",
        metavar="NAME",
        help="lil_data (default), vgg19, or the folder of a run",
    )
    sub.add_argument("--weights", type=Path, metavar="FILE", help="of VGG-19 (default: ImageNet)")
    sub.add_argument("--alpha", type=float, help="weight of the content (default: the paper's)")
    sub.add_argument("--beta", type=float, help="weight of the style (default: the paper's)")
    sub.add_argument(
        "--iterations", type=_count, metavar="N", help="(default: the paper's early stop)"
    )
    sub.add_argument("--optimizer", choices=OPTIMIZERS, default="adam", help="(default adam)")
    sub.add_argument("--step-size", type=float, metavar="R", help="in grey levels (of 255)")
    sub.add_argument(
        "--start", choices=("content", "style", "noise"), default="content", help="first picture"
    )
    sub.add_argument(
        "--phase",
        choices=("content", "picture"),
        default="content",
        help="begin the sound with the content's phases (default), or with the picture alone",
    )
    add_seed(sub)
    sub.usage = (
        "lildata transfer [options] CONTENT STYLE OUT\n"
        "       lildata transfer [options] --pairs FILE OUT"
    )
    sub.set_defaults(parser=sub, stopped="nothing half done was written")

    sub = add("generate", _generate, "let an LSTM draw 5 s of music from a first frame")
    sub.add_argument("run", type=Path, metavar="RUN", help="made by `lildata train lstm`")
    sub.add_argument("out", type=Path, metavar="OUT", help=".wav, .flac, .ogg or .mp3; also .png")
    sub.add_argument(
        "--start",
        metavar="CLIP",
        help="an audio file, or with --dataset the id of a clip (default: silence)",
    )
    sub.add_argument("--dataset", type=Path, metavar="DATASET", help="that has the clip")
    sub.add_argument(
        "--at", type=_seconds, default=0.0, metavar="S", help="second of the audio file (default 0)"
    )
    sub.add_argument(
        "--temperature",
        type=_number(0, 10, "temperature from 0 to 10"),
        default=1.0,
        metavar="T",
        help="of a mixture: 0 draws the likeliest, 1 what was learned (default 1)",
    )
    add_seed(sub)
    sub.set_defaults(stopped="nothing was written")

    sub = add("invert", _invert, "turn a spectrogram picture back into sound")
    sub.add_argument("picture", type=Path, metavar="IN", help="image or magnitude: .npy, .png")
    sub.add_argument("out", type=Path, metavar="OUT", help=".wav, .flac, .ogg or .mp3")
    sub.add_argument(
        "--method",
        choices=INVERSIONS,
        default="fast_griffin_lim",
        help="(default fast_griffin_lim)",
    )
    sub.add_argument(
        "--start", choices=STARTS, default="multiresolution", help="(default multiresolution)"
    )
    sub.add_argument("--iterations", type=_count, default=100, metavar="N", help="(default 100)")
    sub.add_argument(
        "--peak-db", type=_level, metavar="DB", help="of an image (peak_db in clips.csv): its level"
    )
    sub.add_argument("--resize", action="store_true", help="stretch other sizes to 631 x 631")
    add_seed(sub)
    sub.set_defaults(stopped="nothing was written")

    sub = add("course", _course, "run the notebooks and write the course as pages")
    sub.add_argument("--profile", choices=tuple(PROFILES), default="quick", help="(default quick)")
    sub.add_argument("--only", type=_names, metavar="01,02", help="only these notebooks")
    sub.add_argument("--out", type=Path, metavar="FOLDER", help="(default course/)")

    sub = add("demo", _demo, "show the panel of style transfer in a browser, on this machine only")
    sub.add_argument(
        "--port", type=_positive, default=8866, metavar="N", help="of the address (default 8866)"
    )
    sub.add_argument(
        "--no-browser", action="store_false", dest="browser", help="open none, only print where"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""Sounds made of other sounds and of pictures: `lildata transfer` and `invert`."""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

from lildata_utils.cli.options import add_cluster, add_settings, chosen
from lildata_utils.cli.output import Add, bar, fail, follow
from lildata_utils.errors import LilDataError
from lildata_utils.sound.settings import Inversion
from lildata_utils.transfer.settings import Playing, Transfer

if TYPE_CHECKING:
    from lildata_utils.transfer.painting import PaintingStep
    from lildata_utils.transfer.style_network import StyleNetwork

DEFAULT_LOUDEST = 0.5
OUT = ".wav, .flac, .ogg or .mp3"


def add_commands(add: Add) -> None:
    """Add the commands of this module (README)."""
    sub = add(
        "transfer",
        _transfer,
        "paint the style of one clip of music onto another, or let a band play a song again",
        stopped="nothing half done was written",
    )
    sub.add_argument(
        "paths", type=Path, nargs="+", metavar="CONTENT STYLE OUT", help="music, music, sound file"
    )
    sub.add_argument(
        "--pairs",
        type=Path,
        metavar="FILE",
        help="a CSV file with columns content,style; OUT is a folder then (and the only path)",
    )
    add_settings(sub, Transfer)
    add_settings(sub, Playing, leave_out=("seed",))
    add_cluster(sub)
    sub.usage = (
        "lildata transfer [options] CONTENT STYLE OUT\n"
        "       lildata transfer --to GENRE [--stays R] [--artist N] [--seed N] CONTENT OUT\n"
        "       lildata transfer [options] --pairs FILE OUT"
    )
    sub.set_defaults(parser=sub)

    sub = add(
        "invert",
        _invert,
        "turn a spectrogram picture back into sound",
        stopped="nothing was written",
    )
    sub.add_argument("picture", type=Path, metavar="IN", help="image or magnitude: .npy, .png")
    sub.add_argument("out", type=Path, metavar="OUT", help=f"{OUT}; also .json")
    add_settings(sub, Inversion)
    sub.add_argument("--resize", action="store_true", help="stretch other sizes to 631 x 631")


def _transfer(options: argparse.Namespace) -> int:
    from lildata_utils.sound import audio
    from lildata_utils.transfer import files

    playing = chosen(options, Playing)
    if playing != Playing(seed=playing.seed):
        return _play_again(options, playing)
    wanted = 1 if options.pairs else 3
    if len(options.paths) != wanted:
        expected = "OUT with --pairs" if options.pairs else "CONTENT STYLE OUT"
        options.parser.error(f"expected {expected}, not {len(options.paths)} paths")
    first, second = options.paths[0], options.paths[min(1, wanted - 1)]
    common = chosen(options, Transfer, content=str(first), style=str(second))
    work = {options.paths[-1]: common}
    if options.pairs:
        pairs = files.read_pairs(options.pairs, common)
        work = {first / f"{name}.wav": settings for name, settings in pairs.items()}
    inputs = [Path(path) for path in (options.pairs, common.weights) if path is not None]
    for out, settings in work.items():
        audio.check_format(out)
        files.check_out(out, [*inputs, Path(settings.content), Path(settings.style)])
    network = files.load_network(common.network, common.weights, common.seed)
    print(f"network: {network.weights}")
    todo = {
        out: settings
        for out, settings in work.items()
        if not files.is_done(out, settings, network.weights)
    }
    if len(todo) < len(work):
        print(f"{len(work) - len(todo)} of {len(work)} were there from an earlier run")
    if options.workers is None:
        ended = _transfer_here(todo, network)
    else:
        ended = files.transfer_far(todo, options.workers)
    failed = 0
    for out, end in ended:
        if isinstance(end, LilDataError):
            failed = fail(str(end))
            continue
        print(
            f"{out} (.png, .json): iteration {end.number}, content cost {end.content_cost:.4g}, "
            f"style cost {end.style_cost:.4g}"
        )
    return failed


def _play_again(options: argparse.Namespace, playing: Playing) -> int:
    from lildata_utils.transfer.playing import play_file

    painted = [f.name for f in fields(Transfer) if f.name != "seed" and hasattr(options, f.name)]
    if playing.to is None or len(options.paths) != 2 or painted or options.pairs:
        options.parser.error("expected --to GENRE and the paths CONTENT OUT, without other options")
    content, out = options.paths
    with bar("step") as shown:
        for step in play_file(content, out, playing):
            follow(shown, step.number, step.steps)
    assert step.score is not None
    print(
        f"{out} (.json: the score): {step.score.tempo_bpm:.1f} BPM, {step.score.key.name}, "
        f"{len(step.score.beats_s) // 4} bars, played as {playing.to}"
    )
    return 0


def _transfer_here(
    todo: Mapping[Path, Transfer], network: "StyleNetwork"
) -> "Iterator[tuple[Path, PaintingStep | LilDataError]]":
    from lildata_utils.transfer import files

    for out, settings in todo.items():
        end: PaintingStep | LilDataError
        try:
            with bar("iteration") as shown:
                for end in files.transfer_files(settings, network, out):
                    follow(shown, end.number, end.iterations)
        except LilDataError as error:
            end = error
        yield out, end


def _invert(options: argparse.Namespace) -> int:
    import numpy as np

    from lildata_utils.files import check_made_by, write_json
    from lildata_utils.sound import audio
    from lildata_utils.sound.inversion import invert
    from lildata_utils.sound.pictures import read_picture
    from lildata_utils.sound.spectrogram import SAMPLE_RATE

    audio.check_format(options.out)
    check_made_by("invert", options.out, inputs=[options.picture])
    picture, settings = read_picture(options.picture, options.resize), chosen(options, Inversion)
    if settings.peak_db is not None and picture.dtype != np.uint8:
        raise LilDataError("--peak-db is for images; magnitudes have their own level: leave it out")
    level_known = settings.peak_db is not None or picture.dtype != np.uint8
    try:
        with bar("iteration") as shown:
            for step in invert(
                picture,
                settings.method,
                settings.iterations,
                settings.phase,
                settings.peak,
                settings.seed,
            ):
                follow(shown, step.number, step.iterations)
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
    # First: it says whose the sound is.
    about = {"picture": str(options.picture), "settings": asdict(settings)}
    write_json(options.out.with_suffix(".json"), {"command": "invert", **about})
    audio.write(options.out, sound)
    print(
        f"{options.out} (.json): {len(sound) / SAMPLE_RATE:.1f} s, {step.number} iterations, "
        f"spectral convergence {float(np.mean(step.convergence_db())):.1f} dB"
    )
    return 0

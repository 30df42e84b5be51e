"""Music that networks make: `lildata musician` and `generate`."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lildata_utils.cli.genre import load_run
from lildata_utils.cli.options import add_settings, add_workers, chosen, whole
from lildata_utils.cli.output import Add, bar, follow
from lildata_utils.errors import LilDataError
from lildata_utils.generation.settings import Drawing, Piece, Sampling
from lildata_utils.learning.settings import Apprenticeship
from lildata_utils.networks.settings import CodecSettings, ComposerSettings

if TYPE_CHECKING:
    from lildata_utils.sound.spectrogram import Floats

OUT = ".wav, .flac, .ogg or .mp3"
# Of a file that is filled.
HEARD_S = 5.0
# Options that both kinds of network have.
SHARED = ("temperature", "seed")


def add_commands(add: Add) -> None:
    """Add the commands of this module (README)."""
    sub = add("musician", _train, "let a musician learn: music as codes, and how codes go on")
    sub.add_argument("out", type=Path, metavar="OUT", help="folder that gets the musician")
    add_settings(sub, Apprenticeship)
    add_settings(sub, CodecSettings)
    add_settings(sub, ComposerSettings)
    add_workers(sub)

    sub = add(
        "generate",
        _generate,
        "let a musician play music of a genre, or an LSTM draw 5 s from a first frame",
        stopped="what is there is whole",
    )
    sub.add_argument(
        "paths",
        type=Path,
        nargs="*",
        metavar="[FROM] OUT",
        help="FROM: made by `lildata musician` (default: the course's) or `lildata train lstm`; "
        f"OUT: {OUT}; also .png, .json",
    )
    add_settings(sub, Piece)
    sub.add_argument("--count", type=whole(1), metavar="N", help="pieces; they go into --out")
    sub.add_argument("--out", type=Path, metavar="FOLDER", help="gets WAV files, in place of OUT")
    sub.add_argument(
        "--start",
        metavar="CLIP",
        help="an audio file to go on from; for an LSTM with --dataset the id of a clip",
    )
    sub.add_argument(
        "--fill", type=_span, metavar="A-B", help="write these seconds of the file anew"
    )
    sub.add_argument("--dataset", type=Path, metavar="DATASET", help="for an LSTM: has the clip")
    add_settings(sub, Drawing)
    add_settings(sub, Sampling, leave_out=SHARED)
    sub.usage = (
        "lildata generate [options] [MUSICIAN] OUT\n"
        "       lildata generate [options] --count N --out FOLDER [MUSICIAN]\n"
        "       lildata generate [options] LSTM_RUN OUT"
    )
    sub.set_defaults(parser=sub)


def _span(text: str) -> tuple[float, float]:
    try:
        begin, end = map(float, text.split("-"))
    except ValueError:
        begin = end = 0.0
    if not 0 <= begin < end:
        raise argparse.ArgumentTypeError(f"must be seconds such as 2-4, got {text!r}")
    return begin, end


def _train(options: argparse.Namespace) -> int:
    from lildata_utils.learning import musician
    from lildata_utils.machine import usable_cores

    workers = options.workers or usable_cores()
    lessons = chosen(options, Apprenticeship)
    codec, composer = chosen(options, CodecSettings), chosen(options, ComposerSettings)
    stage = ""
    with bar("step") as shown:
        for step in musician.train(options.out, lessons, codec, composer, workers):
            if step.stage != stage:
                stage = step.stage
                shown.reset()
                shown.set_description(stage)
            follow(shown, step.step, step.steps)
            if step.figures:
                told = {name: f"{value:.3f}" for name, value in step.figures.items()}
                shown.set_postfix(told, refresh=False)
    print(f"{options.out}: a musician; next: lildata generate --genre GENRE {options.out} OUT.wav")
    return 0


def _generate(options: argparse.Namespace) -> int:
    from lildata_utils.learning.musician import SHIPPED
    from lildata_utils.learning.runs import RUN_FILE

    *source, out = [*options.paths, *([options.out] if options.out else [])] or [None]
    if out is None or len(source) > 1 or (options.count and not options.out):
        options.parser.error("expected [FROM] OUT, or --count N --out FOLDER")
    origin = source[0] if source else SHIPPED
    if (origin / RUN_FILE).is_file():
        return _draw(options, origin, out)
    return _play(options, origin, out)


def _play(options: argparse.Namespace, origin: Path, out: Path) -> int:
    from lildata_utils.generation import drawing, music
    from lildata_utils.learning.musician import load_musician
    from lildata_utils.sound import audio
    from lildata_utils.sound.spectrogram import SAMPLE_RATE

    piece, sampling = chosen(options, Piece), chosen(options, Sampling)
    if options.fill and not options.start:
        raise LilDataError("--fill needs --start FILE, in which there is something to fill")
    count = options.count or 1
    name = piece.genre or "music"
    outs = [out / f"{name}-{k:03}.wav" for k in range(1, count + 1)] if options.out else [out]
    for one in outs:
        audio.check_format(one)
        drawing.check_out(one, options.start)
    musician = load_musician(origin)
    start, seconds = _beginning(options, piece), piece.seconds
    if options.fill and start is not None:
        seconds = len(start) / SAMPLE_RATE
    about: dict[str, Any] = {
        "musician": str(origin),
        "settings": asdict(piece) | asdict(sampling),
        "fill": options.fill,
    }
    with bar("step") as shown:
        for step in music.compose(musician, piece, sampling, count, start, options.fill):
            follow(shown, step.done, step.steps)
    with bar("piece") as shown:
        for number, (one, codes) in enumerate(zip(outs, step.finished, strict=True), 1):
            image, sound = music.perform(musician.codec, codes, seconds)
            drawing.save_drawing(one, image, sound, options.start, **about, number=number)
            follow(shown, number, count)
    what = f"{count} pieces of" if options.out else f"{out} (.png, .json):"
    print(f"{what} {seconds:g} s of {name}{f' in {out}' if options.out else ''}")
    return 0


def _beginning(options: argparse.Namespace, piece: Piece) -> "Floats | None":
    from lildata_utils.sound import audio

    if not options.start:
        return None
    # A little more than is kept: the last codes hear what follows.
    length_s = HEARD_S if options.fill else piece.keep_s + 1
    return audio.read(Path(options.start), chosen(options, Drawing).start_s, length_s)


def _draw(options: argparse.Namespace, origin: Path, out: Path) -> int:
    from lildata_utils.generation import drawing
    from lildata_utils.sound import audio

    given = [f for kind in (Piece, Sampling) for f in asdict(kind()) if f not in SHARED]
    for name in (*given, "fill", "count"):
        if getattr(options, name, None) is not None:
            raise LilDataError(f"--{name.replace('_', '-')} is for musicians; {origin} is an LSTM")
    audio.check_format(out)
    drawing.check_out(out, options.start)
    run, settings = load_run(origin, ("lstm",)), chosen(options, Drawing)
    frame = drawing.first_frame(options.start, options.dataset, settings.start_s)
    (image,) = drawing.generate(
        run.model, frame[None], temperature=settings.temperature, seed=settings.seed
    )
    sound = drawing.drawing_to_sound(image)
    about = {"run": str(origin), "settings": asdict(settings)}
    drawing.save_drawing(out, image, sound, options.start, **about)
    print(
        f"{out} (.png, .json): 5 s from {options.start or 'silence'}; layers of units: "
        f"{run.settings['layers']} x {run.settings['units']}; epochs: {len(run.history)}"
    )
    return 0

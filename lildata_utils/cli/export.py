"""A network for other programs: `lildata export`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from lildata_utils.cli.genre import load_run
from lildata_utils.cli.output import Add
from lildata_utils.networks.settings import CLASSIFIERS

if TYPE_CHECKING:
    from lildata_utils.sound.spectrogram import Image

CHECKED_CLIPS = 100


def add_commands(add: Add) -> None:
    """Add the commands of this module (README)."""
    sub = add(
        "export",
        _export,
        "write a network as one file for other programs, checked against Keras",
        stopped="nothing was written",
    )
    sub.add_argument("run", type=Path, metavar="RUN", help="made by `lildata train`")
    sub.add_argument("out", type=Path, metavar="OUT", help=".tflite or .onnx; also .json")


def _export(options: argparse.Namespace) -> int:
    from lildata_utils.files import check_made_by, write_json
    from lildata_utils.networks.export import check_out, export

    check_out(options.out)
    check_made_by("export", options.out)
    run = load_run(options.run, CLASSIFIERS)
    images = _clips(CHECKED_CLIPS)
    difference = export(run.model, options.out, images)
    about = {
        "run": str(options.run),
        "input": f"uint8, shape (clips, {images.shape[1]}, {images.shape[2]}): stored pictures",
        "output": f"float32, shape (clips, {len(run.genres)}): probabilities",
        "genres": run.genres,
        "largest_difference": difference,
    }
    write_json(options.out.with_suffix(".json"), {"command": "export", **about})
    print(f"{options.out} (.json): genres {', '.join(run.genres)}")
    print(f"on {len(images)} clips of the crate it differs from Keras by at most {difference:.1e}")
    return 0


def _clips(count: int) -> "Image":
    """Render pictures of all genres of the crate: music, as noise alone would prove little."""
    import numpy as np

    from lildata_utils.crate.composing import compose
    from lildata_utils.crate.examples import EXAMPLE_SEED
    from lildata_utils.crate.rendering import render
    from lildata_utils.genres import GENRES
    from lildata_utils.sound.spectrogram import CLIP_S, cut_clips, to_image

    each_s = -(-count // len(GENRES)) * CLIP_S
    tracks = (render(compose(genre, 0, EXAMPLE_SEED, each_s)) for genre in GENRES)
    pictures = [to_image(clips)[0] for track in tracks for clips in cut_clips([track])]
    return np.concatenate(pictures)[:count]

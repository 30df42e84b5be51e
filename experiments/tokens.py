"""From a drone to music, rung by rung: what each network's music is worth to ears of its own.

Lets a musician learn (or goes on), an LSTM on the same codes beside it, and puts music of artists
whom nobody learned, of both, and of the LSTMs of notebook 05 before the judges. A stopped run goes
on where it was. `make tables` fills docs/results/tokens.md from the report:

    python experiments/tokens.py OUT --musician data/pretrained/musician --report .../tokens.json
"""

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lildata_utils.crate.composing import compose as sketch
from lildata_utils.crate.rendering import render
from lildata_utils.files import KEPT_LSTMS, write_json, written_beside
from lildata_utils.generation import likeness, music
from lildata_utils.generation.drawing import drawing_to_sound, generate
from lildata_utils.generation.measures import shuffled
from lildata_utils.generation.settings import Piece, Sampling
from lildata_utils.genre.judges.bench import Judges, shipped_judges, two_of_three
from lildata_utils.genre.judges.features import hear, join
from lildata_utils.learning import musician as musicians
from lildata_utils.learning.composer import ComposerLearner, Scores, nats, transcribe
from lildata_utils.learning.musician import Musician
from lildata_utils.learning.practice import practise
from lildata_utils.learning.runs import load_run
from lildata_utils.learning.settings import TRACK_S, Apprenticeship
from lildata_utils.learning.songbook import Songbook, read_songbook
from lildata_utils.machine import machine, usable_cores
from lildata_utils.networks.composer import Composer, arranged
from lildata_utils.networks.settings import ComposerSettings
from lildata_utils.sound.bands import to_bands
from lildata_utils.sound.inversion import spectral_convergence_db
from lildata_utils.sound.measures import (
    onset_contrast_db,
    onset_strength,
    pulse_clarity,
    tonal_clarity,
)
from lildata_utils.sound.spectrogram import (
    CLIP_S,
    CLIP_SAMPLES,
    HOP_LENGTH,
    SAMPLE_RATE,
    image_to_magnitude,
    magnitude,
    to_image,
)

GENRE = "lofi"
# Of music that nobody learned: the clips of the rows, and those that say what real music is.
TESTED, REFERENCE = 601, 602
CLIPS_A_TRACK = 4
LEARNED_TRACKS = 64
LSTMS = {
    "the paper's LSTM": "depth_3_600_clips_50_epochs",
    "LSTM with a mixture": "mixture_200_clips_25_epochs",
}
SEED = 11
LONG_S, LONG_PIECES = 30.0, 20
TOLD = "pulse", "tonal", "onsets"


def main() -> None:
    """Train, make music, listen; print the rows, write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="gets rows that are done, and the LSTM on codes")
    parser.add_argument("--musician", type=Path, required=True, help="trained if not there")
    parser.add_argument("--clips", type=int, default=100, help="a row (other genres: a third)")
    parser.add_argument("--lstm-steps", type=int, default=2000)
    parser.add_argument("--report", type=Path, metavar="FILE", help="(default OUT/report.json)")
    options = parser.parse_args()
    out = options.out
    if not (options.musician / musicians.ABOUT_FILE).is_file():
        for step in musicians.train(options.musician, Apprenticeship(), workers=usable_cores()):
            if step.step % 50 == 0 or step.step == step.steps:
                print(step, file=sys.stderr)
    player = musicians.load_musician(options.musician)
    lessons = Apprenticeship.made_of(player.about["settings"])
    songbook = read_songbook(options.musician / "practice" / "music", lessons.collection)
    scores = transcribe(player.codec, songbook)
    recurrent = recurrent_musician(player, scores, out, options.lstm_steps)
    judges = shipped_judges()
    learned = clips_of(GENRE, lessons.music_seed, 8 * min(lessons.tracks, LEARNED_TRACKS), 8)
    heard = {
        name: listened(out / "rows" / f"{slug(name)}.npz", make, judges, genre)
        for name, genre, make in rows(player, recurrent, learned, options.clips)
    }
    content = {
        "command": shlex.join(["python", *sys.argv]),
        "machine": machine(),
        "settings": player.about["settings"],
        "seeds": [SEED],
        "data": {
            "clips": options.clips,
            "learned": len(learned),
            "tested": TESTED,
            "reference": REFERENCE,
        },
        "rows": [told(name, row, heard) for name, row in heard.items() if name in lofi_rows(heard)],
        "genres": [told(name, row, heard) for name, row in heard.items() if ":" in name],
        "codec": described_codec(player, options.clips // 4),
        "codes": cross_entropies(player, recurrent, scores),
        "long": long_pieces(player),
        "seconds": seconds(player),
    }
    for row in content["rows"] + content["genres"]:
        print(row)
    print(content["codec"], content["codes"], content["long"], content["seconds"], sep="\n")
    write_json(options.report or out / "report.json", content)


def slug(name: str) -> str:
    """Make a file's name of a row's."""
    return "".join(sign if sign.isalnum() else "_" for sign in name)


def lofi_rows(heard: dict[str, Any]) -> list[str]:
    """Name the rows of the table, without those of other genres and the reference."""
    return [name for name in heard if ":" not in name and name not in ("reference", "learned")]


def clips_of(genre: str, seed: int, count: int, each: int = CLIPS_A_TRACK) -> np.ndarray:
    """Render clips of a genre, each from its own part of a track."""
    found: list[np.ndarray] = []
    for number in range(-(-count // each)):
        track = render(sketch(genre, number, seed, TRACK_S))
        starts = np.arange(each) * CLIP_SAMPLES * int(TRACK_S / CLIP_S) // each
        found += [track[start : start + CLIP_SAMPLES] for start in starts]
    return np.stack(found[:count])


Row = tuple[str, str, Callable[[], np.ndarray]]


def rows(player: Musician, recurrent: Musician, learned: np.ndarray, count: int) -> Iterator[Row]:
    """Say what is to be heard: name, genre, and what makes the clips."""
    real = clips_of(GENRE, TESTED, count)
    images = [to_image(clip)[0] for clip in real]
    plain, full = Sampling(seed=SEED, guidance=1.0), Sampling(seed=SEED)
    yield "reference", GENRE, lambda: clips_of(GENRE, REFERENCE, 2 * count)
    yield "learned", GENRE, lambda: learned
    yield "real", GENRE, lambda: real
    yield "real, inverted", GENRE, lambda: sounds(images)
    yield "codec", GENRE, lambda: through_codec(player, real)
    yield "real frames, shuffled", GENRE, lambda: sounds([shuffled(i, SEED) for i in images])
    yield "nearest learned clip", GENRE, lambda: nearest(images, learned)
    for name, run in LSTMS.items():
        yield name, GENRE, lambda run=run: drawn(run, images)
    yield "LSTM on codes", GENRE, lambda: played(recurrent, GENRE, plain, count)
    yield "transformer", GENRE, lambda: played(player, GENRE, plain, count)
    yield "transformer, guided", GENRE, lambda: played(player, GENRE, full, count)
    for genre in player.genres:
        few = count // 3
        yield f"{genre}: real", genre, lambda g=genre, n=few: clips_of(g, TESTED, n)
        yield f"{genre}: reference", genre, lambda g=genre, n=few: clips_of(g, REFERENCE, 2 * n)
        yield (
            f"{genre}: codec",
            genre,
            lambda g=genre, n=few: through_codec(player, clips_of(g, TESTED, n)),
        )
        yield f"{genre}: guided", genre, lambda g=genre, n=few: played(player, g, full, n)


def sounds(images: list[np.ndarray]) -> np.ndarray:
    """Make pictures audible."""
    return np.stack([drawing_to_sound(image)[:CLIP_SAMPLES] for image in images])


def through_codec(player: Musician, clips: np.ndarray) -> np.ndarray:
    """Write clips as codes, and play them."""
    codes = [music.transcribe(player.codec, clip)[0] for clip in clips]
    return np.stack([music.perform(player.codec, one, CLIP_S)[1] for one in codes])


def nearest(images: list[np.ndarray], learned: np.ndarray) -> np.ndarray:
    """Answer each clip with the learned one whose first frame is closest."""
    starts = np.stack([to_image(clip)[0][:, 0] for clip in learned]).astype(np.float32)
    places = [int(((starts - image[:, 0]) ** 2).sum(axis=1).argmin()) for image in images]
    return learned[places]


def drawn(run: str, images: list[np.ndarray]) -> np.ndarray:
    """Let an LSTM of notebook 05 draw on from first frames."""
    first = np.stack(images)[:, :, 0]
    return sounds(list(generate(load_run(KEPT_LSTMS / run).model, first, seed=SEED)))


def played(player: Musician, genre: str, sampling: Sampling, count: int) -> np.ndarray:
    """Let a musician play clips of a genre."""
    *_, written = music.compose(player, Piece(genre=genre), sampling, count)
    return np.stack([music.perform(player.codec, codes, CLIP_S)[1] for codes in written.finished])


def listened(
    path: Path, make: Callable[[], np.ndarray], judges: Judges, genre: str
) -> dict[str, np.ndarray]:
    """Make clips and listen to them, once: the next time what was heard is read."""
    if not path.is_file():
        clips = make()
        found = join([hear(clip[None]) for clip in clips])
        right = judges.genres.index(genre)
        said = judges.judge(found)
        row = {
            "bands": found.bands,
            "features": judges.network.features(found.bands),
            "judged": two_of_three(said) == right,
            "each": np.stack([one.argmax(axis=1) == right for one in said.values()]),
            "pulse": np.array([pulse_clarity(clip) for clip in clips]),
            "tonal": np.array([tonal_clarity(clip) for clip in clips]),
            "onsets": np.array([onset_contrast_db(clip) for clip in clips]),
        }
        with written_beside(path) as beside:
            np.savez_compressed(beside, **row)
        print(f"{path.stem}: heard", file=sys.stderr)
    with np.load(path) as arrays:
        return dict(arrays)


def told(name: str, row: dict[str, np.ndarray], heard: dict[str, Any]) -> dict[str, Any]:
    """Put a row into figures."""
    genre, _, of_genre = name.rpartition(": ")
    reference = heard[f"{genre}: reference" if genre else "reference"]["features"]
    real = heard[f"{genre}: real" if genre else "real"]
    distance, *interval = likeness.kernel_distance(row["features"], reference)
    figures = {
        "name": name,
        "row": of_genre,
        "clips": len(row["judged"]),
        "distance": distance,
        "interval95": interval,
        "judged": float(row["judged"].mean()),
        "each": row["each"].mean(axis=1).tolist(),
        **{measure: float(row[measure].mean()) for measure in TOLD},
        "spread": likeness.spread(row["features"]) / likeness.spread(real["features"]),
    }
    if not genre:
        near = likeness.nearest_likeness(row["bands"], heard["learned"]["bands"])
        error = 1.96 * near.std(ddof=1) / np.sqrt(len(near))
        figures["nearest"] = float(near.mean())
        figures["nearest95"] = [float(near.mean() - error), float(near.mean() + error)]
    return figures


def recurrent_musician(player: Musician, scores: Scores, out: Path, steps: int) -> Musician:
    """Let an LSTM learn the same codes as the transformer."""
    settings = ComposerSettings(kind="lstm", layers=2, width=256, heads=1)
    tokens = player.codec.settings
    composer = Composer(len(player.genres), tokens.tokens, tokens.codes, settings)
    learner = ComposerLearner(composer, scores, steps)
    for step in practise(out / "lstm.npz", learner, steps):
        if step.step % 50 == 0:
            print(step, file=sys.stderr)
    learner.averaged()
    return Musician(player.genres, player.codec, composer, {})


def described_codec(player: Musician, count: int) -> dict[str, Any]:
    """Tell how near the codec comes to clips of all genres, and how many codes it uses."""
    errors, convergence, codes = [], [], []
    for genre in player.genres:
        for clip in clips_of(genre, TESTED, max(1, count // 2)):
            written = music.transcribe(player.codec, clip)[0]
            drawn = player.codec.decode(written[None]).numpy()[0]
            bands = to_bands(clip)
            errors.append(np.abs(drawn[: len(bands)] - bands).mean() * 80 / 255)
            image, sound = music.perform(player.codec, written, CLIP_S)
            target = image_to_magnitude(image)
            found = sound * (np.linalg.norm(target) / np.linalg.norm(magnitude(sound)))
            convergence.append(float(spectral_convergence_db(found, target)))
            codes.append(written)
    every = np.concatenate(codes)
    shares = [
        np.bincount(column, minlength=player.codec.settings.codes) / len(every)
        for column in every.T
    ]
    return {
        "error_db": float(np.mean(errors)),
        "convergence_db": float(np.mean(convergence)),
        "used": float(np.mean([(share > 0).mean() for share in shares])),
        "perplexity": float(
            np.mean([np.exp(-(s[s > 0] * np.log(s[s > 0])).sum()) for s in shares])
        ),
        "codes_counted": len(every),
        "weights": player.codec.count_params(),
    }


def cross_entropies(player: Musician, recurrent: Musician, scores: Scores) -> dict[str, float]:
    """Compare networks with counting, in nats a code, on tracks that nobody learned."""
    columns = [
        (label, to_bands(render(sketch(genre, number, TESTED, TRACK_S))))
        for label, genre in enumerate(player.genres)
        for number in range(3)
    ]
    labels, songs = zip(*columns, strict=True)
    test = transcribe(
        player.codec, Songbook(player.genres, tuple(songs), np.array(labels)), phases=(0,)
    )
    found = {"uniform": float(np.log(player.codec.settings.codes)), **counted(scores, test, player)}
    for name, one in {"LSTM": recurrent, "transformer": player}.items():
        losses = []
        for song, label in zip(test.songs, test.labels, strict=True):
            kinds, times = arranged(len(song))
            entries = song[np.maximum(times, 0)][None], kinds[None], times[None]
            losses.append(float(nats(one.composer, *entries, np.array([label]), False)))
        found[name] = float(np.mean(losses))
        found[f"{name} weights"] = one.composer.count_params()
    return found


def counted(scores: Scores, test: Scores, player: Musician) -> dict[str, float]:
    """Predict codes by how often they were there: alone, and after the one before.

    Pairs that were rarely seen count less (Witten & Bell 1991).
    """
    codes = player.codec.settings.codes
    one, two = [], []
    for token in range(player.codec.settings.tokens):
        single, pairs = np.ones(codes), np.zeros((codes, codes))
        for song in scores.songs:
            column = song[:, token]
            single += np.bincount(column, minlength=codes)
            np.add.at(pairs, (column[:-1], column[1:]), 1)
        single /= single.sum()
        seen, kinds = pairs.sum(axis=1, keepdims=True), (pairs > 0).sum(axis=1, keepdims=True)
        after = (pairs + np.maximum(kinds, 1) * single) / (seen + np.maximum(kinds, 1))
        for song in test.songs:
            column = song[:, token]
            one.append(-np.log(single[column]).mean())
            two.append(-np.log(after[column[:-1], column[1:]]).mean())
    return {"unigram": float(np.mean(one)), "bigram": float(np.mean(two))}


def long_pieces(player: Musician) -> dict[str, Any]:
    """Tell whether half a minute holds together, and whether anything is heard at borders."""
    *_, written = music.compose(
        player, Piece(genre=GENRE, seconds=LONG_S), Sampling(seed=SEED), LONG_PIECES
    )
    held, seams = [], []
    context_s = player.composer.settings.context * music.STEP_S
    for codes in written.finished:
        _, sound = music.perform(player.codec, codes, LONG_S)
        held.append(likeness.holds_together(sound))
        strength = onset_strength(sound)
        border = round(context_s * SAMPLE_RATE / HOP_LENGTH)
        # The share of the piece's frames that are louder in onset than the border.
        seams.append(float((strength > strength[border - 2 : border + 3].max()).mean()))
    pulse, key = np.array(held).mean(axis=0)
    return {
        "pieces": LONG_PIECES,
        "pulse_kept": float(pulse),
        "key_kept": float(key),
        "both_kept": float(np.array(held).all(axis=1).mean()),
        # 0.05 would be a border that stands out.
        "border_quantile": 1 - float(np.mean(seams)),
    }


def seconds(player: Musician) -> dict[str, float]:
    """Time what a user waits for, after the first piece (which compiles), and the lessons."""
    history = player.about["history"]
    found = {
        f"{name}_processor_s": sum(row["processor_seconds"] for row in rows)
        for name, rows in history.items()
    }
    for length in (CLIP_S, CLIP_S, LONG_S):
        start = time.monotonic()
        *_, written = music.compose(player, Piece(genre=GENRE, seconds=length), Sampling())
        music.perform(player.codec, written.finished[0], length)
        found[f"{length:g}_s"] = time.monotonic() - start
    return found


if __name__ == "__main__":
    main()

"""Which bands of the crate does the shipped listener know best by their genre? `methods.BANDS`.

Each artist of seed 0 plays songs of other genres, of a seed of their own; the listener shares
nothing with the judges of the results. A killed run goes on where it was:

    python experiments/bands.py OUT
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import lildata_utils
from lildata_utils.crate.composing import compose
from lildata_utils.crate.covers import perform
from lildata_utils.crate.patterns import BEATS_PER_BAR, Section
from lildata_utils.crate.rendering import render
from lildata_utils.crate.score import Score, score_of
from lildata_utils.files import read_json, write_json
from lildata_utils.genre.predict import predict
from lildata_utils.genres import MUSIC
from lildata_utils.sound.spectrogram import CLIP_S, CLIP_SAMPLES, to_image
from lildata_utils.transfer.methods import FADE_S

SONGS_SEED, BANDS_SEED, HEARD, BEST = 305, 0, 32, 6


def drop(genre: str) -> Score:
    """Give the first bars of a song, as one drop."""
    score = score_of(compose(genre, 0, SONGS_SEED, CLIP_S + 2 * FADE_S))
    bars = (len(score.beats_s) - 1) // BEATS_PER_BAR
    return Score(
        score.beats_s, score.key, score.chords, (Section("drop", 0, bars),), CLIP_S + FADE_S
    )


def main() -> None:
    """Let every band play, and print the best of each genre."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="gets a file a genre")
    out = parser.parse_args().out
    run = lildata_utils.load_listener()
    for place, genre in enumerate(MUSIC):
        songs = [drop(MUSIC[(place + step) % len(MUSIC)]) for step in (1, 4)]
        path = out / f"{genre}.json"
        if not path.is_file():
            clips = [
                render(perform(song, genre, BANDS_SEED, artist=artist))[:CLIP_SAMPLES]
                for artist in range(HEARD)
                for song in songs
            ]
            heard = predict(run.model, to_image(np.stack(clips))[0])[:, run.genres.index(genre)]
            sure = np.log(np.maximum(heard, 1e-6)).reshape(HEARD, len(songs)).mean(axis=1)
            write_json(path, sure.tolist())
        sure = np.array(read_json(path))
        best = tuple(int(artist) for artist in np.argsort(-sure)[:BEST])
        share = float(np.exp(sure[list(best)]).mean())
        print(f'    "{genre}": {best},  # heard at {share:.0%}; all {np.exp(sure).mean():.0%}')
        sys.stdout.flush()


if __name__ == "__main__":
    main()

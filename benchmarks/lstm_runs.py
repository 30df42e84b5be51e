"""Train all LSTMs of notebook 05 at the paper's size, and keep what they draw in numbers.

600 clips of lo-fi, rendered here, for 25 and 50 epochs, and two clips for 1000. The runs lie in
``data/paper/runs/lstm``; a stopped run goes on where it was, and the notebook in the profile
"paper" loads them.

    python benchmarks/lstm_runs.py
"""

from lildata_utils.profiles import get_profile
from lildata_utils.workspace import LSTM_RUNS, lofi_dataset, lstm_run

PROFILE = "paper"
DEPTHS = ("depth_3", "depth_2", "depth_4")


def main() -> None:
    """Train what is not there yet, the paper's own runs first."""
    size = get_profile(PROFILE)
    clips = lofi_dataset(PROFILE)
    pair = clips.at_most(train=2, validation=0)
    early, full = size.lstm_epochs
    for name in ("depth_3", "free"):
        lstm_run(PROFILE, name, pair, size.lstm_pair_epochs)
    for name in DEPTHS:
        for epochs in (early, full):
            lstm_run(PROFILE, name, clips, epochs)
    for name in LSTM_RUNS:
        if name not in DEPTHS:
            lstm_run(PROFILE, name, clips, early)


if __name__ == "__main__":
    main()

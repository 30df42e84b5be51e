"""A plan of three small trainings."""

PLAN = """
[music]
tracks = 3
seconds = 10.0
seed = 1

[[row]]
name = "Small"
network = "cnn"
seeds = [0, 1]
epochs = 2
options = { side = 32, filters = [2, 2] }

[[row]]
name = "Small, half"
network = "cnn"
epochs = 1
share = 0.5
options = { side = 32, filters = [2, 2] }

[[contrast]]
name = "half of the clips"
plus = ["Small, half"]
minus = ["Small"]
"""


def write(folder, text):
    path = folder / "plan.toml"
    path.write_text(text)
    return path

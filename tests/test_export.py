"""A network as a file for other programs, and a listener that needs nothing of this package."""

import json
import subprocess
import sys

import numpy as np
import pytest
from trainings import COARSE, SMALL

from lildata_utils.backend import tf
from lildata_utils.cli.main import main
from lildata_utils.errors import LilDataError
from lildata_utils.files import LIL_DATA_RUN
from lildata_utils.networks import export
from lildata_utils.networks.inputs import as_input
from lildata_utils.networks.lil_data import build_lil_data
from lildata_utils.networks.listener import build_listener
from lildata_utils.networks.settings import ListenerSettings
from lildata_utils.networks.softmax import build_softmax

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (4, 631, 631), dtype=np.uint8)
IMAGES[1:, 100:] //= np.array([2, 4, 8], np.uint8)[:, None, None]


def listener():
    model = build_listener(3, ListenerSettings(filters=(4, 4, 4, 4), start="random"))
    model.get_layer("band_norm").moving_mean.assign(np.full(96, -30.0))
    model.get_layer("band_norm").moving_variance.assign(np.full(96, 400.0))
    return model


def told(path, images):
    if path.suffix == ".onnx":
        onnxruntime = pytest.importorskip("onnxruntime")
        return onnxruntime.InferenceSession(path).run(None, {"images": images})[0]
    run = tf.lite.Interpreter(str(path))
    (into,), (out_of,) = run.get_input_details(), run.get_output_details()
    run.resize_tensor_input(into["index"], images.shape)
    run.allocate_tensors()
    run.set_tensor(into["index"], images)
    run.invoke()
    return run.get_tensor(out_of["index"])


NETWORKS = {
    "listener": listener,
    "cnn": lambda: build_lil_data(3),
    "softmax": lambda: build_softmax(3, COARSE),
}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", ["a.tflite", "a.onnx"])
def test_the_file_says_what_keras_says_of_stored_pictures(network, name, tmp_path):
    if name == "a.onnx":
        pytest.importorskip("tf2onnx")
    model = NETWORKS[network]()
    if network != "listener":  # its last weights are 0 at first
        head = model.layers[-1].kernel
        head.assign(RNG.normal(scale=0.01, size=head.shape))
    difference = export.export(model, tmp_path / name, IMAGES)
    expected = model(as_input(model, IMAGES), training=False).numpy()
    assert np.ptp(expected, axis=0).max() > 1e-3  # it hears a difference
    assert difference < 1e-4
    for images, rows in ((IMAGES, expected), (IMAGES[:1], expected[:1])):
        np.testing.assert_allclose(told(tmp_path / name, images), rows, atol=1e-4)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_that_says_something_else_is_not_left(monkeypatch, tmp_path):
    monkeypatch.setattr(export, "CAFFE_MEAN", 0.0)
    model = build_softmax(3, COARSE)
    model.layers[-1].kernel.assign(RNG.normal(scale=0.01, size=model.layers[-1].kernel.shape))
    with pytest.raises(LilDataError, match=r"a\.tflite: .* differ from those of Keras by [\d.]+,"):
        export.export(model, tmp_path / "a.tflite", IMAGES)
    assert list(tmp_path.iterdir()) == []


def test_what_shrinks_pictures_is_refused(tmp_path):
    with pytest.raises(LilDataError, match="lil_data shrinks its pictures"):
        export.export(build_lil_data(3, SMALL), tmp_path / "a.tflite", IMAGES)


def test_onnx_is_an_extra(monkeypatch, tmp_path):
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    with pytest.raises(LilDataError, match=r"install lildata-utils\[onnx\]"):
        export.check_out(tmp_path / "a.onnx")


@pytest.mark.slow
def test_the_command_names_genres_and_difference_and_overwrites_nothing(tmp_path, capsys):
    out = tmp_path / "lil.tflite"
    assert main(["export", str(LIL_DATA_RUN), str(out)]) == 0
    told = capsys.readouterr()
    assert "100 clips of the crate" in told.out
    assert told.err == ""
    about = json.loads((tmp_path / "lil.json").read_text())
    assert about["genres"][0] == "trap"
    assert about["largest_difference"] < 1e-3
    (tmp_path / "lil.json").unlink()
    before = out.read_bytes()
    assert main(["export", str(LIL_DATA_RUN), str(out)]) == 1
    assert "no result of `lildata export`" in capsys.readouterr().err
    assert out.read_bytes() == before


def test_a_wrong_ending_is_one_line(tmp_path, capsys):
    assert main(["export", str(LIL_DATA_RUN), str(tmp_path / "a.pb")]) == 1
    assert "use .tflite or .onnx" in capsys.readouterr().err


def test_a_kept_listener_needs_keras_alone(tmp_path):
    model = listener()
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", IMAGES)
    code = (
        "import sys, keras, numpy as np\n"
        "told = keras.models.load_model('model.keras').predict(np.load('images.npy'), verbose=0)\n"
        "np.save('told.npy', told)\n"
        "assert not any(name.startswith('lildata') for name in sys.modules)\n"
    )
    environment = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    expected = model(np.float32(IMAGES), training=False).numpy()
    np.testing.assert_allclose(np.load(tmp_path / "told.npy"), expected, atol=1e-4)

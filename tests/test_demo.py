import json
import socket
import sys

from lildata_utils.cli.main import main
from lildata_utils.show import demo


def test_without_voila_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "voila.app", None)
    assert main(["demo"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("lildata: the demo needs Voila")
    assert "install lildata-utils[demo]" in line


def test_a_port_in_use_is_named(capsys):
    with socket.socket() as other:
        other.bind((demo.ADDRESS, 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["demo", "--port", str(port), "--no-browser"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert f"port {port}" in line
    assert "--port" in line


def test_the_page_is_not_one_of_the_course_s_notebooks_and_was_never_run():
    page = json.loads((demo.PAGE_FOLDER / "panel.ipynb").read_text())
    [code] = [cell for cell in page["cells"] if cell["cell_type"] == "code"]
    assert "TransferPanel()" in "".join(code["source"])
    assert code["outputs"] == []

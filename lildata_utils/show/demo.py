"""The panel of style transfer as a page for a class: served by Voila, on this machine only."""

import os
import socket
from pathlib import Path

from lildata_utils.errors import LilDataError

# The notebook that becomes the page, and a template for Voila that asks nothing of the network.
PAGE_FOLDER = Path(__file__).with_name("page")
ADDRESS = "127.0.0.1"


def serve(port: int, open_browser: bool = True) -> None:
    """Serve the panel to browsers of this machine until Ctrl+C (notebook 04).

    Each visitor gets a kernel of their own.

    Raises
    ------
    LilDataError
        If Voila is not installed, or something else uses the port.
    """
    try:
        from voila.app import Voila
    except ModuleNotFoundError:
        raise LilDataError(
            "the demo needs Voila, which is not installed: install lildata-utils[demo]"
        ) from None
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server will
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise LilDataError(
                f"port {port} can't be used ({error.strerror}): choose another one with --port"
            ) from None
    # Without this a kernel named python3 in the user's folder could stand before that of .venv.
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
    paths = [str(PAGE_FOLDER), os.environ.get("JUPYTER_PATH", "")]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, paths))
    print(f"http://{ADDRESS}:{port}/ is the panel; Ctrl+C ends it", flush=True)
    Voila.launch_instance(
        [
            str(PAGE_FOLDER / "panel.ipynb"),
            "--template=lildata",
            f"--Voila.ip={ADDRESS}",
            f"--port={port}",
            "--Voila.port_retries=0",
            f"--Voila.open_browser={open_browser}",
            "--Voila.log_level=ERROR",
        ]
    )

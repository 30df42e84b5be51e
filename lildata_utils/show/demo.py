"""The panels, of style transfer and of listening, as a page for a class, served by Voila."""

import os
import secrets
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from lildata_utils.errors import LilDataError
from lildata_utils.show.settings import Demo

# The notebook that becomes the page, and a template for Voila that asks nothing of the network.
PAGE_FOLDER = Path(__file__).with_name("page")
LOCAL = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::")
MOST_VISITORS, VISITOR_BYTES = 8, 1_000_000_000


def serve(settings: Demo, open_browser: bool = True) -> None:
    """Serve the panels to browsers that have its token, until Ctrl+C (notebook 04).

    Each visitor gets a kernel of their own.

    Raises
    ------
    LilDataError
        If Voila is not installed, or the address can't be listened on.
    """
    try:
        from voila.app import Voila  # noqa: F401
    except ModuleNotFoundError:
        raise LilDataError(
            "the demo needs Voila, which is not installed: install lildata-utils[demo]"
        ) from None
    from traitlets.config import Config

    from lildata_utils.show.server import Kernels, Server, Token

    _try_port(settings)
    # Without this a kernel named python3 in the user's folder could stand before that of .venv.
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
    paths = [str(PAGE_FOLDER), os.environ.get("JUPYTER_PATH", "")]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, paths))
    token, prefix = secrets.token_hex(24), urlsplit(settings.prefix)
    base_url = f"/{prefix.path.strip('/')}/".replace("//", "/")
    reached = addresses(settings)
    start = f"{prefix.scheme}://{prefix.netloc}" if prefix.netloc else f"http://{reached[0]}"
    link = f"{start}{base_url}?token={token}"
    print(f"{link} is the page; Ctrl+C ends it", flush=True)
    if settings.host not in LOCAL:
        print(
            "warning: whoever has this address can use it from the network, and nothing is "
            "encrypted on the way",
            file=sys.stderr,
        )
    room = max(1, min(MOST_VISITORS, psutil.virtual_memory().available // VISITOR_BYTES))
    kernels = {
        "most": settings.visitors or room,
        "closed_s": settings.closed_s,
        "cull_idle_timeout": settings.idle_s,
        "cull_interval": max(1, min(settings.closed_s, settings.idle_s) // 10),
        "cull_connected": True,
    }
    config = {
        "Kernels": kernels,
        "VoilaConfiguration": {"template": "lildata", "multi_kernel_manager_class": Kernels},
        "Token": {"cookie_options": {"samesite": "Lax"}},
    }
    Server.launch_instance(
        [str(PAGE_FOLDER / "panel.ipynb")],
        config=Config(config),
        identity_provider_class=Token,
        token=token,
        addresses=set(reached),
        link=link,
        ip=settings.host,
        port=settings.port,
        port_retries=0,
        base_url=base_url,
        open_browser=open_browser,
        log_level="ERROR",
    )


def addresses(settings: Demo) -> list[str]:
    """Give all that a browser may call the server, the one for visitors first (notebook 04).

    Examples
    --------
    >>> addresses(Demo(port=8866, prefix="https://example.org/lildata/"))
    ['127.0.0.1:8866', 'localhost:8866', '[::1]:8866', 'example.org']
    """
    names = [settings.host, *LOCAL]
    if settings.host in EVERYWHERE:
        cards = psutil.net_if_addrs().values()
        kinds = (socket.AF_INET, socket.AF_INET6)
        found = [one.address for card in cards for one in card if one.family in kinds]
        # What others can reach and read aloud comes first.
        found.sort(key=lambda name: (":" in name, name.startswith("127.")))
        names = [*found, socket.gethostname(), *LOCAL]
    hosts = [f"[{name}]" if ":" in name else name for name in names]
    ports = [f":{settings.port}"] + [""] * (settings.port == 80)
    proxy = urlsplit(settings.prefix).netloc
    every = [host + port for port in ports for host in hosts] + [proxy] * bool(proxy)
    return [name.lower() for name in dict.fromkeys(every)]


def _try_port(settings: Demo) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        # As the server will: a port that was in use a moment ago is free.
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        raise LilDataError(
            f"port {settings.port} of {settings.host} can't be used ({error.strerror}): choose "
            "another one with --port or --host"
        ) from None

"""How the panel is served to a class."""

import re
from dataclasses import dataclass

from lildata_utils.errors import LilDataError
from lildata_utils.settings import Range, Settings, setting


@dataclass(frozen=True)
class Demo(Settings):
    """Where the page of the panel is, and for how many (notebook 04).

    Raises
    ------
    LilDataError
        If a value is out of range.
    """

    port: int = setting(8866, "of the address", range=Range(least=1, most=65_535), metavar="N")
    # The default answers this machine only.
    host: str = setting(
        "127.0.0.1",
        "listen there: an address of this machine, or 0.0.0.0 for all of them",
        metavar="ADDRESS",
    )
    prefix: str = setting(
        "/",
        "a proxy shows the page there: a path such as /lildata/, or with https://…",
        metavar="URL",
    )
    # Each has a kernel, of about 1 GB once it paints; None makes it a share of the free memory.
    visitors: int | None = setting(
        None, "at the same time (default: 8, or what fits)", range=Range(least=1), metavar="N"
    )
    closed_s: int = setting(
        60, "after which a closed page is freed", range=Range(least=1), metavar="S", option="closed"
    )
    idle_s: int = setting(
        1800,
        "after which an unused page is ended",
        range=Range(least=1),
        metavar="S",
        option="idle",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not re.fullmatch(r"(https?://[\w.:\[\]-]+)?[\w/~-]*", self.prefix, re.ASCII):
            raise LilDataError(
                f"prefix must be a path such as /lildata/ or an address such as "
                f"https://example.org/lildata/, got {self.prefix!r}"
            )
        if not re.fullmatch(r"[\w.:-]+", self.host, re.ASCII):
            raise LilDataError(f"host must be an address such as 127.0.0.1, got {self.host!r}")

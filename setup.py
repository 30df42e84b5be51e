"""What pyproject.toml can't say: a wheel has the notebooks and the trained networks inside.

In a checkout they lie beside the package, where people look for them; `lildata_utils.files` knows
both places.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = ("notebooks", "data/pretrained", "docs/results/reports")
# What a training or an editor leaves.
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "checkpoint.npz")


class BuildWithShipped(build_py):
    """Copy what is shipped into the package; an editable install finds it beside."""

    def run(self) -> None:
        """Build; modules of an earlier build that are gone must not come along."""
        if self.editable_mode:
            super().run()
            return
        package = Path(self.build_lib) / "lildata_utils"
        shutil.rmtree(package, ignore_errors=True)
        super().run()
        for folder in SHIPPED:
            shutil.copytree(folder, package / "shipped" / folder, ignore=LEFT_OUT)


setup(cmdclass={"build_py": BuildWithShipped})

"""Make the outputs of executed notebooks independent of the kernels that made them."""

import sys
from pathlib import Path

from lildata_utils.course.run import drop_views

for name in sys.argv[1:]:
    drop_views(Path(name))

"""The one place where TensorFlow and Keras are imported, quietly.

TensorFlow 2.21 writes lines to file descriptor 2 that ``TF_CPP_MIN_LOG_LEVEL`` does not silence;
the descriptor points at the null device while the import runs.
"""

import os
from pathlib import Path

from lildata_utils.quiet import silent_stderr

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
with silent_stderr():
    import keras
    import tensorflow as tf

    # The first operation makes the context, which prints too.
    tf.zeros(1)

__all__ = ["has_bfloat16", "keras", "tf"]


def has_bfloat16() -> bool:
    """Say whether the processor multiplies bfloat16 natively (AVX-512 BF16 or AMX).

    Elsewhere bfloat16 is emulated, and slower than float32. Only Linux tells; other systems
    are taken to have none.
    """
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags

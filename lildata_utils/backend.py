"""The one place where TensorFlow and Keras are imported, quietly (README).

TensorFlow 2.21 writes lines to file descriptor 2 that ``TF_CPP_MIN_LOG_LEVEL`` does not silence;
the descriptor points at the null device while the import runs.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from lildata_utils.machine import require_tensorflow, silent_stderr

require_tensorflow()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
with silent_stderr():
    import keras
    import tensorflow as tf
    from tensorflow.python.framework import config as tf_config

    # The first operation makes the context, which prints too.
    tf.zeros(1)
# Its warnings are advice to programmers, such as on compiling often; errors are exceptions.
tf.get_logger().setLevel("ERROR")

__all__ = ["deterministic", "keras", "tf"]


@contextmanager
def deterministic() -> Iterator[None]:
    """Let TensorFlow add up in the same order every time while the block runs (README).

    With three threads or more the order, and so the last bits, would otherwise be a matter of
    chance. ``tf.config.experimental.enable_op_determinism`` is for good: after it, every
    ``model.fit`` in the process needs a seed. So the switch behind it is turned back here.
    """
    before = tf_config.is_op_determinism_enabled()
    tf_config.enable_op_determinism()
    try:
        yield
    finally:
        if not before:
            tf_config.disable_op_determinism()

"""ResNet-50 with fewer channels: layer for layer the same network, in a third of the time."""

import sys

from lildata_utils.backend import keras


def thin_resnet50(monkeypatch):
    """Let Keras build its ResNet-50 with a sixteenth of the channels behind the first layer."""
    module = sys.modules[keras.applications.ResNet50.__module__]
    stack = module.stack_residual_blocks_v1
    monkeypatch.setattr(
        module,
        "stack_residual_blocks_v1",
        lambda x, filters, *given, **named: stack(x, filters // 16, *given, **named),
    )

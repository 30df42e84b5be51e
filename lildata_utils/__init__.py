"""Lil Data: music as 631 x 631 spectrograms, classified, transferred, generated and heard again.

One word ties each module to a notebook; `README.md` says where to start. Importing this package
imports nothing heavy: TensorFlow is loaded by `lildata_utils.backend` when a network is built.
"""

__version__ = "0.1.0"

"""The crate: eight genres of music composed and rendered by code, from one seed.

No samples, no downloads: instruments (`drums`, `synths`, `voice`, `noise`) play patterns that a
genre's recipe (`genres`) writes for an artist, and a desk (`mixing`) finishes the track.
"""

from lildata_utils.crate.artists import PARTS, Artist, Layer, Track
from lildata_utils.crate.collection import FORMATS, CrateStep, write_collection
from lildata_utils.crate.composing import compose, meet
from lildata_utils.crate.genres import RECIPES
from lildata_utils.crate.mixes import Mix, plan_mix, render_mix
from lildata_utils.crate.rendering import dry_mix, render

__all__ = [
    "FORMATS",
    "PARTS",
    "RECIPES",
    "Artist",
    "CrateStep",
    "Layer",
    "Mix",
    "Track",
    "compose",
    "dry_mix",
    "meet",
    "plan_mix",
    "render",
    "render_mix",
    "write_collection",
]

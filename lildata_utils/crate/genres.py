"""The eight genres of the crate, and where the recipe of each stands (notebook 01)."""

from lildata_utils.crate.recipes import ambience, club, hip_hop, lush

RECIPES = {
    "trap": hip_hop.TRAP,
    "future_bass": lush.FUTURE_BASS,
    "lofi": hip_hop.LOFI,
    "hardstyle": club.HARDSTYLE,
    "yung_gravy": hip_hop.YUNG_GRAVY,
    "liquid_dnb": lush.LIQUID_DNB,
    "house": club.HOUSE,
    "noise": ambience.NOISE,
}

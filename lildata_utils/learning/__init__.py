"""How networks learn: recipes, one `fit` for all of them, and runs on disk (notebook 02)."""

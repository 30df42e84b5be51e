"""How networks learn: recipes, one `fit`, and runs on disk (notebook 02)."""

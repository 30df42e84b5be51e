"""From folders of music to a data set on disk (notebook 01)."""

"""The networks: models only, each in a file of its own."""

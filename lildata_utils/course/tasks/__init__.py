"""The tasks of the notebooks: for each a solution, and a hint for each answer that is wrong."""

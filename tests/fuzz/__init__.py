"""Mutated inputs for everything that is read: `python -m tests.fuzz --inputs 10000`.

`assets` makes good files, `mutators` damage them, `targets` say what reads them, `workers` run that
in processes that may die, `outcomes` judge, and `cases/` keeps what once failed.
"""

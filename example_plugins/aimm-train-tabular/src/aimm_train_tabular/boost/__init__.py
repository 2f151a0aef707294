"""Boosted trees, on a CPU or, with the extra ``gpu``, on a GPU."""

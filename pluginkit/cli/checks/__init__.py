"""Checks that run nothing of a plugin: what `validate` and `doctor` are made of."""

"""The commands, one module each; `program.py` lists them."""

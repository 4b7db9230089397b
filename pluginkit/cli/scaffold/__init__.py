"""`pluginkit new`: a plugin in two files, written from the hooks of its type's contract."""

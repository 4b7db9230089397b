"""Whether a plugin's files are those that somebody vouched for; nothing here imports a plugin."""

"""Hostile calls of every command, made from the commands' own options: whatever is given, people get an answer."""

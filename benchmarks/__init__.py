"""Speed as ratios against named alternatives, both sides measured in the same run: `make bench`."""

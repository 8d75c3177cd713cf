"""Published results and how we reproduce them: one file for each, and a line in `table.py`.

What a file holds was read in the source that it names, stored data of a public repository or an abstract, never
remembered. `entry.py` says what a result is, `reproduction.py` compares it with ours.
"""

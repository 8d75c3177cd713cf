"""What commands do with `--network`, a network of one's own: a module for each, named like the command.

Such a module has a function `run` with the arguments of the command, after those of `--network` itself, and names the
options that it `HONOURS`; all others are refused (`quadflow.options.own_network`).
"""

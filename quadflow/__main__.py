"""`python -m quadflow`."""

from quadflow.cli import main

main()

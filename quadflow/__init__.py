"""The command line of quadflow: options → a call → JSON or a file. No mathematics."""

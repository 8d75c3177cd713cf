"""What figures and commands run: experiments, one a file."""

"""`quadflow completion`: completion of commands, options and names by the shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from quadflow.examples import Command

VARIABLE = "_QUADFLOW_COMPLETE"  # set by the script when the shell asks for completions

INSTALL = {
    "bash": 'Add to ~/.bashrc:  eval "$(quadflow completion bash)"',
    "zsh": 'Add to ~/.zshrc, after compinit:  eval "$(quadflow completion zsh)"',
    "fish": "Write to a file:  quadflow completion fish > ~/.config/fish/completions/quadflow.fish",
}


@click.command(cls=Command, epilog="Example: quadflow completion bash")
@click.argument("shell", type=click.Choice([*INSTALL]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that teaches a shell to complete commands, options, names and files.

    bash, in ~/.bashrc: eval "$(quadflow completion bash)"

    zsh, in ~/.zshrc after compinit: eval "$(quadflow completion zsh)"

    fish, once: quadflow completion fish > ~/.config/fish/completions/quadflow.fish
    """
    completion = get_completion_class(shell)
    assert completion is not None
    script = completion(ctx.find_root().command, {}, "quadflow", VARIABLE).source()
    click.echo(f"# {INSTALL[shell]}\n{script}")

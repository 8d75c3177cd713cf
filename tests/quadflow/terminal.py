"""A program on a terminal: what its window has seen, and what went elsewhere."""

import os
import select
import subprocess
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Seen:
    """What a program wrote.

    Parameters
    ----------
    status : int
    terminal : str
        All that the terminal was sent, with the carriage returns that overwrite a line.
    out : str
        What went into a pipe instead.
    """

    status: int
    terminal: str
    out: str

    @property
    def frames(self):
        """Contents of the line that is written again and again."""
        return [frame.strip() for frame in self.terminal.replace("\n", "\r").split("\r") if frame.strip()]

    @property
    def left(self):
        """Lines that stand on the terminal at the end, overwritten as a terminal does."""
        lines = []
        for line in self.terminal.split("\n"):
            shown = []
            for part in line.split("\r"):
                shown[: len(part)] = part
            lines.append("".join(shown).rstrip())
        return [line for line in lines if line]


def on_terminal(*arguments, piped=False, cwd=None):
    """Run Python with arguments on a new terminal of 100 columns, standard output into a pipe if wanted."""
    import fcntl
    import pty
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    process = subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if piped else slave,
        stderr=slave,
        cwd=cwd,
        env={**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8"},
    )
    os.close(slave)
    sent, out = b"", b""
    streams = [master, *([process.stdout.fileno()] if piped else [])]
    while streams:
        for stream in select.select(streams, [], [], 60)[0]:
            try:
                data = os.read(stream, 65536)
            except OSError:  # the other end of a terminal was closed
                data = b""
            if not data:
                streams.remove(stream)
            elif stream == master:
                sent += data
            else:
                out += data
    os.close(master)
    status = process.wait()
    if piped:
        process.stdout.close()
    return Seen(status, sent.decode(), out.decode())

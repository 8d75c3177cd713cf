"""`quadflow --version`: what a bug report has to say about the installation."""

from __future__ import annotations

import platform

import click

from quadflow.provenance import version_of

# read from the metadata of the installed distributions: nothing is imported
REQUIRED = ("numpy", "scipy", "sympy", "torch", "matplotlib", "click")
OPTIONAL = ("heyoka", "python-flint", "xarray", "h5netcdf", "zarr", "dask", "distributed", "plotly", "tqdm")


def version_text() -> str:
    """quadflow, Python, its libraries and the platform, one per line."""
    lines = {"quadflow": version_of("quadflow"), "python": platform.python_version()}
    lines |= {name: version_of(name) for name in (*REQUIRED, *OPTIONAL)}
    lines["platform"] = platform.platform()
    width = max(map(len, lines))
    return "\n".join(f"{name:{width}}  {version}" for name, version in lines.items())


def show_versions(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    """Callback of `--version`."""
    if asked and not ctx.resilient_parsing:
        click.echo(version_text())
        ctx.exit()


version_option = click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_versions,
    help="Show the versions that a bug report needs, and exit.",
)

"""Figures that move: what a maker has drawn is shown as it happens, up to the finished picture."""

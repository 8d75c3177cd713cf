"""Sweeps: many runs over a grid, each of them on disk as soon as it is finished.

- `grid`: what varies, and the seed of every run; `sweeping`: the whole
- `chunks`: which runs are a task; `execution`: in this process or on Dask; `store`, `pieces`: finished runs on disk
- `results`, `dataset`, `reading`: as a labelled data set, and back
"""

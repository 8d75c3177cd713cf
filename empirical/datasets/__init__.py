"""Data sets in files, folders of images and packages: read, checked, split, and in coordinates of their own."""

from empirical.datasets.loading import load as load

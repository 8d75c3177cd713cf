"""The gallery: one file per family of figures."""

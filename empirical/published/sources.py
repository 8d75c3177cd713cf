"""Repositories of which several entries hold numbers."""

from __future__ import annotations

from dataclasses import replace

from empirical.published.entry import Source

DIMENSIONLESS = Source(
    paper="Arnaboldi, Stephan, Krzakala, Loureiro, From high-dimensional & mean-field dynamics to dimensionless ODEs: "
    "a unifying approach to SGD in two-layers networks",
    address="github.com/IdePHICS/DimensionlessDynamicsSGD",
    place="",
    commit="9474bd7e7cbb83cc811c4e78c7a6fa040316c6dd",
)
LAWS = Source(
    paper="Marcotte, Gribonval, Peyré, Abide by the law and follow the flow: conservation laws for gradient flows",
    address="github.com/sibyllema/Conservation_laws",
    place="",
    commit="acd6094aa69ef1cddd678cf1f6d16a1582079d57",
)
BAYES = Source(
    paper="Bayes-optimal learning of an extensive-width neural network from quadratically many samples",
    address="github.com/SPOC-group/ExtensiveWidthQuadraticSamples",
    place="",
    commit="6fff944be1fb218648814e008699dfac7c711593",
)
WIDTH = Source(
    paper="How Width and Data Shape Generalization Scaling Laws in Quadratic Neural Networks",
    address="github.com/SPOC-group/WidthQuadraticNetworks",
    place="",
    commit="b5c649e982570a6d39d65ebebd019a0b68b0bfee",
)
QUADRATIC = Source(
    paper="arXiv:2601.10483",
    address="github.com/simonmartin15/QuadraticNets",
    place="",
    commit="27c438661d9f188fd55ed1ebda674c331d7a815e",
)
MEDIOCRITY = Source(
    paper="Arnaboldi, Krzakala, Loureiro, Stephan, Escaping mediocrity: how two-layer networks learn hard generalized "
    "linear models with SGD",
    address="github.com/IdePHICS/EscapingMediocrity",
    place="",
    commit="73d83ae89a4793480dc33127f5ed5ae157fd1d8c",
)


def at(source: Source, place: str) -> Source:
    """A place in a repository."""
    return replace(source, place=place)

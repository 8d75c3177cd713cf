"""Computations that ask for their expensive parts, so that many of them can have theirs done together.

Such a computation is a generator: it yields a request where something has to be integrated or trained, is sent the
answer, and returns its result. Alone it is carried out by `alone`, and computes what an ordinary function would; many
are carried out by `together`, which does at once what they ask for at the same time, if it is of one kind. A request
that fails raises in the computation that made it, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Request(Protocol):
    """Something that a computation wants to have done."""

    def alone(self) -> Any:
        """Do it."""

    def kin(self) -> Hashable | None:
        """Requests for which this is equal can be done at once; None if it has to be done alone."""

    def together(self, requests: Sequence[Any]) -> Sequence[Any]:
        """The answers to requests of one kin, or the exceptions that `alone` would raise."""


Asking = Generator[Request, Any, Result]


class Turn:
    """A request for nothing but that one's time has come."""

    def alone(self) -> None:
        """It has."""

    def kin(self) -> None:
        """None: it is for one alone."""

    def together(self, requests: Sequence[Any]) -> Sequence[Any]:
        """Nothing for each."""
        return [None] * len(requests)


def alone(asking: Asking[Result]) -> Result:
    """Carry out one computation."""
    try:
        request = next(asking)
        while True:
            try:
                answer = request.alone()
            except Exception as error:  # it is for the computation to deal with
                request = asking.throw(error)
            else:
                request = asking.send(answer)
    except StopIteration as done:
        result: Result = done.value
        return result


def together(
    askings: Sequence[Asking[Result]], go_on: Callable[[], bool] = lambda: True
) -> Iterator[tuple[int, Result | Exception]]:
    """Carry out many computations; what they ask for at the same time is done together.

    Parameters
    ----------
    askings : sequence of generators
    go_on : callable
        Asked, after the first, before anything is begun that has to be done alone; what it says no to is given up
        without a result. What can be done together always is, by all of them.

    Yields
    ------
    (number, result)
        Of each computation when it has ended; the exception where it raised one.
    """
    answers: dict[int, Any] = dict.fromkeys(range(len(askings)))
    ended = 0
    while answers:
        requests: dict[int, Request] = {}
        kins: dict[Hashable, list[int]] = {}
        for i, answer in answers.items():
            request, result = _advance(askings[i], answer)
            kin = None if request is None else request.kin()
            if request is not None and kin is not None:
                requests[i] = request
                kins.setdefault(kin, []).append(i)
            elif request is not None and answer is None and ended and not go_on():
                askings[i].close()
            else:
                yield i, _to_the_end(askings[i], request, result)
                ended += 1
        answers = {}
        for group in kins.values():
            answers |= zip(group, _answers([requests[i] for i in group]), strict=True)


def _advance(asking: Asking[Result], answer: Any) -> tuple[Request | None, Any]:
    """Go on with the answer to the last request: the next one, or None and the result."""
    try:
        if isinstance(answer, Exception):
            return asking.throw(answer), None
        return asking.send(answer), None
    except StopIteration as done:
        return None, done.value
    except Exception as error:
        return None, error


def _to_the_end(asking: Asking[Result], request: Request | None, result: Any) -> Any:
    """The result of a computation that has one, or what comes of it if it is carried out alone from here on."""
    while request is not None:
        request, result = _advance(asking, attempt(request.alone))
    return result


def attempt(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns, or the exception."""
    try:
        return function(*arguments)
    except Exception as error:
        return error


def _answers(requests: Sequence[Request]) -> Sequence[Any]:
    """Of requests that can be done at once; one by one if that fails as a whole."""
    try:
        return requests[0].together(requests)
    except Exception:
        return [attempt(request.alone) for request in requests]

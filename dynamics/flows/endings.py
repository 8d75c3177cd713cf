"""How flows end: the statuses of their reports, besides "finished" (at the end time), "failed" and names of stops."""

CONVERGED = "converged"  # at a minimum
SADDLE = "at a saddle"  # which no component of the weights leads away from
RESTING = "resting on a plateau"  # whose end is known, but out of the solver's reach; the message says when
STATIONARY = "stationary"  # the mean of a descent no longer changes
NOT_CONVERGED = "finished, not converged"  # an open-ended flow in a time by which it should have
TARGET = "target loss reached"
DIVERGED = "diverged"  # a failure: the step of a descent is too large
CROSSED = "left path space"  # a failure: the coordinates end here

OF_ITS_OWN = (CONVERGED, SADDLE, RESTING, STATIONARY, NOT_CONVERGED)
FAILURES = (DIVERGED, CROSSED)

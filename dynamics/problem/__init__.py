"""The problem: teacher, student, activation and inputs, and what follows from them alone."""

from dynamics.problem.problem import Problem as Problem
from dynamics.problem.student import INITIALISATIONS as INITIALISATIONS
from dynamics.problem.student import SECOND_LAYERS as SECOND_LAYERS
from dynamics.problem.student import Student as Student
from dynamics.problem.teacher import Teacher as Teacher

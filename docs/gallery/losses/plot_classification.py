"""
Classifiers learn mode after mode
=================================

``quadflow figure classification``

The labels of two classes are drawn with the probability σ(f*), f* = 2x₁² − x₂² + ½x₃² − 0.4, and networks minimise
the logistic loss. Its population loss closes with one integral for each eigenvalue, so that the flow can be
integrated. See that eight networks lie on it, in loss, accuracy and modes, and that accuracy too goes in steps. The
loss ends at 0.4404, the best that there is, where the network says the true probabilities.
``quadflow figure classification --data digits --classes 3,8`` draws the same of two classes of a data set.
"""

from dynamics import Problem, Student, Teacher
from empirical import compare
from empirical.datasets import load
from figures import learning_curves

teacher = Teacher.from_eigenvalues([2, -1, 0.5], inputs=3)
student = Student.initialise(hidden=6, inputs=3, scale=0.1, seed=5)
problem = Problem(teacher, student, loss="logistic", bias=0.4)
comparison = compare(problem, steps=4000, step=5e-2, batch=512, seeds=8, seed=5)
figure = learning_curves(comparison)

# %%
# Two classes of a data set: expectations then are means over its samples, a quarter of which is held out. The flow on
# these very samples foretells loss and accuracy, on the samples held out too.

digits = load("digits", classes="3,8", split=0.25, classify=True)
start = Student.initialise(hidden=6, inputs=digits.inputs, scale=0.1, seed=5)
two_digits = Problem(None, start, data=digits, loss="logistic", bias="trainable")
on_digits = compare(two_digits, steps=1000, step=6e-4, seeds=8)
learning_curves(on_digits)

# %%

print(on_digits.run.summary())

"""The objective: a population loss of the weights, with gradient and Hessian; one kind a file."""

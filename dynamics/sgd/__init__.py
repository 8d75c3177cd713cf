"""One-pass stochastic gradient descent: its mean, and its fluctuations over seeds.

- `order_parameters`: the overlaps on which everything closes
- `gradient_noise`, `gradient_noise_forms`, `tilted_gaussian`: moments of the gradient of one sample
- `mean_sgd`, `fluctuations`: the equations; `trajectory`: their solutions
- `differentiation`: derivatives by complex steps
"""

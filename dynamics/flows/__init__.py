"""Flows θ̇ = F(θ): one a file."""

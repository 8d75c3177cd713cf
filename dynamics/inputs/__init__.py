"""The law of the inputs."""

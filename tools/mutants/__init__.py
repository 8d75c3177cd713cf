"""A mutation run: change the code in one place, run the tests that execute this place, and see one fail."""

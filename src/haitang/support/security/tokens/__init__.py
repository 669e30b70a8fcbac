"""API tokens: what a program may do in the name of a person or of a registered outside system."""

"""Transfer, leave and delegation: who does whose work from when."""

"""My own account: password, sessions."""

"""How people join: invitations, and the import of staff from Excel."""

"""A backup is one tar file: manifest with digests and row counts, the database's dump, lake, files and keys. The instance keeps running."""

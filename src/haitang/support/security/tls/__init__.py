"""TLS for what this instance serves, by the settings `tls_certificate`, `tls_key` and `tls_for`."""

"""OpenID Connect in both directions: people of an outside provider sign in here; other departments' systems let people sign in by us."""

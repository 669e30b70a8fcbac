"""Second factors: authenticators (TOTP, RFC 6238), passkeys (WebAuthn Level 2), recovery codes."""

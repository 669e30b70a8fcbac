"""What a password must be, and the lock after wrong ones."""

import secrets
from datetime import timedelta

from haitang.base.errors import error

WEAK_PASSWORD = error("people.weak_password", 400, "密码至少 {least} 个字符，须含字母和数字，且不能包含用户名。")

LEAST = 10
ATTEMPTS = 5
LOCKED_FOR = timedelta(minutes=15)
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


def check_password(username: str, password: str) -> None:
    """Raise WEAK_PASSWORD unless it is long and mixed enough."""
    mixed = any(c.isalpha() for c in password) and any(c.isdigit() for c in password)
    if len(password) < LEAST or not mixed or username.lower() in password.lower():
        raise WEAK_PASSWORD(least=LEAST)


def one_time_secret() -> str:
    """A password to be read out or printed once, such as `k7mq-2xwd-hn94-ttge` (about 79 bits)."""
    while True:
        groups = ["".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(4)]
        secret = "-".join(groups)
        if any(c.isdigit() for c in secret) and any(c.isalpha() for c in secret):
            return secret

"""Outgoing mail by SMTP (RFC 5321): the receipt is the server's last reply."""

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from urllib.parse import unquote, urlsplit

from haitang.base import clock
from haitang.support.infrastructure.outside.errors import REFUSED, UNREACHABLE

PEER = "邮件服务器"


@dataclass
class Mail:
    """`url` is smtp:// (with STARTTLS where the server offers it) or smtps://, with user and password where needed."""

    url: str
    sender: str
    timeout: float = 15
    name: str = "mail"

    def send(self, *, to: str, title: str, text: str, link: str) -> str:
        """Hand one message to the server; returns its reply. Raises REFUSED for good, UNREACHABLE for now."""
        message = self._message(to, title, text, link)
        try:
            with self._connect() as smtp:
                return _hand_over(smtp, self.sender, to, message)
        except smtplib.SMTPResponseException as answer:
            raise _said(answer.smtp_code, answer.smtp_error) from answer
        except (smtplib.SMTPException, OSError) as failure:
            raise UNREACHABLE(peer=PEER, reason=str(failure)) from failure

    def _message(self, to: str, title: str, text: str, link: str) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = " ".join(title.split())
        message["From"] = Address("海棠", addr_spec=self.sender)
        message["To"] = Address(addr_spec=to)
        message["Date"] = format_datetime(clock.now())
        message["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2])
        message.set_content(f"{text}\n\n{link}\n")
        return message

    def _connect(self) -> smtplib.SMTP:
        at = urlsplit(self.url)
        context = ssl.create_default_context()
        smtp: smtplib.SMTP
        if at.scheme == "smtps":
            smtp = smtplib.SMTP_SSL(at.hostname or "", at.port or 465, timeout=self.timeout, context=context)
        else:
            smtp = smtplib.SMTP(at.hostname or "", at.port or 25, timeout=self.timeout)
            smtp.ehlo()
            if smtp.has_extn("starttls"):
                smtp.starttls(context=context)
                smtp.ehlo()
        if at.username:
            smtp.login(unquote(at.username), unquote(at.password or ""))
        return smtp


def _hand_over(smtp: smtplib.SMTP, sender: str, to: str, message: EmailMessage) -> str:
    """smtplib's own `send_message` drops the reply, which is our receipt."""
    smtp.ehlo_or_helo_if_needed()
    steps: list[Callable[[], tuple[int, bytes]]] = [
        lambda: smtp.mail(sender),
        lambda: smtp.rcpt(to),
        lambda: smtp.data(message.as_bytes(policy=SMTP)),
    ]
    for step in steps:
        code, said = step()
        if not 200 <= code < 300:
            raise smtplib.SMTPResponseException(code, said)
    return f"{code} {said.decode(errors='replace')}"


def _said(code: int, said: bytes | str) -> Exception:
    reason = f"{code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"
    return REFUSED(peer=PEER, reason=reason) if code >= 500 else UNREACHABLE(peer=PEER, reason=reason)

"""A notice as a mail (RFC 5322, MIME). Pure: the same notice gives the same bytes.

Short words in the subject and the first line, the long ones below. ``Auto-Submitted`` (RFC 3834) keeps
out-of-office answers away, ``Message-ID`` is made of alert and revision. Every header is refused a line end
by the standard library's policy, and names that people chose stand in no header at all.
"""

import email.policy
import email.utils
import re
from email.message import EmailMessage

from vedette.express.notice import Notice
from vedette.model.threat import Level

ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
"""An address without quotes, comments or controls: what can stand in a command and in a header as it is."""
_POLICY = email.policy.SMTP.clone(max_line_length=200, cte_type="7bit")
_PRIORITY: dict[Level, str] = {
    "imminent": "urgent",
    "warning": "urgent",
    "advisory": "normal",
    "info": "normal",
}


def is_address(text: str) -> bool:
    """True for an address that a mail can be sent to."""
    return ADDRESS.fullmatch(text) is not None and ".." not in text


def mail_of(notice: Notice, *, language: str, sender: str, to: str) -> bytes:
    """The mail of one notice to one address, with CRLF line ends. Raises ValueError: no address."""
    if not is_address(sender) or not is_address(to):
        raise ValueError(f"{sender if not is_address(sender) else to!r} is no mail address")
    chosen = language if language in notice.text else "en"
    short = _one_line(notice.text[chosen])
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = short
    mail["Date"] = email.utils.formatdate(notice.time)
    mail["Message-ID"] = f"<{notice.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["Priority"] = _PRIORITY[notice.level]
    mail["Importance"] = "high" if _PRIORITY[notice.level] == "urgent" else "normal"
    mail["X-Vedette-Status"] = notice.status
    # ASCII only on the way: a server without 8BITMIME takes it too.
    mail.set_content(f"{short}\n\n{_one_line(notice.detail[chosen])}\n", cte="quoted-printable")
    mail["Content-Language"] = chosen
    return mail.as_bytes()


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)

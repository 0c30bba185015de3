"""The GSM 7-bit default alphabet (3GPP TS 23.038, clause 6.2.1), which short messages and LoRa devices have.

Only characters of one septet each count: those of the extension table cost two, and no template needs them.
"""

import unicodedata

GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)

_LETTERS = str.maketrans("áíóúÁÍÓÚłŁđĐıŒœ’‘“”–—…\u00a0", "aiouAIOUlLdDiOo''\"\"--. ")
"""Where the alphabet has no sign of its own and a plain one is read as the same. What changes a word's
meaning is never here: the Spanish ñ is in the alphabet and stays."""


def transliterated(text: str) -> str:
    """``text`` with the signs that the alphabet lacks written in those that it has, as far as that can be."""
    if GSM7.issuperset(text):
        return text
    return "".join(c if c in GSM7 else _plain(c) for c in text.translate(_LETTERS))


def _plain(letter: str) -> str:
    """A letter without its accents, if the alphabet has that one."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(c))
    return bare if bare and set(bare) <= GSM7 else letter


def gsm7(text: str) -> str:
    """The same for what must be said in any case, a name say: a sign that cannot be written is a ``?``."""
    line = transliterated(text)
    return line if GSM7.issuperset(line) else "".join(c if c in GSM7 else "?" for c in line)


def foreign(text: str) -> list[str]:
    """The signs that no transliteration writes, each once, in their order; and breaks of a line."""
    return [c for c in dict.fromkeys(transliterated(text)) if c not in GSM7 or c in "\n\r"]

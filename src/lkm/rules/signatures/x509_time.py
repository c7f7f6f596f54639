"""The times in a certificate, as far as the kernel minds them: they must be times.

Source: crypto/asymmetric_keys/x509_cert_parser.c ``x509_decode_time`` (5.10 to 7.2).
"""

__all__ = ["is_time"]

_SHORT, _LONG = 13, 15  # bytes


def is_time(text: bytes, *, is_short: bool) -> bool:
    """Tell whether the kernel can read a time.

    :param text: ``YYMMDDhhmmssZ``, or with four digits for the year
    :param is_short: a UTCTime, else a GeneralizedTime, which is for years that the other has no room for
    """
    if len(text) != (_SHORT if is_short else _LONG) or not text[:-1].isdigit() or text[-1:] != b"Z":
        return False
    year = int(text[:-11])
    if is_short:
        year += 1900 if year >= 50 else 2000
    elif 1950 <= year <= 2049:
        return False
    month, day, hour, minute, second = (
        int(text[place : place + 2]) for place in range(len(text) - 11, len(text) - 1, 2)
    )
    if year < 1970 or not 1 <= month <= 12:
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]
    return 1 <= day <= last and hour <= 24 and minute <= 59 and second <= 60

"""Questions about dates to exact answers, in the Gregorian calendar of the years 1753 to 9999.

A date is understood in the forms 2026-07-04, 4 July 2026 and July 4, 2026. 4/7/2026 is not: it
means two different days. Nothing here knows what day it is now.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable

from .exact import NotUnderstood

_FIRST_YEAR = 1753  # before it, which calendar was in use depends on the country
_LONG = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
_SHORT = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_MONTHS = _LONG | _SHORT | {"sept": 9}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_ISO = r"\d{4}-\d{1,2}-\d{1,2}"
_DAY_FIRST = rf"(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{_MONTH})\.?,? \d{{4}}"
_MONTH_FIRST = rf"(?:{_MONTH})\.? (?:the )?\d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}"
_DATE = rf"({_ISO}|{_DAY_FIRST}|{_MONTH_FIRST})"


def answer_date(text: str) -> str:
    """The answer to a question about dates, in lower case without lead-in words.

    Raises `NotUnderstood`.

    >>> answer_date("how many days between 2024-02-01 and 2024-03-01")
    '29 days'
    >>> answer_date("weekday is 4 july 2026"), answer_date("is 1900 a leap year")
    ('Saturday', 'no')
    """
    for pattern, answer in _FORMS:
        if found := pattern.fullmatch(text):
            return answer(*found.groups())
    raise NotUnderstood


def _days_between(first: str, second: str) -> str:
    return _counted(abs((_date(second) - _date(first)).days), "day")


def _days_from(first: str, second: str) -> str:
    days = (_date(second) - _date(first)).days
    if days < 0:  # "from" the later "to" the earlier: a slip, or a question about minus days
        raise NotUnderstood
    return _counted(days, "day")


def _weekday(date: str) -> str:
    return _WEEKDAYS[_date(date).weekday()]


def _later(number: str, unit: str, date: str) -> str:
    return _moved(date, int(number), unit)


def _earlier(number: str, unit: str, date: str) -> str:
    return _moved(date, -int(number), unit)


def _leap(year: str) -> str:
    return "yes" if calendar.isleap(_year(year)) else "no"


def _month_length(month: str, year: str) -> str:
    return _counted(calendar.monthrange(_year(year), _MONTHS[month])[1], "day")


def _year_length(year: str) -> str:
    return _counted(366 if calendar.isleap(_year(year)) else 365, "day")


_COUNT = r"how many days(?: are there| are| is it| lie| pass)?"
_WHEN = r"(?:(?:what|which) (?:date|day) is |the date )?"
_AFTER = r"(?:after|from|later than)"
_FALLS = r"(?:was|is|will be|falls on|fell on|does|did)"
_DAY_OF = r"(?:(?:on )?(?:what|which) )?(?:the )?(?:day of the week|weekday|day of week)"
_FORMS: tuple[tuple[re.Pattern[str], Callable[..., str]], ...] = tuple(
    (re.compile(pattern), answer)
    for pattern, answer in (
        (rf"(?:{_COUNT}|the number of days) between {_DATE} and {_DATE}", _days_between),
        (rf"{_COUNT} from {_DATE} (?:to|until|till) {_DATE}", _days_from),
        (rf"{_DAY_OF} (?:{_FALLS}|of|for|on) {_DATE}(?: fall(?: on)?)?", _weekday),
        (rf"(?:on )?(?:what|which) day {_FALLS} {_DATE}(?: fall(?: on)?)?", _weekday),
        (rf"{_WHEN}(\d{{1,5}}) (day|week|month|year)s? {_AFTER} {_DATE}", _later),
        (rf"{_WHEN}(\d{{1,5}}) (day|week|month|year)s? before {_DATE}", _earlier),
        (r"(?:is|was|will) (\d{4}) (?:be )?a leap year", _leap),
        (rf"{_COUNT} in (?:the month of )?({_MONTH}),? (?:of )?(\d{{4}})", _month_length),
        (r"how many days(?: are there| are)? in (?:the year )?(\d{4})", _year_length),
        (r"how many days (?:does|did|has|had) (?:the year )?(\d{4}) (?:have|had)?", _year_length),
    )
)


def _date(text: str) -> dt.date:
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    try:
        if re.fullmatch(_ISO, text):
            year, month, day = numbers
        else:
            day, year = numbers
            month = _MONTHS[next(word for word in re.findall(r"[a-z]+", text) if word in _MONTHS)]
        return dt.date(_year(str(year)), month, day)
    except ValueError as error:  # no such day
        raise NotUnderstood from error


def _year(text: str) -> int:
    year = int(text)
    if year < _FIRST_YEAR:
        raise NotUnderstood
    return year


def _moved(date: str, number: int, unit: str) -> str:
    start = _date(date)
    try:
        if unit in ("day", "week"):
            moved = start + dt.timedelta(days=number * (7 if unit == "week" else 1))
        else:
            months = start.year * 12 + start.month - 1 + number * (12 if unit == "year" else 1)
            # The 31st of a month of 30 days is nobody's date: that is an error, not the 30th.
            moved = start.replace(year=months // 12, month=months % 12 + 1)
    except (ValueError, OverflowError) as error:
        raise NotUnderstood from error
    _year(str(moved.year))
    return moved.isoformat()


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

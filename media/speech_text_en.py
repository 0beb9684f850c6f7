"""How English says what is written in digits and signs. PURE."""

import re

from media.speech_rules import DASH, EMOJI, END, MARKUP, NUMBER, START, Rule, rule, spelled, words

SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
SCALES = ((10**9, "billion"), (10**6, "million"), (1000, "thousand"))
ODD_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]  # fmt: skip
UNITS = {
    "g": "gram", "kg": "kilogram", "mg": "milligram", "μg": "microgram", "ug": "microgram", "ml": "milliliter",
    "mL": "milliliter", "L": "liter", "mm": "millimeter", "cm": "centimeter", "m": "meter", "km": "kilometer",
    "kcal": "kilocalorie", "kJ": "kilojoule", "IU": "international unit", "h": "hour", "min": "minute",
    "s": "second", "oz": "ounce", "lb": "pound", "lbs": "pound",
}  # fmt: skip
CURRENCY = {
    "¥": "yuan", "￥": "yuan", "RMB": "yuan", "CNY": "yuan", "$": "dollar", "US$": "dollar", "€": "euro", "£": "pound",
}  # fmt: skip
SIGNS = {
    "≥": "at least",
    "≤": "at most",
    "≈": "about",
    "=": "equals",
    "×": "times",
    "&": "and",
    ">": "over",
    "<": "under",
}
FRACTIONS = {
    (1, 2): "one half",
    (1, 3): "one third",
    (2, 3): "two thirds",
    (1, 4): "one quarter",
    (3, 4): "three quarters",
}
BRANDS = {
    "爱他美": "Aptamil", "帮宝适": "Pampers", "好奇": "Huggies", "贝亲": "Pigeon", "雅培": "Similac", "美赞臣": "Enfamil",
    "惠氏": "Wyeth", "雀巢": "Nestle", "飞鹤": "Fay Huh", "a2": "A two", "A2": "A two", "Wi-Fi": "why fye", "WiFi": "why fye",
}  # fmt: skip
UNIT = f"(?:{words(UNITS)})(?![A-Za-z])"


def integer(n: int) -> str:
    """298 -> two hundred ninety-eight (below a trillion)."""
    for size, name in SCALES:
        if n >= size:
            return f"{integer(n // size)} {name}" + (f" {integer(n % size)}" if n % size else "")
    if n >= 100:
        return f"{SMALL[n // 100]} hundred" + (f" {integer(n % 100)}" if n % 100 else "")
    if n >= 20:
        return TENS[n // 10] + (f"-{SMALL[n % 10]}" if n % 10 else "")
    return SMALL[n]


def each(digits: str) -> str:
    return " ".join(SMALL[int(d)] for d in digits if d.isdigit())


def number(digits: str) -> str:
    whole, _, fraction = digits.replace(",", "").partition(".")
    said = integer(int(whole)) if len(whole) < 13 else each(whole)
    return said + (f" point {each(fraction)}" if fraction else "")


def ordinal(n: int) -> str:
    head, dash, last = integer(n).rpartition("-") if "-" in integer(n) else integer(n).rpartition(" ")
    if last in ODD_ORDINALS:
        return head + dash + ODD_ORDINALS[last]
    return head + dash + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def year(digits: str) -> str:
    """1999 nineteen ninety-nine, 2005 two thousand five, 2026 twenty twenty-six."""
    n = int(digits)
    if 2000 <= n < 2010 or n % 1000 == 0:
        return integer(n)
    return f"{integer(n // 100)} " + ("hundred" if n % 100 == 0 else ("oh " if n % 100 < 10 else "") + integer(n % 100))


def plural(amount: str, name: str) -> str:
    return name if amount == "1" or name == "yuan" else name + "s"


def money(sign: str, amount: str, scale: str = "") -> str:
    """$12.50 is twelve dollars fifty; other fractions are read as decimals."""
    name = CURRENCY[sign]
    whole, _, cents = amount.partition(".")
    if len(cents) == 2 and not scale and name != "yuan":
        return f"{number(whole)} {plural(whole, name)}" + (f" {integer(int(cents))}" if int(cents) else "")
    return f"{number(amount)}{scale} {plural(amount, name)}"


def spread(low: str | None, high: str) -> str:
    return (f"{number(low)} to " if low else "") + number(high)


def measured(low: str | None, high: str, unit: str) -> str:
    return f"{spread(low, high)} {plural(high if not low else low + high, UNITS[unit])}"


def phone(text: str) -> str:
    """Grouped as written; 11 digits as 3-4-4, 10 as 3-3-4."""
    groups = re.findall(r"\d+", text)
    if len(groups) == 1 and len(text) in (10, 11):
        cut = (3, 7) if len(text) == 11 else (3, 6)
        groups = [text[: cut[0]], text[cut[0] : cut[1]], text[cut[1] :]]
    return ("plus " if text.startswith("+") else "") + ", ".join(each(group) for group in groups)


def clock(hours: str, minutes: str | None, half: str | None) -> str:
    """24-hour times of the afternoon become p m; 9:00 is nine o'clock."""
    hour, minute = int(hours), int(minutes or 0)
    half = half or ("pm" if 13 <= hour < 24 else "am" if hour in (0, 24) or hours.startswith("0") else "")
    said = integer(hour % 12 or 12)
    if minute:
        said += f" {'oh ' if minute < 10 else ''}{integer(minute)}"
    elif not half:
        said += " o'clock"
    return said + (f" {half[0].lower()} m" if half else "")


def date(years: str | None, month: int, day: int) -> str:
    return f"{MONTHS[month - 1]} {ordinal(day)}" + (f", {year(years)}" if years else "")


def heat(minus: str, low: str | None, high: str, scale: str) -> str:
    name = {"C": " Celsius", "F": " Fahrenheit"}.get(scale, "")
    return ("minus " if minus else "") + spread(low, high) + (" degree" if high == "1" else " degrees") + name


def fraction(top: int, bottom: int) -> str:
    return FRACTIONS.get((top, bottom), f"{integer(top)} over {integer(bottom)}")


MONTH = "|".join(f"{name}|{name[:3]}\\.?" for name in MONTHS)
RANGE = rf"{START}(?:({NUMBER}){DASH})?({NUMBER})"
CLOCK = r"([01]?\d|2[0-4]):([0-5]\d)(?:\s?([AaPp])\.?[Mm]\b\.?)?"


def _month(name: str) -> int:
    return next(i for i, month in enumerate(MONTHS, 1) if month[:3] == name[:3])


RULES: tuple[Rule, ...] = (
    rule(r"https?://\S+", "the web link"),
    rule(EMOJI, ""),
    rule(MARKUP, ""),
    # telephone numbers and codes, digit by digit
    rule(r"(?<!\d)(?:\+\d{1,3}[- ]?)?1[3-9]\d(?:\d{8}|[- ]\d{4}[- ]\d{4})(?!\d)", lambda m: phone(m[0])),
    rule(r"(?<!\d)(?:\+\d{1,3}[- ])?\(?\d{3,4}\)?[- ]\d{3,4}[- ]\d{4}(?!\d)|(?<!\d)0\d{2,3}-\d{7,8}(?!\d)|(?<!\d)400\d{7}(?!\d)", lambda m: phone(m[0])),
    rule(r"\b([Cc]all|[Dd]ial|[Rr]ing|[Pp]hone)(:?) (\d{3,8})(?![\d.,:%]|-\d)", lambda m: f"{m[1]}{m[2]} {each(m[3])}"),
    rule(r"\b((?:[Oo]rder|[Tt]racking|[Cc]ode)(?: number| no\.?)?)(:| is)? ([A-Z]*\d[A-Z0-9]{2,})\b",
         lambda m: f"{m[1]}{m[2] or ''} " + " ".join(each(c) if c.isdigit() else c for c in m[3])),
    rule(r"(?<![\d.])\d{9,}(?!\d)", lambda m: each(m[0])),
    # dates and times
    rule(r"(?<!\d)((?:19|20)\d\d)[-/](1[0-2]|0?[1-9])[-/](3[01]|[12]\d|0?[1-9])(?!\d)",
         lambda m: date(m[1], int(m[2]), int(m[3]))),
    rule(rf"\b({MONTH}) (3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?(?:,? ((?:19|20)\d\d))?(?!\d|:)",
         lambda m: date(m[3], _month(m[1]), int(m[2]))),
    rule(r"\b(in|since|by|of|year) ((?:19|20)\d\d)(?![\d,.:%])(?! ?[a-z]{1,4}\b)", lambda m: f"{m[1]} {year(m[2])}"),
    rule(rf"(?<![\d:]){CLOCK}{DASH}{CLOCK}(?![\d:])", lambda m: f"{clock(m[1], m[2], m[3])} to {clock(m[4], m[5], m[6])}"),
    rule(rf"(?<![\d:]){CLOCK}(?![\d:])", lambda m: clock(m[1], m[2], m[3])),
    rule(r"(?<![\d.:])(1[0-2]|[1-9])\s?([AaPp])\.?[Mm]\b", lambda m: clock(m[1], None, m[2])),
    rule(r"(?<![\d:])(\d+):(\d+)(?![\d:])", lambda m: f"{number(m[1])} to {number(m[2])}"),
    # money
    rule(rf"({words(CURRENCY)})\s?({NUMBER}){DASH}(?:{words(CURRENCY)})?\s?({NUMBER}){END}",
         lambda m: f"{number(m[2])} to {money(m[1], m[3])}"),
    rule(rf"({words(CURRENCY)})\s?({NUMBER})( thousand| million)?{END}", lambda m: money(m[1], m[2], m[3] or "")),
    rule(rf"{START}({NUMBER})\s?(?:元|块)", lambda m: money("¥", m[1])),
    # percentages, temperatures, units
    rule(rf"{START}(?:({NUMBER})%?{DASH})?({NUMBER})\s?%", lambda m: spread(m[1], m[2]) + " percent"),
    rule(rf"(?<![\d.])([-−]?)(?:({NUMBER})(?:℃|°C|°F)?{DASH})?({NUMBER})\s?(?:°\s?([CF])?|(℃))",
         lambda m: heat(m[1], m[2], m[3], "C" if m[5] else m[4] or "")),
    rule(rf"{RANGE}\s?({UNIT})/({NUMBER})\s?({UNIT})",
         lambda m: f"{measured(m[1], m[2], m[3])} per {measured(None, m[4], m[5])}"),
    rule(rf"{RANGE}\s?({UNIT})/({UNIT})", lambda m: f"{measured(m[1], m[2], m[3])} per {UNITS[m[4]]}"),
    rule(rf"{RANGE}\s?m\+", lambda m: f"{spread(m[1], m[2])} months and up"),
    rule(rf"{RANGE}\s?({UNIT})", lambda m: measured(m[1], m[2], m[3])),
    rule(r"/(?=(?:can|box|pack|piece|bottle|day|month|year|week|person|time)\b)", " per "),
    # counts
    rule(r"(?<![\d/])(\d{1,2})/(\d{1,3})(?![\d/])", lambda m: fraction(int(m[1]), int(m[2]))),
    rule(rf"{START}({NUMBER}){DASH}({NUMBER}){END}(?![A-Za-z])", lambda m: spread(m[1], m[2])),
    rule(r"(?<![\d.,])(\d{1,4})(?:st|nd|rd|th)\b", lambda m: ordinal(int(m[1]))),
    rule(rf"(?:(?<=\s)|^)[-−]({NUMBER}){END}", lambda m: "minus " + number(m[1])),
    rule(rf"{START}({NUMBER})\+", lambda m: number(m[1]) + " and up"),
    rule(rf"\s?[*×]\s?({NUMBER}){END}", lambda m: " times " + number(m[1])),
    # names and signs
    rule(rf"(?<![A-Za-z0-9])(?:{words(BRANDS)})(?![A-Za-z0-9])", lambda m: BRANDS[m[0]]),
    rule(rf"{START}({NUMBER}){END}", lambda m: number(m[1])),
    rule(r"\d+", lambda m: " " + number(m[0])),
    rule(r"(?<![A-Za-z])(?:DHA|ARA|OPO|HMO|LGG|VIP|AI|SMS|APP|ER|NB|XL|XXL)(?![A-Za-z])", lambda m: spelled(m[0])),
    rule(rf"\s?({words(SIGNS)})\s?", lambda m: f" {SIGNS[m[1]]} "),
    rule(r"\.{3,}|…+", ","),
)  # fmt: skip

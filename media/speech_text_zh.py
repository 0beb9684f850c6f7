"""How Mandarin says what is written in digits, signs and Latin letters. PURE."""

import re

import cn2an

from media.speech_rules import DASH, EMOJI, END, MARKUP, NUMBER, START, Rule, rule, spelled, words

DIGITS = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
UNITS = {
    "g": "克", "kg": "千克", "mg": "毫克", "μg": "微克", "µg": "微克", "ug": "微克",
    "ml": "毫升", "mL": "毫升", "ML": "毫升", "L": "升", "l": "升",
    "mm": "毫米", "cm": "厘米", "m": "米", "km": "公里", "m²": "平方米",
    "kcal": "千卡", "kJ": "千焦", "IU": "国际单位", "mmHg": "毫米汞柱", "mmol": "毫摩尔",
    "h": "小时", "min": "分钟", "s": "秒", "ms": "毫秒", "GB": "G B", "MB": "M B", "oz": "盎司",
}  # fmt: skip
BRANDS = {
    "Aptamil": "爱他美", "Friso": "美素佳儿", "Pampers": "帮宝适", "Huggies": "好奇", "Merries": "花王",
    "Moony": "尤妮佳", "Similac": "雅培", "Enfamil": "美赞臣", "Wyeth": "惠氏", "illuma": "启赋",
    "Illuma": "启赋", "Nestle": "雀巢", "Nestlé": "雀巢", "Avent": "新安怡", "AVENT": "新安怡",
    "Pigeon": "贝亲", "Medela": "美德乐", "Dr. Brown's": "布朗博士", "Dr.Brown's": "布朗博士",
    "Firmus": "飞鹤", "Biostime": "合生元", "Mustela": "妙思乐", "Cetaphil": "丝塔芙",
    "a2": "A二", "A2": "A二", "NAN": "能恩", "WiFi": "无线网", "Wi-Fi": "无线网",
}  # fmt: skip
SIGNS = {
    "℃": "摄氏度", "°C": "摄氏度", "°": "度", "%": "百分之", "‰": "千分之",
    "≥": "大于等于", "≤": "小于等于", "≈": "约等于", "＞": "大于", "＜": "小于", ">": "大于", "<": "小于",
    "=": "等于", "×": "乘", "&": "和", "＆": "和",
}  # fmt: skip
MEASURES = "个罐盒袋包件瓶次天岁周斤倍片勺位家种名张支只台双套条顿块元点小千百万亿平毫厘米升克公分秒美"
"""Before these two is 两; not before 段, 月 or 号."""
PER = "罐盒袋包件瓶次天日人月年箱片勺顿周斤个小时"
CURRENCY = {"$": "美元", "€": "欧元", "£": "英镑", "¥": "元", "￥": "元", "RMB": "元", "CNY": "元"}
UNIT = f"(?:{words(UNITS)})(?![A-Za-z])"


def number(digits: str) -> str:
    """2,980.50 -> 二千九百八十点五零. Only integers go through cn2an: it drops trailing zeros."""
    whole, _, fraction = digits.replace(",", "").partition(".")
    said = cn2an.an2cn(str(int(whole)), "low") if len(whole) < 13 else each(whole)
    said = re.sub("^一十", "十", said)
    said = re.sub("^二(?=[百千万亿])", "两", said)
    return said + ("点" + each(fraction) if fraction else "")


def counted(digits: str, after: str) -> str:
    """The number before a measure word: 2 个 is 两个, 2.5 is 二点五."""
    return "两" if digits.lstrip("0") == "2" and after[:1] in MEASURES and after else number(digits)


def each(digits: str, one: str = "一") -> str:
    """Digit by digit."""
    return "".join(one if d == "1" else DIGITS[d] for d in digits if d in DIGITS)


def code(text: str) -> str:
    """Order numbers and the like: digits one by one with 幺, letters spelled."""
    return " ".join(
        each(part, "幺") if part.isdigit() else spelled(part) for part in re.findall(r"\d+|[A-Za-z]+", text)
    )


def phone(text: str) -> str:
    """Grouped as written, else 3-4-4 for mobiles, 3-3-4 for 400 numbers."""
    if text.startswith("+"):
        return "加" + each(text[1:3]) + "，" + phone(text[3:].strip(" -"))
    groups = re.findall(r"\d+", text)
    if len(groups) == 1 and len(text) in (10, 11):
        cut = (3, 7) if len(text) == 11 else (3, 6)
        groups = [text[: cut[0]], text[cut[0] : cut[1]], text[cut[1] :]]
    return "，".join(each(group, "幺") for group in groups)


def clock(text: str) -> str:
    hour, minute = (int(x) for x in text.replace("：", ":").split(":")[:2])
    said = ("两" if hour == 2 else number(str(hour))) + "点"
    match minute:
        case 0:
            return said
        case 30:
            return said + "半"
        case _:
            return said + ("零" if minute < 10 else "") + number(str(minute)) + "分"


def date(year: str | None, month: str | None, day: str | None) -> str:
    said = f"{each(year)}年" if year else ""
    said += f"{number(month)}月" if month else ""
    return said + (f"{number(day)}日" if day else "")


def money(amount: str, scale: str, unit: str) -> str:
    return counted(amount, scale or unit) + scale + unit


def spread(low: str, high: str, after: str) -> str:
    return f"{counted(low, after)}到{counted(high, after)}"


def of_hundred(low: str | None, high: str, sign: str) -> str:
    name = SIGNS["‰" if sign == "‰" else "%"]
    return (f"{name}{number(low)}到" if low else "") + name + number(high)


def heat(minus: str, low: str | None, high: str, sign: str) -> str:
    return ("零下" if minus else "") + (f"{number(low)}到" if low else "") + number(high) + SIGNS[sign.replace(" ", "")]


def measured(low: str | None, high: str, unit: str) -> str:
    said = UNITS[unit]
    return (f"{counted(low, said)}到" if low else "") + counted(high, said) + said


RANGE = rf"{START}(?:({NUMBER}){DASH})?({NUMBER})"
TIME = r"(?:[01]?\d|2[0-4])[:：][0-5]\d(?::[0-5]\d)?"

RULES: tuple[Rule, ...] = (
    rule(r"https?://[^\s，。）]+", "网页链接"),
    rule(EMOJI, ""),
    rule(MARKUP, ""),
    # telephone numbers and codes, digit by digit
    rule(r"(?<!\d)(?:\+86[- ]?)?1[3-9]\d(?:\d{8}|[- ]\d{4}[- ]\d{4})(?!\d)", lambda m: phone(m[0])),
    rule(r"(?<!\d)0\d{2,3}-\d{7,8}(?!\d)|(?<!\d)[48]00(?:-?\d{3}-?\d{4}|-\d{4}-\d{3})(?!\d)", lambda m: phone(m[0])),
    rule(r"(拨打|致电|热线|电话|打)([:：是为]?)\s*(\d{3,12})(?![\d.:：%个元块]|-\d)", lambda m: m[1] + m[2] + phone(m[3])),
    rule(r"120(?=急救|电话)", "幺二零"),
    rule(r"(?<=120 或 )11[09](?!\d)", lambda m: phone(m[0])),
    rule(r"((?:订单|快递|运单|单|编|尾|货|会员)号|验证码|条码)([:：是为]?)\s*([A-Za-z0-9-]*\d[A-Za-z0-9-]*)",
         lambda m: m[1] + m[2] + code(m[3])),
    rule(r"(?<![\d.])\d{9,}(?!\d)", lambda m: each(m[0])),
    # dates and times
    rule(r"(?<!\d)((?:19|20)\d\d)[-–~至]((?:19|20)\d\d)年", lambda m: f"{each(m[1])}到{each(m[2])}年"),
    rule(r"(?<!\d)((?:19|20)\d\d)(?:年|[-/.])(1[0-2]|0?[1-9])(?:月|[-/.])(3[01]|[12]\d|0?[1-9])(?!\d)[日号]?",
         lambda m: date(m[1], m[2], m[3])),
    rule(r"(?<!\d)((?:19|20)\d\d)年(?:(1[0-2]|0?[1-9])月)?", lambda m: date(m[1], m[2], None)),
    rule(r"(?<!\d)(1[0-2]|0?[1-9])月(3[01]|[12]\d|0?[1-9])([日号])", lambda m: date(None, m[1], None) + number(m[2]) + m[3]),
    rule(r"(?<!\d)(1[0-2]|0?[1-9])月(?!龄)", lambda m: date(None, m[1], None)),
    rule(rf"(?<![\d:])({TIME}){DASH}({TIME})(?![\d:])", lambda m: f"{clock(m[1])}到{clock(m[2])}"),
    rule(r"(比例|比)([:：是为]?)\s*(\d+)[:：](\d+)", lambda m: f"{m[1]}{m[2]}{number(m[3])}比{number(m[4])}"),
    rule(rf"(?<![\d:])({TIME})(?![\d:])", lambda m: clock(m[1])),
    rule(r"(?<![\d:])(\d+)[:：](\d+)(?![\d:])", lambda m: f"{number(m[1])}比{number(m[2])}"),
    # money
    rule(rf"({words(CURRENCY)})\s?({NUMBER}){DASH}(?:{words(CURRENCY)})?\s?({NUMBER})(万?)元?{END}",
         lambda m: f"{number(m[2])}到{money(m[3], m[4], CURRENCY[m[1]])}"),
    rule(rf"({words(CURRENCY)})\s?({NUMBER})([万亿]?)元?{END}", lambda m: money(m[2], m[3], CURRENCY[m[1]])),
    # percentages, temperatures, units
    rule(rf"{START}(?:({NUMBER})%?{DASH})?({NUMBER})\s?([%％‰])", lambda m: of_hundred(m[1], m[2], m[3])),
    rule(rf"(?<![\d.])([-−]?)(?:({NUMBER})(?:℃|°C)?{DASH})?({NUMBER})\s?(℃|° ?C|°)", lambda m: heat(m[1], m[2], m[3], m[4])),
    rule(rf"{RANGE}\s?({UNIT})/({NUMBER})\s?({UNIT})", lambda m: f"{measured(m[1], m[2], m[3])}每{measured(None, m[4], m[5])}"),
    rule(rf"{RANGE}\s?({UNIT})/({UNIT})", lambda m: f"{measured(m[1], m[2], m[3])}每{UNITS[m[4]]}"),
    rule(rf"{RANGE}\s?({UNIT})", lambda m: measured(m[1], m[2], m[3])),
    rule(rf"/(?=[{PER}])", "每"),
    # counts
    rule(r"(?<![\d/])(\d{1,2})/(\d{1,3})(?![\d/])", lambda m: f"{number(m[2])}分之{number(m[1])}"),
    rule(rf"{START}({NUMBER}){DASH}({NUMBER}){END}(?=\s?(.?))", lambda m: spread(m[1], m[2], m[3])),
    rule(r"(第)(\d+)", lambda m: m[1] + number(m[2])),
    rule(r"(?<=[岁月天周龄])\+", "以上"),
    rule(rf"(?<=[\u4e00-\u9fff，。：:（(\s])[-−]({NUMBER})", lambda m: "负" + number(m[1])),
    rule(rf"\s?[*×xX]\s?({NUMBER}){END}(?=\s?(.?))", lambda m: "乘" + counted(m[1], m[2])),
    rule(r"(?<=\d)\+(?=\d)", "加"),
    # names and signs
    rule(rf"(?<![A-Za-z0-9])(?:{words(BRANDS)})(?![A-Za-z0-9])", lambda m: BRANDS[m[0]]),
    rule(rf"{START}({NUMBER}){END}(?=\s?(.?))", lambda m: counted(m[1], m[2])),
    rule(r"\d+", lambda m: number(m[0])),
    rule(r"(?<![A-Za-z])[A-Z]{2,5}(?![A-Za-z])", lambda m: spelled(m[0])),
    rule(rf"\s?({words(SIGNS)})\s?", lambda m: SIGNS[m[1]]),
    rule(r"[~～](?=\d)", "大约"),
    rule(r"\.{3,}|…+", "，"),
)  # fmt: skip

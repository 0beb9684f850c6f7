"""How shown text is said, as a table for each language; and the way back."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from media.speech_text import spoken

ZH = {
    # money
    "现价¥298": "现价两百九十八元",
    "￥298.50起": "两百九十八点五零元起",
    "¥1,299": "一千二百九十九元",
    "¥199-299": "一百九十九到两百九十九元",
    "298元/罐": "两百九十八元每罐",
    "满299减50": "满两百九十九减五十",
    "2元": "两元",
    "¥2.5万": "二点五万元",
    "$12": "十二美元",
    "RMB 88": "八十八元",
    "50元优惠券2张": "五十元优惠券两张",
    # telephone numbers and codes
    "请拨打13800138000": "请拨打幺三八，零零幺三，八零零零",
    "138-0013-8000": "幺三八，零零幺三，八零零零",
    "+86 13800138000": "加八六，幺三八，零零幺三，八零零零",
    "010-62345678": "零幺零，六二三四五六七八",
    "400-820-8820": "四零零，八二零，八八二零",
    "4008208820": "四零零，八二零，八八二零",
    "请立即拨打120": "请立即拨打幺二零",
    "请拨打 120 或 110。": "请拨打幺二零 或 幺幺零。",
    "打 12315 投诉": "打幺二三幺五 投诉",
    "120急救": "幺二零急救",
    "订单号20261122001": "订单号二零二六幺幺二二零零幺",
    "尾号8821": "尾号八八二幺",
    "单号：SF1234567": "单号：S F 幺二三四五六七",
    "验证码是 4021": "验证码是四零二幺",
    # dates and times
    "2026年11月22日": "二零二六年十一月二十二日",
    "2026-11-22": "二零二六年十一月二十二日",
    "2026/1/5": "二零二六年一月五日",
    "11月22日": "十一月二十二日",
    "2月2号": "二月二号",
    "12月": "十二月",
    "2025-2026年": "二零二五到二零二六年",
    "2026年": "二零二六年",
    "9:30": "九点半",
    "09:05": "九点零五分",
    "14:00": "十四点",
    "2:15": "两点十五分",
    "营业时间9:00-21:00": "营业时间九点到二十一点",
    "20：45": "二十点四十五分",
    # measures
    "800g": "八百克",
    "1.5kg": "一点五千克",
    "2kg": "两千克",
    "30ml": "三十毫升",
    "90-120mL": "九十到一百二十毫升",
    "5cm": "五厘米",
    "400IU": "四百国际单位",
    "800g×6罐": "八百克乘六罐",
    "800g*2罐": "八百克乘两罐",
    "15mg/kg": "十五毫克每千克",
    "68kcal/100ml": "六十八千卡每一百毫升",
    "24h": "二十四小时",
    "15min": "十五分钟",
    # stages, counts, ranges
    "3段奶粉": "三段奶粉",
    "2段": "二段",
    "1-3段": "一到三段",
    "6-12个月": "六到十二个月",
    "0~6个月": "零到六个月",
    "1–3岁": "一到三岁",
    "2-3次": "两到三次",
    "2个月": "两个月",
    "6个月+": "六个月以上",
    "3岁+": "三岁以上",
    "一天8-12次": "一天八到十二次",
    "第2天": "第二天",
    "20000人": "两万人",
    "1005": "一千零五",
    "1/2": "二分之一",
    "2.5倍": "二点五倍",
    "10": "十",
    "110": "一百一十",
    "比例1:30": "比例一比三十",
    "1:3": "一比三",
    # percentages and temperatures
    "0.3%": "百分之零点三",
    "10-20%": "百分之十到百分之二十",
    "5‰": "千分之五",
    "37.5℃": "三十七点五摄氏度",
    "38.5°C": "三十八点五摄氏度",
    "40-45℃": "四十到四十五摄氏度",
    "-5℃": "零下五摄氏度",
    "≥38℃": "大于等于三十八摄氏度",
    # names, letters and signs
    "Aptamil三段": "爱他美三段",
    "Friso 2段": "美素佳儿 二段",
    "含DHA和ARA": "含D H A和A R A",
    "a2奶粉": "A二奶粉",
    "WiFi": "无线网",
    "Dr. Brown's奶瓶": "布朗博士奶瓶",
    "尿布&湿巾": "尿布和湿巾",
    "好的😊": "好的",
    "**注意**": "注意",
    "稍等...": "稍等，",
    "见https://shop.cn/a": "见网页链接",
    "维生素B12": "维生素B十二",
    "３段 ８００ｇ": "三段 八百克",
    "您好，请问有什么可以帮您？": "您好，请问有什么可以帮您？",
    "3段 800g 现价 ¥298，有活动吗？": "三段 八百克 现价 两百九十八元，有活动吗？",
}

EN = {
    # money
    "now ¥298": "now two hundred ninety-eight yuan",
    "$12.50": "twelve dollars fifty",
    "$1": "one dollar",
    "$1,299": "one thousand two hundred ninety-nine dollars",
    "¥199-299": "one hundred ninety-nine to two hundred ninety-nine yuan",
    "€20": "twenty euros",
    "298元": "two hundred ninety-eight yuan",
    "¥298/can": "two hundred ninety-eight yuan per can",
    "RMB 2.5": "two point five yuan",
    # telephone numbers and codes
    "13800138000": "one three eight, zero zero one three, eight zero zero zero",
    "call 120": "call one two zero",
    "Please dial 911 now": "Please dial nine one one now",
    "400-820-8820": "four zero zero, eight two zero, eight eight two zero",
    "+86 13800138000": "plus eight six, one three eight zero zero one three eight zero zero zero",
    "order number 20451": "order number two zero four five one",
    # dates and times
    "2026-11-22": "November twenty-second, twenty twenty-six",
    "Nov 3, 2025": "November third, twenty twenty-five",
    "May 5": "May fifth",
    "June 1st": "June first",
    "in 2026": "in twenty twenty-six",
    "since 2005": "since two thousand five",
    "9:30": "nine thirty",
    "9:00": "nine o'clock",
    "9:05": "nine oh five",
    "21:00": "nine p m",
    "9:30 am": "nine thirty a m",
    "9am": "nine a m",
    "9:00-21:00": "nine o'clock to nine p m",
    "08:15": "eight fifteen a m",
    # measures
    "800g": "eight hundred grams",
    "1 g": "one gram",
    "1.5kg": "one point five kilograms",
    "90-120 ml": "ninety to one hundred twenty milliliters",
    "15 mg/kg": "fifteen milligrams per kilogram",
    "68kcal/100ml": "sixty-eight kilocalories per one hundred milliliters",
    "400 IU": "four hundred international units",
    "24h": "twenty-four hours",
    "800g × 6": "eight hundred grams times six",
    # stages, counts, ranges
    "stage 3": "stage three",
    "6-12 months": "six to twelve months",
    "0–6 months": "zero to six months",
    "6m+": "six months and up",
    "ages 3+": "ages three and up",
    "8 to 12 times": "eight to twelve times",
    "1st": "first",
    "the 22nd": "the twenty-second",
    "20th": "twentieth",
    "1/2": "one half",
    "3/4 of it": "three quarters of it",
    "7/8": "seven over eight",
    "1,000,000": "one million",
    "20013": "twenty thousand thirteen",
    "1:30": "one thirty",
    "1:3": "one to three",
    # percentages and temperatures
    "0.3%": "zero point three percent",
    "10-20%": "ten to twenty percent",
    "37.5°C": "thirty-seven point five degrees Celsius",
    "40-45℃": "forty to forty-five degrees Celsius",
    "100.4°F": "one hundred point four degrees Fahrenheit",
    "-5°C": "minus five degrees Celsius",
    # names, letters and signs
    "爱他美 stage 2": "Aptamil stage two",
    "with DHA": "with D H A",
    "a2 milk": "A two milk",
    "milk & diapers": "milk and diapers",
    "Sure 😊": "Sure ",
    "**Note**": "Note",
    "wait...": "wait,",
    "vitamin D3": "vitamin D three",
    "How old is your baby?": "How old is your baby?",
}


@pytest.mark.parametrize(("shown", "said"), ZH.items())
def test_mandarin(shown: str, said: str) -> None:
    assert spoken(shown, "zh").text == said


@pytest.mark.parametrize(("shown", "said"), EN.items())
def test_english(shown: str, said: str) -> None:
    assert spoken(shown, "en").text == said


def test_the_way_back_finds_the_shown_price() -> None:
    shown = "3段 800g 现价 ¥298，有活动吗？"
    say = spoken(shown, "zh")
    at = say.text.index("现价")
    assert shown[slice(*say.given(at, at + 2))] == "现价"
    price = say.text.index("两百九十八元")
    assert shown[slice(*say.given(price, price + 6))] == "¥298"


LIKELY = st.text(st.sampled_from("0123456789.,-~:/%¥$℃gkml年月日号点元罐个段第打 aA2DHA，。+*×()\n好😊"), max_size=40)


@given(st.one_of(LIKELY, st.text(max_size=40)), st.sampled_from(["zh", "en"]))
@example("", "zh")
@example("😊", "en")
def test_spans_map_back_in_order_and_cover_everything(shown: str, language: str) -> None:
    say = spoken(shown, language)  # type: ignore[arg-type]
    cuts = [*range(0, len(say.text), 3), len(say.text)]
    spans = [say.given(a, b) for a, b in zip(cuts, cuts[1:], strict=False)]
    assert all(0 <= start <= end <= len(shown) for start, end in spans)
    assert all(before[1] == after[0] for before, after in zip(spans, spans[1:], strict=False))
    if spans:
        assert spans[-1][1] == len(shown)


@given(LIKELY)
def test_no_digit_is_left_to_the_engine(shown: str) -> None:
    for language in ("zh", "en"):
        assert not any(c in "0123456789" for c in spoken(shown, language).text), spoken(shown, language).text  # type: ignore[arg-type]


def test_a_line_with_its_area_code_is_read_digit_by_digit_also_after_the_word_for_it() -> None:
    assert spoken("电话 021-00000018。", "zh").text == "电话 零二幺，零零零零零零幺八。"
    assert "zero two one" in (said := spoken("phone 021-62345678", "en").text)
    assert "million" not in said

"""PURE: what a tool found, as sentences in zh and en."""

from datetime import datetime, timedelta

from gateway.dialogue.tools.port import (
    Appointment,
    MemberFacts,
    OrderFacts,
    ProductFacts,
    PromotionFacts,
    StoreFacts,
)
from gateway.domain.schedule import DAYS, is_open, opens_at
from signaling.protocol import Language

_DAYS = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_WHAT = {
    "swim": ("婴儿游泳", "a baby swim"),
    "touch": ("抚触", "a baby massage"),
    "video": ("顾问视频", "a video consultation"),
    "visit": ("到店", "a visit"),
}
_STATES = {
    "placed": ("已下单", "placed"),
    "paid": ("已付款，待发货", "paid, waiting to ship"),
    "packing": ("正在打包", "being packed"),
    "shipped": ("已发货", "shipped"),
    "delivered": ("已签收", "delivered"),
    "cancelled": ("已取消", "cancelled"),
    "refunding": ("退款中", "being refunded"),
    "refunded": ("已退款", "refunded"),
}
STALE = ("（系统暂时没有回应，这是稍早的信息）", " (the shop's system did not answer; this is somewhat older)")
BREASTFEEDING = ("母乳是宝宝最好的食物。", "Breast milk is best for your baby. ")


def _in(pair: tuple[str, str], language: Language) -> str:
    return pair[0 if language == "zh" else 1]


def yuan(fen: int) -> str:
    """`268` or `98.50`: money without a unit."""
    return str(fen // 100) if fen % 100 == 0 else f"{fen / 100:.2f}"


def what(kind: str, language: Language) -> str:
    return _in(_WHAT[kind], language)


def moment(iso: str, language: Language) -> str:
    """`11月28日 周六 10:00` / `Sat 28 Nov, 10:00`."""
    at = datetime.fromisoformat(iso)
    day = _DAYS[language][at.weekday()]
    if language == "zh":
        return f"{at.month}月{at.day}日 {day} {at:%H:%M}"
    return f"{day} {at.day} {at:%b}, {at:%H:%M}"


def hours(facts: StoreFacts, now: str, language: Language) -> str:
    at = datetime.fromisoformat(now)
    spans = facts.hours.get(DAYS[at.weekday()], [])
    today = "、".join(f"{start}–{end}" for start, end in spans)
    week = ("；" if language == "zh" else "; ").join(_line(days, spans_, language) for days, spans_ in _grouped(facts))
    standing = _standing(facts, at, language)
    if language == "zh":
        return f"{facts.name}：今天{today or '休息'}，{standing}。\n{week}。"
    return f"{facts.name_en or facts.name}: today {today or 'closed'}, {standing}.\n{week}."


def _standing(facts: StoreFacts, now: datetime, language: Language) -> str:
    """Open, not open yet, between two openings, or closed for today: and when it opens."""
    zh, opens = language == "zh", opens_at(facts.hours, now)
    if is_open(facts.hours, now):
        return "现在营业中" if zh else "open now"
    if opens is None:
        return "现在没有营业" if zh else "closed now"
    if opens.date() == now.date():
        return f"现在还没开门，{opens:%H:%M}开门" if zh else f"not open now, opens at {opens:%H:%M}"
    rests = not facts.hours.get(DAYS[now.weekday()])
    tomorrow = opens.date() == now.date() + timedelta(days=1)
    day = ("明天" if zh else "tomorrow") if tomorrow else _DAYS[language][opens.weekday()]
    if zh:
        return f"{'' if rests else '现在已打烊，'}{day}{opens:%H:%M}开门"
    return f"{'' if rests else 'closed now, '}opens {day} at {opens:%H:%M}"


def _grouped(facts: StoreFacts) -> list[tuple[list[int], list[list[str]]]]:
    """Days in a row with the same hours."""
    groups: list[tuple[list[int], list[list[str]]]] = []
    for day, name in enumerate(DAYS):
        spans = facts.hours.get(name, [])
        if groups and groups[-1][1] == spans:
            groups[-1][0].append(day)
        else:
            groups.append(([day], spans))
    return groups


def _line(days: list[int], spans: list[list[str]], language: Language) -> str:
    names = _DAYS[language]
    label = (
        names[days[0]] if len(days) == 1 else f"{names[days[0]]}{'至' if language == 'zh' else '–'}{names[days[-1]]}"
    )
    times = "、".join(f"{start}–{end}" for start, end in spans) or ("休息" if language == "zh" else "closed")
    return f"{label} {times}"


def address(facts: StoreFacts, language: Language) -> str:
    if language == "zh":
        return f"{facts.name}：{facts.address}，电话 {facts.phone}。"
    return f"{facts.name_en or facts.name}: {facts.address_en or facts.address}, phone {facts.phone}."


def product(facts: ProductFacts, language: Language) -> str:
    """Name, price, stock, label; for formula of 0–12 months breastfeeding comes first and nothing is praised."""
    first = _in(BREASTFEEDING, language) if facts.stage in (1, 2) else ""
    price = yuan(facts.price_fen)
    if language == "zh":
        stock = f"本店现货{facts.stock}件" if facts.stock else "本店暂时缺货"
        label = f"{facts.label.rstrip('。')}。" if facts.label else ""
        return f"{first}{facts.name}：{price}元，{stock}。{label}"
    stock = f"{facts.stock} in stock here" if facts.stock else "out of stock here"
    label = f" {facts.label_en.rstrip('.')}." if facts.label_en else ""
    return f"{first}{facts.name_en or facts.name}: ¥{price}, {stock}.{label}"


def promotions(found: tuple[PromotionFacts, ...], language: Language) -> str:
    if not found:
        return "目前本店没有进行中的活动。" if language == "zh" else "There is no promotion at this store right now."
    if language == "zh":
        lines = [f"· {p.title}（{p.starts_on} 至 {p.ends_on}）：{p.terms}" for p in found]
        return "本店现在的活动：\n" + "\n".join(lines)
    lines = [f"· {p.title_en or p.title} ({p.starts_on} to {p.ends_on}): {p.terms_en or p.terms}" for p in found]
    return "Now at this store:\n" + "\n".join(lines)


def orders(found: tuple[OrderFacts, ...], language: Language) -> str:
    if not found:
        return "没有查到您的订单。" if language == "zh" else "I found no order of yours."
    return "\n".join(_order(order, language) for order in found)


def _order(order: OrderFacts, language: Language) -> str:
    state = _in(_STATES.get(order.state, (order.state, order.state)), language)
    parcel = f"{order.carrier} {order.tracking}".strip()
    coming = order.eta if order.state not in ("delivered", "cancelled", "refunded") else ""
    if language == "zh":
        tail = "".join((f"，{parcel}" if parcel else "", f"，预计{coming}到" if coming else ""))
        return f"订单 {order.id}（{order.placed_on}）：{state}{tail}。"
    tail = "".join((f", {parcel}" if parcel else "", f", due {coming}" if coming else ""))
    return f"Order {order.id} ({order.placed_on}): {state}{tail}."


def points(facts: MemberFacts | None, language: Language) -> str:
    if facts is None:
        return (
            "没有查到您的会员信息，登录会员后我就能查积分了。"
            if language == "zh"
            else "I see no membership of yours; sign in as a member and I can look up your points."
        )
    if language == "zh":
        return f"您是{facts.level or '普通'}会员，现在有{facts.points}积分，100积分可抵1元。"
    return f"Your level is {facts.level or 'standard'} and you have {facts.points} points (100 points are ¥1)."


CALL_BACK = ("好的，顾问会在", "An advisor will call you back around ")
"""How a promise with a time begins."""


def call_back(at: str | None, language: Language) -> str:
    """What is promised; without a time where no opening of the store is known."""
    if at is None:
        return (
            "好的，已经请顾问给您回电。具体几点我说不准，顾问上班后会尽快打给您。"
            if language == "zh"
            else "I have asked an advisor to call you back. I cannot name the hour: as soon as somebody is at work."
        )
    told = moment(at, language)
    if language == "zh":
        return f"{CALL_BACK[0]}{told}左右给您回电，到时请留意。"
    return f"{CALL_BACK[1]}{told}."


def appointment(done: Appointment, language: Language) -> str:
    kind, at = what(done.what, language), moment(done.starts_at, language)
    if language == "zh":
        verb = {"booked": "约好了", "changed": "改好了", "cancelled": "已取消"}.get(done.state, done.state)
        return f"{verb}：{kind}，{at}。" + ("要改时间或取消，跟我说一声就行。" if done.state != "cancelled" else "")
    verb = {"booked": "Booked", "changed": "Changed", "cancelled": "Cancelled"}.get(done.state, done.state)
    return f"{verb}: {kind}, {at}." + (" Tell me to change or cancel it." if done.state != "cancelled" else "")

"""PURE: which look-up or act a text asks for, by rules; no model is needed for a shop's daily requests."""

import re
from enum import StrEnum

from gateway.dialogue.knowledge.text import tokens
from gateway.dialogue.tools.port import ProductFacts, What


class Wish(StrEnum):
    """One tool each. The order of `_RULES` decides between several."""

    CALLBACK = "callback"
    MESSAGE = "message"
    CANCEL = "cancel_appointment"
    CHANGE = "change_appointment"
    MINE = "my_appointments"
    BOOK = "book_appointment"
    ORDER = "order_status"
    POINTS = "points"
    PROMOTIONS = "promotions"
    HOURS = "store_hours"
    ADDRESS = "store_address"
    PRODUCT = "product"


_RULES: tuple[tuple[Wish, str], ...] = (
    (
        Wish.CALLBACK,
        r"回电|回个电话|回我(?:个)?电话|(?:打|拨)(?:个)?(?:电话)?给我|给我(?:打|回)(?:个)?电话|打我(?:的)?电话"
        r"|\b(?:call|ring|phone) me(?: back)?\b|\bcall ?back\b",
    ),
    (
        Wish.MESSAGE,
        r"留(?:个|一?下)?(?:言|口信)(?!板|区|本)|[带捎](?:个|句)(?:话|口信)|转告|(?:告诉|告知|跟|和|对).{0,4}(?:顾问|店长|店员|老师).{0,2}(?:说一[声下]|说声|讲一[声下]|我|：|:)"
        r"|\b(?:leave|take)\b.{0,12}\bmessage\b|\b(?:tell|let) (?:the |my |your |an )?(?:advis[oe]r|manager|staff)\b.{0,12}\b(?:that|i|i'm|we|know)\b",
    ),
    (
        Wish.CANCEL,
        r"(?:取消|退掉|不去|去不了|撤销).{0,8}(?:预约|约好|游泳|抚触|视频)|(?:预约|约的|约好的).{0,10}(?:取消|不去了|去不了|退掉)"
        r"|\b(?:cancel|drop|call off)\b.{0,24}\b(?:appointment|booking|reservation|swim|massage|video)",
    ),
    (
        Wish.CHANGE,
        r"改约|改期|(?:游泳|抚触|按摩|视频).{0,6}(?:改|换|推迟|提前|挪)(?:到|成|个|一下)|(?:预约|约的|约好的).{0,12}(?:改|换|推迟|提前|挪)|(?:改|换|推迟|挪).{0,8}预约"
        r"|(?:改|换|推迟|挪)(?:到|成)(?:今天|明天|后天|大后天|下?周[一二三四五六日末]|下?星期|下?礼拜|上午|下午|晚上|[\d一二三四五六七八九十]+[点号])"
        r"|\b(?:reschedule|move|change|postpone)\b.{0,24}\b(?:appointment|booking|reservation|swim|massage|video)",
    ),
    (
        Wish.MINE,
        r"我的预约|我(?:约|预约|订)的(?:是|在)?(?:几点|什么时候|哪天|几号|周几)|我(?:约|预约)了(?:什么|哪|几)|(?:查|看)(?:一下)?(?:我的?)?预约|有没有约上|\bmy (?:appointments?|bookings?)\b",
    ),
    (
        Wish.BOOK,
        r"(?:想|要|帮我|给我|可以|能|我)?.{0,4}(?:预约|约(?!束|定俗)|订)(?:一?[个下次])?.{0,16}(?:游泳|抚触|按摩|视频|顾问|到店|时间|位)"
        r"|^预约(?:游泳|抚触|视频|到店)|预约到店或视频|(?:游泳|抚触|视频).{0,8}(?:想约|预约一?下|约一?个|帮我约)"
        r"|\bbook\b.{0,24}\b(?:swim|massage|video|visit|appointment|slot|call)|\b(?:swim|massage|video)\b.{0,16}\b(?:booking|appointment)\b"
        r"|\b(?:make|book) an appointment\b",
    ),
    (
        Wish.ORDER,
        r"(?:我|的)?.{0,4}(?:订单|快递|包裹|物流|东西|货).{0,8}(?:到哪|在哪|哪了|哪儿|走到|状态|什么时候到|几时到|查一?下|还没(?:到|发|收到)|怎么还不|怎么还没|还不来|没动静)"
        r"|(?:查|看)(?:一下|下)?(?:我)?的?(?:订单|快递|物流|包裹)|发货了(?:没|吗)|到哪(?:儿|里)?了"
        r"|\bwhere(?:'s| is) my (?:order|parcel|package)|\b(?:track|status of) my (?:order|parcel|package)|\bmy order status\b"
        r"|\b(?:has|have|did|is|when will|when does) my (?:order|parcel|package)\b.{0,12}\b(?:ship|sent|dispatch|leave|left|arrive|come|get here|on (?:its|the) way)",
    ),
    (
        Wish.POINTS,
        r"我(?:的|有|还有|现在).{0,6}积分|(?:查|看)(?:一下|下)?.{0,3}积分|积分(?:还)?(?:有|剩)多少|我(?:的)?(?:是)?什么会员|\b(?:my|how many) points\b",
    ),
    (
        Wish.PROMOTIONS,
        r"(?:现在|最近|今天|本周|这周|目前|店里|你们).{0,4}(?:有什么|有啥|有哪些|有没有|什么|啥).{0,4}(?:活动|优惠|促销|打折|便宜)"
        r"|有(?:什么|啥|哪些)(?:优惠|活动|促销)|\b(?:what|any|current)\b.{0,12}\b(?:promotions?|offers|deals|discounts)\b",
    ),
    (
        Wish.HOURS,
        r"几点(?:开门|关门|上班|下班|打烊|营业)|营业时间|开到几点|营业到几点|今天(?:开门|营业)吗|现在(?:开门|营业)吗"
        r"|\b(?:opening|business) hours\b|\b(?:when|what time)\b.{0,16}\b(?:open|close)\b|\bare you open\b",
    ),
    (
        Wish.ADDRESS,
        r"(?:店|你们).{0,4}(?:地址|在哪|在什么地方|怎么走|在什么路|在哪条)|地址是?(?:什么|多少|哪)|\bwhere (?:is|are) (?:you|the store|your store)|\byour address\b",
    ),
    (
        Wish.PRODUCT,
        r"多少钱|什么价|价格|贵不贵|有货|有没有(?:货|卖)|库存|卖不卖|还有(?:吗|没)|现货|成分|配料|\bprice\b|\bhow much (?:is|are|does)\b|\bin stock\b|\bingredients\b|\bdo you (?:have|sell)\b",
    ),
)
ONLY_MESSAGE = re.compile(
    r"^(?:我)?(?:想|要|可以|能|能不能|帮我)*(?:给.{0,4}(?:顾问|店长|店里|你们))?(?:留(?:个|一?下)?(?:言|口信)|[带捎](?:个|句)(?:话|口信))(?:给.{0,4}(?:顾问|店长|店里|你们))?[吗吧么嘛,，。.?？! ]*$"
    r"|^(?:(?:can|could|may) (?:i|you) |i(?:'d| would)? (?:like|want) to |please )*(?:leave|take) (?:a |my |you a )?message(?: for .{0,20}| please)?[.?! ]*$",
    re.IGNORECASE,
)
"""She wants to leave a message and has not said it yet."""
NUMBER = re.compile(
    r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)|(?<!\d)0\d{2,3}[- ]?\d{7,8}(?!\d)|\+\d[\d -]{7,}\d"
)
"""A telephone number: a Chinese mobile, a Chinese line with its area code, any with a country code."""

_TIMED = re.compile(
    r"(?=.*(?:今天|明天|后天|周[一二三四五六日末天]|星期|礼拜|\d ?[点号日]|[一二三四五六七八九十]点|上午|下午|today|tomorrow|\w+day\b|\d ?[ap]\.?m))"
    r".*(?:(?:想|要|打算|准备|可以|能|带).{0,16}(?:来|去|过来).{0,8}(?:游泳|抚触|按摩|下水)|\b(?:come|bring|visit|pop)\b.{0,32}\b(?:swim|massage))",
    re.IGNORECASE | re.DOTALL,
)
"""She names a time and what she comes for: that is a booking without the word."""
_COMPILED = tuple((wish, re.compile(pattern, re.IGNORECASE)) for wish, pattern in _RULES)
_HOWTO = re.compile(
    r"怎么(?:预约|约|订|取消|改)|如何(?:预约|取消)|\bhow (?:do|can) (?:i|we) (?:book|cancel|change|track)"
)
_ABOUT = {
    Wish.HOURS: re.compile(r"节假日|春节|国庆|元旦|除夕|初[一二三]|过年|holiday|new year", re.IGNORECASE),
    Wish.PROMOTIONS: re.compile(r"奶粉|配方奶|[一二12]段|formula|milk powder|stage [12]\b", re.IGNORECASE),
}
"""What the knowledge answers although a tool is asked for: today's hours are not the holidays', and the list of
promotions is no answer about first formula, for which there may be none."""
_WHAT: tuple[tuple[What, str], ...] = (
    ("swim", r"游泳|下水|swim"),
    ("touch", r"抚触|按摩|massage"),
    ("video", r"视频|远程|连线|video"),
    ("visit", r"到店|逛|门店|试|称|顾问|位|visit|store|appointment|advisor"),
)


def wish(text: str) -> Wish | None:
    """What is asked for. "How do I book?" is a question for the knowledge, not an order."""
    if _HOWTO.search(text):
        return None
    for found, pattern in _COMPILED:
        if pattern.search(text):
            about = _ABOUT.get(found)
            return None if about and about.search(text) else found
    return Wish.BOOK if _TIMED.search(text) else None


_NO_NAME = re.compile(r"[你们我咱这那哪几家个开本贵一分各别其他到来在是母婴实体饭酒商附近旗舰总]")
_STORE = re.compile(r"([\u4e00-\u9fff]{2,3}?)店")


def elsewhere(text: str, store: str) -> bool:
    """Another store than `store` (its name) is named: 余杭店 where she is a customer of 徐汇店."""
    names = [name for name in _STORE.findall(text) if not _NO_NAME.search(name)]
    return any(name[-2:] not in store for name in names)


def what(text: str) -> What | None:
    """The kind of appointment named in `text`."""
    return next((kind for kind, pattern in _WHAT if re.search(pattern, text, re.IGNORECASE)), None)


_MANY = 3
LONG = 6
"""Letters from which a Latin word names a product by itself (stroller, diaper)."""


def named(products: tuple[ProductFacts, ...], text: str) -> tuple[ProductFacts, ...]:
    """The products whose names share the most with `text`; none when it names none."""
    asked = tokens(text)
    pairs = set(zip(asked, asked[1:], strict=False))
    scored = [(_shared(product, set(asked), pairs), product) for product in products]
    best = max((score for score, _ in scored), default=0.0)
    if best < 2:
        return ()
    return tuple(product for score, product in scored if score >= 0.8 * best)[:_MANY]


def _shared(product: ProductFacts, asked: set[str], pairs: set[tuple[str, str]]) -> float:
    """Shared pairs of characters, and shared Latin words or numbers."""
    score = 0.0
    for name in (product.name, product.name_en):
        words = tokens(name)
        together = len(pairs & set(zip(words, words[1:], strict=False)))
        alone = sum(2 if len(w) >= LONG else 1 for w in asked & set(words) if not "\u3400" <= w[0] <= "\u9fff")
        score = max(score, together * 2 + alone)
    return score

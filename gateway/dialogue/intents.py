"""PURE: what a message is, besides a question: asking for a person, anger, small talk, a tapped or spoken choice."""

import re
import unicodedata
from enum import StrEnum


class Intent(StrEnum):
    PERSON = "person"
    ANGRY = "angry"
    WAITING = "waiting"
    HUMAN = "human"
    GREETING = "greeting"
    THANKS = "thanks"
    BYE = "bye"


_STAFF = "人工|真人|活人|客服|顾问|店员|导购|专员|工作人员|老师|你们的人|护士|店长|经理|专家|人来"
_PERSON_EN = (
    r"(?:human|person|people|agent|advis[oe]r|representative|rep|staff|operator|someone|somebody|consultant|manager)"
)
_REFUSED = r"不(?:用|要|需要|想|必)[^,。!?,!?]{0,4}"

_PERSON = (
    rf"转(?:接|到|给|去)?[^,。]{{0,4}}(?:{_STAFF}|人(?!民))",
    rf"(?:找|要|叫|让|换|请|喊|派|安排|联系|接通?|呼叫|来个?|有没有|是不是有|想(?:和|跟|同|找))[^,。?]{{0,8}}(?:{_STAFF}|真的人)",
    rf"(?:{_STAFF})[^,。]{{0,6}}(?:在吗|在不在|接一下|来一下|帮我|说话|聊|谈|处理|沟通|回复|回我|服务)",
    r"(?:找|换|叫|来)(?:个|一个)?(?:人|真人|活人|懂的)(?:来|聊|说|谈|跟|和|吧|$|问|帮|处理)",
    r"(?:和|跟|同)(?:个)?(?:真人|活人|人|你们的?人)(?:聊|说|讲|谈|沟通|对话)",
    r"不(?:想|要|愿意?)(?:再)?(?:和|跟|同)(?:你|机器人?|ai|AI|电脑|程序)(?:聊|说|讲|谈|废话)?",
    r"^(?:人工|人工服务|真人|客服|转人工|人工客服|找客服)[。!?吗 ]*$",
    r"能?不能.{0,3}(?:人工|真人)",
    rf"\b(?:talk|speak|chat|connect(?: me)?|put me through|transfer(?: me)?|hand me|pass me|get(?: me)?|need|want|give me|call|find me|reach)\b[^.?!]{{0,24}}\b(?:a |an |the |to |with |your |real |live |actual )*{_PERSON_EN}\b",
    rf"\b(?:real|live|actual)\s+{_PERSON_EN}\b(?!\s*\?)",
    rf"^(?:{_PERSON_EN}|human please|agent please|representative please)[.! ]*$",
    r"\b(?:not|don'?t|stop)\b[^.?!]{0,16}\b(?:bot|robot|machine|ai)\b",
)
_NOT_PERSON = (
    rf"{_REFUSED}(?:转?人工|客服|真人)",
    r"\b(?:no need|don'?t need|do not need)\b[^.?!]{0,16}\b(?:human|person|advis[oe]r)",
)
_ANGRY = (
    r"垃圾|骗子|骗人|坑人|坑爹|黑店|滚|妈的|他妈|傻逼|傻[比叉×x]|智障|脑残|废物|气死|太差劲|什么破|什么玩意|无语死|忽悠|恶心人|火大",
    r"投诉你们|我要投诉|要曝光|12315|消协|消费者协会|举报你们|起诉|打官司",
    r"(?:说了|问了|讲了)(?:多少|好几|几|八百|一百)遍|答非所问|听不懂人话|你到底(?:会|懂|行)不",
    r"\b(?:useless|ridiculous|scam|rip[- ]?off|pathetic|bullshit|shit|fuck\w*|damn|idiots?|stupid|terrible service|worst|furious|disgusting|unacceptable|sue you|fed up)\b",
    r"\b(?:i(?:'ve| have)? (?:already )?(?:told|asked) you)\b",
)
_HUMAN = (
    r"你是(?:不是)?(?:真|活)?(?:人|机器人?|ai|AI|电脑|程序|机器)(?:吗|么|还是|吧|\?|$)",
    r"(?:是|你是)(?:真人|人工|机器人?|ai|AI)(?:还是|吗|么)",
    r"你(?:是谁|叫什么)|跟我(?:说话|聊天)的是(?:谁|人)",
    r"\bare you (?:a |an )?(?:real|human|person|robot|bot|ai|machine|alive)\b|\bam i (?:talking|speaking|chatting) (?:to|with)\b|\bwho are you\b|\bis this (?:a |an )?(?:bot|robot|ai|human|real)\b",
)
_WAITING = (
    r"(?:还|要|得)+等(?:多久|多长时间|几分钟)|等(?:到)?什么时候|排(?:在|到)?第?几|前面(?:还)?有(?:多少|几)[个位]?人?|轮到我了?[吗没]|顾问(?:什么时候|几时|怎么还不|怎么还没|还没)来",
    r"\bhow (?:much )?long(?:er)?\b[^.?!]{0,20}\bwait\b|\bposition in (?:the )?(?:line|queue)\b|\bwhen (?:will|is) (?:the|an|your) advis[oe]r\b",
)
_GREETING = (
    r"^(?:你好|您好|哈[喽啰]|嗨|hi|hello|hey|在吗|在么|在不在|有人吗|喂|早上好|早安|上午好|中午好|下午好|晚上好|晚安好|good (?:morning|afternoon|evening))+[,。!~呀啊 .]*(?:在吗|在么|there)?[?。!!~ ]*$",
)
_THANKS = (
    r"^(?:好的?|嗯+|行|ok(?:ay)?|太好了|明白了?|知道了?|收到|了解)?[,。! ]*(?:谢谢|多谢|感谢|谢啦|谢了|thanks?|thank you|thx|ty|cheers)[^?]{0,12}$",
    r"^(?:好的?|嗯+|行|ok(?:ay)?|明白了?|知道了?|收到|了解了?|got it|great|i see|alright)[,。!~ .]*$",
)
_BYE = (
    r"^(?:再见|拜拜|拜|回见|没事了|没有了|没别的了|bye|goodbye|bye[- ]bye|see you|that'?s all|nothing else)[^?]{0,6}$",
)

_RULES = tuple(
    (intent, re.compile("|".join(f"(?:{p})" for p in patterns), re.IGNORECASE))
    for intent, patterns in (
        (Intent.HUMAN, _HUMAN),
        (Intent.WAITING, _WAITING),
        (Intent.PERSON, _PERSON),
        (Intent.ANGRY, _ANGRY),
        (Intent.GREETING, _GREETING),
        (Intent.THANKS, _THANKS),
        (Intent.BYE, _BYE),
    )
)
_DECLINED = re.compile("|".join(_NOT_PERSON), re.IGNORECASE)


def intent(text: str) -> Intent | None:
    """The first that fits, strongest first; None for a question."""
    plain = unicodedata.normalize("NFKC", text).strip()
    for kind, pattern in _RULES:
        if pattern.search(plain) and not (kind is Intent.PERSON and _DECLINED.search(plain)):
            return kind
    return None


_ORDINALS = (
    r"^(?:选|要|我(?:选|要|是))?(?:第)?(?:一|1|①)(?:个|条|项)?[吧。. ]*$|^(?:the )?(?:first|number one|option one|one)(?: one)?[. ]*$",
    r"^(?:选|要|我(?:选|要|是))?(?:第)?(?:二|两|2|②)(?:个|条|项)?[吧。. ]*$|^(?:the )?(?:second|number two|option two|two)(?: one)?[. ]*$",
    r"^(?:选|要|我(?:选|要|是))?(?:第)?(?:三|3|③)(?:个|条|项)?[吧。. ]*$|^(?:the )?(?:third|last|number three|option three|three)(?: one)?[. ]*$",
)


def chosen(text: str, offered: str) -> str | None:
    """The line of `offered` (a clarify text with lines "1. …") that a spoken "第二个" means."""
    lines = dict(re.findall(r"^\s*([1-3])[.、]\s*(.+?)\s*$", offered, re.MULTILINE))
    for number, pattern in enumerate(_ORDINALS, 1):
        if re.match(pattern, text.strip(), re.IGNORECASE):
            return lines.get(str(number))
    return None

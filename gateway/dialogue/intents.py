"""PURE: what a message is, besides a question: asking for a person, anger, small talk, a tapped or spoken choice."""

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum


class Intent(StrEnum):
    PERSON = "person"
    ANGRY = "angry"
    WAITING = "waiting"
    HUMAN = "human"
    GREETING = "greeting"
    THANKS = "thanks"
    BYE = "bye"
    STAY = "stay"
    """She declines a person."""


_STAFF = (
    "人工|真人|大?活人|客服|顾问|店员|导购|专员|专人|工作人员|你们的?人|店里的?人|你们(?:的|家|店)?同事|护士|店长|经理|主管|负责人|领导|管事的"
    "|专家|人来|小姐姐|懂行的|懂的人|(?:育儿|营养|母乳|哺乳|抚触|游泳)(?:师|老师)|你们(?:的|家|店)?(?:阿姨|老师|小哥)"
)
_PERSON_EN = (
    r"(?:human(?: being)?|person|people|agent|advis[oe]r|representative|rep|staff|operator|someone|somebody|anyone|anybody"
    r"|consultant|manager|supervisor|colleagues?|co-?worker|employee|associate|specialist|expert)"
)
_REFUSED = r"(?<!要)(?:不(?:用|要|需要|想|必)|(?<!特)别)[^,。!?,!?]{0,4}"

_PERSON = (
    rf"转(?:接|到|给|去)?[^,。]{{0,4}}(?:{_STAFF}|(?<![家别他爱本客亲友病])人(?!民))|^转(?:接|一下|一下吧|吧)?[。!]*$",
    rf"(?:找|要|叫|让|换|请(?!问)|喊|派|安排|联系|接通?|呼叫|来个?|有没有|是不是有|想(?:和|跟|同|找))[^,。?约]{{0,8}}(?:{_STAFF}|真的人)|(?:找|叫|让|换|请(?!问)|喊)[^,。?约]{{0,4}}老师(?:[。!吧 ]*$|来|在)",
    rf"^(?:请问|那|现在)?有(?:{_STAFF})(?:吗|么|没|能|可以|在)",
    rf"(?:{_STAFF})[^,。]{{0,6}}(?:在吗|在不在|接一下|来一下|帮我|说话|聊|谈|处理|沟通|回复|回我|服务)",
    r"(?:找|换|叫|来|接|给我接)(?:个|一个)?(?:人|真人|活人|懂的)(?:来|聊|说|谈|跟|和|吧|$|问|帮|处理)",
    r"(?:和|跟|同)(?:个)?(?:真人|活人|人|你们的?人)(?:聊|说|讲|谈|沟通|对话)",
    r"有(?:没有)?人(?:能|可以|来)(?:帮|跟|和|给|管|处理|回|说|解答)|(?:没|有)人(?:管|理|回|接待)(?:我|一下|吗|么)|让(?:个|一个)?人(?:来|跟|给|联系|回)",
    r"不(?:想|要|愿意?)(?:再)?(?:和|跟|同)(?:你|机器人?|ai|电脑|程序)(?:聊|说|讲|谈|废话)?",
    r"^(?:(?:人工|真人|客服|人工服务|转人工|人工客服|找客服)[,。!吗 ]*)+$",
    r"能?不能.{0,3}(?:人工|真人)",
    rf"\b(?:talk|speak|chat|connect(?: me)?|put me through|transfer(?: me)?|hand me|pass me|get me|get (?=a|an|some)|need|want|give me|call|find me|reach|deal|put|bring(?: me| in)?|send)\b[^.?!]{{0,24}}?\b(?:a |an |the |to |with |your |real |live |actual )*{_PERSON_EN}\b(?! (?:else'?s|size))",
    rf"\b(?:real|live|actual)\s+{_PERSON_EN}\b(?!\s*\?)",
    rf"\b(?:any|some)(?:one|body)\b[^.?!]{{0,12}}\b(?:real|there|human|available|online|help me|talk to|speak (?:to|with))\b|\b(?:can|could|is there) (?:a |an )?(?:real |live )?{_PERSON_EN}\b[^.?!]{{0,20}}\b(?:help|answer|call|talk|reply|available)",
    rf"^(?:{_PERSON_EN}|human please|agent please|representative please)[.! ]*$",
    r"\b(?:not|don'?t|stop)\b[^.?!]{0,16}\b(?:bot|robot|machine|ai)\b|\byou(?:'re| are) (?:just )?(?:a |an )?(?:bot|robot|machine)\b(?!\s*\?)",
)
_STAY = (
    rf"^(?:我|先|还是|那)?{_REFUSED}(?:转?人工|转人|转接|客服|真人)(?:了|吧|服务)?[。!, ]*",
    r"^(?:please )?(?:no need|don'?t|do not|i don'?t (?:need|want))\b[^.?!]{0,16}\b(?:human|person|advis[oe]r|agent|transfer)\b[^.?!,]{0,6}[.! ]*",
)
_NOT_PERSON = (
    rf"{_REFUSED}(?:转?人工|转人|客服|真人)",
    r"\bcall (?:me )?back\b|回(?:个)?电话?",
    r"留(?:个|一?下)?(?:言|口信)|转告|[带捎]个?(?:话|口信)|\b(?:leave|take)\b.{0,12}\bmessage\b",
    r"像(?:个)?真人|真人(?:发声|发音|一样|版|秀|模特|演示|配音)|\bfor real people\b",
    r"\b(?:no need|don'?t need|do not need|don'?t (?:want|transfer|connect|hand))\b[^.?!]{0,16}\b(?:human|person|advis[oe]r|agent)",
    r"\bneed (?:a |another )?(?:person|people|someone) to (?:pick|collect|sign|carry|hold|watch)\b|\b(?:buy|gift|present|send|order)\b[^.?!]{0,20}\b(?:for|to) (?:someone|somebody)\b"
    r"|\b(?:give|gift|buy|bring|send) (?:to |for )?(?:someone|somebody)\b(?! (?:in|over|here))",
)
_ANGRY = (
    r"垃圾(?![桶袋箱分车处])|骗子|骗人|坑人|坑爹|黑店|(?:^|[你,。!快给我])滚(?:蛋|开|远|[!。,]|$)|他妈的|真(?:他妈|tm)|(?:^|[,。! ])妈的|傻逼|傻[比叉×x]|智障(?!儿)|脑残|废物|气死(?:我|人|了)"
    r"|太差劲|什么破|什么玩意|无语死|忽悠|恶心人|(?:我|真|太)火大|火大了|受够|太过分|欺负人|耍我|糊弄|敷衍我|浪费我?的?时间",
    r"(?:对你们|让人|太|很|真|非常)失望|什么(?:破)?(?:态度|服务)(?!时间|项目|内容)|(?:态度|服务)(?:也)?(?:太|真|这么|那么|极其|实在)(?:差|烂|恶劣|糟)|再也不(?:来|买|会来|会买|用)|我(?:很|真|非常|好|都要?)生气|服了你",
    r"投诉你们|我要投诉|要曝光|12315|消协|消费者协会|举报你们|起诉|打官司",
    r"(?:说了|问了|讲了)(?:多少|好几|几|八百|一百)遍|答非所问|听不懂(?:人话|吗|啊|我)|你到底(?:会|懂|行)不|(?:一直|半天|小时|这么久|好久|天了?)(?:都|还|也)?没(?:有)?人(?:理|管|回|接)|怎么(?:这么|那么)慢",
    r"\b(?:useless|ridiculous|scam(?:mers?)?|rip[- ]?off|pathetic|bullshit|piece of shit|this is shit|fuck\w*|god ?damn|damn (?:you|it|bot|thing|machine|slow)|idiots?|stupid(?! question)|(?:terrible|awful|horrible|appalling|shit|crap) (?:service|shop|store|company|experience|place|support)|furious|disgusting|unacceptable|sue you|fed up|sick of (?:this|you|waiting)|waste of (?:my )?(?:time|money)|joke of a)\b",
    r"\bthis is a joke\b|\bworst (?:shop|store|service|experience|company|place|support)\b|\byou(?:'re| are) the worst\b|\bi(?:'m| am) (?:so |very |really |getting |extremely )*(?:angry|pissed|mad at|upset with|disappointed)|\b(?:never|not) (?:coming|shopping|buying|ordering)\b[^.?!]{0,20}\bagain\b|\bnever (?:shop|buy|come|order)\b[^.?!]{0,20}\bagain\b",
    r"\bwait(?:ed|ing) (?:for )?(?:ages|hours|forever)\b|\b(?:nobody|no one|no-one) (?:answers|replies|cares|helps|responds|is (?:answering|replying|helping))\b",
    r"\b(?:i(?:'ve| have)? (?:already )?(?:told|asked) you)\b",
)
_NOT_ANGRY = (r"哈哈|嘻嘻|开玩笑|\b(?:lol|haha|just kidding)\b",)
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
        (Intent.STAY, tuple(f"{pattern}$" for pattern in _STAY)),
        (Intent.PERSON, _PERSON),
        (Intent.ANGRY, _ANGRY),
        (Intent.GREETING, _GREETING),
        (Intent.THANKS, _THANKS),
        (Intent.BYE, _BYE),
    )
)
_UNLESS = {
    Intent.PERSON: re.compile("|".join(_NOT_PERSON), re.IGNORECASE),
    Intent.ANGRY: re.compile("|".join(_NOT_ANGRY), re.IGNORECASE),
}


def intent(text: str) -> Intent | None:
    """The first that fits, strongest first; None for a question."""
    plain = unicodedata.normalize("NFKC", text).strip()
    for kind, pattern in _RULES:
        if pattern.search(plain) and not (kind in _UNLESS and _UNLESS[kind].search(plain)):
            return kind
    return None


_ORDINALS = (
    r"^(?:选|要|我(?:选|要|是))?(?:第)?(?:一|1|①)(?:个|条|项)?[吧。. ]*$|^(?:the )?(?:first|number one|option one|one)(?: one)?[. ]*$",
    r"^(?:选|要|我(?:选|要|是))?(?:第)?(?:二|两|2|②)(?:个|条|项)?[吧。. ]*$|^(?:the )?(?:second|number two|option two|two)(?: one)?[. ]*$",
    r"^(?:选|要|我(?:选|要|是))?(?:第)?(?:三|3|③)(?:个|条|项)?[吧。. ]*$|^(?:the )?(?:third|last|number three|option three|three)(?: one)?[. ]*$",
)


def chosen(text: str, offered: str, choices: Sequence[str] = ()) -> str | None:
    """The line of `offered` (a clarify text with lines "1. …"), or else of `choices`, that "第二个" or a key means."""
    lines = dict(re.findall(r"^\s*([1-9])[.、]\s*(.+?)\s*$", offered, re.MULTILINE))
    lines = {str(number): choice for number, choice in enumerate(choices, 1)} | lines
    if digit := re.fullmatch(r"\s*([1-9])\s*", text):
        return lines.get(digit[1])
    for number, pattern in enumerate(_ORDINALS, 1):
        if re.match(pattern, text.strip(), re.IGNORECASE):
            return lines.get(str(number))
    return None

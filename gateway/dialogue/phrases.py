"""PURE: the fixed words of the assistant, in both languages."""

from signaling.protocol import Language

_PHRASES: dict[str, tuple[str, str]] = {
    "greeting": (
        "您好，我是AI助手，不是真人。选购、育儿、物流售后、预约、活动都可以问我；想找顾问，说一声“转人工”就好。",
        "Hello, I am an AI assistant, not a person. Ask me about products, baby care, orders, appointments or promotions; "
        "say “advisor” at any time to reach a person.",
    ),
    "human": (
        "我是AI助手，不是真人。要找门店顾问，说“转人工”，我马上帮您转。",
        "I am an AI assistant, not a person. Say “advisor” and I will bring in someone from the store.",
    ),
    "thanks": ("不客气，还有什么想问的随时说。", "You are welcome. Ask any time."),
    "stay": ("好的，不转，我来答。您想问什么？", "All right, I stay with you. What would you like to know?"),
    "bye": ("好的，祝您和宝宝一切都好，再见。", "All the best to you and your baby. Goodbye."),
    "handoff": (
        "好的，正在为您转接顾问，之前的对话顾问都能看到，不用再说一遍。",
        "I am bringing in an advisor. They can see our conversation, so you need not repeat it.",
    ),
    "handoff.two_misses": (
        "我还是没能答上来，这就请顾问来帮您，之前的对话顾问都能看到。",
        "I still have no good answer, so I am bringing in an advisor. They can see our conversation.",
    ),
    "handoff.sensitive": (
        "这个问题需要专业顾问来回答才稳妥，正在为您转接。",
        "This deserves a professional answer: I am bringing in an advisor.",
    ),
    "handoff.angry": (
        "很抱歉让您不愉快了，我马上请顾问来处理。",
        "I am sorry about this. I am bringing in an advisor right away.",
    ),
    "handoff.tool_failed": (
        "系统暂时查不到，我请顾问人工帮您查。",
        "I cannot look it up right now; an advisor will do it for you.",
    ),
    "handoff.store_rule": (
        "这类问题我们门店都由顾问来回答，正在为您转接。",
        "In our store an advisor answers this kind of question: I am bringing one in.",
    ),
    "closed": (
        "现在不在顾问的服务时间。我可以帮您约顾问回电，或者预约到店/视频；其他问题也可以继续问我。",
        "Our advisors are off duty now. I can arrange a callback or an appointment in store or by video; and you can keep asking me.",
    ),
    "waiting.angry": ("很抱歉让您不愉快了。", "I am sorry about this. "),
    "waiting.sensitive": ("这个问题要由顾问来回答才稳妥。", "This deserves a professional answer. "),
    "waiting.tool_failed": ("系统暂时查不到。", "I cannot look it up right now. "),
    "waiting.first": (
        "顾问已经收到您的请求，您排在第一位。等的时候可以继续问我。",
        "An advisor has your request and you are first in line. You can keep asking me meanwhile.",
    ),
    "waiting.behind": (
        "顾问已经收到您的请求，您前面还有{ahead}位在等。等的时候可以继续问我。",
        "An advisor has your request; there are {ahead} people before you. You can keep asking me meanwhile.",
    ),
    "waiting.nobody": (
        "您的请求已经记下，现在没有顾问在线，一上线就会看到。您可以继续问我，也可以让我约顾问回电。",
        "Your request is noted. No advisor is online right now; they will see it as soon as one is. "
        "You can keep asking me, or ask me to arrange a callback.",
    ),
    "clarify": ("您是想问：", "Did you mean:"),
    "miss": (
        "这个我没有把握，怕说错。换个说法再问一次好吗？也可以转给顾问。",
        "I am not sure about this and would rather not guess. Could you put it differently? Or I can bring in an advisor.",
    ),
    "empty": ("我没听清，请再说一遍。", "I did not catch that. Could you say it again?"),
    "callback.number": (
        "请把电话号码发在对话里；没有号码，顾问就在对话里回复您。",
        " Please send your phone number in this chat; without one an advisor will answer you here.",
    ),
    "booking.what": (
        "好的，您想到店，还是和顾问视频？",
        "Gladly. Would you like to come to the store, or to talk by video?",
    ),
    "callback.number.voice": (
        "请说出电话号码，或者用按键输入；没有号码，顾问就在对话里回复您。",
        " Please say your phone number or enter it on the key pad; without one an advisor will answer you in the chat.",
    ),
    "message.ask": (
        "好的，请说您的留言，我记下来转给顾问。",
        "Of course. Please say your message and I will pass it to an advisor.",
    ),
    "message.kept": (
        "记下了，顾问会看到这条留言并回复您。想要回电也可以告诉我。",
        "Noted. An advisor will see your message and answer it. If you would like a call back, tell me.",
    ),
    "keys": (
        "没有这个选项。请直接说您的问题，按 0 转人工。",
        "That is not one of the choices. Just tell me your question, or press 0 for an advisor.",
    ),
    "booking.when": (
        "可以，您看哪个时间方便？也可以直接说日期和几点。",
        "Gladly. Which time suits you? You can also name a day and an hour.",
    ),
    "booking.closed": ("那个时间门店不营业，这几个时间可以：", "The store is closed then. These times are open:"),
    "booking.in": ("那个时间已经过了，这几个时间可以：", "That time has passed. These times are open:"),
    "booking.booked": ("这个时间您已经约过了。要再约别的时间吗？", "You have that one already. Another time?"),
    "booking.too": (
        "您已经有几个预约了，先取消一个再约吧。",
        "You hold several appointments already; please cancel one first.",
    ),
    "booking.change": ("想改到哪天几点？", "Which day and time should it be?"),
    "booking.none": ("您现在没有预约，不用取消或修改。", "You have no appointment to change or cancel."),
    "booking.which": ("您指的是哪一个？", "Which one do you mean?"),
    "choice.person": ("转人工顾问", "Talk to an advisor"),
    "choice.callback": ("约顾问回电", "Call me back"),
    "choice.appointment": ("预约到店或视频", "Book an appointment"),
}


def phrase(key: str, language: Language) -> str:
    """The words for `key`; an unknown key is a programming error."""
    return _PHRASES[key][0 if language == "zh" else 1]

"""What the gateway itself says in a call, in both languages. Everything else is the dialogue's."""

from signaling.protocol import Language

NOTICES: dict[str, dict[Language, str]] = {
    "advisor_gone": {
        "zh": "顾问的线路断了，我是AI助手，先由我继续为您服务，也会请顾问尽快回来。",
        "en": "The advisor's line dropped. I am the AI assistant: I go on meanwhile and ask an advisor to return.",
    },
    "handed_back": {
        "zh": "现在由AI助手继续为您服务。",
        "en": "You are back with the AI assistant.",
    },
    "nothing_heard": {
        "zh": "我一直没有听到您的声音，就先挂断了。您可以随时再打来，也可以打字。再见。",
        "en": "I have not heard anything from you, so I will hang up. Call again or type any time. Goodbye.",
    },
    "mended": {
        "zh": "抱歉，刚才我这边出了点问题。我是AI助手，请您把刚才的话再说一遍。",
        "en": "Sorry, something went wrong on my side. This is the AI assistant: please say that again.",
    },
    "welcome_back": {
        "zh": "线路恢复了，我是AI助手，我们继续。",
        "en": "We are connected again. This is the AI assistant, let us go on.",
    },
}


def notice(code: str, language: Language) -> str:
    return NOTICES[code][language]

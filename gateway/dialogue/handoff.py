"""PURE: when a person has to answer, besides being asked for: the store's own rules and questions no shop may answer.

A store's rules (`stores.rules`)::

    {"person_for": [{"matter": "feeding", "under_days": 30}, {"matter": "skin"}]}
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

from gateway.dialogue.ports import Context, HandoffReason
from gateway.dialogue.safety.tables import table

Matter = Literal["feeding", "sleep", "skin", "illness", "crying"]

MATTERS: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "feeding": r"奶|喂|吃|辅食|断奶|吐|拍嗝|feed|milk|formula|breast|bottle|solid|eat|burp",
        "sleep": r"睡|哄|夜醒|sleep|nap|night",
        "skin": r"疹|皮肤|红屁|痱|痂|rash|skin|eczema",
        "illness": r"发烧|发热|咳|感冒|腹泻|拉肚子|便秘|疫苗|fever|cough|cold|diarrh|constipat|vaccin",
        "crying": r"哭|闹|cry|fuss|scream",
    }.items()
}
_DOSE = re.compile(
    r"(?:吃|喂|用|喝|给).{0,12}(?:多少|几)(?:毫克|mg|单位|iu|粒|片药|滴药|包药|(?:毫升|ml).{0,8}(?:药|布洛芬|美林|泰诺|抗生素|头孢))"
    r"|^(?!.*[奶水粥粉食]).*(?:吃|用).{0,12}(?:多少|几)(?:毫升|ml)"
    r"|(?:药|布洛芬|美林|泰诺|对乙酰氨基酚|退烧贴|抗生素|头孢|阿莫西林).{0,14}(?:多少|几毫升|几粒|剂量|用量|怎么[吃喂用]|(?:能|可以|能不能|可不可以)(?:给.{0,6}|一起|同时|交替|混着)?[吃喂用]|吃多|(?:一起|同时|交替|混着)[吃喂用])"
    r"|\b(?:dose|dosage|how (?:much|many)).{0,30}"
    r"\b(?:ibuprofen|paracetamol|acetaminophen|tylenol|motrin|calpol|nurofen|aspirin|antibiotic|medicine|syrup)"
    r"|\b(?:can|should|may|could) (?:i|we) (?:give|use|mix|combine|alternate)\b.{0,30}"
    r"\b(?:ibuprofen|paracetamol|acetaminophen|tylenol|motrin|calpol|nurofen|aspirin|antibiotics?)\b",
    re.IGNORECASE,
)


def store_rule(text: str, context: Context, rules: Mapping[str, Any]) -> HandoffReason | None:
    """The store wants a person for this matter (at this age). An unknown age counts as young."""
    for rule in rules.get("person_for", ()):
        matter = MATTERS.get(str(rule.get("matter", "")))
        limit = rule.get("under_days")
        young = limit is None or not context.baby_age_days or min(context.baby_age_days) < int(limit)
        if matter and young and matter.search(text):
            return HandoffReason.STORE_RULE
    return None


_NAMES = "|".join(str(table("drafts")[kind]) for kind in ("disease", "drug"))
_MEDICAL = re.compile(
    rf"{_NAMES}|什么病|生病|诊断|处方|药|激素|抗生素|疹子|\b(?:disease|diagnos\w+|prescri\w+|medicine|dos(?:e|age)|antibiotics?)\b",
    re.IGNORECASE,
)


def medical(text: str) -> bool:
    """About an illness or a medicine: where no entry is sure, a person answers, nobody is asked to guess along."""
    return bool(_MEDICAL.search(text))


def off_limits(text: str) -> bool:
    """A question about a dose or a medicine: no knowledge entry may answer it."""
    return bool(_DOSE.search(text))

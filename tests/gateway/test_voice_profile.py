"""A manager sets how a store sounds; the next call has it."""

from gateway.calls import context
from gateway.calls.voice import profile_of
from gateway.settings import Settings
from media.profile import GREETING
from tests.gateway.served import served

MANAGER, ADVISOR, MOTHER = "manager-lin", "advisor-chen", "customer-lili"
PATH = "/api/v1/stores/store-xuhui/voice"
HELLO = "您好，这里是徐汇店，我是AI助手小暖。"


async def test_the_next_call_sounds_as_the_manager_has_set_it(database: Settings) -> None:
    async with served(database) as shop:
        assert await shop.call(MANAGER, "GET", PATH) == (200, {"voice": {}, "speed": 1.0, "greeting": {}})
        wanted = {"voice": {"zh": "zh-CN-XiaoyiNeural"}, "speed": 0.9, "greeting": {"zh": HELLO}}
        assert await shop.call(MANAGER, "PUT", PATH, **wanted) == (200, wanted)
        assert await shop.call(MANAGER, "GET", PATH) == (200, wanted)
        conversation = await shop.conversation(MOTHER)
        profile = profile_of(await context.of_call(shop.gateway.store, shop.gateway.chat, conversation), "")
        assert (profile.voices, profile.speed) == ({"zh": "zh-CN-XiaoyiNeural"}, 0.9)
        assert profile.greeting == {"zh": HELLO, "en": GREETING["en"]}


async def test_what_may_not_be_set(database: Settings) -> None:
    async with served(database) as shop:
        assert (await shop.call(ADVISOR, "PUT", PATH, speed=1.2))[0] == 403
        assert (await shop.call(MANAGER, "PUT", PATH.replace("store-xuhui", "elsewhere"), speed=1.2))[0] == 404
        assert (await shop.call(MANAGER, "PUT", PATH, speed=5))[0] == 400
        silent_about_the_ai = {"zh": "您好，这里是徐汇店，请问有什么可以帮您？"}
        assert (await shop.call(MANAGER, "PUT", PATH, greeting=silent_about_the_ai))[0] == 400
        assert (await shop.call(MANAGER, "GET", PATH))[1]["greeting"] == {}

"""A baby may be in danger: the fixed words to her, an alarm to people, told again until somebody takes it."""

import asyncio

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway import clock
from gateway.chat import Chat
from gateway.dialogue.ports import RedFlag
from gateway.dialogue.safety import tel_for, tel_of, unheard_text
from gateway.domain.conversation import Conversation
from gateway.domain.events import Fact
from gateway.domain.people import Person, may_see
from gateway.errors import NestcallError, NotYours
from gateway.hub import Hub, Listener
from gateway.store import alarms as rows
from gateway.store import log, people
from gateway.store.engine import Store
from gateway.store.schema import alarms
from signaling.protocol import AlarmAcknowledged, AlarmRaised, AlarmView, ErrorCode, EventKind, Role

TELL_AGAIN_S = 30.0
TAKEN_S = 600.0
"""An alarm somebody took covers its sign this long; shown anew after that, it is a new alarm."""
LOOK_EVERY_S = 5.0

logger = structlog.get_logger()


class Alarms:
    def __init__(self, store: Store, chat: Chat, hub: Hub) -> None:
        self._store = store
        self._chat = chat
        self._hub = hub

    async def raise_flag(self, conversation: str, seq: int, flag: RedFlag, text: str, *, anew: bool = True) -> bool:
        """`seq` names the message that showed the sign: raising it twice is raising it once. `text` is what she is
        told (empty: the call says it). One transaction: words, flag, queue, alarm. False: the sign stands already,
        raised by another message and not taken long ago; `anew` False: or taken whenever."""
        alarm = alarm_id(conversation, seq, flag.sign)

        async def job(connection: AsyncConnection) -> log.Appended | bool:
            state = await log.find(connection, conversation, lock=True)
            if await rows.known(connection, alarm):
                return True
            at = self._chat.now()
            taken = clock.after(at, -TAKEN_S)
            alike = [when for sign, when in await rows.standing(connection, conversation) if sign == flag.sign]
            if any(not anew or when is None or when > taken for when in alike):
                return False
            row = {
                "id": alarm,
                "conversation": conversation,
                "seq": seq,
                "sign": flag.sign,
                "action": str(flag.action),
                "raised_at": at,
            }
            await rows.add(connection, row)
            return await log.append(connection, state, flag_facts(state, seq, flag, text, alarm), at=at)

        done = await self._store.write(
            job, lambda made: self._chat.tell(made) if isinstance(made, log.Appended) else None
        )
        if isinstance(done, log.Appended):
            await self._tell(alarm)
            return True
        return done

    async def acknowledge(self, person: Person, alarm: str) -> None:
        """Who is first has it, and all hear who that is; who presses later hears it again."""

        async def job(connection: AsyncConnection) -> tuple[Person, list[Person]]:
            found = await rows.find(connection, alarms.c.id == alarm)
            if not person.staff or not found or not visible(person, found[0]):
                raise NotYours(ErrorCode.NOT_FOUND)
            if await rows.acknowledge(connection, alarm, person, self._chat.now()):
                return person, await people.staff_of(connection, found[0]["chain"], found[0]["store"])
            return await people.get(connection, found[0]["acknowledged_by"]) or person, [person]

        first, told = await self._store.write(job)
        for member in told:
            self._hub.tell(member.id, AlarmAcknowledged(alarm=alarm, by=first.id, name=first.name))

    async def greet(self, listener: Listener) -> None:
        """A staff member who has just connected hears what is still open."""
        if listener.person.staff:
            found = await self._store.look(rows.still_open)
            for row in found:
                if visible(listener.person, row):
                    listener.send(AlarmRaised(alarm=view(row)))

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.tell_again()
            except NestcallError as error:
                logger.warning("alarms not looked at", code=str(error.code))

    async def tell_again(self) -> None:
        """Whatever nobody has acknowledged since it was last told."""
        found = await self._store.look(rows.still_open)
        stale = clock.after(self._chat.now(), -TELL_AGAIN_S)
        for row in found:
            last = row["told"][-1]["at"] if row["told"] else row["raised_at"]
            if last <= stale or not row["told"]:
                await self._tell(row["id"])

    async def _tell(self, alarm: str) -> None:
        """Managers and the store's advisors on duty; when nobody took it, everybody, and she hears that nobody did."""
        async with self._store.read() as connection:
            row = (await rows.find(connection, alarms.c.id == alarm))[0]
            staff = await people.staff_of(connection, row["chain"], row["store"])
        on_duty = any(member.on_duty and member.role == "advisor" for member in staff)
        wide = bool(row["told"]) or not on_duty
        told = [member for member in staff if member.role == "manager" or member.on_duty or wide]
        for member in told:
            self._hub.tell(member.id, AlarmRaised(alarm=view(row)))
        names, at = [member.id for member in told], self._chat.now()
        await self._store.write(lambda connection: rows.told(connection, alarm, row["told"], names, at))
        logger.info("alarm told", alarm=alarm, sign=row["sign"], people=len(names), times=len(row["told"]) + 1)
        if len(row["told"]) == 1:
            await self._unheard(row)

    async def _unheard(self, row: RowMapping) -> None:
        """Once an alarm: nobody has taken it, do not wait for us. An advisor who has her and is there tells her."""
        body = {"kind": "text", "text": unheard_text(row["sign"], row["language"]), "tel": tel_for(row["sign"])}
        nonce = f"unheard-{row['seq']}-{row['sign']}"

        async def job(connection: AsyncConnection) -> log.Appended | None:
            state = await log.find(connection, row["conversation"], lock=True)
            if state.owner != "assistant" and self._hub.online(state.assignee or ""):
                return None
            role = speaker(state)
            said = Fact(EventKind.MESSAGE_SENT, role, role, nonce, body)
            return await log.append(connection, state, (said,), at=self._chat.now())

        await self._store.write(job, self._chat.tell)


def flag_facts(state: Conversation, seq: int, flag: RedFlag, text: str, alarm: str) -> list[Fact]:
    raised = {"sign": flag.sign, "action": str(flag.action), "target": seq, "alarm": alarm}
    this = f"{seq}-{flag.sign}"
    facts = [Fact(EventKind.RED_FLAG_RAISED, "system", "system", f"flag-{this}", data=raised)]
    if text:
        body = {"kind": "text", "text": text, "tel": tel_of(flag)}
        role, data = speaker(state), {"decision": "red_flag", "answers": seq}
        facts.insert(0, Fact(EventKind.MESSAGE_SENT, role, role, f"flag-text-{this}", body, data))
    if state.state in ("with_assistant", "resolved"):
        facts.append(
            Fact(EventKind.CONVERSATION_QUEUED, "system", "system", f"flag-queue-{this}", data={"reason": "red_flag"})
        )
    return facts


def alarm_id(conversation: str, seq: int, sign: str) -> str:
    """An utterance still going on may show a second, graver sign under the same seq."""
    return f"a-{conversation}-{seq}-{sign}"


def speaker(state: Conversation) -> Role:
    """Who says fixed words: the assistant where it answers, else the house."""
    return "assistant" if state.owner == "assistant" else "system"


def visible(person: Person, row: RowMapping) -> bool:
    return may_see(person, chain=row["chain"], store=row["store"], customer=row["customer"])


def view(row: RowMapping) -> AlarmView:
    return AlarmView(
        alarm=row["id"],
        conversation=row["conversation"],
        customer_name=row["customer_name"],
        store=row["store"],
        store_name=row["store_name"],
        sign=row["sign"],
        action=row["action"],
        text="",
        at=row["raised_at"],
        call=row["call"],
        acknowledged_by=row["acknowledged_by"],
    )

"""The chat's verbs: one short function per wire message. Calls and files bring their own tables."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from gateway.alarms import Alarms
from gateway.chat import Chat
from gateway.domain.people import Person
from gateway.errors import NotYours
from gateway.inbox import Inbox
from gateway.receipts import Receipts
from gateway.switchboard import Verb, Visit
from signaling.protocol import (
    Ack,
    AlarmAcknowledge,
    ConversationAct,
    ConversationLeave,
    ConversationOpen,
    ErrorCode,
    Event,
    FeedbackGive,
    HistoryGet,
    HistoryPage,
    InboxListed,
    InboxWatch,
    LanguageSet,
    MessageEdit,
    MessageRecall,
    MessageSend,
    NoteAdd,
    ReceiptMark,
    TypingSet,
)


class Caller(Protocol):
    """Who asks: a connection, or a request over REST."""

    @property
    def person(self) -> Person: ...


Plain = Callable[[Caller, Any], Awaitable[Ack | None]]
"""A verb that needs no connection: served over REST too."""


def acked(nonce: str, event: Event) -> Ack:
    return Ack(nonce=nonce, conversation=event.conversation, seq=event.seq)


def plain_verbs(chat: Chat, receipts: Receipts, alarms: Alarms) -> Mapping[type, Plain]:
    async def send(by: Caller, m: MessageSend) -> Ack:
        return acked(m.nonce, await chat.send(by.person, m.conversation, m.nonce, m.body))

    async def edit(by: Caller, m: MessageEdit) -> Ack:
        return acked(m.nonce, await chat.edit(by.person, m.conversation, m.nonce, m.target, m.text))

    async def recall(by: Caller, m: MessageRecall) -> Ack:
        return acked(m.nonce, await chat.recall(by.person, m.conversation, m.nonce, m.target))

    async def note(by: Caller, m: NoteAdd) -> Ack:
        return acked(m.nonce, await chat.note(by.person, m.conversation, m.nonce, m.text))

    async def act(by: Caller, m: ConversationAct) -> Ack:
        return acked(m.nonce, await chat.act(by.person, m.conversation, m.nonce, m.act))

    async def feedback(by: Caller, m: FeedbackGive) -> Ack:
        event = await chat.feedback(by.person, m.conversation, m.nonce, m.target, m.verdict, m.comment)
        return acked(m.nonce, event)

    async def mark(by: Caller, m: ReceiptMark) -> None:
        receipts.mark(by.person, m.conversation, delivered=m.delivered, read=m.read)

    async def acknowledge(by: Caller, m: AlarmAcknowledge) -> Ack:
        await alarms.acknowledge(by.person, m.alarm)
        return Ack(nonce=m.nonce)

    return {
        MessageSend: send,
        MessageEdit: edit,
        MessageRecall: recall,
        NoteAdd: note,
        ConversationAct: act,
        FeedbackGive: feedback,
        ReceiptMark: mark,
        AlarmAcknowledge: acknowledge,
    }


def chat_verbs(chat: Chat, inbox: Inbox, receipts: Receipts, alarms: Alarms) -> Mapping[type, Verb]:
    async def typing(visit: Visit, m: TypingSet) -> None:
        if not visit.follows(m.conversation):
            raise NotYours(ErrorCode.NOT_FOUND)
        chat.typing(visit.person, m.conversation, m.on)

    async def language(visit: Visit, m: LanguageSet) -> None:
        visit.speaks(m.language)

    async def history(visit: Visit, m: HistoryGet) -> HistoryPage:
        page = await chat.history(visit.person, m.conversation, after=m.after, before=m.before, limit=m.limit)
        return HistoryPage(
            nonce=m.nonce, conversation=m.conversation, events=page.events, last_seq=page.last_seq, more=page.more
        )

    async def follow(visit: Visit, m: ConversationOpen) -> None:
        await chat.state(visit.person, m.conversation)
        visit.subscribe(m.conversation)
        last_seq = (await chat.state(visit.person, m.conversation)).last_seq
        visit.send(Ack(nonce=m.nonce, conversation=m.conversation, seq=last_seq))
        visit.start(m.conversation, m.after, last_seq)
        visit.opened(m.conversation)

    async def unfollow(visit: Visit, m: ConversationLeave) -> None:
        visit.unsubscribe(m.conversation)

    async def watch(visit: Visit, m: InboxWatch) -> InboxListed:
        if not visit.person.staff:
            raise NotYours(ErrorCode.FORBIDDEN, "staff only")
        inbox.watched(visit)
        return InboxListed(nonce=m.nonce, items=tuple(await inbox.items(visit.person)))

    return {
        **plain_verbs(chat, receipts, alarms),
        TypingSet: typing,
        LanguageSet: language,
        HistoryGet: history,
        ConversationOpen: follow,
        ConversationLeave: unfollow,
        InboxWatch: watch,
    }

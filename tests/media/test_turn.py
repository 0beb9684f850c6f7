"""Laws of the turn machine, under whatever her voice, the engines and the gateway may do in any order."""

from collections import Counter
from dataclasses import dataclass, field
from functools import reduce

from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from media import turn_events as ev
from media.backchannel import is_backchannel, is_substantial
from media.endpointing import BLIND, LONGEST, Habits, completeness, delay
from media.turn import advance
from media.turn_state import Phase, Stage, Turn, joined
from media.voicing import Voicing

FRAME_S = 0.032
TEXTS = ["", "嗯", "对对", "等一下", "这个奶粉怎么冲", "多少钱", "I want the other one", "然后"]


@dataclass
class World:
    """Engines and mouth around the machine, driven by drawn numbers; checks the laws as it goes."""

    turn: Turn = field(default_factory=Turn)
    at: float = 0.0
    asked: Counter[tuple[int, int]] = field(default_factory=Counter)
    cut: Counter[tuple[int, int]] = field(default_factory=Counter)
    committed: list[tuple[int, int]] = field(default_factory=list)
    gone: set[tuple[int, int]] = field(default_factory=set)
    settled: Counter[int] = field(default_factory=Counter)
    open: list[int] = field(default_factory=list)
    ending: list[int] = field(default_factory=list)
    queue: list[tuple[tuple[int, int], bool]] = field(default_factory=list)
    paused: bool = False
    protected: set[int] = field(default_factory=set)
    audible: set[tuple[int, int]] = field(default_factory=set)

    def tell(self, event: ev.Event) -> None:
        self.turn, effects = advance(self.turn, event)
        for effect in effects:
            self.carry_out(effect)
        self.check()

    def carry_out(self, effect: ev.Effect) -> None:
        match effect:
            case ev.Listen(utterance):
                self.open.append(utterance)
            case ev.Finalize(utterance):
                assert utterance in self.open, "finalised what was not open"
                self.open.remove(utterance)
                self.ending.append(utterance)
            case ev.Forget(utterance):
                for list_ in (self.open, self.ending):
                    if utterance in list_:
                        list_.remove(utterance)
            case ev.AskReply(turn, revision):
                self.asked[turn, revision] += 1
                assert self.asked[turn, revision] == 1, "asked twice"
            case ev.Commit(turn, revision):
                assert (turn, revision) in self.asked
                assert (turn, revision) not in self.gone, "committed what was thrown away"
                assert all(r < revision for t, r in self.committed if t == turn), "an older revision committed"
                self.committed.append((turn, revision))
                self.queue.append(((turn, revision), False))
            case ev.Speak(turn, _, protected):
                self.queue.append(((turn, 0), protected))
                self.protected |= {turn} if protected else set()
            case ev.Drop(turn, revision) | ev.Cut(turn, revision):
                assert (turn, revision) not in self.gone, "interrupted twice"
                self.gone.add((turn, revision))
                self.queue = [item for item in self.queue if item[0] != (turn, revision)]
            case ev.Silence():
                self.queue, self.paused = [], False
                self.protected = set()
            case ev.Pause():
                self.paused = True
            case ev.Resume():
                self.paused = False
            case ev.Settle(turn, revision):
                self.settled[turn] += 1
                assert self.settled[turn] == 1, "settled twice"
                assert revision == -1 or (turn, revision) in self.audible, "settled on a reply she did not hear"
            case _:
                pass

    def check(self) -> None:
        heard = [key for key, protected in self.queue if not protected]
        assert not (heard and self.turn.phase is Phase.CUSTOMER_SPEAKING), "the assistant has words while she speaks"
        assert not (heard and self.turn.phase is Phase.LISTENING), "words on the way, and nobody knows"
        if self.turn.stage is Stage.HUSHED and not self.protected:
            assert self.paused, "hushed, but not silent"
        if self.turn.stage is Stage.NONE:
            assert not self.paused, "silent without a reason"
        if self.turn.stage is Stage.TALKED_OVER:
            assert self.turn.doubt, "nobody listens to what is talked over"
            assert not self.paused, "talked over, in silence"
        assert len(heard) <= 1
        if self.turn.phase is Phase.THINKING and not self.turn.reply and not self.turn.doubt:
            coming = {*self.open, *self.ending}
            assert any(u.id in coming for u in self.turn.utterances), "thinking of nothing"
        assert len(self.turn.later) <= 4

    # ------------------------------------------------------------ what happens

    def frames(self, count: int, speech: bool, onset: float = 0.0, level: float = -40.0) -> None:
        for _ in range(count):
            self.at += FRAME_S
            self.tell(ev.Frame(self.at, FRAME_S, float(speech), onset, level))
            onset += FRAME_S if onset else 0.0

    def words(self, text: str, final: bool) -> None:
        if final and self.ending:
            self.tell(ev.Final(self.at, self.ending.pop(0), text))
        elif not final and self.open + self.ending:
            self.tell(ev.Partial(self.at, (self.open + self.ending)[-1], text))

    def fails(self) -> None:
        """The recognizer gives up, in the middle of her speech or after it."""
        if self.open + self.ending:
            utterance = (self.open + self.ending)[0]
            (self.open if utterance in self.open else self.ending).remove(utterance)
            self.tell(ev.Final(self.at, utterance, ""))

    def sound(self, over: bool) -> None:
        """The mouth plays the first thing in its queue."""
        if not self.queue or self.paused:
            return
        key, protected = self.queue[0]
        self.audible.add(key)
        self.tell(ev.Audible(self.at, *key))
        if over and self.queue and self.queue[0][0] == key:
            self.queue.pop(0)
            self.protected.discard(key[0])
            self.tell(ev.Over(self.at, *key))


steps: SearchStrategy[tuple[str, int, str, bool]] = st.tuples(
    st.sampled_from(
        ["voice", "voice", "quiet", "quiet", "words", "words", "sound", "sound", "fails", "typed", "say", "order"]
    ),
    st.integers(1, 40),
    st.sampled_from(TEXTS),
    st.booleans(),
)


def live(script: list[tuple[str, int, str, bool]]) -> World:
    world = World()
    for what, count, text, flag in script:
        match what:
            case "voice" | "quiet":
                world.frames(count, what == "voice", 0.04 * flag, level=-50.0 + count)
            case "words":
                world.words(text, flag)
            case "sound":
                world.sound(flag)
            case "fails":
                world.fails()
            case "typed" if text:
                world.tell(ev.Typed(world.at, text))
            case "say" if text:
                world.tell(ev.Say(world.at, text, protected=flag))
            case "order":
                orders = (ev.Interrupt, ev.HandOver, ev.TakeBack)
                world.tell(orders[count % 3](world.at))
    return world


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=40))
def test_laws(script: list[tuple[str, int, str, bool]]) -> None:
    live(script)


@settings(max_examples=50, deadline=None)
@given(st.lists(steps, max_size=30))
@example([("typed", 1, "嗯", False), ("sound", 1, "", False), ("quiet", 1, "", True), ("order", 1, "", False)])
def test_it_always_comes_to_rest(script: list[tuple[str, int, str, bool]]) -> None:
    """Whatever happened: once she is silent and the engines have done their part, nothing is pending."""
    world = live(script)
    for _ in range(12):
        world.frames(60, speech=False)
        while world.ending:
            world.words("好的吗", final=True)
        while world.queue and not world.paused:
            world.sound(over=True)
    assert world.turn.phase is Phase.LISTENING
    assert not world.queue
    assert not world.open
    assert set(world.asked) <= world.gone | set(world.committed)


@settings(max_examples=50, deadline=None)
@given(st.lists(steps, max_size=30))
def test_hanging_up_settles_everything(script: list[tuple[str, int, str, bool]]) -> None:
    world = live(script)
    world.tell(ev.HangUp(world.at))
    assert not world.queue
    assert not world.open
    while world.ending:
        world.words("好的再见", final=True)
    assert world.turn.settled
    assert not world.queue


@settings(max_examples=50, deadline=None)
@given(st.lists(steps, max_size=30))
def test_closing_settles_everything_at_once(script: list[tuple[str, int, str, bool]]) -> None:
    world = live(script)
    world.tell(ev.Close(world.at))
    assert not world.queue
    assert not world.open
    assert world.turn.settled


@settings(max_examples=50, deadline=None)
@given(st.lists(steps, max_size=30))
def test_an_advisor_s_call_is_never_spoken_into(script: list[tuple[str, int, str, bool]]) -> None:
    world = World()
    world.tell(ev.HandOver(0.0))
    for what, count, text, flag in script:
        match what:
            case "voice" | "quiet":
                world.frames(count, what == "voice")
            case "words":
                world.words(text, flag)
            case "typed" if text:
                world.tell(ev.Typed(world.at, text))
            case "say" if text:
                world.tell(ev.Say(world.at, text))
    assert not world.asked
    assert not world.queue


def speaking() -> World:
    world = World()
    world.tell(ev.Typed(0.0, "问"))
    world.sound(over=False)
    return world


def test_a_click_hushes_once_and_then_the_room_is_known_to_be_noisy() -> None:
    world = speaking()
    world.frames(3, speech=False, onset=0.05)
    assert world.paused
    world.frames(10, speech=False)
    assert not world.paused
    world.frames(3, speech=False, onset=0.05)
    assert not world.paused
    assert world.turn.phase is Phase.ASSISTANT_SPEAKING


def test_steady_noise_is_no_onset() -> None:
    world = speaking()
    world.frames(100, speech=False, onset=0.5)
    assert not world.paused


def test_babble_is_talked_over_and_listened_to() -> None:
    world = speaking()
    world.frames(25, speech=True)
    assert world.paused
    world.words("", final=False)
    world.frames(10, speech=True)
    assert (world.turn.stage, world.paused) == (Stage.TALKED_OVER, False)
    world.words("等一下", final=False)
    assert world.turn.phase is Phase.CUSTOMER_SPEAKING


def test_babble_that_ends_cost_nothing() -> None:
    world = speaking()
    world.frames(25, speech=True)
    world.words("", final=False)
    world.frames(40, speech=True)
    world.frames(12, speech=False)
    world.words("", final=True)
    assert world.turn.phase is Phase.ASSISTANT_SPEAKING
    assert (world.turn.stage, world.queue, world.open) == (Stage.NONE, [((1, 0), False)], [])


def test_a_louder_voice_on_top_of_babble_hushes_again() -> None:
    for level, hushed in ((-30.0, True), (-39.0, False)):
        world = speaking()
        world.frames(25, speech=True, level=-40.0)
        world.words("", final=False)
        world.frames(10, speech=True, level=-40.0)
        assert world.turn.stage is Stage.TALKED_OVER
        world.frames(1, speech=True, level=level)
        assert world.paused is hushed


def test_who_insists_is_given_the_floor() -> None:
    world = speaking()
    world.frames(25, speech=True)
    world.words("", final=False)
    world.frames(140, speech=True)
    assert world.turn.phase is Phase.CUSTOMER_SPEAKING


def cut_by_voice_alone(world: World, frames: int) -> bool:
    """No recognizer has a word about it."""
    for _ in range(frames):
        world.frames(1, speech=True)
        if world.turn.doubt and world.turn.doubt.guessed and not world.turn.doubt.answered:
            world.tell(ev.Partial(world.at, world.turn.doubt.id, None))
    return world.turn.phase is Phase.CUSTOMER_SPEAKING


def doubtful_room() -> World:
    """Somebody has cut us, and had nothing to say; now we speak again."""
    world = speaking()
    assert cut_by_voice_alone(world, 16)
    world.frames(60, speech=False)
    world.words("", final=True)
    assert world.turn.phase is Phase.LISTENING
    return world


def test_after_voice_that_brought_no_words_voice_alone_must_last_longer() -> None:
    world = doubtful_room()
    world.tell(ev.Say(world.at, "答"))
    world.sound(over=False)
    assert not cut_by_voice_alone(world, 16)
    assert world.paused, "she must not wait for the silence"
    assert cut_by_voice_alone(world, 16)


def test_words_end_the_doubt_and_so_does_a_minute() -> None:
    for later, proof in ((0, True), (2000, False)):
        world = doubtful_room()
        world.frames(20, speech=proof)
        world.frames(60 + later, speech=False)
        if proof:
            world.words("多少钱", final=True)
            world.sound(over=True)
        world.tell(ev.Say(world.at, "答"))
        world.sound(over=False)
        assert cut_by_voice_alone(world, 16)


# ---------------------------------------------------------------- small judges


def test_backchannels_and_wishes() -> None:
    for text in ("嗯", "对对对", "好的", "嗯嗯好", "mm-hm", "Uh-huh.", "yeah, right"):
        assert is_backchannel(text), text
        assert not is_substantial(text), text
    for text in ("停", "等等", "不是", "我要转人工", "wait", "no", "好的但是", "what about size two"):
        assert is_substantial(text), text
    assert not is_substantial("")
    assert not is_backchannel("")


def test_delay_follows_completeness() -> None:
    done, unsure, dangling = (
        delay(text, Habits(), words_coming=False) for text in ("这个多少钱", "蓝色奶瓶", "我想问一下宝宝然后")
    )
    assert done < unsure <= dangling
    assert delay("", Habits(), words_coming=False) <= 0.25
    assert delay("", Habits(), words_coming=True) > delay("", Habits(), words_coming=False)


texts = st.text(max_size=30) | st.sampled_from(
    ("", "好", "蓝色奶瓶", "我想问一下", "my baby is", "这个奶粉怎么冲呢", "138")
)


@given(texts, texts, st.lists(st.floats(0.1, 2.0), max_size=9))
def test_likelier_whole_is_never_waited_for_longer(one: str, other: str, pauses: list[float]) -> None:
    habits = reduce(Habits.paused, pauses, Habits())
    whole, less = sorted((one, other), key=completeness, reverse=True)
    if whole and less:
        assert delay(whole, habits, words_coming=False) <= delay(less, habits, words_coming=False)


@given(texts, st.lists(st.floats(0.1, 1.2), min_size=2, max_size=20))
def test_it_waits_out_her_pauses_or_hardly_at_all(text: str, pauses: list[float]) -> None:
    """Anything in between costs everybody and saves nobody."""
    habits = reduce(Habits.paused, pauses, Habits())
    wait = delay(text, habits, words_coming=False)
    assert wait <= BLIND or wait == min(LONGEST, habits.longest)


def test_digits_being_dictated_are_waited_for() -> None:
    assert completeness("我的电话是138") < 0.3
    assert completeness("我的电话是 138 0013 8000") > 0.8
    assert completeness("幺三八零零") < 0.3


@given(st.text(max_size=30), st.floats(0, 3), st.integers(0, 9))
def test_delay_is_bounded(text: str, pause: float, seen: int) -> None:
    assert 0.15 <= delay(text, Habits(pause, seen), words_coming=False) <= LONGEST


@given(st.lists(st.floats(0.1, 2.0), min_size=5, max_size=20))
def test_a_slow_speaker_is_given_time(pauses: list[float]) -> None:
    habits = Habits()
    for pause in pauses:
        habits = habits.paused(pause)
    assert min(pauses) <= habits.pause + 1e-9
    assert habits.pause <= max(pauses) + 1e-9
    assert habits.spread <= max(pauses)
    assert delay("我想问一下", habits, words_coming=False) >= min(LONGEST, habits.pause)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 20)), max_size=20))
def test_voicing_counts_audio(runs: list[tuple[bool, int]]) -> None:
    voicing, at, voiced = Voicing(), 0.0, 0
    for speech, count in runs:
        for _ in range(count):
            at += 0.02
            voicing = voicing.hear(at, 0.02, float(speech))
            voiced += speech
    assert abs(voicing.voiced - voiced * 0.02) < 1e-6
    assert voicing.began <= voicing.ended or not voiced


def test_utterances_join_with_a_space_only_between_latin_words() -> None:
    assert joined(["我想", "", "买奶粉"]) == "我想买奶粉"
    assert joined(["no wait", "the other one"]) == "no wait the other one"

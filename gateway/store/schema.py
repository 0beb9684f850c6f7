"""The tables. Truth is `events`; everything derived from it (conversations, inbox) can be folded again.

Times are UTC ISO-8601 text with microseconds (sorts as text, the same in SQLite and PostgreSQL); money is fen.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(64)
AT = String(32)

# ---------------------------------------------------------------- the shop

chains = Table("chains", metadata, Column("id", ID, primary_key=True), Column("name", String(200), nullable=False))

stores = Table(
    "stores",
    metadata,
    Column("id", ID, primary_key=True),
    Column("chain", ID, ForeignKey("chains.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("name_en", String(200), nullable=False, default=""),
    Column("city", String(100), nullable=False, default=""),
    Column("address", String(300), nullable=False, default=""),
    Column("address_en", String(300), nullable=False, default=""),
    Column("phone", String(40), nullable=False, default=""),
    Column("zone", String(60), nullable=False, default="Asia/Shanghai"),
    Column("hours", JSON, nullable=False),  # {"mon": [["09:00", "21:00"]], …}
    Column("voice", JSON, nullable=False, default=dict),  # voice profile: voice, speed, greeting
    Column("rules", JSON, nullable=False, default=dict),  # handoff rules of this store
)

people = Table(
    "people",
    metadata,
    Column("id", ID, primary_key=True),
    Column("chain", ID, ForeignKey("chains.id"), nullable=False),
    Column("role", String(20), nullable=False),  # customer | advisor | manager
    Column("store", ID, ForeignKey("stores.id")),
    Column("name", String(200), nullable=False),
    Column("external_id", String(200)),  # the shop's own id of a customer
    Column("member", JSON, nullable=False, default=dict),  # level, points, phone_tail
    Column("guest", Boolean, nullable=False, default=False),
    Column("on_duty", Boolean, nullable=False, default=False),
    Column("language", String(5), nullable=False, default="zh"),
    Column("created_at", AT, nullable=False),
    UniqueConstraint("chain", "external_id"),
    CheckConstraint("role IN ('customer', 'advisor', 'manager')", name="role"),
)

babies = Table(
    "babies",
    metadata,
    Column("id", ID, primary_key=True),
    Column("customer", ID, ForeignKey("people.id"), nullable=False, index=True),
    Column("name", String(100), nullable=False),
    Column("born_on", String(10), nullable=False),  # a date; the age is computed when shown
    Column("sex", String(10), nullable=False, default=""),
)

products = Table(
    "products",
    metadata,
    Column("id", ID, primary_key=True),
    Column("chain", ID, ForeignKey("chains.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("name_en", String(200), nullable=False, default=""),
    Column("category", String(60), nullable=False),
    Column("stage", Integer),  # formula stage 1..4; 1 and 2 are never pushed
    Column("price_fen", Integer, nullable=False),
    Column("facts", JSON, nullable=False, default=dict),  # label facts, zh and en
    Column("stock", JSON, nullable=False, default=dict),  # {store id: pieces}
)

promotions = Table(
    "promotions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("chain", ID, ForeignKey("chains.id"), nullable=False),
    Column("store", ID, ForeignKey("stores.id")),
    Column("title", String(200), nullable=False),
    Column("title_en", String(200), nullable=False, default=""),
    Column("terms", Text, nullable=False),
    Column("terms_en", Text, nullable=False, default=""),
    Column("starts_on", String(10), nullable=False),
    Column("ends_on", String(10), nullable=False),
)

orders = Table(
    "orders",
    metadata,
    Column("id", ID, primary_key=True),
    Column("customer", ID, ForeignKey("people.id"), nullable=False, index=True),
    Column("store", ID, ForeignKey("stores.id"), nullable=False),
    Column("state", String(40), nullable=False),
    Column("lines", JSON, nullable=False),
    Column("carrier", String(60), nullable=False, default=""),
    Column("tracking", String(60), nullable=False, default=""),
    Column("placed_at", AT, nullable=False),
    Column("eta", String(40), nullable=False, default=""),
)

appointments = Table(
    "appointments",
    metadata,
    Column("id", ID, primary_key=True),
    Column("customer", ID, ForeignKey("people.id"), nullable=False, index=True),
    Column("store", ID, ForeignKey("stores.id"), nullable=False),
    Column("advisor", ID, ForeignKey("people.id")),
    Column("what", String(60), nullable=False),  # video, swim, touch, visit
    Column("starts_at", AT, nullable=False),
    Column("state", String(20), nullable=False),  # booked, changed, cancelled, done
    Column("created_at", AT, nullable=False),
)

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation", ID, nullable=False, index=True),
    Column("customer", ID, ForeignKey("people.id"), nullable=False),
    Column("store", ID, ForeignKey("stores.id"), nullable=False),
    Column("due_at", AT, nullable=False),
    Column("message", Text, nullable=False, default=""),
    Column("state", String(20), nullable=False, default="open"),  # open, done
    Column("created_at", AT, nullable=False),
)

# ---------------------------------------------------------------- who is signed in

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),  # SHA-256; the token itself is never stored
    Column("person", ID, ForeignKey("people.id"), nullable=False, index=True),
    Column("created_at", AT, nullable=False),
    Column("expires_at", AT, nullable=False),
)

sign_in_codes = Table(
    "sign_in_codes",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("person", ID, ForeignKey("people.id"), nullable=False),
    Column("expires_at", AT, nullable=False),
    Column("used_at", AT),
)

audit = Table(
    "audit",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("at", AT, nullable=False),
    Column("person", ID, nullable=False),
    Column("act", String(60), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("why", String(300), nullable=False, default=""),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

# ---------------------------------------------------------------- conversations

conversations = Table(
    "conversations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("chain", ID, ForeignKey("chains.id"), nullable=False),
    Column("store", ID, ForeignKey("stores.id"), nullable=False),
    Column("customer", ID, ForeignKey("people.id"), nullable=False, unique=True),  # one lasting thread each
    Column("last_seq", Integer, nullable=False, default=0),
    Column("epoch", Integer, nullable=False, default=0),  # ownership epoch
    Column("owner", String(20), nullable=False, default="assistant"),  # assistant | advisor
    # What follows is the fold of the log, kept for lists.
    Column("state", String(20), nullable=False, default="with_assistant"),
    Column("assignee", ID, ForeignKey("people.id")),
    Column("waiting_since", AT),
    Column("handoff_reason", String(40)),
    Column("red_flag", String(10)),
    Column("call", ID),
    Column("last_message", Integer, nullable=False, default=0),  # seq of the newest message.sent
    Column("last_text", String(200), nullable=False, default=""),
    Column("last_at", AT),
    Column("created_at", AT, nullable=False),
    Index("ix_conversations_inbox", "store", "state", "waiting_since"),
)

EDITED = text("kind = 'message.edited'")
"""As text: a partial index is used only where the condition is spelled out."""

events = Table(
    "events",
    metadata,
    Column("conversation", ID, ForeignKey("conversations.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("sender", ID, nullable=False),
    Column("role", String(20), nullable=False),
    Column("ai", Boolean, nullable=False, default=False),
    Column("epoch", Integer, nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("body_hash", String(64), nullable=False),
    Column("body", JSON),
    Column("data", JSON, nullable=False, default=dict),
    Column("at", AT, nullable=False),
    UniqueConstraint("conversation", "sender", "nonce"),
    # The law: what the assistant writes is labelled; no path can create an unlabelled one.
    CheckConstraint("role <> 'assistant' OR ai", name="assistant_is_labelled"),
    CheckConstraint("seq > 0", name="seq_from_one"),
    # What a message says now is its last edit: few rows, asked for by every search and recall.
    Index("ix_events_edits", "conversation", "seq", sqlite_where=EDITED, postgresql_where=EDITED),
)

search_terms = Table(
    "search_terms",
    metadata,
    # Character bigrams (CJK) and words (Latin) of each message: the same index on both databases.
    # Beginnings are found as a range, so terms sort by bytes whatever the database's locale.
    Column("term", String(40).with_variant(String(40, collation="C"), "postgresql"), primary_key=True),
    Column("conversation", ID, primary_key=True),
    Column("seq", Integer, primary_key=True),
    sqlite_with_rowid=False,
)

outbox = Table(
    "outbox",
    metadata,
    # Written in the transaction of the event it announces; emptied once handed to webhooks and channels.
    Column("n", Integer, primary_key=True),
    Column("conversation", ID, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("created_at", AT, nullable=False),
)

receipts = Table(
    "receipts",
    metadata,
    Column("conversation", ID, primary_key=True),
    Column("party", ID, primary_key=True),
    Column("delivered", Integer, nullable=False, default=0),
    Column("read", Integer, nullable=False, default=0),
)

files = Table(
    "files",
    metadata,
    Column("id", ID, primary_key=True),
    Column("owner", ID, ForeignKey("people.id"), nullable=False, index=True),
    Column("conversation", ID, ForeignKey("conversations.id"), nullable=False, index=True),
    Column("purpose", String(20), nullable=False),  # image | file | voice
    Column("state", String(20), nullable=False),  # uploading | ready | sent | recalled | refused
    Column("name", String(200), nullable=False, default=""),
    Column("media_type", String(100), nullable=False, default=""),
    Column("size", Integer, nullable=False, default=0),
    Column("received", Integer, nullable=False, default=0),
    Column("seq", Integer),  # the message it was sent in
    Column("facts", JSON, nullable=False, default=dict),  # width, height, preview, duration_ms, waveform
    Column("created_at", AT, nullable=False),
    Index("ix_files_conversation_seq", "conversation", "seq"),
)

# ---------------------------------------------------------------- calls

calls = Table(
    "calls",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation", ID, ForeignKey("conversations.id"), nullable=False, index=True),
    Column("gateway", ID, nullable=False),
    Column("epoch", Integer, nullable=False, default=0),
    Column("media", String(10), nullable=False),
    Column("style", String(20), nullable=False, default="browser"),
    Column("state", String(20), nullable=False),
    Column("advisor", ID),
    Column("reason", String(40)),
    Column("started_at", AT, nullable=False),
    Column("connected_at", AT),
    Column("ended_at", AT),
    Column("waterfall", JSON, nullable=False, default=dict),
    Column("stats", JSON, nullable=False, default=dict),
    # {role: the fact its words so far would make}: what a crash would take along
    Column("half_said", JSON, nullable=False, default=dict, server_default="{}"),
)

turns = Table(
    "turns",
    metadata,
    Column("call", ID, ForeignKey("calls.id"), primary_key=True),
    Column("turn", Integer, primary_key=True),
    Column("parts_ms", JSON, nullable=False),
    Column("response_ms", Float, nullable=False),
    Column("at", AT, nullable=False),
)

# ---------------------------------------------------------------- knowledge and teaching

entries = Table(
    "entries",
    metadata,
    Column("id", ID, primary_key=True),
    Column("chain", ID, ForeignKey("chains.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("category", String(20), nullable=False),  # shopping | parenting | logistics | appointment | promotion
    Column("store", ID, ForeignKey("stores.id")),
    Column("question", String(300), nullable=False),
    Column("question_en", String(300), nullable=False, default=""),
    Column("phrasings", JSON, nullable=False, default=list),
    Column("answer", Text, nullable=False),
    Column("answer_en", Text, nullable=False, default=""),
    Column("valid_from", String(10)),
    Column("valid_to", String(10)),
    Column("source", String(300), nullable=False, default=""),
    Column("sensitive", Boolean, nullable=False, default=False),
    Column("live", Boolean, nullable=False, default=True),
    Column("updated_at", AT, nullable=False),
)

entry_versions = Table(
    "entry_versions",
    metadata,
    Column("entry", ID, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("content", JSON, nullable=False),
    Column("by", ID, nullable=False),
    Column("at", AT, nullable=False),
)

unanswered = Table(
    "unanswered",
    metadata,
    Column("id", ID, primary_key=True),
    Column("chain", ID, ForeignKey("chains.id"), nullable=False),
    Column("conversation", ID, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("question", Text, nullable=False),
    Column("why", String(40), nullable=False),  # low_confidence | miss | handoff | thumbs_down | complaint
    Column("comment", Text, nullable=False, default=""),  # of the complaint
    Column("cluster", ID, nullable=False, index=True),
    Column("draft", Text, nullable=False, default=""),
    Column("state", String(20), nullable=False, default="open"),  # open | answered | dismissed
    Column("entry", ID),
    Column("created_at", AT, nullable=False),
)

golden_questions = Table(
    "golden_questions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("chain", ID, ForeignKey("chains.id"), nullable=False),
    Column("question", Text, nullable=False),
    Column("expect", ID),
    Column("tags", JSON, nullable=False, default=list),
)

scores = Table(
    "scores",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("chain", ID, ForeignKey("chains.id"), nullable=False),
    Column("at", AT, nullable=False),
    Column("totals", JSON, nullable=False),
)

alarms = Table(
    "alarms",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation", ID, ForeignKey("conversations.id"), nullable=False, index=True),
    Column("seq", Integer, nullable=False),
    Column("sign", String(10), nullable=False),
    Column("action", String(20), nullable=False),
    Column("raised_at", AT, nullable=False),
    Column("told", JSON, nullable=False, default=list),
    Column("acknowledged_by", ID),
    Column("acknowledged_at", AT),
    Column("cleared_by", ID),
    Column("cleared_at", AT),
)

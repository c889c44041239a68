"""The tables of the memory service. Times are microseconds since 1970."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from antiphon_server.runtime.storage.partial_index import partial_index
from antiphon_server.runtime.trail.outbox import outbox_table

metadata = MetaData()

# Each change within a scope has the next revision, so whoever knows the scope up to one finds what
# has changed since. Whoever changes something there holds this row until the commit.
scopes = Table(
    "memory_scopes",
    metadata,
    Column("scope", String(96), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("kept", Integer, nullable=False),  # of its memories, so many say something still
)

memories = Table(
    "memory_memories",
    metadata,
    Column("memory_id", String(80), primary_key=True),
    Column("scope", String(96), nullable=False),
    Column("revision", BigInteger, nullable=False),  # of the scope, at its newest change
    Column("kind", Integer, nullable=False),
    Column("state", Integer, nullable=False),
    Column("subject", String(160), nullable=False),  # whom it is about; empty: nobody
    Column("version", Integer, nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Column("expire_us", BigInteger, nullable=True),
    # Of what says the same the digest is the same; empty of what is not in use.
    Column("same", LargeBinary(32), nullable=False),
    Column("body", LargeBinary, nullable=False),  # the rest of the contract's Memory, serialised
    Index("memory_memories_changed", "scope", "revision"),
    Index("memory_memories_of_scope", "scope", "memory_id"),
    Index("memory_memories_about", "subject", "memory_id"),
    Index("memory_memories_same", "scope", "same"),
    Index("memory_memories_expiring", "expire_us"),
)

versions = Table(
    "memory_versions",
    metadata,
    Column("memory_id", String(80), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("create_us", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # what it was
)

requests = Table(
    "memory_requests",
    metadata,
    Column("actor", String(160), primary_key=True),
    Column("request_id", String(64), primary_key=True),
    # Of what it said; empty once that is forgotten, so that nobody guesses it.
    Column("digest", LargeBinary(32), nullable=False),
    Column("memory_id", String(80), nullable=False),
    Column("merged", Boolean, nullable=False),  # into one that was there
    Column("create_us", BigInteger, nullable=False),
    Index("memory_requests_by_time", "create_us"),
    Index("memory_requests_of_memory", "memory_id"),
)

assemblies = Table(
    "memory_assemblies",
    metadata,
    # Clients choose turns' ids, which are unique in a conversation alone.
    Column("turn_id", String(80), primary_key=True),
    Column("conversation_id", String(80), primary_key=True),
    Column("create_us", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # what was shown, without texts
    Index("memory_assemblies_by_time", "create_us"),
    Index("memory_assemblies_of_conversation", "conversation_id"),
)

# What search has made of messages and memories, so that it is not made again. What was forgotten
# keeps its row for some days, without a digest: a server that was just making its vectors must not
# add them after that.
vectors = Table(
    "memory_vectors",
    metadata,
    Column("place", String(112), primary_key=True),  # a partition of the index
    Column("document_id", String(80), primary_key=True),
    Column("model", String(80), nullable=False),
    Column("digest", LargeBinary(16), nullable=False),  # of the text
    Column("packed", LargeBinary, nullable=False),
    Column("forget_us", BigInteger, nullable=True),
)
partial_index("memory_vectors_forgotten", vectors.c.forget_us, where="forget_us IS NOT NULL")

vector_places = Table(
    "memory_vector_places",
    metadata,
    Column("place", String(112), primary_key=True),
    Column("use_us", BigInteger, nullable=False),  # of its last use, to some hours
    Index("memory_vector_places_by_use", "use_us"),
)

# How far each conversation's log was read for facts.
extracted = Table(
    "memory_extracted",
    metadata,
    Column("conversation_id", String(80), primary_key=True),
    Column("cursor", Text, nullable=False),
)

# Until when a server reads a conversation for facts alone, as a model is asked that is paid for.
claims = Table(
    "memory_claims",
    metadata,
    Column("conversation_id", String(80), primary_key=True),
    Column("until_us", BigInteger, nullable=False),
)

# What rules know of a memory that they have put, to find what is said again, or contradicted.
facts = Table(
    "memory_facts",
    metadata,
    Column("memory_id", String(80), primary_key=True),
    Column("scope", String(96), nullable=False),
    Column("topic", String(200), nullable=False),
    Column("value", String(200), nullable=False),
    Column("hold", String(16), nullable=False),
    Column("valid_until_us", BigInteger, nullable=False),  # 0: not said
    Index("memory_facts_by_topic", "scope", "topic"),
)

# Which memories come from a message: the sources of each, to be found by them.
sources = Table(
    "memory_sources",
    metadata,
    Column("memory_id", String(80), primary_key=True),
    Column("conversation_id", String(80), primary_key=True),
    Column("message_id", String(80), primary_key=True),
    Index("memory_sources_by_message", "conversation_id", "message_id"),
)

# Messages of which nothing is remembered any more, as long as somebody may have read them before.
# Who puts what comes from a conversation holds its row without a message until the commit.
erased_sources = Table(
    "memory_erased_sources",
    metadata,
    Column("conversation_id", String(80), primary_key=True),
    Column("message_id", String(80), primary_key=True),
    Column("create_us", BigInteger, nullable=False),
    Index("memory_erased_sources_by_time", "create_us"),
)

# By which rule a scope is pruned each day.
retentions = Table(
    "memory_retentions",
    metadata,
    Column("scope", String(96), primary_key=True),
    Column("body", LargeBinary, nullable=False),  # the contract's Retention, serialised
    Column("due_us", BigInteger, nullable=False),
    Index("memory_retentions_due", "due_us"),
)

trail_outbox = outbox_table("memory_audit_outbox", metadata)

# Whoever changes a scope's entities holds this row until the commit.
entity_scopes = Table(
    "memory_entity_scopes",
    metadata,
    Column("scope", String(96), primary_key=True),
    Column("changes", BigInteger, nullable=False),
)

# What was merged keeps its own names and mentions, so that it can be taken apart again: it only
# points to what it is the same as, and to the one at the end of such pointers.
entities = Table(
    "memory_entities",
    metadata,
    Column("entity_id", String(80), primary_key=True),
    Column("scope", String(96), nullable=False),
    Column("root_id", String(80), nullable=False),
    Column("merged_into", String(80), nullable=False),
    Column("merger", String(160), nullable=False),
    Column("merge_us", BigInteger, nullable=False),
    Column("type", Integer, nullable=False),
    Column("state", Integer, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("origin", Integer, nullable=False),
    Column("creator", String(160), nullable=False),
    Column("updater", String(160), nullable=False),
    Column("etag", String(64), nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Column("update_us", BigInteger, nullable=False),
    Index("memory_entities_of_scope", "scope", "entity_id"),
    Index("memory_entities_of_root", "root_id"),
)

# A name that no person gave is there as long as there is a mention by it.
entity_names = Table(
    "memory_entity_names",
    metadata,
    Column("entity_id", String(80), primary_key=True),
    Column("key", String(200), primary_key=True),  # what its spellings have in common
    Column("scope", String(96), nullable=False),
    Column("name", Text, nullable=False),
    Column("first", Boolean, nullable=False),  # before its aliases
    Column("by_person", Boolean, nullable=False),
    Index("memory_entity_names_by_key", "scope", "key"),
)

mentions = Table(
    "memory_entity_mentions",
    metadata,
    Column("mention_id", String(80), primary_key=True),
    Column("scope", String(96), nullable=False),
    Column("entity_id", String(80), nullable=False),
    Column("key", String(200), nullable=False),
    Column("name", Text, nullable=False),
    # A message's stretch, in code points, or else a memory.
    Column("conversation_id", String(80), nullable=False),
    Column("message_id", String(80), nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("memory_id", String(80), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Index("memory_entity_mentions_of_entity", "entity_id", "mention_id"),
    Index(
        "memory_entity_mentions_once",
        "conversation_id",
        "message_id",
        "memory_id",
        "scope",
        "start",
        "key",
        unique=True,
    ),
    Index("memory_entity_mentions_by_memory", "memory_id"),
)

# Names that a person has taken away: rules make no entity of them again.
barred_names = Table(
    "memory_entity_barred",
    metadata,
    Column("scope", String(96), primary_key=True),
    Column("digest", LargeBinary(32), primary_key=True),
)

# A conversation's working notes. Who changes some holds this row until the commit.
whiteboards = Table(
    "memory_whiteboards",
    metadata,
    Column("conversation_id", String(80), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("kept", Boolean, nullable=False),
    Column("life_us", BigInteger, nullable=False),  # when it was begun
    Column("expire_us", BigInteger, nullable=True),
    Index("memory_whiteboards_by_expiry", "expire_us"),
)

sections = Table(
    "memory_sections",
    metadata,
    Column("conversation_id", String(80), primary_key=True),
    Column("key", String(160), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("text", LargeBinary, nullable=False),  # UTF-8: Postgres' texts hold no NUL
    Column("version", BigInteger, nullable=False),
    Column("writer", String(160), nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Column("update_us", BigInteger, nullable=False),
)

section_versions = Table(
    "memory_section_versions",
    metadata,
    Column("conversation_id", String(80), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("key", String(160), nullable=False),
    Column("name", String(80), nullable=False),
    Column("text", LargeBinary, nullable=False),
    Column("writer", String(160), nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Column("update_us", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Index("memory_section_versions_by_key", "conversation_id", "key", "version"),
)

whiteboard_requests = Table(
    "memory_whiteboard_requests",
    metadata,
    Column("key", String(64), primary_key=True),  # of whose it is, and its id
    Column("digest", LargeBinary(32), nullable=False),
    Column("conversation_id", String(80), nullable=False),
    Column("name", String(80), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("etag", String(64), nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Index("memory_whiteboard_requests_by_time", "create_us"),
)

# Changes of whiteboards that their conversations' logs were not told yet.
whiteboard_outbox = outbox_table("memory_whiteboard_outbox", metadata)

# How far each conversation's log was read for summaries. What is before the block is complete; of
# the block so many messages are known, of so many characters, the last one said then.
summary_places = Table(
    "memory_summary_places",
    metadata,
    Column("conversation_id", String(80), primary_key=True),
    Column("cursor", Text, nullable=False),
    Column("block", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("last_us", BigInteger, nullable=False),
)

# The messages of blocks; nothing of what they say.
summary_messages = Table(
    "memory_summary_messages",
    metadata,
    Column("conversation_id", String(80), primary_key=True),
    Column("message_id", String(80), primary_key=True),
    Column("block", Integer, nullable=False),
    Column("place", Integer, nullable=False),  # in its block
    Column("turn_id", String(80), nullable=False),
    Index("memory_summary_messages_of_block", "conversation_id", "block", "place"),
)

summaries = Table(
    "memory_summaries",
    metadata,
    Column("conversation_id", String(80), primary_key=True),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", Integer, nullable=False),  # 0: to be made, 1: an extract, 2: a model's
    # Another one each time that it is made, or that what it is of has changed.
    Column("revision", BigInteger, nullable=False),
    Column("retry_us", BigInteger, nullable=False),  # no model is asked sooner
    Column("tries", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),  # the contract's Summary, serialised
    Index("memory_summaries_by_state", "state", "conversation_id", "level", "number"),
)

# Memories of others, by the connections that they are called by: which store each is, and which
# server tells it. With another ``generation`` it is told everything anew.
externals = Table(
    "memory_externals",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("store_id", String(64), nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("owner", String(160), nullable=False),
    Column("lease_us", BigInteger, nullable=False),
)

# Up to which revision of each scope one was told.
external_cursors = Table(
    "memory_external_cursors",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("scope", String(96), primary_key=True),
    Column("revision", BigInteger, nullable=False),
)

# What one was told to forget, and has not said yet to be gone.
external_forgets = Table(
    "memory_external_forgets",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("memory_id", String(80), primary_key=True),
    Column("scope", String(96), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("told_us", BigInteger, nullable=False),
    Column("asked", Integer, nullable=False),
    Column("next_us", BigInteger, nullable=False),
    Index("memory_external_forgets_due", "name", "next_us"),
)

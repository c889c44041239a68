CREATE TABLE memory_assemblies (
	turn_id VARCHAR(80) NOT NULL,
	conversation_id VARCHAR(80) NOT NULL,
	create_us BIGINT NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (turn_id, conversation_id)
);
CREATE INDEX memory_assemblies_by_time ON memory_assemblies (create_us);
CREATE INDEX memory_assemblies_of_conversation ON memory_assemblies (conversation_id);
CREATE TABLE memory_audit_outbox (
	place INTEGER NOT NULL,
	entry_id VARCHAR(80) NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (place),
	UNIQUE (entry_id)
);
CREATE TABLE memory_claims (
	conversation_id VARCHAR(80) NOT NULL,
	until_us BIGINT NOT NULL,
	PRIMARY KEY (conversation_id)
);
CREATE TABLE memory_entities (
	entity_id VARCHAR(80) NOT NULL,
	scope VARCHAR(96) NOT NULL,
	root_id VARCHAR(80) NOT NULL,
	merged_into VARCHAR(80) NOT NULL,
	merger VARCHAR(160) NOT NULL,
	merge_us BIGINT NOT NULL,
	type INTEGER NOT NULL,
	state INTEGER NOT NULL,
	confidence FLOAT NOT NULL,
	origin INTEGER NOT NULL,
	creator VARCHAR(160) NOT NULL,
	updater VARCHAR(160) NOT NULL,
	etag VARCHAR(64) NOT NULL,
	create_us BIGINT NOT NULL,
	update_us BIGINT NOT NULL,
	PRIMARY KEY (entity_id)
);
CREATE INDEX memory_entities_of_root ON memory_entities (root_id);
CREATE INDEX memory_entities_of_scope ON memory_entities (scope, entity_id);
CREATE TABLE memory_entity_barred (
	scope VARCHAR(96) NOT NULL,
	digest BLOB NOT NULL,
	PRIMARY KEY (scope, digest)
);
CREATE TABLE memory_entity_mentions (
	mention_id VARCHAR(80) NOT NULL,
	scope VARCHAR(96) NOT NULL,
	entity_id VARCHAR(80) NOT NULL,
	"key" VARCHAR(200) NOT NULL,
	name TEXT NOT NULL,
	conversation_id VARCHAR(80) NOT NULL,
	message_id VARCHAR(80) NOT NULL,
	start INTEGER NOT NULL,
	"end" INTEGER NOT NULL,
	memory_id VARCHAR(80) NOT NULL,
	confidence FLOAT NOT NULL,
	create_us BIGINT NOT NULL,
	PRIMARY KEY (mention_id)
);
CREATE INDEX memory_entity_mentions_by_memory ON memory_entity_mentions (memory_id);
CREATE INDEX memory_entity_mentions_of_entity ON memory_entity_mentions (entity_id, mention_id);
CREATE UNIQUE INDEX memory_entity_mentions_once ON memory_entity_mentions (conversation_id, message_id, memory_id, scope, start, "key");
CREATE TABLE memory_entity_names (
	entity_id VARCHAR(80) NOT NULL,
	"key" VARCHAR(200) NOT NULL,
	scope VARCHAR(96) NOT NULL,
	name TEXT NOT NULL,
	first BOOLEAN NOT NULL,
	by_person BOOLEAN NOT NULL,
	PRIMARY KEY (entity_id, "key")
);
CREATE INDEX memory_entity_names_by_key ON memory_entity_names (scope, "key");
CREATE TABLE memory_entity_scopes (
	scope VARCHAR(96) NOT NULL,
	changes BIGINT NOT NULL,
	PRIMARY KEY (scope)
);
CREATE TABLE memory_erased_sources (
	conversation_id VARCHAR(80) NOT NULL,
	message_id VARCHAR(80) NOT NULL,
	create_us BIGINT NOT NULL,
	PRIMARY KEY (conversation_id, message_id)
);
CREATE INDEX memory_erased_sources_by_time ON memory_erased_sources (create_us);
CREATE TABLE memory_external_cursors (
	name VARCHAR(64) NOT NULL,
	scope VARCHAR(96) NOT NULL,
	revision BIGINT NOT NULL,
	PRIMARY KEY (name, scope)
);
CREATE TABLE memory_external_forgets (
	name VARCHAR(64) NOT NULL,
	memory_id VARCHAR(80) NOT NULL,
	scope VARCHAR(96) NOT NULL,
	revision BIGINT NOT NULL,
	told_us BIGINT NOT NULL,
	asked INTEGER NOT NULL,
	next_us BIGINT NOT NULL,
	PRIMARY KEY (name, memory_id)
);
CREATE INDEX memory_external_forgets_due ON memory_external_forgets (name, next_us);
CREATE TABLE memory_externals (
	name VARCHAR(64) NOT NULL,
	store_id VARCHAR(64) NOT NULL,
	generation BIGINT NOT NULL,
	owner VARCHAR(160) NOT NULL,
	lease_us BIGINT NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE memory_extracted (
	conversation_id VARCHAR(80) NOT NULL,
	cursor TEXT NOT NULL,
	PRIMARY KEY (conversation_id)
);
CREATE TABLE memory_facts (
	memory_id VARCHAR(80) NOT NULL,
	scope VARCHAR(96) NOT NULL,
	topic VARCHAR(200) NOT NULL,
	value VARCHAR(200) NOT NULL,
	hold VARCHAR(16) NOT NULL,
	valid_until_us BIGINT NOT NULL,
	PRIMARY KEY (memory_id)
);
CREATE INDEX memory_facts_by_topic ON memory_facts (scope, topic);
CREATE TABLE memory_memories (
	memory_id VARCHAR(80) NOT NULL,
	scope VARCHAR(96) NOT NULL,
	revision BIGINT NOT NULL,
	kind INTEGER NOT NULL,
	state INTEGER NOT NULL,
	subject VARCHAR(160) NOT NULL,
	version INTEGER NOT NULL,
	create_us BIGINT NOT NULL,
	expire_us BIGINT,
	same BLOB NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (memory_id)
);
CREATE INDEX memory_memories_about ON memory_memories (subject, memory_id);
CREATE INDEX memory_memories_changed ON memory_memories (scope, revision);
CREATE INDEX memory_memories_expiring ON memory_memories (expire_us);
CREATE INDEX memory_memories_of_scope ON memory_memories (scope, memory_id);
CREATE INDEX memory_memories_same ON memory_memories (scope, same);
CREATE TABLE memory_requests (
	actor VARCHAR(160) NOT NULL,
	request_id VARCHAR(64) NOT NULL,
	digest BLOB NOT NULL,
	memory_id VARCHAR(80) NOT NULL,
	merged BOOLEAN NOT NULL,
	create_us BIGINT NOT NULL,
	PRIMARY KEY (actor, request_id)
);
CREATE INDEX memory_requests_by_time ON memory_requests (create_us);
CREATE INDEX memory_requests_of_memory ON memory_requests (memory_id);
CREATE TABLE memory_retentions (
	scope VARCHAR(96) NOT NULL,
	body BLOB NOT NULL,
	due_us BIGINT NOT NULL,
	PRIMARY KEY (scope)
);
CREATE INDEX memory_retentions_due ON memory_retentions (due_us);
CREATE TABLE memory_scopes (
	scope VARCHAR(96) NOT NULL,
	revision BIGINT NOT NULL,
	kept INTEGER NOT NULL,
	PRIMARY KEY (scope)
);
CREATE TABLE memory_section_versions (
	conversation_id VARCHAR(80) NOT NULL,
	version BIGINT NOT NULL,
	"key" VARCHAR(160) NOT NULL,
	name VARCHAR(80) NOT NULL,
	text BLOB NOT NULL,
	writer VARCHAR(160) NOT NULL,
	create_us BIGINT NOT NULL,
	update_us BIGINT NOT NULL,
	deleted BOOLEAN NOT NULL,
	PRIMARY KEY (conversation_id, version)
);
CREATE INDEX memory_section_versions_by_key ON memory_section_versions (conversation_id, "key", version);
CREATE TABLE memory_sections (
	conversation_id VARCHAR(80) NOT NULL,
	"key" VARCHAR(160) NOT NULL,
	name VARCHAR(80) NOT NULL,
	text BLOB NOT NULL,
	version BIGINT NOT NULL,
	writer VARCHAR(160) NOT NULL,
	create_us BIGINT NOT NULL,
	update_us BIGINT NOT NULL,
	PRIMARY KEY (conversation_id, "key")
);
CREATE TABLE memory_sources (
	memory_id VARCHAR(80) NOT NULL,
	conversation_id VARCHAR(80) NOT NULL,
	message_id VARCHAR(80) NOT NULL,
	PRIMARY KEY (memory_id, conversation_id, message_id)
);
CREATE INDEX memory_sources_by_message ON memory_sources (conversation_id, message_id);
CREATE TABLE memory_summaries (
	conversation_id VARCHAR(80) NOT NULL,
	level INTEGER NOT NULL,
	number INTEGER NOT NULL,
	state INTEGER NOT NULL,
	revision BIGINT NOT NULL,
	retry_us BIGINT NOT NULL,
	tries INTEGER NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (conversation_id, level, number)
);
CREATE INDEX memory_summaries_by_state ON memory_summaries (state, conversation_id, level, number);
CREATE TABLE memory_summary_messages (
	conversation_id VARCHAR(80) NOT NULL,
	message_id VARCHAR(80) NOT NULL,
	block INTEGER NOT NULL,
	place INTEGER NOT NULL,
	turn_id VARCHAR(80) NOT NULL,
	PRIMARY KEY (conversation_id, message_id)
);
CREATE INDEX memory_summary_messages_of_block ON memory_summary_messages (conversation_id, block, place);
CREATE TABLE memory_summary_places (
	conversation_id VARCHAR(80) NOT NULL,
	cursor TEXT NOT NULL,
	block INTEGER NOT NULL,
	count INTEGER NOT NULL,
	size BIGINT NOT NULL,
	last_us BIGINT NOT NULL,
	PRIMARY KEY (conversation_id)
);
CREATE TABLE memory_vector_places (
	place VARCHAR(112) NOT NULL,
	use_us BIGINT NOT NULL,
	PRIMARY KEY (place)
);
CREATE INDEX memory_vector_places_by_use ON memory_vector_places (use_us);
CREATE TABLE memory_vectors (
	place VARCHAR(112) NOT NULL,
	document_id VARCHAR(80) NOT NULL,
	model VARCHAR(80) NOT NULL,
	digest BLOB NOT NULL,
	packed BLOB NOT NULL,
	forget_us BIGINT,
	PRIMARY KEY (place, document_id)
);
CREATE INDEX memory_vectors_forgotten ON memory_vectors (forget_us) WHERE forget_us IS NOT NULL;
CREATE TABLE memory_versions (
	memory_id VARCHAR(80) NOT NULL,
	version INTEGER NOT NULL,
	create_us BIGINT NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (memory_id, version)
);
CREATE TABLE memory_whiteboard_outbox (
	place INTEGER NOT NULL,
	entry_id VARCHAR(80) NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (place),
	UNIQUE (entry_id)
);
CREATE TABLE memory_whiteboard_requests (
	"key" VARCHAR(64) NOT NULL,
	digest BLOB NOT NULL,
	conversation_id VARCHAR(80) NOT NULL,
	name VARCHAR(80) NOT NULL,
	version BIGINT NOT NULL,
	etag VARCHAR(64) NOT NULL,
	create_us BIGINT NOT NULL,
	PRIMARY KEY ("key")
);
CREATE INDEX memory_whiteboard_requests_by_time ON memory_whiteboard_requests (create_us);
CREATE TABLE memory_whiteboards (
	conversation_id VARCHAR(80) NOT NULL,
	version BIGINT NOT NULL,
	kept BOOLEAN NOT NULL,
	life_us BIGINT NOT NULL,
	expire_us BIGINT,
	PRIMARY KEY (conversation_id)
);
CREATE INDEX memory_whiteboards_by_expiry ON memory_whiteboards (expire_us);

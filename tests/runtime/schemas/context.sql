CREATE TABLE context_anomaly_trail_outbox (
	place INTEGER NOT NULL,
	entry_id VARCHAR(80) NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (place),
	UNIQUE (entry_id)
);
CREATE TABLE context_audit_outbox (
	place INTEGER NOT NULL,
	entry_id VARCHAR(80) NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (place),
	UNIQUE (entry_id)
);
CREATE TABLE context_conversations (
	conversation_id VARCHAR(80) NOT NULL,
	workspace_id VARCHAR(80) NOT NULL,
	title VARCHAR(256) NOT NULL,
	turn_policy INTEGER NOT NULL,
	models TEXT NOT NULL,
	instructions TEXT NOT NULL,
	create_us BIGINT NOT NULL,
	archive_us BIGINT,
	version INTEGER NOT NULL, activity_us BIGINT DEFAULT '0' NOT NULL, max_output_tokens INTEGER DEFAULT 0 NOT NULL, tools TEXT DEFAULT '[]' NOT NULL, labels TEXT DEFAULT '{}' NOT NULL, language VARCHAR(64) DEFAULT '' NOT NULL, title_author VARCHAR(160) DEFAULT '' NOT NULL,
	PRIMARY KEY (conversation_id)
);
CREATE INDEX context_conversations_by_activity ON context_conversations (workspace_id, activity_us, conversation_id);
CREATE INDEX context_conversations_by_workspace ON context_conversations (workspace_id, create_us, conversation_id);
CREATE INDEX context_conversations_unnoted ON context_conversations (conversation_id) WHERE activity_us = 0;
CREATE TABLE context_detector_changes (
	one INTEGER NOT NULL,
	changes BIGINT NOT NULL,
	PRIMARY KEY (one)
);
CREATE TABLE context_detectors (
	parent VARCHAR(80) NOT NULL,
	revision BIGINT NOT NULL,
	rule_count SMALLINT NOT NULL,
	rules BLOB NOT NULL,
	creator VARCHAR(128) NOT NULL,
	created_us BIGINT NOT NULL,
	comment VARCHAR(256) NOT NULL,
	PRIMARY KEY (parent, revision)
);
CREATE TABLE context_erasure_tasks (
	resource VARCHAR(96) NOT NULL,
	create_us BIGINT NOT NULL,
	done_us BIGINT NOT NULL,
	claimed_until_us BIGINT NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (resource)
);
CREATE INDEX context_erasure_tasks_in_turn ON context_erasure_tasks (done_us, claimed_until_us, create_us);
CREATE TABLE context_erasures (
	erasure_id VARCHAR(80) NOT NULL,
	conversation_id VARCHAR(80) NOT NULL,
	create_us BIGINT NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (erasure_id)
);
CREATE INDEX ix_context_erasures_conversation_id ON context_erasures (conversation_id);
CREATE TABLE context_filter_changes (
	one INTEGER NOT NULL,
	changes BIGINT NOT NULL,
	PRIMARY KEY (one)
);
CREATE TABLE context_filter_trail_outbox (
	place INTEGER NOT NULL,
	entry_id VARCHAR(80) NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (place),
	UNIQUE (entry_id)
);
CREATE TABLE context_filters (
	parent VARCHAR(80) NOT NULL,
	revision BIGINT NOT NULL,
	rule_count SMALLINT NOT NULL,
	rules BLOB NOT NULL,
	creator VARCHAR(128) NOT NULL,
	created_us BIGINT NOT NULL,
	comment VARCHAR(256) NOT NULL,
	PRIMARY KEY (parent, revision)
);
CREATE TABLE context_flags (
	flag_id VARCHAR(80) NOT NULL,
	parent VARCHAR(80) NOT NULL,
	subject VARCHAR(160) NOT NULL,
	open_key VARCHAR(320) NOT NULL,
	effect SMALLINT NOT NULL,
	effect_end_us BIGINT NOT NULL,
	cleared_us BIGINT NOT NULL,
	changed_us BIGINT NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (flag_id),
	UNIQUE (open_key)
);
CREATE INDEX context_flags_biting ON context_flags (effect, effect_end_us);
CREATE INDEX context_flags_by_parent ON context_flags (parent, changed_us, flag_id);
CREATE INDEX context_flags_by_subject ON context_flags (subject, changed_us, flag_id);
CREATE INDEX context_flags_cleared ON context_flags (cleared_us);
CREATE INDEX context_flags_newest ON context_flags (changed_us, flag_id);
CREATE TABLE context_members (
	resource VARCHAR(80) NOT NULL,
	user_id VARCHAR(80) NOT NULL,
	role INTEGER NOT NULL,
	create_us BIGINT NOT NULL,
	of_workspace BOOLEAN NOT NULL,
	resource_create_us BIGINT NOT NULL, resource_activity_us BIGINT DEFAULT '0' NOT NULL,
	PRIMARY KEY (resource, user_id)
);
CREATE INDEX context_members_by_activity ON context_members (user_id, of_workspace, resource_activity_us, resource);
CREATE INDEX context_members_by_user ON context_members (user_id, of_workspace, resource_create_us, resource);
CREATE INDEX context_members_unnoted ON context_members (resource) WHERE resource_activity_us = 0;
CREATE TABLE context_messages (
	conversation_id VARCHAR(80) NOT NULL,
	log_offset BIGINT NOT NULL,
	message_id VARCHAR(80) NOT NULL,
	role INTEGER NOT NULL,
	author VARCHAR(160) NOT NULL,
	turn_id VARCHAR(80) NOT NULL,
	truncated BOOLEAN NOT NULL,
	rolled_back BOOLEAN NOT NULL,
	create_us BIGINT NOT NULL,
	tokens INTEGER NOT NULL,
	text_bytes INTEGER NOT NULL,
	size_bytes INTEGER NOT NULL,
	messages_so_far INTEGER NOT NULL,
	tokens_so_far BIGINT NOT NULL,
	content BLOB NOT NULL, erased BOOLEAN DEFAULT false NOT NULL,
	PRIMARY KEY (conversation_id, log_offset)
);
CREATE INDEX context_messages_by_author ON context_messages (author, conversation_id, log_offset);
CREATE INDEX context_messages_by_id ON context_messages (conversation_id, message_id);
CREATE INDEX context_messages_by_turn ON context_messages (conversation_id, turn_id);
CREATE INDEX context_messages_in_context ON context_messages (conversation_id, rolled_back, log_offset);
CREATE TABLE context_notices (
	notice_id VARCHAR(80) NOT NULL,
	text TEXT NOT NULL,
	publish_us BIGINT NOT NULL,
	expire_us BIGINT NOT NULL,
	withdraw_us BIGINT,
	end_us BIGINT NOT NULL,
	PRIMARY KEY (notice_id)
);
CREATE INDEX ix_context_notices_end_us ON context_notices (end_us);
CREATE TABLE context_outbox (
	place INTEGER NOT NULL,
	entry_id VARCHAR(80) NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (place),
	UNIQUE (entry_id)
);
CREATE TABLE context_outbox_set_aside (
	place INTEGER NOT NULL,
	outbox VARCHAR(80) NOT NULL,
	entry_id VARCHAR(80) NOT NULL,
	body BLOB NOT NULL,
	why VARCHAR(64) NOT NULL,
	set_aside_us BIGINT NOT NULL,
	PRIMARY KEY (place),
	UNIQUE (entry_id)
);
CREATE TABLE context_projections (
	conversation_id VARCHAR(80) NOT NULL,
	cursor VARCHAR(256) NOT NULL,
	trimmed_offset BIGINT NOT NULL,
	PRIMARY KEY (conversation_id)
);
CREATE TABLE context_requests (
	actor VARCHAR(160) NOT NULL,
	request_id VARCHAR(64) NOT NULL,
	digest BLOB NOT NULL,
	kind VARCHAR(16) NOT NULL,
	answer BLOB NOT NULL,
	create_us BIGINT NOT NULL, conversation_id VARCHAR(80) DEFAULT '' NOT NULL,
	PRIMARY KEY (actor, request_id)
);
CREATE INDEX context_requests_by_time ON context_requests (create_us);
CREATE INDEX context_requests_of_conversations ON context_requests (conversation_id) WHERE kind = 'conversation';
CREATE TABLE context_said (
	node_id VARCHAR(80) NOT NULL,
	number BIGINT NOT NULL,
	told_us BIGINT NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (node_id, number)
);
CREATE INDEX context_said_newest ON context_said (told_us);
CREATE TABLE context_screening_log_outbox (
	place INTEGER NOT NULL,
	entry_id VARCHAR(80) NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (place),
	UNIQUE (entry_id)
);
CREATE TABLE context_screenings (
	screening_id VARCHAR(80) NOT NULL,
	workspace_id VARCHAR(80) NOT NULL,
	author VARCHAR(160) NOT NULL,
	action INTEGER NOT NULL,
	body BLOB NOT NULL,
	created_us BIGINT NOT NULL,
	PRIMARY KEY (screening_id)
);
CREATE INDEX context_screenings_by_author ON context_screenings (author, created_us, screening_id);
CREATE INDEX context_screenings_by_workspace ON context_screenings (workspace_id, created_us, screening_id);
CREATE INDEX context_screenings_newest ON context_screenings (created_us, screening_id);
CREATE TABLE context_workspaces (
	workspace_id VARCHAR(80) NOT NULL,
	display_name VARCHAR(128) NOT NULL,
	create_us BIGINT NOT NULL,
	archive_us BIGINT,
	version INTEGER NOT NULL,
	PRIMARY KEY (workspace_id)
);

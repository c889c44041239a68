CREATE TABLE dispatcher_deliveries (
	webhook_id VARCHAR(80) NOT NULL,
	notification_id VARCHAR(80) NOT NULL,
	host VARCHAR(300) NOT NULL,
	created_us BIGINT NOT NULL,
	body BLOB NOT NULL,
	state SMALLINT NOT NULL,
	attempts INTEGER NOT NULL,
	outcome SMALLINT NOT NULL,
	status SMALLINT NOT NULL,
	attempt_us BIGINT,
	next_us BIGINT,
	claim VARCHAR(80) NOT NULL, again_us BIGINT,
	PRIMARY KEY (webhook_id, notification_id)
);
CREATE INDEX dispatcher_deliveries_backlog ON dispatcher_deliveries (webhook_id) WHERE next_us IS NOT NULL;
CREATE INDEX dispatcher_deliveries_due ON dispatcher_deliveries (next_us) WHERE next_us IS NOT NULL;
CREATE INDEX dispatcher_deliveries_listed ON dispatcher_deliveries (webhook_id, created_us, notification_id);
CREATE INDEX dispatcher_deliveries_old ON dispatcher_deliveries (created_us);
CREATE TABLE dispatcher_handoffs (
	handoff_id VARCHAR(96) NOT NULL,
	conversation_id VARCHAR(80) NOT NULL,
	workspace_id VARCHAR(80) NOT NULL,
	turn_id VARCHAR(80) NOT NULL,
	created_us BIGINT NOT NULL,
	item BLOB NOT NULL,
	PRIMARY KEY (handoff_id, conversation_id)
);
CREATE INDEX dispatcher_handoffs_queued ON dispatcher_handoffs (workspace_id, created_us, handoff_id);
CREATE TABLE dispatcher_lanes (
	conversation_id VARCHAR(80) NOT NULL,
	node VARCHAR(128) NOT NULL,
	PRIMARY KEY (conversation_id)
);
CREATE INDEX dispatcher_lanes_by_node ON dispatcher_lanes (node);
CREATE TABLE dispatcher_notes (
	notification_id VARCHAR(80) NOT NULL,
	created_us BIGINT NOT NULL,
	creator VARCHAR(128) NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (notification_id)
);
CREATE INDEX dispatcher_notes_left ON dispatcher_notes (created_us);
CREATE TABLE dispatcher_route_changes (
	one INTEGER NOT NULL,
	changes BIGINT NOT NULL,
	PRIMARY KEY (one)
);
CREATE TABLE dispatcher_route_trail_outbox (
	place INTEGER NOT NULL,
	entry_id VARCHAR(80) NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (place),
	UNIQUE (entry_id)
);
CREATE TABLE dispatcher_routes (
	parent VARCHAR(80) NOT NULL,
	revision BIGINT NOT NULL,
	rule_count SMALLINT NOT NULL,
	rules BLOB NOT NULL,
	creator VARCHAR(128) NOT NULL,
	created_us BIGINT NOT NULL,
	comment VARCHAR(256) NOT NULL,
	PRIMARY KEY (parent, revision)
);
CREATE TABLE dispatcher_schedule_runs (
	conversation_id VARCHAR(80) NOT NULL,
	schedule_id VARCHAR(80) NOT NULL,
	due_us BIGINT NOT NULL,
	run_us BIGINT NOT NULL,
	outcome SMALLINT NOT NULL,
	turn_id VARCHAR(80) NOT NULL,
	error VARCHAR(64) NOT NULL,
	skipped BIGINT NOT NULL, run_conversation_id VARCHAR(80) DEFAULT '' NOT NULL, paused BOOLEAN DEFAULT 0 NOT NULL, untold_us BIGINT,
	PRIMARY KEY (conversation_id, schedule_id, due_us)
);
CREATE INDEX dispatcher_schedule_runs_untold ON dispatcher_schedule_runs (untold_us);
CREATE TABLE dispatcher_schedule_trail_outbox (
	place INTEGER NOT NULL,
	entry_id VARCHAR(80) NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (place),
	UNIQUE (entry_id)
);
CREATE TABLE dispatcher_schedules (
	conversation_id VARCHAR(80) NOT NULL,
	schedule_id VARCHAR(80) NOT NULL,
	workspace_id VARCHAR(80) NOT NULL,
	creator VARCHAR(128) NOT NULL,
	created_us BIGINT NOT NULL,
	life VARCHAR(80) NOT NULL,
	body BLOB NOT NULL,
	at_us BIGINT,
	cron VARCHAR(256) NOT NULL,
	time_zone VARCHAR(64) NOT NULL,
	missed SMALLINT NOT NULL,
	paused BOOLEAN NOT NULL,
	api_keys TEXT NOT NULL,
	etag VARCHAR(80) NOT NULL,
	next_us BIGINT,
	last_us BIGINT,
	last_turn_id VARCHAR(80) NOT NULL,
	last_error VARCHAR(64) NOT NULL,
	failures SMALLINT NOT NULL, last_conversation_id VARCHAR(80) DEFAULT '' NOT NULL,
	PRIMARY KEY (conversation_id, schedule_id)
);
CREATE INDEX dispatcher_schedules_creator ON dispatcher_schedules (creator);
CREATE INDEX dispatcher_schedules_due ON dispatcher_schedules (next_us, conversation_id, schedule_id);
CREATE INDEX dispatcher_schedules_workspace ON dispatcher_schedules (workspace_id);
CREATE TABLE dispatcher_trail_outbox (
	place INTEGER NOT NULL,
	entry_id VARCHAR(80) NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (place),
	UNIQUE (entry_id)
);
CREATE TABLE dispatcher_turns (
	turn_id VARCHAR(80) NOT NULL,
	conversation_id VARCHAR(80) NOT NULL,
	creator VARCHAR(128) NOT NULL,
	created_us BIGINT NOT NULL,
	digest BLOB NOT NULL,
	workspace_id VARCHAR(80) NOT NULL,
	state SMALLINT NOT NULL,
	attempt INTEGER NOT NULL,
	at_once BOOLEAN NOT NULL,
	started_us BIGINT NOT NULL,
	ended_us BIGINT NOT NULL,
	has_reply BOOLEAN NOT NULL,
	order_json BLOB NOT NULL,
	content BLOB NOT NULL,
	outcome_json BLOB NOT NULL,
	node VARCHAR(128) NOT NULL,
	lease_until_us BIGINT NOT NULL, cursor VARCHAR(256) DEFAULT '' NOT NULL, cancel_requested BOOLEAN DEFAULT 0 NOT NULL, api_keys VARCHAR(800) DEFAULT '' NOT NULL, worker_parent VARCHAR(80) DEFAULT '' NOT NULL, worker_deployment VARCHAR(64) DEFAULT '' NOT NULL, worker_version VARCHAR(64) DEFAULT '' NOT NULL, fell_back BOOLEAN DEFAULT false NOT NULL, returned VARCHAR(180) DEFAULT '' NOT NULL, chosen VARCHAR(200) DEFAULT '' NOT NULL,
	PRIMARY KEY (turn_id, conversation_id)
);
CREATE INDEX dispatcher_turns_listed ON dispatcher_turns (conversation_id, created_us, turn_id);
CREATE INDEX dispatcher_turns_newest ON dispatcher_turns (created_us);
CREATE INDEX dispatcher_turns_of_version ON dispatcher_turns (worker_parent, worker_deployment, worker_version) WHERE state < 4 AND worker_deployment <> '';
CREATE INDEX dispatcher_turns_open ON dispatcher_turns (lease_until_us) WHERE state < 4;
CREATE TABLE dispatcher_webhook_trail_outbox (
	place INTEGER NOT NULL,
	entry_id VARCHAR(80) NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (place),
	UNIQUE (entry_id)
);
CREATE TABLE dispatcher_webhooks (
	webhook_id VARCHAR(80) NOT NULL,
	owner VARCHAR(128) NOT NULL,
	creator VARCHAR(128) NOT NULL,
	created_us BIGINT NOT NULL,
	said BLOB NOT NULL,
	secrets BLOB NOT NULL,
	etag VARCHAR(80) NOT NULL,
	disabled SMALLINT NOT NULL,
	failing_us BIGINT, full_us BIGINT, dropped BIGINT DEFAULT '0' NOT NULL,
	PRIMARY KEY (webhook_id)
);
CREATE INDEX dispatcher_webhooks_owner ON dispatcher_webhooks (owner);
CREATE TABLE dispatcher_worker_permission_version (
	one INTEGER NOT NULL,
	version BIGINT NOT NULL,
	PRIMARY KEY (one)
);
CREATE TABLE dispatcher_worker_permissions (
	parent VARCHAR(80) NOT NULL,
	handler VARCHAR(64) NOT NULL,
	user_id VARCHAR(80) NOT NULL,
	created_us BIGINT NOT NULL,
	creator VARCHAR(128) NOT NULL,
	PRIMARY KEY (parent, handler, user_id)
);
CREATE TABLE dispatcher_worker_rollouts (
	parent VARCHAR(80) NOT NULL,
	deployment VARCHAR(64) NOT NULL,
	current_version VARCHAR(64) NOT NULL,
	ramping_version VARCHAR(64) NOT NULL,
	ramping_percent SMALLINT NOT NULL,
	PRIMARY KEY (parent, deployment)
);
CREATE TABLE dispatcher_worker_version_changes (
	one INTEGER NOT NULL,
	changes BIGINT NOT NULL,
	PRIMARY KEY (one)
);
CREATE TABLE dispatcher_worker_versions (
	parent VARCHAR(80) NOT NULL,
	deployment VARCHAR(64) NOT NULL,
	version VARCHAR(64) NOT NULL,
	number BIGINT NOT NULL,
	first_seen_us BIGINT NOT NULL,
	seen_us BIGINT NOT NULL,
	PRIMARY KEY (parent, deployment, version)
);
CREATE INDEX dispatcher_worker_versions_seen ON dispatcher_worker_versions (seen_us);

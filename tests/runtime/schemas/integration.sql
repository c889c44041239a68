CREATE TABLE integration_bookings (
	call_id VARCHAR(40) NOT NULL,
	budget_id VARCHAR(40) NOT NULL,
	subject VARCHAR(160) NOT NULL,
	start_us BIGINT NOT NULL,
	counted SMALLINT NOT NULL,
	reserved BIGINT NOT NULL,
	spent BIGINT NOT NULL,
	PRIMARY KEY (call_id, budget_id)
)
 WITHOUT ROWID

;
CREATE INDEX integration_bookings_open ON integration_bookings (call_id) WHERE reserved > 0;
CREATE TABLE integration_budget_version (
	one INTEGER NOT NULL,
	version BIGINT NOT NULL,
	PRIMARY KEY (one)
);
CREATE TABLE integration_budget_windows (
	budget_id VARCHAR(40) NOT NULL,
	subject VARCHAR(160) NOT NULL,
	start_us BIGINT NOT NULL,
	spent BIGINT NOT NULL,
	reserved BIGINT NOT NULL,
	warned BOOLEAN NOT NULL, made_us BIGINT DEFAULT 0 NOT NULL,
	PRIMARY KEY (budget_id, subject, start_us)
)
 WITHOUT ROWID

;
CREATE INDEX integration_budget_windows_by_start ON integration_budget_windows (budget_id, start_us, made_us);
CREATE TABLE integration_budgets (
	parent VARCHAR(80) NOT NULL,
	name VARCHAR(64) NOT NULL,
	budget_id VARCHAR(40) NOT NULL,
	scope SMALLINT NOT NULL,
	subject VARCHAR(160) NOT NULL,
	span SMALLINT NOT NULL,
	time_zone VARCHAR(64) NOT NULL,
	counted SMALLINT NOT NULL,
	currency VARCHAR(3) NOT NULL,
	targets TEXT NOT NULL,
	most BIGINT NOT NULL,
	when_exceeded SMALLINT NOT NULL,
	warn_percent SMALLINT NOT NULL,
	created_us BIGINT NOT NULL,
	updated_us BIGINT NOT NULL, made_us BIGINT DEFAULT 0 NOT NULL,
	PRIMARY KEY (parent, name)
);
CREATE TABLE integration_calls (
	call_id VARCHAR(40) NOT NULL,
	owner VARCHAR(128) NOT NULL,
	workspace_id VARCHAR(80) NOT NULL,
	conversation_id VARCHAR(80) NOT NULL,
	turn_id VARCHAR(80) NOT NULL,
	model VARCHAR(128) NOT NULL,
	start_us BIGINT NOT NULL,
	outcome SMALLINT,
	duration_ms BIGINT NOT NULL,
	input_tokens BIGINT NOT NULL,
	output_tokens BIGINT NOT NULL,
	estimated BOOLEAN NOT NULL,
	currency VARCHAR(3),
	cost_micros BIGINT,
	error_reason VARCHAR(64) NOT NULL, kind SMALLINT DEFAULT 1 NOT NULL, provider_status INTEGER DEFAULT 0 NOT NULL, provider_message VARCHAR(500) DEFAULT '' NOT NULL, cached_tokens BIGINT DEFAULT 0 NOT NULL, cache_write_tokens BIGINT DEFAULT 0 NOT NULL, reasoning_tokens BIGINT DEFAULT 0 NOT NULL, audio_input_tokens BIGINT DEFAULT 0 NOT NULL, audio_output_tokens BIGINT DEFAULT 0 NOT NULL, cached_audio_tokens BIGINT DEFAULT 0 NOT NULL, user_id VARCHAR(80) DEFAULT '' NOT NULL, input_rate BIGINT DEFAULT 0 NOT NULL, output_rate BIGINT DEFAULT 0 NOT NULL, most_output BIGINT DEFAULT 0 NOT NULL, api_key_id VARCHAR(80) DEFAULT '' NOT NULL,
	PRIMARY KEY (call_id)
)
 WITHOUT ROWID

;
CREATE INDEX integration_calls_by_time ON integration_calls (workspace_id, start_us, call_id);
CREATE INDEX integration_calls_open ON integration_calls (owner) WHERE outcome IS NULL;
CREATE TABLE integration_connections (
	workspace_id VARCHAR(80) NOT NULL,
	name VARCHAR(64) NOT NULL,
	record BLOB NOT NULL,
	etag VARCHAR(64) NOT NULL,
	created_us BIGINT NOT NULL, document BLOB,
	PRIMARY KEY (workspace_id, name)
);
CREATE TABLE integration_egress_rules (
	workspace_id VARCHAR(80) NOT NULL,
	hosts BLOB NOT NULL,
	etag VARCHAR(64) NOT NULL,
	PRIMARY KEY (workspace_id)
);
CREATE TABLE integration_secret_keys (
	key_id VARCHAR(64) NOT NULL,
	sealed BLOB NOT NULL,
	created_us BIGINT NOT NULL,
	PRIMARY KEY (key_id)
);
CREATE TABLE integration_secrets (
	workspace_id VARCHAR(80) NOT NULL,
	name VARCHAR(64) NOT NULL,
	key_id VARCHAR(64) NOT NULL,
	wrapped_key BLOB NOT NULL,
	sealed BLOB NOT NULL,
	created_us BIGINT NOT NULL,
	updated_us BIGINT NOT NULL,
	PRIMARY KEY (workspace_id, name)
);
CREATE INDEX ix_integration_secrets_key_id ON integration_secrets (key_id);
CREATE TABLE integration_switches (
	target VARCHAR(200) NOT NULL,
	open BOOLEAN NOT NULL,
	number INTEGER NOT NULL,
	PRIMARY KEY (target)
);
CREATE TABLE integration_tool_pins (
	workspace_id VARCHAR(80) NOT NULL,
	tool VARCHAR(128) NOT NULL,
	sha256 BLOB NOT NULL,
	definition TEXT NOT NULL,
	PRIMARY KEY (workspace_id, tool)
);
CREATE TABLE integration_tool_results (
	conversation_id VARCHAR(80) NOT NULL,
	tool_call_id VARCHAR(80) NOT NULL,
	part SMALLINT NOT NULL,
	workspace_id VARCHAR(80) NOT NULL,
	created_us BIGINT NOT NULL,
	kind VARCHAR(8) NOT NULL,
	media_type VARCHAR(128) NOT NULL,
	size BIGINT NOT NULL,
	data BLOB NOT NULL, attempt INTEGER DEFAULT '0' NOT NULL,
	PRIMARY KEY (conversation_id, tool_call_id, part)
);
CREATE INDEX integration_tool_results_age ON integration_tool_results (workspace_id, created_us, tool_call_id, size);
CREATE TABLE integration_tool_rules (
	workspace_id VARCHAR(80) NOT NULL,
	tool VARCHAR(128) NOT NULL,
	rule SMALLINT NOT NULL, price_currency VARCHAR(3), price_micros BIGINT,
	PRIMARY KEY (workspace_id, tool)
)
 WITHOUT ROWID

;
CREATE TABLE integration_trail_outbox (
	place INTEGER NOT NULL,
	entry_id VARCHAR(80) NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (place),
	UNIQUE (entry_id)
);

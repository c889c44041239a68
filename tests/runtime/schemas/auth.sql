CREATE TABLE auth_api_keys (
	key_id VARCHAR(80) NOT NULL,
	user_id VARCHAR(80) NOT NULL,
	label VARCHAR(64) NOT NULL,
	secret_hash BLOB NOT NULL,
	create_time BIGINT NOT NULL,
	expire_time BIGINT,
	last_use_time BIGINT, last_address VARCHAR(64) DEFAULT '' NOT NULL, scopes VARCHAR(128), parent_key_id VARCHAR(80),
	PRIMARY KEY (key_id),
	UNIQUE (secret_hash)
);
CREATE INDEX auth_api_keys_by_user ON auth_api_keys (user_id, create_time, key_id);
CREATE TABLE auth_attempts (
	"key" VARCHAR(64) NOT NULL,
	guesses INTEGER NOT NULL,
	window_end BIGINT NOT NULL,
	PRIMARY KEY ("key")
);
CREATE INDEX auth_attempts_by_end ON auth_attempts (window_end);
CREATE TABLE auth_counters (
	name VARCHAR(64) NOT NULL,
	value BIGINT NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE auth_device_logins (
	device_hash BLOB NOT NULL,
	user_hash BLOB NOT NULL,
	device VARCHAR(128) NOT NULL,
	address VARCHAR(64) NOT NULL,
	create_time BIGINT NOT NULL,
	expire_time BIGINT NOT NULL,
	interval BIGINT NOT NULL,
	ask_time BIGINT NOT NULL,
	state INTEGER NOT NULL,
	user_id VARCHAR(80),
	password_version INTEGER, session_id VARCHAR(80), opened VARCHAR(80),
	PRIMARY KEY (device_hash),
	UNIQUE (user_hash)
);
CREATE INDEX auth_device_logins_by_end ON auth_device_logins (expire_time);
CREATE TABLE auth_endings (
	position BIGINT NOT NULL,
	session_id VARCHAR(80) NOT NULL,
	end_time BIGINT NOT NULL,
	PRIMARY KEY (position)
);
CREATE INDEX auth_endings_by_time ON auth_endings (end_time);
CREATE TABLE auth_identities (
	provider VARCHAR(64) NOT NULL,
	issuer VARCHAR(1024) NOT NULL,
	subject VARCHAR(255) NOT NULL,
	user_id VARCHAR(80) NOT NULL,
	create_time BIGINT NOT NULL,
	last_use_time BIGINT,
	PRIMARY KEY (issuer, subject)
);
CREATE INDEX auth_identities_by_user ON auth_identities (user_id, create_time);
CREATE TABLE auth_password_resets (
	user_id VARCHAR(80) NOT NULL,
	token_hash BLOB NOT NULL,
	password_version INTEGER NOT NULL,
	expire_time BIGINT NOT NULL, api_keys BOOLEAN DEFAULT 0 NOT NULL,
	PRIMARY KEY (user_id),
	UNIQUE (token_hash)
);
CREATE INDEX auth_password_resets_by_end ON auth_password_resets (expire_time);
CREATE TABLE auth_places (
	subject VARCHAR(128) NOT NULL,
	address VARCHAR(64) NOT NULL,
	last_time BIGINT NOT NULL,
	PRIMARY KEY (subject, address)
);
CREATE INDEX auth_places_by_time ON auth_places (subject, last_time);
CREATE TABLE auth_profiles (
	user_id VARCHAR(80) NOT NULL,
	workspace_id VARCHAR(80) NOT NULL,
	locale VARCHAR(64) NOT NULL,
	time_zone VARCHAR(64) NOT NULL,
	call_name VARCHAR(64) NOT NULL,
	preferences TEXT NOT NULL,
	fields TEXT NOT NULL,
	etag VARCHAR(64) NOT NULL,
	update_time BIGINT NOT NULL,
	PRIMARY KEY (user_id, workspace_id)
);
CREATE TABLE auth_requests (
	principal VARCHAR(128) NOT NULL,
	request_id VARCHAR(64) NOT NULL,
	digest BLOB NOT NULL,
	response BLOB NOT NULL,
	create_time BIGINT NOT NULL,
	PRIMARY KEY (principal, request_id)
);
CREATE INDEX auth_requests_by_time ON auth_requests (create_time);
CREATE TABLE auth_security_events (
	sequence BIGINT NOT NULL,
	kind INTEGER NOT NULL,
	user_id VARCHAR(80) NOT NULL,
	actor VARCHAR(128) NOT NULL,
	create_time BIGINT NOT NULL,
	body BLOB NOT NULL,
	previous_hash BLOB NOT NULL,
	hash BLOB NOT NULL, seal BLOB DEFAULT '' NOT NULL,
	PRIMARY KEY (sequence)
);
CREATE INDEX auth_security_events_by_actor ON auth_security_events (actor, sequence);
CREATE INDEX auth_security_events_by_kind ON auth_security_events (kind, sequence);
CREATE INDEX auth_security_events_by_time ON auth_security_events (create_time);
CREATE INDEX auth_security_events_by_user ON auth_security_events (user_id, sequence);
CREATE TRIGGER auth_security_events_no_delete BEFORE DELETE ON auth_security_events BEGIN SELECT RAISE(ABORT, 'security events are only ever added'); END;
CREATE TRIGGER auth_security_events_no_update BEFORE UPDATE ON auth_security_events BEGIN SELECT RAISE(ABORT, 'security events are only ever added'); END;
CREATE TABLE auth_sessions (
	session_id VARCHAR(80) NOT NULL,
	user_id VARCHAR(80) NOT NULL,
	device VARCHAR(128) NOT NULL,
	api_key_id VARCHAR(80),
	create_time BIGINT NOT NULL,
	last_use_time BIGINT NOT NULL,
	expire_time BIGINT NOT NULL,
	final_expire_time BIGINT NOT NULL,
	generation INTEGER NOT NULL,
	refresh_hash BLOB NOT NULL,
	previous_hash BLOB,
	rotate_time BIGINT NOT NULL,
	end_time BIGINT,
	announced BOOLEAN NOT NULL, method INTEGER DEFAULT '0' NOT NULL, provider VARCHAR(64) DEFAULT '' NOT NULL, first_address VARCHAR(64) DEFAULT '' NOT NULL, last_address VARCHAR(64) DEFAULT '' NOT NULL, scopes VARCHAR(128),
	PRIMARY KEY (session_id)
);
CREATE INDEX auth_sessions_by_announced ON auth_sessions (announced);
CREATE INDEX auth_sessions_by_end ON auth_sessions (end_time);
CREATE INDEX auth_sessions_by_expiry ON auth_sessions (expire_time);
CREATE INDEX auth_sessions_by_key ON auth_sessions (api_key_id);
CREATE INDEX auth_sessions_by_user ON auth_sessions (user_id, create_time, session_id);
CREATE INDEX auth_sessions_unended ON auth_sessions (expire_time) WHERE end_time IS NULL;
CREATE TABLE auth_signing_keys (
	kid VARCHAR(64) NOT NULL,
	public_key BLOB NOT NULL,
	sealed_private_key BLOB NOT NULL,
	create_time BIGINT NOT NULL,
	retire_time BIGINT,
	PRIMARY KEY (kid)
);
CREATE TABLE auth_users (
	user_id VARCHAR(80) NOT NULL,
	name VARCHAR(64) NOT NULL,
	display_name VARCHAR(128) NOT NULL,
	operator BOOLEAN NOT NULL,
	password_hash TEXT,
	create_time BIGINT NOT NULL, kind INTEGER DEFAULT '1' NOT NULL, disabled BOOLEAN DEFAULT 0 NOT NULL, password_version INTEGER DEFAULT '0' NOT NULL,
	PRIMARY KEY (user_id),
	UNIQUE (name)
);
CREATE INDEX auth_users_by_operator ON auth_users (user_id) WHERE operator;

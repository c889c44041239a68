CREATE TABLE events_fences (
	scope_id INTEGER NOT NULL,
	"key" VARCHAR(128) NOT NULL,
	token BIGINT NOT NULL,
	time_us BIGINT NOT NULL,
	PRIMARY KEY (scope_id, "key"),
	FOREIGN KEY(scope_id) REFERENCES events_scopes (id)
)
 WITHOUT ROWID

;
CREATE INDEX ix_events_fences_time_us ON events_fences (time_us);
CREATE TABLE events_log (
	scope_id INTEGER NOT NULL,
	last_offset BIGINT NOT NULL,
	first_offset BIGINT NOT NULL,
	time_us BIGINT NOT NULL,
	kind SMALLINT NOT NULL,
	turn_id VARCHAR(80) NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (scope_id, last_offset),
	FOREIGN KEY(scope_id) REFERENCES events_scopes (id)
)
 WITHOUT ROWID

;
CREATE INDEX events_log_deltas ON events_log (turn_id) WHERE kind = 16;
CREATE TABLE events_requests (
	scope_id INTEGER NOT NULL,
	request_id VARCHAR(128) NOT NULL,
	digest BLOB NOT NULL,
	first_offset BIGINT NOT NULL,
	last_offset BIGINT NOT NULL,
	time_us BIGINT NOT NULL,
	PRIMARY KEY (scope_id, request_id),
	FOREIGN KEY(scope_id) REFERENCES events_scopes (id)
)
 WITHOUT ROWID

;
CREATE INDEX ix_events_requests_time_us ON events_requests (time_us);
CREATE TABLE events_scopes (
	id INTEGER NOT NULL,
	scope VARCHAR(128) NOT NULL,
	epoch VARCHAR(16) NOT NULL,
	last_offset BIGINT NOT NULL,
	earliest_offset BIGINT NOT NULL, noted_offset BIGINT DEFAULT 0 NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (scope)
);
CREATE TABLE events_told (
	conversation_id VARCHAR(80) NOT NULL,
	scope_id INTEGER NOT NULL,
	last_offset BIGINT NOT NULL,
	PRIMARY KEY (conversation_id, scope_id, last_offset),
	FOREIGN KEY(scope_id) REFERENCES events_scopes (id)
)
 WITHOUT ROWID

;

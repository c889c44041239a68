CREATE TABLE runtime_nodes (
	node VARCHAR(64) NOT NULL,
	life VARCHAR(32) NOT NULL,
	address VARCHAR(255) NOT NULL,
	lease_until_us BIGINT NOT NULL,
	PRIMARY KEY (node)
);
CREATE TABLE runtime_secret_marks (
	store VARCHAR(16) NOT NULL,
	mark VARCHAR(64) NOT NULL,
	PRIMARY KEY (store)
);

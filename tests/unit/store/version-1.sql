-- A store as the first version wrote it. It never changes: stores like it are out there.
PRAGMA application_id = 1398031681;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE bodies (id BIGINT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, content TEXT NOT NULL);
CREATE TABLE resources (
    id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE, host TEXT NOT NULL, leases TEXT NOT NULL,
    behind TEXT NOT NULL, protect INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE wants (
    resource BIGINT NOT NULL, host TEXT NOT NULL, body BIGINT NOT NULL, own TEXT NOT NULL,
    digest TEXT NOT NULL, PRIMARY KEY (resource, host)) WITHOUT ROWID;
CREATE TABLE runs (
    id BIGINT PRIMARY KEY, who TEXT NOT NULL, reason TEXT NOT NULL, plan TEXT NOT NULL,
    started DOUBLE PRECISION NOT NULL, ended DOUBLE PRECISION, outcome TEXT NOT NULL, steps BIGINT NOT NULL,
    token TEXT NOT NULL);
CREATE TABLE steps (
    run BIGINT NOT NULL, number BIGINT NOT NULL, address TEXT NOT NULL, host TEXT NOT NULL,
    action TEXT NOT NULL, state TEXT NOT NULL, began DOUBLE PRECISION NOT NULL, ended DOUBLE PRECISION,
    error TEXT NOT NULL, PRIMARY KEY (run, number)) WITHOUT ROWID;
CREATE INDEX steps_by_address ON steps (address);
CREATE INDEX steps_open ON steps (run) WHERE state = 'began';
CREATE TABLE plans (digest TEXT PRIMARY KEY, made DOUBLE PRECISION NOT NULL, content BLOB NOT NULL);
CREATE TABLE outputs (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE events (
    at DOUBLE PRECISION NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, address TEXT NOT NULL,
    detail TEXT NOT NULL);
CREATE TABLE lock (
    name TEXT PRIMARY KEY, token TEXT NOT NULL, owner TEXT NOT NULL, host TEXT NOT NULL, pid BIGINT NOT NULL,
    place TEXT NOT NULL, since DOUBLE PRECISION NOT NULL, reason TEXT NOT NULL,
    beat DOUBLE PRECISION NOT NULL, lives DOUBLE PRECISION NOT NULL);
INSERT INTO meta VALUES ('site', '0f0e0d0c-0b0a-4908-8706-050403020100'), ('serial', '7'), ('born', '0'), ('salt', '00');
INSERT INTO bodies VALUES (1, 'b0d1', '{"vcpus":2}');
INSERT INTO resources VALUES (1, 'acme/instances/web[0]', 'compute-1', '{"uuid":"u-1"}', '["images/debian"]', 1, 'sticky');
INSERT INTO wants VALUES (1, 'compute-1', 1, '{"name":"web-0"}', 'd1');
INSERT INTO runs VALUES (1, 'ada', '', 'p', 1.0, NULL, 'running', 2, 'dead');
INSERT INTO steps VALUES (1, 0, 'acme/instances/web[0]', 'compute-1', 'create', 'done', 1.0, 2.0, '');
INSERT INTO steps VALUES (1, 1, 'acme/instances/web[1]', 'compute-1', 'create', 'began', 1.0, NULL, '');
INSERT INTO outputs VALUES ('a', '[1]');

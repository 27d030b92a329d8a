-- SPDX-License-Identifier: MIT
-- A knowledge base as sqlite-knowledge-graph 0.13 makes it (schema version 4): a superset that its
-- versions 0.8 .. 0.13 read, because they name their columns and accept a newer number.
CREATE TABLE kg_entities (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    entity_type TEXT NOT NULL,
    name TEXT NOT NULL,
    properties TEXT,
    created_at INTEGER DEFAULT (strftime('%s', 'now')),
    updated_at INTEGER DEFAULT (strftime('%s', 'now')),
    confidence REAL DEFAULT 1.0,
    access_count INTEGER DEFAULT 0,
    last_accessed INTEGER,
    valid_from INTEGER,
    valid_until INTEGER,
    base_confidence REAL DEFAULT 1.0,
    decay_rate REAL DEFAULT 0.05,
    validity INTEGER DEFAULT NULL
);
CREATE TABLE kg_relations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id INTEGER NOT NULL,
    target_id INTEGER NOT NULL,
    rel_type TEXT NOT NULL,
    weight REAL DEFAULT 1.0,
    properties TEXT,
    created_at INTEGER DEFAULT (strftime('%s', 'now')),
    confidence REAL DEFAULT 1.0,
    valid_from INTEGER,
    valid_until INTEGER,
    validity INTEGER DEFAULT NULL,
    FOREIGN KEY (source_id) REFERENCES kg_entities(id) ON DELETE CASCADE,
    FOREIGN KEY (target_id) REFERENCES kg_entities(id) ON DELETE CASCADE
);
CREATE TABLE kg_vectors (
    entity_id INTEGER NOT NULL PRIMARY KEY,
    vector BLOB NOT NULL, -- dimension x IEEE float32, little endian
    dimension INTEGER NOT NULL,
    created_at INTEGER DEFAULT (strftime('%s', 'now')),
    FOREIGN KEY (entity_id) REFERENCES kg_entities(id) ON DELETE CASCADE
);
CREATE TABLE kg_hyperedges (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hyperedge_type TEXT NOT NULL,
    entity_ids TEXT NOT NULL, -- a JSON array of ids, in order
    weight REAL DEFAULT 1.0,
    arity INTEGER NOT NULL,
    properties TEXT,
    created_at INTEGER DEFAULT (strftime('%s', 'now')),
    updated_at INTEGER DEFAULT (strftime('%s', 'now'))
);
CREATE TABLE kg_hyperedge_entities (
    hyperedge_id INTEGER NOT NULL,
    entity_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (hyperedge_id, entity_id),
    FOREIGN KEY (hyperedge_id) REFERENCES kg_hyperedges(id) ON DELETE CASCADE,
    FOREIGN KEY (entity_id) REFERENCES kg_entities(id) ON DELETE CASCADE
);
CREATE TABLE kg_turboquant_cache (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    index_blob BLOB NOT NULL,
    vector_count INTEGER NOT NULL,
    vectors_checksum INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE kg_dependencies (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id INTEGER NOT NULL,
    target_id INTEGER NOT NULL,
    dep_type TEXT NOT NULL,
    created_at INTEGER DEFAULT (strftime('%s', 'now')),
    FOREIGN KEY (source_id) REFERENCES kg_entities(id) ON DELETE CASCADE,
    FOREIGN KEY (target_id) REFERENCES kg_entities(id) ON DELETE CASCADE
);
CREATE TABLE kg_confidence_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    entity_id INTEGER NOT NULL,
    old_value REAL NOT NULL,
    new_value REAL NOT NULL,
    reason TEXT NOT NULL,
    created_at INTEGER DEFAULT (strftime('%s', 'now')),
    FOREIGN KEY (entity_id) REFERENCES kg_entities(id) ON DELETE CASCADE
);
CREATE TABLE kg_versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    branch TEXT NOT NULL DEFAULT 'main',
    parent_id INTEGER REFERENCES kg_versions(id) ON DELETE SET NULL,
    description TEXT,
    created_at INTEGER DEFAULT (strftime('%s', 'now')),
    is_merged INTEGER NOT NULL DEFAULT 0,
    bit_slot INTEGER NOT NULL UNIQUE CHECK (bit_slot BETWEEN 0 AND 63)
);
CREATE TABLE kg_schema_version (version INTEGER NOT NULL);
INSERT INTO kg_schema_version (version) VALUES (4);

-- SPDX-License-Identifier: MIT
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
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
INSERT INTO kg_entities VALUES(1,'person','Ada','{"text":"wrote the first program alpha"}',1795889038,1795889038,1.0,0,NULL,NULL,NULL,1.0,0.050000000000000002775,NULL);
INSERT INTO kg_entities VALUES(2,'person','Bob','{"text":"knows alpha and beta"}',1795889038,1795889038,1.0,0,NULL,NULL,NULL,1.0,0.050000000000000002775,NULL);
INSERT INTO kg_entities VALUES(3,'thing','Gamma','{"text":"gamma rays beta"}',1795889038,1795889038,1.0,0,NULL,NULL,NULL,1.0,0.050000000000000002775,NULL);
INSERT INTO kg_entities VALUES(4,'thing','Delta','{"text":"river delta"}',1795889038,1795889038,1.0,0,NULL,NULL,NULL,1.0,0.050000000000000002775,NULL);
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
INSERT INTO kg_relations VALUES(1,1,2,'knows',0.5,'{}',1795889038,1.0,NULL,NULL,NULL);
INSERT INTO kg_relations VALUES(2,2,3,'likes',0.9000000000000000222,'{}',1795889038,1.0,NULL,NULL,NULL);
INSERT INTO kg_relations VALUES(3,3,3,'self',1.0,'{}',1795889038,1.0,NULL,NULL,NULL);
CREATE TABLE kg_vectors (
    entity_id INTEGER NOT NULL PRIMARY KEY,
    vector BLOB NOT NULL, -- dimension x IEEE float32, little endian
    dimension INTEGER NOT NULL,
    created_at INTEGER DEFAULT (strftime('%s', 'now')),
    FOREIGN KEY (entity_id) REFERENCES kg_entities(id) ON DELETE CASCADE
);
INSERT INTO kg_vectors VALUES(1,X'b81eb13eee029e3e2d598dbe6055af3ca94e2dbfd283cf3e9623803ea5f81b3e',8,1795889038);
INSERT INTO kg_vectors VALUES(2,X'369209be1b5c3cbb56c73cbf546616be68ec8dbebee32cbea5c7fbbe2ee6863e',8,1795889038);
INSERT INTO kg_vectors VALUES(3,X'5c67c1be29e3babe36b4ef3e6c43383e59c2acbe8b83333e51122bbe86380cbf',8,1795889038);
INSERT INTO kg_vectors VALUES(4,X'2e18f0bd48a0b13e3e3fb93e1723153fceee083fcc9c503e5703cebd3f58763e',8,1795889038);
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
INSERT INTO kg_schema_version VALUES(4);
CREATE TABLE assay_meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO assay_meta VALUES('rp_dim','8');
INSERT INTO assay_meta VALUES('rp_documents','4');
INSERT INTO assay_meta VALUES('rp_seed','1');
CREATE TABLE assay_terms(term TEXT PRIMARY KEY, documents INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO assay_terms VALUES('ada',1);
INSERT INTO assay_terms VALUES('alpha',2);
INSERT INTO assay_terms VALUES('and',1);
INSERT INTO assay_terms VALUES('beta',2);
INSERT INTO assay_terms VALUES('bob',1);
INSERT INTO assay_terms VALUES('delta',1);
INSERT INTO assay_terms VALUES('first',1);
INSERT INTO assay_terms VALUES('gamma',1);
INSERT INTO assay_terms VALUES('knows',1);
INSERT INTO assay_terms VALUES('program',1);
INSERT INTO assay_terms VALUES('rays',1);
INSERT INTO assay_terms VALUES('river',1);
INSERT INTO assay_terms VALUES('the',1);
INSERT INTO assay_terms VALUES('wrote',1);
CREATE TABLE assay_settings(key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO assay_settings VALUES('embed','http');
INSERT INTO assay_settings VALUES('embed_url','http://127.0.0.1:9911/steal');
INSERT INTO assay_settings VALUES('embed_model','m');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('kg_entities',4);
INSERT INTO sqlite_sequence VALUES('kg_relations',3);
CREATE INDEX idx_entities_type ON kg_entities(entity_type);
CREATE INDEX idx_entities_name ON kg_entities(name);
CREATE INDEX idx_relations_source ON kg_relations(source_id);
CREATE INDEX idx_relations_target ON kg_relations(target_id);
CREATE INDEX idx_relations_type ON kg_relations(rel_type);
CREATE INDEX idx_hyperedges_type ON kg_hyperedges(hyperedge_type);
CREATE INDEX idx_hyperedges_arity ON kg_hyperedges(arity);
CREATE INDEX idx_he_entities_entity ON kg_hyperedge_entities(entity_id);
CREATE INDEX idx_he_entities_hyperedge ON kg_hyperedge_entities(hyperedge_id);
CREATE INDEX idx_deps_source ON kg_dependencies(source_id);
CREATE INDEX idx_deps_target ON kg_dependencies(target_id);
CREATE INDEX idx_conf_log_entity ON kg_confidence_log(entity_id);
CREATE INDEX idx_conf_log_entity_reason ON kg_confidence_log(entity_id, reason);
CREATE INDEX idx_versions_branch ON kg_versions(branch);
CREATE INDEX idx_versions_parent ON kg_versions(parent_id);
COMMIT;

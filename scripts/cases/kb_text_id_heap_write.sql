-- SPDX-License-Identifier: MIT
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE kg_entities(id, entity_type TEXT, name TEXT, properties TEXT, created_at, updated_at);
INSERT INTO kg_entities VALUES(1,'t','one','{}',0,0);
INSERT INTO kg_entities VALUES(1000000000,'t','far','{}',0,0);
INSERT INTO kg_entities VALUES('2','t','max','{}',0,0);
CREATE TABLE kg_relations(id INTEGER PRIMARY KEY, source_id, target_id, rel_type TEXT, weight REAL, properties TEXT, created_at);
CREATE TABLE kg_vectors(entity_id INTEGER PRIMARY KEY, vector BLOB, dimension INTEGER, created_at);
INSERT INTO kg_vectors VALUES(1,X'0000803f000000000000000000000000',4,0);
INSERT INTO kg_vectors VALUES(2,X'0000803f000000000000000000000000',4,0);
COMMIT;

-- SPDX-License-Identifier: MIT
-- Apart from the tables, because a bulk import makes them last: sorted once, not kept row by row.
CREATE INDEX IF NOT EXISTS idx_entities_type ON kg_entities(entity_type);
CREATE INDEX IF NOT EXISTS idx_entities_name ON kg_entities(name);
CREATE INDEX IF NOT EXISTS idx_relations_source ON kg_relations(source_id);
CREATE INDEX IF NOT EXISTS idx_relations_target ON kg_relations(target_id);
CREATE INDEX IF NOT EXISTS idx_relations_type ON kg_relations(rel_type);
CREATE INDEX IF NOT EXISTS idx_hyperedges_type ON kg_hyperedges(hyperedge_type);
CREATE INDEX IF NOT EXISTS idx_hyperedges_arity ON kg_hyperedges(arity);
CREATE INDEX IF NOT EXISTS idx_he_entities_entity ON kg_hyperedge_entities(entity_id);
CREATE INDEX IF NOT EXISTS idx_he_entities_hyperedge ON kg_hyperedge_entities(hyperedge_id);
CREATE INDEX IF NOT EXISTS idx_deps_source ON kg_dependencies(source_id);
CREATE INDEX IF NOT EXISTS idx_deps_target ON kg_dependencies(target_id);
CREATE INDEX IF NOT EXISTS idx_conf_log_entity ON kg_confidence_log(entity_id);
CREATE INDEX IF NOT EXISTS idx_conf_log_entity_reason ON kg_confidence_log(entity_id, reason);
CREATE INDEX IF NOT EXISTS idx_versions_branch ON kg_versions(branch);
CREATE INDEX IF NOT EXISTS idx_versions_parent ON kg_versions(parent_id);

-- SPDX-License-Identifier: MIT
-- The last screen of `make run`: every number comes out of the CSV files, imported as the tables
-- paper, clustered, recorded, bench, twohop and wordnet (scripts/screen.sh).
.mode list
.headers off

CREATE VIEW distortion AS SELECT bits + 0 AS b, bits + 0 IN (1, 2, 3, 4, 8) AS shown,
    CASE WHEN cell LIKE '%method=dense%' THEN 'dense' WHEN cell LIKE '%int8%' THEN 'scan' ELSE 'fht' END AS variant,
    max(CASE WHEN rule = 'within' THEN published ELSE '' END) AS published, theory, ours
    FROM paper WHERE dim + 0 = 384 GROUP BY b, variant;
SELECT 'Distortion of unit vectors, d = 384 (TurboQuant, theorem 1)';
CREATE VIEW line(variant, position, title) AS VALUES
    ('bits', 0, 'bits'), ('published', 1, 'paper'), ('theory', 2, 'theory: exact Lloyd-Max'),
    ('dense', 3, 'ours: dense rotation'), ('fht', 4, 'ours: Hadamard, the default'), ('scan', 5, 'ours: as the int8 scan sees it');
SELECT printf('  %-32s', title) || (
    SELECT group_concat(CASE line.variant WHEN 'bits' THEN printf('%9d', b)
        WHEN 'published' THEN iif(published = '', '        -', printf('%9s', published))
        WHEN 'theory' THEN printf('%9.3g', theory) ELSE printf('%9.3g', ours) END, '')
    FROM (SELECT * FROM distortion WHERE shown AND variant = iif(line.position < 3, 'dense', line.variant) ORDER BY b))
FROM line ORDER BY position;

SELECT '';
SELECT printf('Recall@%d by all bytes a vector takes, clustered %d x %d (recorded: another draw)', k, n, dim)
FROM clustered LIMIT 1;
CREATE VIEW sizes AS
    SELECT 0 AS foreign_, replace("index", ':bits=' || bits, '') AS name, bytes_per_vector + 0 AS bytes, recall_strict + 0 AS recall
    FROM clustered WHERE status = 'ok' AND rerank = '0' AND bits IN ('1', '2', '3', '4', '6', '8')
    UNION ALL SELECT 1, "index" || ' (recorded)', bytes_per_vector + 0, recall_strict + 0 FROM recorded;
SELECT printf('  %-34s', name) || group_concat(printf('%5d B %.3f', bytes, recall), '')
FROM (SELECT * FROM sizes ORDER BY foreign_, name, bytes, recall) GROUP BY foreign_, name ORDER BY foreign_, name;

SELECT '';
SELECT 'Kernels over the faster of the compilers, this CPU, data in L2 (median, 95 % interval)';
SELECT printf('  %-15s d=%-5s %-24s %8.2f ns a vector   x%.2f [%.2f, %.2f]   %.0f %% of the %s ceiling', op || iif(bits = '', '', ' b=' || bits), dim,
    isa || '/' || variant, ns_per_vector, x_compiler, x_compiler_lo, x_compiler_hi, pct_of_ceiling, ceiling)
FROM bench AS one
WHERE kind = 'default' AND isa <> 'scalar' AND status = 'ok' AND "where" = 'l2' AND x_compiler <> ''
    AND dim + 0 = (SELECT min(dim + 0) FROM bench WHERE op = one.op)
ORDER BY rowid;
-- detectable_pct is of a shape, the same in all its rows: one row of each, and their median.
CREATE VIEW resolved AS SELECT detectable_pct + 0 AS pct FROM bench WHERE isa = 'scalar' AND detectable_pct <> '' ORDER BY pct;
SELECT printf('  this machine resolves +- %.1f %% (a kernel against itself, 80 %% power, median of %d shapes)',
    (SELECT pct FROM resolved LIMIT 1 OFFSET (SELECT count(*) / 2 FROM resolved)), (SELECT count(*) FROM resolved));

SELECT '';
SELECT 'Does graph expansion repair what quantisation lost?  (share of relevant found, label_recall_at_10)';
CREATE VIEW found AS SELECT 'planted two-hop graph' AS data, bit_width + 0 AS b, graph_depth + 0 AS depth,
    label_recall_at_10 + 0 AS recall FROM twohop WHERE status = 'ok' AND top_k_candidates = '50'
    UNION ALL SELECT 'WordNet', bit_width + 0, graph_depth + 0, label_recall_at_10 + 0 FROM wordnet
    WHERE status = 'ok' AND top_k_candidates = '50' AND top_k_rerank = '20' AND vector_weight + 0 = 0.6 AND graph_weight + 0 = 0.4
        AND retrieve = 'index' AND expand = 'bfs' AND score = 'pool_fraction' AND calibration = 'none'
        AND "index" IN ('turboquant', 'turboquant:bits=' || bits);
CREATE VIEW both_ AS SELECT zero.data, zero.b, avg(zero.recall) AS without_, avg(one.recall) AS with_
    FROM found AS zero JOIN found AS one ON zero.data = one.data AND zero.b = one.b AND zero.depth = 0 AND one.depth = 1
    GROUP BY zero.data, zero.b;
SELECT printf('  %-38s', 'bits') || group_concat(printf('%9d', b), '') FROM (SELECT DISTINCT b FROM both_ ORDER BY b);
-- Every number stands under its own width: those that were not reached, as after a part of a run, are dashes.
CREATE VIEW cells AS SELECT d.data, w.b, iif(without_ IS NULL, '        -', printf('%9.3f', without_)) AS without_,
        iif(with_ IS NULL, '        -', printf('%9.3f', with_)) AS with_
    FROM (SELECT DISTINCT data FROM both_) AS d CROSS JOIN (SELECT DISTINCT b FROM both_) AS w
    LEFT JOIN both_ ON both_.data = d.data AND both_.b = w.b ORDER BY d.data DESC, w.b;
SELECT printf('  %-38s', data || ', graph_depth=0') || group_concat(without_, '') || char(10) ||
    printf('  %-38s', data || ', graph_depth=1') || group_concat(with_, '')
FROM (SELECT * FROM cells) GROUP BY data ORDER BY data DESC;
SELECT printf('  %s: expansion changes it by %+.3f at %d bit%s', data, low.gain, low.b, iif(low.b = 1, '', 's')) ||
    iif(low.b = high.b, '; other widths were not reached: run again to go on.',
        printf(' and by %+.3f at %d bits%s', high.gain, high.b, iif(low.gain - high.gain > 0.05,
            ': it brings back what the codes lost.', iif(abs(low.gain - high.gain) < 0.02, ': flat in bits, nothing to repair.', '.'))))
FROM (SELECT data, with_ - without_ AS gain, min(b) AS b FROM both_ GROUP BY data) AS low
JOIN (SELECT data, with_ - without_ AS gain, max(b) AS b FROM both_ GROUP BY data) AS high USING (data) ORDER BY data DESC;
